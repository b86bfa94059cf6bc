"""All of a Keras network but its layers: parameters, traces, updates, saving."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from impl_keras.batches import no_limits
from impl_keras.dtypes import default_dtype
from impl_keras.layers import Sequential, bias_of
from impl_keras.optimizers import Optimizer
from impl_keras.saving import plain_model
from shared import Array, Derivatives, Masks, Network, Parameters, Run, Trace, Training, Weights
from shared import Model as SharedModel
from shared.arguments import check_type
from shared.frameworks import starting_tensorflow

__all__ = ["Model"]


class Model(SharedModel):
    """A network; a subclass makes its layers, compiles it and fits it."""

    dense: list[keras.layers.Dense]
    model: Sequential

    def __init__(self, network: Network, parameters: Parameters) -> None:
        check_type("network", network, Network)
        with default_dtype(network.dtype), starting_tensorflow():
            super().__init__(network, parameters)

    @abstractmethod
    def compile(self, optimizer: keras.optimizers.Optimizer | None = None) -> None:
        """Compile the model with its loss, and with an optimizer where it is to be trained."""

    @abstractmethod
    def fit_epochs(self, run: Run) -> None:
        """Fit the model for all epochs of a run that are left."""

    @abstractmethod
    def propagate(
        self, x: tf.Tensor, masks: Masks | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass: z[0..L-1], (N, D[l+1]) each, and a[0..L], (N, D[l]) each."""

    @abstractmethod
    def backpropagate(self, x: tf.Tensor, y: tf.Tensor, masks: Masks | None = None) -> Derivatives:
        """The forward pass, the loss and the backward pass for x (N, D[0]) and y (N, D[L])."""

    @cached_property
    def biases(self) -> list[keras.Variable]:
        """b[l] (D[l+1],) of each layer."""
        with default_dtype(self.network.dtype):
            return [bias_of(dense) for dense in self.dense]

    @property
    def parameters(self) -> Parameters:
        pairs = zip(self.dense, self.biases, strict=True)
        return tuple(
            Weights(dense.kernel.numpy().copy(), bias.numpy().copy()) for dense, bias in pairs
        )

    def assign(self, parameters: Parameters) -> None:
        for dense, (W, b) in zip(self.dense, parameters, strict=True):
            dense.set_weights([W, b] if dense.use_bias else [W])

    def trace(self, x: Array, y: Array | None = None, masks: Masks | None = None) -> Trace:
        if y is None:
            z, a = self.propagate(tf.constant(x), masks)
            return Trace.of_tensors(z=z, a=a)
        return self.backpropagate(tf.constant(x), tf.constant(y), masks).trace(y)

    def output(self, z: list[tf.Tensor], a: list[tf.Tensor]) -> tf.Tensor:
        """z[L-1] or a[L] (N, D[L]), whichever the loss takes."""
        return z[-1] if self.network.loss_from_logits else a[-1]

    def loss(self, y: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        """The compiled model's loss with its penalties, a scalar, of targets and :meth:`output`."""
        if not self.model.compiled:
            self.compile()
        with default_dtype(self.network.dtype):
            return self.model.compute_loss(y=y, y_pred=output)

    def loss_of(self, x: Array, y: Array) -> float:
        return float(self.loss(tf.constant(y), self.output(*self.propagate(tf.constant(x)))))

    # Training.

    def make_optimizer(self, training: Training) -> Optimizer:
        kernels = [dense.kernel for dense in self.dense]
        with default_dtype(self.network.dtype):
            optimizer = Optimizer(training, [*kernels, *self.biases])
            self.compile(optimizer.keras)
        return optimizer

    def update(self, dW: Sequence[Any], db: Sequence[Any], training: Training) -> None:
        pairs = [
            (gradient, variable)
            for dense, bias, *gradients in zip(self.dense, self.biases, dW, db, strict=True)
            for gradient, variable in zip(gradients, (dense.kernel, bias), strict=True)
            if variable.trainable
        ]
        optimizer = self.optimizer_for(training).keras
        if pairs:
            optimizer.apply(*map(list, zip(*pairs, strict=True)))

    def train(self, run: Run) -> None:
        if not run.is_over:
            if self.model.steps_per_execution != run.steps_of_epoch:
                self.model.steps_per_execution = run.steps_of_epoch  # one graph for a whole epoch
                self.model.train_function = None
            with default_dtype(self.network.dtype), no_limits(), warnings.catch_warnings():
                # Below a threshold unit there is no gradient, and none is expected.
                warnings.filterwarnings("ignore", message="Gradients do not exist")
                self.fit_epochs(run)
        run.finish()

    def save(self, path: Path) -> None:
        """Write the network to a ``.keras`` file, as a :func:`plain_model`."""
        plain_model(self.network, self.parameters).save(path)
