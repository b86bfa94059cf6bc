"""A perceptron: one layer, its whole step on one page.

With threshold units it learns by the perceptron rule, w ← w + η(y - ŷ)x; with sigmoid units by
gradient descent on the cross-entropy, whose gradient has the same form (KTH-1, KTH-2, EPITA-1).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from impl_numpy.activations import ACTIVATIONS
from impl_numpy.losses import LOSSES
from impl_numpy.optimizers import Optimizer
from shared import (
    Array,
    Checkpoint,
    Dataset,
    History,
    Network,
    OnEpoch,
    Parameters,
    Run,
    Trace,
    Training,
    Weights,
    check_inputs,
    check_parameters,
    check_perceptron,
    check_targets,
)

__all__ = ["Perceptron"]


class Perceptron:
    """One layer of threshold units or of sigmoid units.

    Args:
        network: a single layer, of step or sign units with the perceptron rule, or of sigmoid
            units with binary cross-entropy.
        parameters: where it starts; W (D[0], D[1]) and b (D[1],).

    Raises:
        InputError: another network, or parameters that do not fit it.
    """

    def __init__(self, network: Network, parameters: Parameters) -> None:
        self.network = check_perceptron(network)
        self.layer = network.layers[0]
        ((self.W, self.b),) = check_parameters(network, parameters)
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return (Weights(self.W.copy(), self.b.copy()),)

    def load(self, parameters: Parameters) -> None:
        """Take these for W and b."""
        ((self.W[...], self.b[...]),) = parameters

    def predict(self, x: Any) -> Array:
        """The output ŷ (N, D[1]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z = x @ W + b and ŷ = g(z)."""
        x = check_inputs(self.network, x)
        z = x @ self.W + self.b
        return Trace(z=(z,), a=(x, ACTIVATIONS[self.layer.activation](z)))

    def evaluate(self, x: Any, y: Any) -> float:
        """The loss of inputs x (N, D[0]) and targets y (N, D[1])."""
        return float(np.asarray(self.backward(x, y).loss))

    def backward(self, x: Any, y: Any) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[1]); updates nothing."""
        forward = self.forward(x)
        (z,), (x, y_hat) = forward.z, forward.a
        y = check_targets(self.network, y, len(x))
        # The perceptron rule sums over a row's outputs, the cross-entropy is their mean.
        n = y.size if self.network.loss == "binary_crossentropy" else len(y)
        dz = (y_hat - y) / n
        return Trace(
            z=(z,),
            a=(x, y_hat),
            y=y,
            loss=LOSSES[self.network.loss](y, z),
            dz=(dz,),
            dW=(x.T @ dz,),
            db=(dz.sum(axis=0),),
            dx=dz @ self.W.T,
        )

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        """One update, w ← w - η dW, with every number that went into it."""
        trace = self.backward(x, y)
        optimizer = self.optimizer_for(training)
        db = np.zeros_like(self.b) if self.layer.fixed_bias else trace.db[0].copy()
        optimizer.apply([trace.dW[0].copy(), db])
        ((W, b),) = self.parameters
        return dataclasses.replace(trace, W_next=(W,), b_next=(b,), slots=optimizer.slots)

    def fit(
        self,
        dataset: Dataset,
        training: Training,
        on_epoch: OnEpoch | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> History:
        """Train on all of a data set's batches, epoch after epoch; or go on from a checkpoint.

        The perceptron rule ends after the first epoch that leaves no errors (EPITA-1).
        """
        run = Run(self, dataset, training, on_epoch, checkpoint)
        for epoch in run.epochs():
            run.end_steps([self.step(x, y, training).loss for x, y in run.batches(epoch)])
        return run.history

    def optimizer_for(self, training: Training) -> Optimizer:
        """The optimizer of a training run; what it keeps lasts as long as the run is the same."""
        if self.optimizer is None or self.optimizer.training != training:
            self.optimizer = Optimizer(training, [self.W, self.b])
        return self.optimizer
