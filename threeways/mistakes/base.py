"""The base class of all mistakes, the network that they are made in, and helpers they share."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from impl_numpy import FeedForward, losses, optimizers, regularisation, update_rules
from impl_numpy.optimizers import Optimizer
from shared import LOSSES, Array, Layer, Network, Parameters, Training, Weights

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
# The values of ε that people keep logarithms and divisions finite with, the most usual first.
EPSILONS = (1e-8, 1e-5, 1e-6, 1e-7, 1e-9, 1e-10, 1e-12, 1e-15)


class Parts(FeedForward):
    """The correct network, split into more methods for mistakes to override."""

    # Rows of the last batch.
    n_rows = 1
    # Steps in an epoch, where that is known.
    steps_per_epoch: int | None = None

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

    # It is made of what a case holds, which has been checked.

    def checked_parameters(self, parameters: Parameters) -> Parameters:
        array = self.network.array
        return tuple(Weights(array(W), array(b)) for W, b in parameters)

    def checked_batch(self, x: Any, y: Any) -> tuple[Array, Array]:
        dtype = self.network.dtype
        return np.asarray(x, dtype), np.asarray(y, dtype)

    # The forward pass: what z is computed from.

    def propagate(
        self, x: Array, masks: dict[int, Array] | None = None
    ) -> tuple[list[Array], list[Array]]:
        self.x, self.n_rows = x, len(x)
        return super().propagate(x, masks)

    def net_input(self, l: int, a: Array) -> Array:
        z = np.dot(self.input_of(l, a), self.forward_weights(l))
        z += self.forward_bias(l)
        return z

    def input_of(self, l: int, a: Array) -> Array:
        """What W[l] multiplies, (N, D[l]), which should be a[l] after dropout."""
        return a

    def forward_weights(self, l: int) -> Array:
        """What multiplies it, (D[l], D[l+1]), which should be W[l]."""
        return self.W[l]

    def forward_bias(self, l: int) -> Array:
        """What is added, (D[l+1],), which should be b[l]."""
        return self.b[l]

    # The backward pass, a method for each thing that may be taken from elsewhere.

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        self.z, self.a = z, a
        dz = [self.output_delta(y, z[-1], a[-1])]
        for l in reversed(range(self.last)):
            dz.insert(0, self.hidden_delta(l, dz[0], z[l], a[l + 1]))
        dW, db = [], []
        for l in range(len(dz)):
            dW.append(
                self.whole_weight_gradient(
                    l, self.drop_again(l, self.input_again(l)), self.delta_for_weights(l, y, dz)
                )
            )
            db.append(self.whole_bias_gradient(l, self.delta_for_biases(l, y, dz)))
        return dz, dW, db

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        derivative = self.loss_derivative(y, z, a)
        if self.network.loss_from_logits:
            return derivative
        return self.activation_backward(self.last, derivative, z, a)

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        """The loss's derivative with respect to what it takes, z[L-1] or a[L], (N, D[L])."""
        return losses.BACKWARD[self.network.loss](y, z, a, **self.network.loss_arguments)

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        W = self.weights_above(l, dz_next, a)
        return self.delta(l, self.passed_down(l, dz_next, W), z, a)

    def weights_above(self, l: int, dz_next: Array, a: Array) -> Array:
        """The weights that dz[l+1] comes down through, (D[l+1], D[l+2]); should be W[l+1]."""
        return self.W[l + 1]

    def passed_down(self, l: int, dz_next: Array, W: Array) -> Array:
        """dz[l+1] @ W.T (N, D[l+1]): the derivative with respect to a[l+1] after dropout."""
        return np.dot(dz_next, W.T)

    def delta(self, l: int, da: Array, z: Array, a: Array) -> Array:
        """dz[l] (N, D[l+1]), from the derivative with respect to a[l+1] after dropout."""
        return self.activation_backward(l, self.drop_backward(l + 1, da), z, a)

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return self.times_slope(l, da, *self.slope_at(l, z, a))

    def slope_at(self, l: int, z: Array, a: Array) -> tuple[Array, Array]:
        """The z[l] and a[l+1] that g' is computed from, (N, D[l+1]) each."""
        return z, a

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        """da · g'(z[l]), (N, D[l+1]); may overwrite da."""
        return super().activation_backward(l, da, z, a)

    def input_again(self, l: int) -> Array:
        """The input of layer l before dropout that dW[l] is computed from, (N, D[l])."""
        return self.a[l]

    def drop_again(self, l: int, a: Array) -> Array:
        """The same after dropout, (N, D[l])."""
        return self.drop(l, a)

    def delta_for_weights(self, l: int, y: Array, dz: list[Array]) -> Array:
        """What dW[l] is computed from, (N, D[l+1]), which should be dz[l]."""
        return dz[l]

    def delta_for_biases(self, l: int, y: Array, dz: list[Array]) -> Array:
        """What db[l] is computed from, (N, D[l+1]), which should be dz[l]."""
        return dz[l]

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        """dW[l] (D[l], D[l+1]), the gradient of the penalty included."""
        dW = self.weight_gradient(l, a, dz)
        return dW + self.penalty_gradient(l) if l in self.penalised else dW

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        """db[l] (D[l+1],)."""
        return self.bias_gradient(dz)

    # The update.

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        layers = zip(range(len(dW)), dW, db, strict=True)
        dW, db = zip(*(self.applied(*layer) for layer in layers), strict=True)
        super().update(dW, db, training)

    def applied(self, l: int, dW: Array, db: Array) -> tuple[Array, Array]:
        """The gradients that W[l] and b[l] are updated by, of their shapes."""
        return dW, db

    # Penalties.

    def penalty(self) -> Array | float:
        return sum(self.layer_penalty(l) for l in self.penalised)

    def layer_penalty(self, l: int) -> Array:
        layer, W = self.network.layers[l], self.W[l]
        return self.l1_penalty(W, layer.l1) + self.l2_penalty(W, layer.l2)

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

    # The learning rate, clipping, weight decay, and the optimizers' rules, each under its name.

    def optimizer_for(self, training: Training) -> Optimizer:
        known = self.optimizer
        optimizer = super().optimizer_for(training)
        if optimizer is not known:  # just made
            optimizer.rate = self.rate_after
            optimizer.rule = self.own(optimizer.rule)
            optimizer.clip = optimizer.clip and self.own(optimizer.clip)
            optimizer.decay = optimizer.decay and self.own(optimizer.decay)
        return optimizer

    def own(self, part: partial[None]) -> partial[None]:
        """This network's method in place of an optimizer's function of that name, if it has one."""
        return partial(getattr(self, part.func.__name__, part.func), **part.keywords)

    def rate_after(self, training: Training, t: int) -> float:
        """The learning rate that this network uses after t steps."""
        return self.rate(training, optimizers.learning_rate(training, t), t)

    def rate(self, training: Training, eta: float, t: int) -> float:
        """The learning rate after t steps, which should be eta."""
        return eta

    def next_rate(self, training: Training) -> float:
        """The learning rate of the next step."""
        optimizer = self.optimizer_for(training)
        return self.rate_after(optimizer.training, optimizer.t)

    clipvalue = staticmethod(update_rules.clipvalue)
    clipnorm = staticmethod(update_rules.clipnorm)
    global_clipnorm = staticmethod(update_rules.global_clipnorm)
    decay = staticmethod(update_rules.decay)
    # Those that mistakes override; the others are taken from the optimizer itself.
    momentum = staticmethod(update_rules.momentum)
    nesterov = staticmethod(update_rules.nesterov)

    def adagrad(self, eta: float, t: int, g: Array, w: Array, s: Array, **of_root: Any) -> None:
        s += product(*self.squared(g))
        w -= eta * g / self.root(s, **of_root)

    def rmsprop(
        self, eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, **of_root: Any
    ) -> None:
        self.average(s, rho, *self.squared(g))
        w -= eta * g / self.root(s, **of_root)

    def adam(
        self, eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **hyper: Any
    ) -> None:
        beta_1, beta_2, epsilon = (hyper[name] for name in ("beta_1", "beta_2", "epsilon"))
        self.average(m, beta_1, g)
        self.average(s, beta_2, *self.squared(g))
        if hyper["epsilon_placement"] == "corrected_root":
            epsilon *= math.sqrt(1 - beta_2 ** (t + 1))
        w -= eta * self.correction(t, beta_1, beta_2) * m / self.adams_root(s, epsilon)

    def squared(self, g: Array) -> tuple[Array, ...]:
        """The factors whose product an optimizer adds up, of the shape of g, which should be g²."""
        return g, g

    def average(self, mean: Array, share: float, *factors: Array) -> None:
        """Update a moving average: mean ← share · mean + (1 - share) · the product of factors."""
        mean *= share
        mean += product(1 - share, *factors)

    def root(self, s: Array, epsilon: float, epsilon_placement: str) -> Array:
        """What AdaGrad and RMSprop divide by, of the shape of s."""
        return update_rules.root(s, epsilon, epsilon_placement)

    def adams_root(self, s: Array, epsilon: float) -> Array:
        """What Adam divides by, √s + ε, of the shape of s."""
        return np.sqrt(s) + epsilon

    def correction(self, t: int, beta_1: float, beta_2: float) -> float:
        """The factor by which Adam corrects η, √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹)."""
        return math.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))


