"""All of a TensorFlow network but its two passes: variables, regularisation, updates, epochs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from impl_tf_lowlevel import activations, losses, regularisation
from impl_tf_lowlevel.compiled_steps import CHUNK_BYTES, compiled_steps
from impl_tf_lowlevel.optimizers import Optimizer
from shared import Array, Derivatives, Masks, Parameters, Run, Trace, Training, Weights
from shared import Model as SharedModel
from shared.frameworks import starting_tensorflow

__all__ = ["Model"]


class Model(SharedModel):
    """A network; a subclass makes its forward and its backward pass."""

    @abstractmethod
    def propagate(
        self, x: tf.Tensor, masks: Masks | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass: z[0..L-1], (N, D[l+1]) each, and a[0..L], (N, D[l]) each."""

    @abstractmethod
    def backpropagate(self, x: tf.Tensor, y: tf.Tensor, masks: Masks | None = None) -> Derivatives:
        """The forward pass, the loss and the backward pass for x (N, D[0]) and y (N, D[L])."""

    def build(self, start: Parameters) -> None:
        with starting_tensorflow():
            self.W = [tf.Variable(W) for W, _ in start]
        self.b = [tf.Variable(b) for _, b in start]
        # The graph of the current training run, by its optimizer and its batch size.
        self.compiled: dict[tuple[Optimizer, int], Any] = {}

    @property
    def parameters(self) -> Parameters:
        return tuple(
            Weights(W.numpy().copy(), b.numpy().copy()) for W, b in zip(self.W, self.b, strict=True)
        )

    def assign(self, parameters: Parameters) -> None:
        for W, b, given in zip(self.W, self.b, parameters, strict=True):
            W.assign(given.W)
            b.assign(given.b)

    def trace(self, x: Array, y: Array | None = None, masks: Masks | None = None) -> Trace:
        if y is None:
            z, a = self.propagate(tf.constant(x), masks)
            return Trace.of_tensors(z=z, a=a)
        return self.backpropagate(tf.constant(x), tf.constant(y), masks).trace(y)

    def activation(self, l: int, z: tf.Tensor) -> tf.Tensor:
        """a[l+1] = g(z[l])."""
        layer = self.network.layers[l]
        return activations.ACTIVATIONS[layer.activation](z, **layer.arguments)

    def output(self, z: list[tf.Tensor], a: list[tf.Tensor]) -> tf.Tensor:
        """z[L-1] or a[L] (N, D[L]), whichever the loss takes."""
        return z[-1] if self.network.loss_from_logits else a[-1]

    def loss(self, y: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
        """The loss, a scalar, of targets and :meth:`output`."""
        return losses.LOSSES[self.network.loss](y, output, **self.network.loss_arguments)

    def loss_of(self, x: Array, y: Array) -> float:
        output = self.output(*self.propagate(tf.constant(x)))
        return float(self.loss(tf.constant(y), output) + self.penalty())

    # Regularisation.

    def drop(self, l: int, a: tf.Tensor, masks: Masks | None) -> tf.Tensor:
        """The input of layer l, (N, D[l]): a[l], or in training a[l] after dropout."""
        if not masks or l not in masks:
            return a
        layer = self.network.layers[l - 1]
        drop = regularisation.alpha_dropout if layer.alpha_dropout else regularisation.dropout
        return drop(a, masks[l], layer.dropout_rate)

    def penalty(self) -> tf.Tensor:
        """The sum of all layers' L1 and L2 penalties, a scalar, which is added to the loss."""
        penalties = [
            regularisation.penalty(W, layer.l1, layer.l2)
            for W, layer in zip(self.W, self.network.layers, strict=True)
            if layer.is_penalised
        ]
        return sum(penalties, tf.zeros((), self.network.dtype))

    # Training.

    def make_optimizer(self, training: Training) -> Optimizer:
        return Optimizer(training, [*self.W, *self.b])

    def update(self, dW: Sequence[Any], db: Sequence[Any], training: Training) -> None:
        gradients = []
        for layer, gradient in zip(self.network.layers, dW, strict=True):
            gradients.append(gradient if layer.trainable else None)
        for layer, gradient in zip(self.network.layers, db, strict=True):
            gradients.append(gradient if layer.learns_bias else None)
        self.optimizer_for(training).apply(gradients)

    def descend(self, x: tf.Tensor, y: tf.Tensor, masks: Masks, training: Training) -> tf.Tensor:
        """Make one update on a batch x (N, D[0]), y (N, D[L]); returns its loss, a scalar."""
        found = self.backpropagate(x, y, masks)
        self.update(found.dW, found.db, training)
        return found.loss

    def train(self, run: Run) -> None:
        steps = self.compiled_for(run)
        for epoch in run.epochs():
            losses = []
            for x, y, masks in run.masked_chunks(epoch, CHUNK_BYTES):
                losses.append(steps(tf.constant(x), tf.constant(y), masks).numpy())
            run.end_steps(np.concatenate(losses))

    def compiled_for(self, run: Run) -> Any:
        """The graph that makes the steps of a run, compiled once for it."""
        training = run.training
        key = self.optimizer_for(training), training.batch_size or len(run.x)
        if key not in self.compiled:
            self.compiled = {key: compiled_steps(self.descend, training, len(run.x))}
        return self.compiled[key]
