"""How a gradient changes a weight: each optimizer's rule, in Keras's definitions.

η is the learning rate, g = ∂loss/∂w, and t counts the steps from 0. A rule works in place, on one
array at a time, and uses g up: nothing as large as W is allocated where it need not be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from shared import SLOTS, Array, Slots, Training

__all__ = ["Optimizer"]


class Optimizer:
    """The optimizer of a training run, with what it keeps from one step to the next.

    Args:
        training: which it is, its numbers, and the schedule of its learning rate.
        variables: what it is to update, W of every layer, then b of every layer.
    """

    def __init__(self, training: Training, variables: Sequence[Array]) -> None:
        self.training = training
        self.variables = variables
        self.t = 0
        numbers = dict(training.hyperparameters)
        start = numbers.pop("initial_accumulator", 0)
        self.rule = partial(RULES[training.optimizer], **numbers)
        self.slot_variables = {
            slot: [np.full_like(w, start) for w in variables] for slot in SLOTS[training.optimizer]
        }

    @property
    def slots(self) -> Slots:
        """A copy of what it keeps, by names such as ``"momentum_W"``; variables are W and b."""
        L = len(self.variables) // 2
        copies = {
            slot: tuple(each.copy() for each in arrays)
            for slot, arrays in self.slot_variables.items()
        }
        of_W = {f"{slot}_W": arrays[:L] for slot, arrays in copies.items()}
        return of_W | {f"{slot}_b": arrays[L:] for slot, arrays in copies.items()}

    @property
    def steps(self) -> int:
        """How many updates it has made."""
        return self.t

    def restore(self, steps: int, slots: Slots) -> None:
        """Go on from after ``steps`` updates, which left ``slots``."""
        self.t = steps
        for slot, arrays in self.slot_variables.items():
            for array, values in zip(arrays, slots[f"{slot}_W"] + slots[f"{slot}_b"], strict=True):
                array[...] = values

    def apply(self, gradients: Sequence[Array]) -> None:
        """Update each variable by its gradient, of the same shape, which is used up."""
        eta = learning_rate(self.training, self.t)
        for g, w, *slots in zip(
            gradients, self.variables, *self.slot_variables.values(), strict=True
        ):
            self.rule(eta, self.t, g, w, *slots)
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


RULES: dict[str, Callable[..., None]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
}


def learning_rate(training: Training, t: int) -> float:
    """η after t steps, by the schedule."""
    eta = training.learning_rate
    rate: Any = training.decay_rate
    steps: Any = training.decay_steps
    match training.schedule:
        case "step":
            return eta * rate ** (t // steps)
        case "exponential":
            return eta * rate ** (t / steps)
        case "inverse_time":
            return eta / (1 + rate * t / steps)
        case "cosine":
            return eta * (1 + math.cos(math.pi * min(t, steps) / steps)) / 2
        case _:
            return eta
