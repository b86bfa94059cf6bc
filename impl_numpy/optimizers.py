"""The optimizers: the rule by which a gradient changes a weight, in Keras's definitions.

η is the learning rate, g = ∂loss/∂w, of the shape of w, and t counts the steps from 0. A rule works
in place, on one array at a time, and overwrites g, so that few arrays as large as W are allocated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from shared import OPTIMIZERS, Array, Slots, Training
from shared import Optimizer as SharedOptimizer

__all__ = ["Optimizer"]


class Optimizer(SharedOptimizer):
    """The optimizer of a training run, with its slots: what it keeps from one step to the next.

    Args:
        training: which optimizer, its hyperparameters, and the schedule of its learning rate.
        variables: what it updates, W of every layer, then b of every layer.
    """

    def __init__(self, training: Training, variables: Sequence[Array]) -> None:
        super().__init__(training, variables)
        self.t = 0
        self.rule = partial(RULES[training.optimizer], **training.rule_arguments)
        self.slot_variables = {
            slot: [np.full_like(w, training.initial_slots) for w in variables]
            for slot in training.slots
        }

    @property
    def steps(self) -> int:
        return self.t

    def restore(self, steps: int, slots: Slots) -> None:
        self.t = steps
        for array, values in self.restored(slots):
            array[...] = values

    def apply(self, gradients: Sequence[Array]) -> None:
        """Update each variable by its gradient, of the same shape, which is overwritten."""
        eta = learning_rate(self.training, self.t)
        for arrays in zip(gradients, self.variables, *self.slot_variables.values(), strict=True):
            self.rule(eta, self.t, *arrays)
        self.t += 1


def sgd(eta: float, t: int, g: Array, w: Array) -> None:
    """w ← w - ηg."""
    g *= eta
    w -= g


def momentum(eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float) -> None:
    """v ← μv - ηg, w ← w + v (Polyak 1964)."""
    g *= eta
    v *= momentum
    v -= g
    w += v


def nesterov(eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float) -> None:
    """v ← μv - ηg, w ← w + μv - ηg: a look at where v leads (Sutskever et al. 2013)."""
    g *= eta
    v *= momentum
    v -= g
    w += momentum * v
    w -= g


def adagrad(eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float) -> None:
    """s ← s + g², w ← w - ηg / √(s + ε) (Duchi et al. 2011)."""
    s += g * g
    w -= eta * g / np.sqrt(s + epsilon)


def rmsprop(
    eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
) -> None:
    """s ← ρs + (1 - ρ)g², w ← w - ηg / √(s + ε) (Hinton 2012)."""
    s *= rho
    s += (1 - rho) * g * g
    w -= eta * g / np.sqrt(s + epsilon)


def adam(
    eta: float,
    t: int,
    g: Array,
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
    m *= beta_1
    m += (1 - beta_1) * g
    s *= beta_2
    s += (1 - beta_2) * g * g
    c = math.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
    w -= eta * c * m / (np.sqrt(s) + epsilon)


# Each under the name of its function.
RULES: dict[str, Callable[..., None]] = {name: globals()[name] for name in OPTIMIZERS}


def learning_rate(training: Training, t: int) -> float:
    """η after t steps, by the schedule."""
    eta = training.learning_rate
    # As a NumPy number, a power of it that is too large is infinite and no OverflowError.
    rate: Any = training.decay_rate and np.float64(training.decay_rate)
    steps: Any = training.decay_steps
    match training.schedule:
        case "step":
            return float(eta * rate ** (t // steps))
        case "exponential":
            return float(eta * rate ** (t / steps))
        case "inverse_time":
            return float(eta / (1 + rate * t / steps))
        case "cosine":
            return eta * (1 + math.cos(math.pi * min(t, steps) / steps)) / 2
        case "constant":
            return eta
        case unknown:
            raise ValueError(unknown)
