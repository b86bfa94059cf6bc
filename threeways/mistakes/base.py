"""What a mistake is, and the network that it is made in."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from impl_numpy import FeedForward, optimizers, regularisation
from impl_numpy.optimizers import Optimizer
from shared import Array, Layer, Network, Training

SQUARED_ERRORS = ("mean_squared_error", "half_squared_error")
# What the losses do over the K outputs of a row.
MEANS = ("mean_squared_error", "binary_crossentropy", "softmax_binary_crossentropy")
SUMS = ("half_squared_error", "categorical_crossentropy")
# The cross-entropies with a term for y and one for 1 - y.
TWO_TERMS = ("binary_crossentropy", "softmax_binary_crossentropy")
CROSSENTROPIES = (*TWO_TERMS, "categorical_crossentropy")
# Those that fit their activation, so that dz comes to a - y.
FITTING = ("binary_crossentropy", "categorical_crossentropy")
# Keras's ε, which probabilities are kept away from 0 and 1 by.
CLIP = 1e-7


class Parts(FeedForward):
    """The right network, in smaller parts still, for mistakes to be made in."""

    @property
    def last(self) -> int:
        """The number of the output layer, L - 1."""
        return len(self.W) - 1

    def has(self, l: int, *activations: str) -> bool:
        """Whether layer l has one of these activations."""
        return self.network.layers[l].activation in activations

    def first_term(self, y: Array, z: Array) -> Array:
        """A cross-entropy's mean of -y log a, without its terms for 1 - y."""
        binary = self.network.loss == "binary_crossentropy"
        return -np.mean(y * (-np.logaddexp(0, -z) if binary else log_softmax(z)))

    def delta(self, l: int, da: Array, z: Array, a: Array) -> Array:
        """dz[l] from the derivative with respect to what the layer above is given of a[l+1]."""
        return self.activation_backward(l, self.drop_backward(l + 1, da), z, a)

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        """dW[l] with what the penalty adds to it."""
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

    # Each optimizer's rule, under its name, and its learning rate.

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
        """Change an array by a rule."""
        rule(self.rate(training, eta, t), t, *arrays)

    def rate(self, training: Training, eta: float, t: int) -> float:
        """The learning rate after t steps, from what it should be."""
        return eta

    def next_rate(self, training: Training) -> float:
        """The learning rate of the step that is next."""
        optimizer = self.optimizer_for(training)
        made_for, t = optimizer.training, optimizer.t
        return self.rate(made_for, optimizers.learning_rate(made_for, t), t)

    # The rules that mistakes override; any other is the optimizer's own.
    momentum = staticmethod(optimizers.momentum)
    nesterov = staticmethod(optimizers.nesterov)
    adagrad = staticmethod(optimizers.adagrad)
    rmsprop = staticmethod(optimizers.rmsprop)
    adam = staticmethod(optimizers.adam)


class Mistake(Parts):
    """A network that makes one mistake."""

    name: ClassVar[str]
    title: ClassVar[str]
    did: ClassVar[str]
    why: ClassVar[str]
    fix: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.name = re.sub(r"\B(?=[A-Z])", "-", cls.__name__).lower()


def n_terms(network: Network, y: Array) -> int:
    """What a squared error divides its sum by, apart from the ½."""
    return y.size if network.loss == "mean_squared_error" else len(y)


def log_softmax(z: Array) -> Array:
    """log softmax(z) (N, K), finite at any z."""
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)


def with_layers(network: Network, change: Callable[[int, Layer], dict[str, Any]]) -> Network:
    """The network with what is changed of each layer, by its number."""
    changes = [change(l, layer) for l, layer in enumerate(network.layers)]
    if not any(changes):
        return network
    layers = zip(network.layers, changes, strict=True)
    changed = tuple(dataclasses.replace(layer, **changes) for layer, changes in layers)
    return dataclasses.replace(network, layers=changed)
