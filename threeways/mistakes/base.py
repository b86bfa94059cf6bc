"""The base class of all mistakes, the network that they are made in, and helpers they share."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from impl_numpy import FeedForward, optimizers, regularisation
from impl_numpy.optimizers import Optimizer
from shared import LOSSES, Array, Layer, Network, Training

SQUARED_ERRORS = ("mean_squared_error", "half_squared_error")
# The losses that take the mean over the K outputs of a row, and those that take the sum.
MEANS = tuple(name for name, loss in LOSSES.items() if loss.averages_outputs)
SUMS = ("half_squared_error", "categorical_crossentropy")
# The cross-entropies with a term for y and one for 1 - y.
TWO_TERMS = ("binary_crossentropy", "softmax_binary_crossentropy")
CROSSENTROPIES = (*TWO_TERMS, "categorical_crossentropy")
# Cross-entropies whose activation is their natural one, so that dz is a - y.
FITTING = ("binary_crossentropy", "categorical_crossentropy")
# How far Keras keeps probabilities away from 0 and 1.
CLIP = 1e-7


class Parts(FeedForward):
    """The correct network, split into more methods for mistakes to override."""

    @property
    def last(self) -> int:
        """Index of the output layer, L - 1."""
        return len(self.W) - 1

    def has(self, l: int, *activations: str) -> bool:
        """Whether layer l has one of these activations."""
        return self.network.layers[l].activation in activations

    def first_term(self, y: Array, z: Array) -> Array:
        """Mean of -y log a over rows and outputs, (): a cross-entropy without its (1 - y) terms.

        Args:
            y: targets (N, K).
            z: net inputs of the output layer (N, K).
        """
        binary = self.network.loss == "binary_crossentropy"
        return -np.mean(y * (-np.logaddexp(0, -z) if binary else log_softmax(z)))

    def delta(self, l: int, da: Array, z: Array, a: Array) -> Array:
        """dz[l] (N, D[l+1]), from the derivative with respect to a[l+1] after dropout."""
        return self.activation_backward(l, self.drop_backward(l + 1, da), z, a)

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        """dW[l] (D[l], D[l+1]), the gradient of the penalty included."""
        dW = self.weight_gradient(l, a, dz)
        return dW + self.penalty_gradient(l) if l in self.penalised else dW

    # Penalties.

    def penalty(self) -> Array | float:
        layers = [(self.W[l], self.network.layers[l]) for l in self.penalised]
        return sum(
            self.l1_penalty(W, layer.l1) + self.l2_penalty(W, layer.l2) for W, layer in layers
        )

    def l1_penalty(self, W: Array, l1: float) -> Array:
        return regularisation.penalty(W, l1, 0)

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return regularisation.penalty(W, 0, l2)

    def penalty_gradient(self, l: int) -> Array:
        layer, W = self.network.layers[l], self.W[l]
        return self.l1_gradient(W, layer.l1) + self.l2_gradient(W, layer.l2)

    def l1_gradient(self, W: Array, l1: float) -> Array:
        return regularisation.penalty_gradient(W, l1, 0)

    def l2_gradient(self, W: Array, l2: float) -> Array:
        return regularisation.penalty_gradient(W, 0, l2)

    # The learning rate, and the rules of the optimizers, each under its name.

    def optimizer_for(self, training: Training) -> Optimizer:
        known = self.optimizer
        optimizer = super().optimizer_for(training)
        if optimizer is not known:  # just made
            name, right = optimizer.training.optimizer, optimizer.rule
            rule = partial(getattr(self, name, right.func), **right.keywords)
            optimizer.rule = partial(self.change, rule, optimizer.training)
        return optimizer

    def change(
        self, rule: Callable[..., None], training: Training, eta: float, t: int, *arrays: Array
    ) -> None:
        """Update an array by a rule, at this network's learning rate."""
        rule(self.rate(training, eta, t), t, *arrays)

    def rate(self, training: Training, eta: float, t: int) -> float:
        """The learning rate after t steps, which should be eta."""
        return eta

    def next_rate(self, training: Training) -> float:
        """The learning rate of the next step."""
        optimizer = self.optimizer_for(training)
        made_for, t = optimizer.training, optimizer.t
        return self.rate(made_for, optimizers.learning_rate(made_for, t), t)

    # Those that mistakes override; the others are taken from the optimizer itself.
    momentum = staticmethod(optimizers.momentum)
    nesterov = staticmethod(optimizers.nesterov)
    adagrad = staticmethod(optimizers.adagrad)
    rmsprop = staticmethod(optimizers.rmsprop)
    adam = staticmethod(optimizers.adam)


class Mistake(Parts):
    """A network that makes one mistake.

    Attributes:
        name: the class's name in kebab case, by which the mistake is known.
        title: a short noun phrase.
        did: what was done.
        why: why it is wrong.
        fix: what to do.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    did: ClassVar[str]
    why: ClassVar[str]
    fix: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"\B(?=[A-Z])", "-", cls.__name__).lower()


def n_terms(network: Network, y: Array) -> int:
    """Number of terms that a squared error averages over: N K, or N for the half squared error."""
    return y.size if network.loss == "mean_squared_error" else len(y)


def log_softmax(z: Array) -> Array:
    """log softmax(z) (N, K), finite for every finite z."""
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)


def with_layers(network: Network, change: Callable[[int, Layer], dict[str, Any]]) -> Network:
    """A copy of the network with changed layers.

    Args:
        network: the original; returned as it is if nothing changes.
        change: called with each layer's index and the layer; returns the fields to change.
    """
    changes = [change(l, layer) for l, layer in enumerate(network.layers)]
    if not any(changes):
        return network
    layers = zip(network.layers, changes, strict=True)
    changed = tuple(dataclasses.replace(layer, **changes) for layer, changes in layers)
    return dataclasses.replace(network, layers=changed)
