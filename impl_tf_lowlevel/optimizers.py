"""The optimizers: the rule by which a gradient changes a variable, without TensorFlow's own.

η is the learning rate, g = ∂loss/∂w, of the shape of w, and t counts the steps from 0. A rule works
on one variable at a time, in a graph as well as eagerly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import tensorflow as tf

from shared import OPTIMIZERS, Slots, Training
from shared import Optimizer as SharedOptimizer

__all__ = ["Optimizer"]

Array: TypeAlias = tf.Variable


class Optimizer(SharedOptimizer):
    """The optimizer of a training run, with its slots: what it keeps from one step to the next.

    Args:
        training: which optimizer, its hyperparameters, and the schedule of its learning rate.
        variables: what it updates, W of every layer, then b of every layer.
    """

    def __init__(self, training: Training, variables: Sequence[Array]) -> None:
        super().__init__(training, variables)
        self.t = tf.Variable(0, dtype=tf.int64)
        self.rule = partial(RULES[training.optimizer], **training.rule_arguments)
        self.slot_variables = {
            slot: [
                tf.Variable(tf.fill(w.shape, tf.constant(training.initial_slots, w.dtype)))
                for w in variables
            ]
            for slot in training.slots
        }

    @property
    def steps(self) -> int:
        return int(self.t.numpy())

    def restore(self, steps: int, slots: Slots) -> None:
        self.t.assign(steps)
        for array, values in self.restored(slots):
            array.assign(values)

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Update each variable by its gradient, of the same shape."""
        dtype = self.variables[0].dtype
        eta = tf.cast(learning_rate(self.training, self.t), dtype)
        t = tf.cast(self.t, dtype)
        for arrays in zip(gradients, self.variables, *self.slot_variables.values(), strict=True):
            self.rule(eta, t, *arrays)
        self.t.assign_add(1)


def sgd(eta: tf.Tensor, t: tf.Tensor, g: tf.Tensor, w: Array) -> None:
    """w ← w - ηg."""
    w.assign_sub(eta * g)


def momentum(
    eta: tf.Tensor, t: tf.Tensor, g: tf.Tensor, w: Array, v: Array, *, momentum: float
) -> None:
    """v ← μv - ηg, w ← w + v (Polyak 1964)."""
    v.assign(momentum * v - eta * g)
    w.assign_add(v)


def nesterov(
    eta: tf.Tensor, t: tf.Tensor, g: tf.Tensor, w: Array, v: Array, *, momentum: float
) -> None:
    """v ← μv - ηg, w ← w + μv - ηg: a look at where v leads (Sutskever et al. 2013)."""
    v.assign(momentum * v - eta * g)
    w.assign_add(momentum * v - eta * g)


def adagrad(
    eta: tf.Tensor, t: tf.Tensor, g: tf.Tensor, w: Array, s: Array, *, epsilon: float
) -> None:
    """s ← s + g², w ← w - ηg / √(s + ε) (Duchi et al. 2011)."""
    s.assign_add(g * g)
    w.assign_sub(eta * g / tf.sqrt(s + epsilon))


def rmsprop(
    eta: tf.Tensor, t: tf.Tensor, g: tf.Tensor, w: Array, s: Array, *, rho: float, epsilon: float
) -> None:
    """s ← ρs + (1 - ρ)g², w ← w - ηg / √(s + ε) (Hinton 2012)."""
    s.assign(rho * s + (1 - rho) * g * g)
    w.assign_sub(eta * g / tf.sqrt(s + epsilon))


def adam(
    eta: tf.Tensor,
    t: tf.Tensor,
    g: tf.Tensor,
    w: Array,
    m: Array,
    s: Array,
    *,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², w ← w - ηc m / (√s + ε) (Kingma & Ba 2015).

    c = √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹) corrects m and s for having started at 0.
    """
    m.assign(beta_1 * m + (1 - beta_1) * g)
    s.assign(beta_2 * s + (1 - beta_2) * g * g)
    c = tf.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
    w.assign_sub(eta * c * m / (tf.sqrt(s) + epsilon))


# Each under the name of its function.
RULES: dict[str, Callable[..., None]] = {name: globals()[name] for name in OPTIMIZERS}


@tf.autograph.experimental.do_not_convert
def learning_rate(training: Training, t: tf.Variable) -> tf.Tensor:
    """η after t steps, by the schedule; float64."""
    eta = training.learning_rate
    rate: Any = training.decay_rate
    steps: Any = training.decay_steps
    past = tf.cast(t, tf.float64)
    match training.schedule:
        case "step":
            return eta * rate ** (past // steps)
        case "exponential":
            return eta * rate ** (past / steps)
        case "inverse_time":
            return eta / (1 + rate * past / steps)
        case "cosine":
            return eta * (1 + tf.cos(math.pi * tf.minimum(past, steps) / steps)) / 2
        case "constant":
            return tf.constant(eta, tf.float64)
        case unknown:
            raise ValueError(unknown)
