"""The optimizers' rules and schedules, for balls or for float64 arrays of any shape.

A rule takes a weight w, its derivative g and its slots; it returns the new slots and the new w. η
is the learning rate and t the number of steps made before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from flint import arb

from shared import OPTIMIZERS, Training
from threeways.exact.arithmetic import Number, sqrt, square, total

Updated: TypeAlias = tuple[Number, ...]


def clipped(gradients: Sequence[Sequence[arb]], clip: str, most: arb) -> list[list[arb]]:
    """The gradients of several variables, a list of balls each, after clipping."""
    if clip == "clipvalue":
        return [[g.min(most).max(-most) for g in each] for each in gradients]
    if clip == "clipnorm" and len(gradients) > 1:
        return [part for each in gradients for part in clipped([each], clip, most)]
    norm = sqrt(total(square(g) for each in gradients for g in each))
    return [[g * most / norm.max(most) for g in each] for each in gradients]


def decayed(w: Number, eta: Number, weight_decay: Number) -> Number:
    """w after weight decay, before the rule."""
    return w - eta * weight_decay * w


def sgd(w: Number, g: Number, *, eta: Number, t: int) -> Updated:
    return (w - eta * g,)


def momentum(w: Number, g: Number, v: Number, *, eta: Number, t: int, momentum: Number) -> Updated:
    v_next = momentum * v - eta * g
    return v_next, w + v_next


def nesterov(w: Number, g: Number, v: Number, *, eta: Number, t: int, momentum: Number) -> Updated:
    v_next = momentum * v - eta * g
    return v_next, w + momentum * v_next - eta * g


def pytorch_momentum(
    w: Number,
    g: Number,
    v: Number,
    *,
    eta: Number,
    t: int,
    momentum: Number,
    dampening: Number,
) -> Updated:
    v_next = momentum * v + (g if t == 0 else (1 - dampening) * g)
    return v_next, w - eta * v_next


def pytorch_nesterov(
    w: Number, g: Number, v: Number, *, eta: Number, t: int, momentum: Number
) -> Updated:
    v_next = momentum * v + g
    return v_next, w - eta * (momentum * v_next + g)


def adagrad(
    w: Number,
    g: Number,
    s: Number,
    *,
    eta: Number,
    t: int,
    epsilon: Number,
    epsilon_placement: str,
) -> Updated:
    s_next = s + square(g)
    return s_next, w - eta * g / root(s_next, epsilon, epsilon_placement)


def rmsprop(
    w: Number,
    g: Number,
    s: Number,
    *,
    eta: Number,
    t: int,
    rho: Number,
    epsilon: Number,
    epsilon_placement: str,
) -> Updated:
    s_next = rho * s + (1 - rho) * square(g)
    return s_next, w - eta * g / root(s_next, epsilon, epsilon_placement)


def root(s: Number, epsilon: Number, epsilon_placement: str) -> Number:
    return sqrt(s) + epsilon if epsilon_placement == "outside_root" else sqrt(s + epsilon)


def adam(
    w: Number,
    g: Number,
    m: Number,
    s: Number,
    *,
    eta: Number,
    t: int,
    beta_1: Number,
    beta_2: Number,
    epsilon: Number,
    epsilon_placement: str,
) -> Updated:
    m_next = beta_1 * m + (1 - beta_1) * g
    s_next = beta_2 * s + (1 - beta_2) * square(g)
    m_hat, of_s = m_next / (1 - beta_1 ** (t + 1)), 1 - beta_2 ** (t + 1)
    if epsilon_placement == "corrected_root":
        return m_next, s_next, w - eta * m_hat / (sqrt(s_next / of_s) + epsilon)
    return m_next, s_next, w - eta * sqrt(of_s) * m_hat / (sqrt(s_next) + epsilon)


adamw = adam


# Each under the name of its function.
RULES: dict[str, Callable[..., Updated]] = {name: globals()[name] for name in OPTIMIZERS}


def learning_rate(training: Training, t: int) -> arb:
    """η after t steps, by the schedule."""
    eta, rate = arb(training.learning_rate), arb(training.decay_rate or 1)
    steps = training.decay_steps or 1
    past = arb(t // steps) if training.has_stairs else arb(t) / steps
    match training.schedule:
        case "constant":
            return eta
        case "step" | "exponential":
            return eta * rate**past
        case "inverse_time":
            return eta / (1 + rate * past)
        case "cosine":
            return eta * (1 + arb.cos_pi(arb(min(t, steps)) / steps)) / 2
        case unknown:
            raise ValueError(unknown)
