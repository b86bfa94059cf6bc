"""A perceptron: one layer, its whole step on one page.

With threshold units it learns by the perceptron rule, w ← w + η(y - ŷ)x; with sigmoid units by
gradient descent on the cross-entropy, whose gradient has the same form (KTH-1, KTH-2, EPITA-1).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from impl_tf_lowlevel.activations import ACTIVATIONS
from impl_tf_lowlevel.losses import LOSSES
from impl_tf_lowlevel.optimizers import Optimizer
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
        ((W, b),) = check_parameters(network, parameters)
        self.W, self.b = tf.Variable(W), tf.Variable(b)
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return (Weights(self.W.numpy().copy(), self.b.numpy().copy()),)

    def load(self, parameters: Parameters) -> None:
        """Take these for W and b."""
        ((W, b),) = parameters
        self.W.assign(W)
        self.b.assign(b)

    def predict(self, x: Any) -> Array:
        """The output ŷ (N, D[1]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z = x @ W + b and ŷ = g(z)."""
        x = check_inputs(self.network, x)
        z = x @ self.W + self.b
        return Trace(z=(z.numpy(),), a=(x, ACTIVATIONS[self.layer.activation](z).numpy()))

    def evaluate(self, x: Any, y: Any) -> float:
        """The loss of inputs x (N, D[0]) and targets y (N, D[1])."""
        return float(np.asarray(self.backward(x, y).loss))

    def backward(self, x: Any, y: Any) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[1]); updates nothing."""
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch([inputs, self.b])
            z = inputs @ self.W + self.b
            loss = LOSSES[self.network.loss](tf.constant(y), z)
        dz, dW, db, dx = tape.gradient(loss, [z, self.W, self.b, inputs])
        return Trace(
            z=(z.numpy(),),
            a=(x, ACTIVATIONS[self.layer.activation](z).numpy()),
            y=y,
            loss=loss.numpy(),
            dz=(dz.numpy(),),
            dW=(dW.numpy(),),
            db=(db.numpy(),),
            dx=dx.numpy(),
        )

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        """One update, w ← w - η dW, with every number that went into it."""
        trace = self.backward(x, y)
        optimizer = self.optimizer_for(training)
        self.update(tf.constant(trace.dW[0]), tf.constant(trace.db[0]), optimizer)
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
        optimizer = self.optimizer_for(training)

        @tf.function
        def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                tape.watch(self.b)
                loss = LOSSES[self.network.loss](y, x @ self.W + self.b)
            dW, db = tape.gradient(loss, [self.W, self.b])
            self.update(dW, db, optimizer)
            return loss

        batch = [tf.TensorSpec([None, width], run.x.dtype) for width in self.network.widths]
        compiled = step.get_concrete_function(*batch)
        for epoch in run.epochs():
            losses = [compiled(tf.constant(x), tf.constant(y)) for x, y in run.batches(epoch)]
            run.end_steps([loss.numpy() for loss in losses])
        return run.history

    def update(self, dW: tf.Tensor, db: tf.Tensor, optimizer: Optimizer) -> None:
        """The optimizer's step on W and b; a bias that is fixed gets none."""
        optimizer.apply([dW, tf.zeros_like(db) if self.layer.fixed_bias else db])

    def optimizer_for(self, training: Training) -> Optimizer:
        """The optimizer of a training run; what it keeps lasts as long as the run is the same."""
        if self.optimizer is None or self.optimizer.training != training:
            self.optimizer = Optimizer(training, [self.W, self.b])
        return self.optimizer
