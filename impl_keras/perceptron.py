"""A perceptron: a Sequential model of one Dense layer.

With threshold units it learns by the perceptron rule, w ← w + η(y - ŷ)x; with sigmoid units by
gradient descent on the cross-entropy, whose gradient has the same form (KTH-1, KTH-2, EPITA-1).
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from impl_keras.activations import ACTIVATIONS
from impl_keras.feedforward import Sequential, default_dtype, dense_layer, fit_run, plain_model
from impl_keras.losses import LOSSES
from impl_keras.optimizers import Optimizer
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
        (start,) = check_parameters(network, parameters)
        with default_dtype(network.dtype):
            self.dense = dense_layer(self.layer, start)
            self.model = Sequential([self.dense])
        self.optimizer: Optimizer | None = None

    @property
    def parameters(self) -> Parameters:
        """A copy of W and b as they are now."""
        return (Weights(*self.dense.get_weights()),)

    def load(self, parameters: Parameters) -> None:
        """Take these for W and b."""
        self.dense.set_weights(list(parameters[0]))

    def predict(self, x: Any) -> Array:
        """The output ŷ (N, D[1]) for inputs x (N, D[0])."""
        return self.forward(x).a[-1]

    def forward(self, x: Any) -> Trace:
        """z = x @ W + b and ŷ = g(z)."""
        x = check_inputs(self.network, x)
        z = self.dense(tf.constant(x))
        return Trace(z=(z.numpy(),), a=(x, ACTIVATIONS[self.layer.activation](z).numpy()))

    def evaluate(self, x: Any, y: Any) -> float:
        """The loss of inputs x (N, D[0]) and targets y (N, D[1])."""
        return float(np.asarray(self.backward(x, y).loss))

    def backward(self, x: Any, y: Any) -> Trace:
        """The loss and its derivatives for a batch x (N, D[0]), y (N, D[1]); updates nothing."""
        x = check_inputs(self.network, x)
        y = check_targets(self.network, y, len(x))
        if not self.model.compiled:
            self.model.compile(loss=LOSSES[self.network.loss])
        inputs, W, b = tf.constant(x), self.dense.kernel.value, self.dense.bias.value
        with tf.GradientTape() as tape, default_dtype(self.network.dtype):
            tape.watch([inputs, b])
            z = self.dense(inputs)
            loss = self.model.compute_loss(y=tf.constant(y), y_pred=z)
        dz, dW, db, dx = tape.gradient(loss, [z, W, b, inputs])
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
        optimizer = self.optimizer_for(training)
        trace = self.backward(x, y)
        gradients, variables = [*trace.dW, *trace.db], self.model.trainable_variables
        optimizer.keras.apply(gradients[: len(variables)], variables)
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
        return fit_run(self.model, Run(self, dataset, training, on_epoch, checkpoint))

    def save(self, path: Path) -> None:
        """Write the perceptron as it is now to a ``.keras`` file, see :func:`plain_model`."""
        plain_model(self.network, self.parameters).save(path)

    def optimizer_for(self, training: Training) -> Optimizer:
        """The compiled model's; what it keeps lasts as long as the training run is the same."""
        if self.optimizer is None or self.optimizer.training != training:
            with default_dtype(self.network.dtype):
                self.optimizer = Optimizer(training, [self.dense.kernel, self.dense.bias])
                self.model.compile(optimizer=self.optimizer.keras, loss=LOSSES[self.network.loss])
        return self.optimizer