class Mistake(Parts):
    """A network that makes one mistake.

    Attributes:
        name: the class's name in kebab case, by which the mistake is known.
        title: a short noun phrase.
        did: what was done.
        why: why it is wrong.
        fix: what to do.
        values: the values of a number that people choose differently, if the mistake has one; it
            is one mistake for each. ``{value}`` in the words stands for it.
        value: the one that this mistake has, the first unless another is made of it.
        variant_of: the name of the mistake that makes the same in more than one layer, or None.
        is_recorders: True if only whoever records steps can make it, not a network: what it
            belies is the start of the step.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    did: ClassVar[str]
    why: ClassVar[str]
    fix: ClassVar[str]
    values: ClassVar[tuple[float, ...]] = ()
    value: ClassVar[float]
    variant_of: ClassVar[str | None] = None
    is_recorders: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        own = vars(cls)
        if "name" not in own:
            cls.name = re.sub(r"\B(?=[A-Z])", "-", cls.__name__).lower()
        if own.get("values") and "value" not in own:
            cls.value = cls.values[0]
            cls._words = {word: own[word] for word in WORDS}
            if "{value}" not in cls.title:
                cls._words["title"] += ", {value}"
        if cls.values:
            for word, text in cls._words.items():
                setattr(cls, word, text.replace("{value}", short(cls.value)))

    _words: ClassVar[dict[str, str]] = {}

    @classmethod
    def of_other_values(cls) -> list[type[Mistake]]:
        """The same mistake with each of its other values."""
        return [
            type(
                f"{cls.__name__}_{value:g}",
                (cls,),
                {
                    "name": f"{cls.name}-{short(value)}",
                    "value": value,
                    "__module__": cls.__module__,
                },
            )
            for value in cls.values[1:]
        ]


WORDS = ("title", "did", "why", "fix")


def short(value: float) -> str:
    """A number as people write it: 1e-7, 0.01."""
    return f"{value:g}".replace("e-0", "e-")


def crossentropy(network: Network, y: Array, log_p: Array, log_rest: Array) -> Array:
    """The network's cross-entropy, a scalar, of the logarithms of p and of 1 - p, (N, K) each."""
    if network.loss == "categorical_crossentropy":
        return -np.sum(y * log_p) / len(y)
    return -np.mean(y * log_p + (1 - y) * log_rest)


def product(first: Any, *others: Array) -> Any:
    """The product of some numbers and arrays, multiplied from the left."""
    for each in others:
        first = first * each
    return first


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
