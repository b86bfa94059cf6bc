"""All of a NumPy network but its two passes: parameters, regularisation, updates, epochs."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from impl_numpy import losses, regularisation
from impl_numpy.activations import ACTIVATIONS, BACKWARD
from impl_numpy.deferred_losses import DeferredLosses
from impl_numpy.optimizers import Optimizer
from shared import Array, Layer, Parameters, Run, Trace, Training, Weights
from shared import Model as SharedModel

__all__ = ["Model"]


class Model(SharedModel):
    """A network; a subclass makes its forward and its backward pass."""

    @abstractmethod
    def propagate(
        self, x: Array, masks: dict[int, Array] | None = None
    ) -> tuple[list[Array], list[Array]]:
        """The forward pass: z[0..L-1], (N, D[l+1]) each, and a[0..L], (N, D[l]) each."""

    @abstractmethod
    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        """The backward pass: dz (N, D[l+1]), dW (D[l], D[l+1]) and db (D[l+1],) of each layer."""

    @abstractmethod
    def input_gradient(self, dz: list[Array]) -> Array:
        """dx (N, D[0]), the derivative of the loss with respect to the input."""

    def build(self, start: Parameters) -> None:
        self.W = [W for W, _ in start]
        self.b = [b for _, b in start]
        self.dW = [np.empty_like(W) for W in self.W]  # reused, since allocating is slow
        self.masks: dict[int, Array] = {}  # of dropout, in the current step
        layers = self.network.layers
        self.g = [_of_layer(ACTIVATIONS, layer) for layer in layers]
        self.g_backward = [_of_layer(BACKWARD, layer) for layer in layers]
        self.frozen = [l for l, layer in enumerate(layers) if not layer.trainable]
        self.fixed = [l for l, layer in enumerate(layers) if not layer.learns_bias]
        self.penalised = [l for l, layer in enumerate(layers) if layer.is_penalised]

    @property
    def parameters(self) -> Parameters:
        return tuple(Weights(W.copy(), b.copy()) for W, b in zip(self.W, self.b, strict=True))

    def assign(self, parameters: Parameters) -> None:
        for W, b, given in zip(self.W, self.b, parameters, strict=True):
            W[...], b[...] = given

    def trace(
        self, x: Array, y: Array | None = None, masks: dict[int, Array] | None = None
    ) -> Trace:
        z, a = self.propagate(x, masks)
        if y is None:
            return Trace(z=tuple(z), a=tuple(a))
        dz, dW, db = self.backpropagate(y, z, a)
        return Trace(
            z=tuple(z),
            a=tuple(a),
            y=y,
            loss=self.loss(y, self.output(z, a)) + self.penalty(),
            dz=tuple(dz),
            dW=tuple(gradient.copy() for gradient in dW),
            db=tuple(db),
            dx=self.input_gradient(dz),
        )

    def output(self, z: list[Array], a: list[Array]) -> Array:
        """z[L-1] or a[L] (N, D[L]), whichever the loss takes."""
        return z[-1] if self.network.loss_from_logits else a[-1]

    def loss(self, y: Array, output: Array) -> Array:
        """The loss, a scalar, of targets and :meth:`output`."""
        return losses.LOSSES[self.network.loss](y, output, **self.network.loss_arguments)

    def loss_of(self, x: Array, y: Array) -> float:
        return float(self.loss(y, self.output(*self.propagate(x))) + self.penalty())

    # Regularisation.

    def drop(self, l: int, a: Array) -> Array:
        """The input of layer l, (N, D[l]): a[l], or in training a[l] after dropout."""
        if l not in self.masks:
            return a
        layer = self.network.layers[l - 1]
        drop = regularisation.alpha_dropout if layer.alpha_dropout else regularisation.dropout
        return drop(a, self.masks[l], layer.dropout_rate)

    def drop_backward(self, l: int, da: Array) -> Array:
        """da[l] (N, D[l]), from the derivative with respect to the input of layer l."""
        if l not in self.masks:
            return da
        layer = self.network.layers[l - 1]
        if layer.alpha_dropout:
            return regularisation.alpha_dropout_backward(da, self.masks[l], layer.alpha_dropout)
        return regularisation.dropout_backward(da, self.masks[l], layer.dropout)

    def penalty(self) -> Array | float:
        """The sum of all layers' L1 and L2 penalties, a scalar, which is added to the loss."""
        layers = [(self.W[l], self.network.layers[l]) for l in self.penalised]
        return sum(regularisation.penalty(W, layer.l1, layer.l2) for W, layer in layers)

    def penalty_gradient(self, l: int) -> Array:
        """The derivative of layer l's penalty with respect to W[l], (D[l], D[l+1])."""
        layer = self.network.layers[l]
        return regularisation.penalty_gradient(self.W[l], layer.l1, layer.l2)

    # Training.

    def make_optimizer(self, training: Training) -> Optimizer:
        return Optimizer(training, [*self.W, *self.b])

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        free_dW = [None if l in self.frozen else gradient for l, gradient in enumerate(dW)]
        free_db = [None if l in self.fixed else gradient for l, gradient in enumerate(db)]
        self.optimizer_for(training).apply([*free_dW, *free_db])

    def descend(self, x: Array, y: Array, training: Training) -> tuple[Array, Array | float]:
        """Make one update on a checked batch; returns what its loss is computed from.

        Returns:
            The output that the loss takes (N, D[L]), and the penalty.
        """
        z, a = self.propagate(x, self.masks_of_step(training, len(x)))
        _, dW, db = self.backpropagate(y, z, a)
        penalty = self.penalty()
        self.update(dW, db, training)
        return self.output(z, a), penalty

    def train(self, run: Run) -> None:
        for epoch in run.epochs():
            losses_of_steps = DeferredLosses(self.loss)
            for x, y in run.batches(epoch):
                losses_of_steps.add(y, *self.descend(x, y, run.training))
            run.end_steps(losses_of_steps.values())


def _of_layer(functions: dict[str, Callable[..., Any]], layer: Layer) -> Callable[..., Any]:
    """The function of a layer's activation in a table, with its α where it has one."""
    function = functions[layer.activation]
    return partial(function, **layer.arguments) if layer.arguments else function
