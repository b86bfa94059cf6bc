"""The rules by which a gradient changes a weight, in Keras's definitions.

η is the learning rate, g = ∂loss/∂w, of the shape of w, and t counts the steps from 0. A rule works
in place, on one array at a time, and overwrites g, so that few arrays as large as W are allocated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from shared import CLIPS, OPTIMIZERS, Array

__all__ = ["RULES"]


def clipvalue(gradients: Sequence[Array], *, most: float) -> None:
    """g ← g, but at most c and at least -c, for each number of each gradient."""
    for g in gradients:
        np.clip(g, -most, most, out=g)


def clipnorm(gradients: Sequence[Array], *, most: float) -> None:
    """g ← g · min(1, c / ‖g‖) for each gradient."""
    for g in gradients:
        global_clipnorm([g], most=most)


def global_clipnorm(gradients: Sequence[Array], *, most: float) -> None:
    """g ← g · min(1, c / ‖all g‖): all of them as one vector keep its direction."""
    norm = math.sqrt(sum(np.vdot(g, g) for g in gradients))
    if norm > most:
        for g in gradients:
            g *= most / norm


def decay(eta: float, w: Array, *, weight_decay: float) -> None:
    """w ← w - ηλw, before the rule: decoupled weight decay (Loshchilov & Hutter 2019)."""
    w *= 1 - eta * weight_decay


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


def pytorch_momentum(
    eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float, dampening: float
) -> None:
    """v ← μv + (1 - d)g, at first v ← g, w ← w - ηv: η is not in v, as in PyTorch's SGD."""
    v *= momentum
    v += g if t == 0 else (1 - dampening) * g
    w -= eta * v


def pytorch_nesterov(eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float) -> None:
    """v ← μv + g, w ← w - η(μv + g): η is not in v, as in PyTorch's SGD."""
    v *= momentum
    v += g
    w -= eta * (momentum * v + g)


def adagrad(
    eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float, epsilon_placement: str
) -> None:
    """s ← s + g², w ← w - ηg / √(s + ε) (Duchi et al. 2011)."""
    s += g * g
    w -= eta * g / root(s, epsilon, epsilon_placement)


def rmsprop(
    eta: float,
    t: int,
    g: Array,
    w: Array,
    s: Array,
    *,
    rho: float,
    epsilon: float,
    epsilon_placement: str,
) -> None:
    """s ← ρs + (1 - ρ)g², w ← w - ηg / √(s + ε) (Hinton 2012)."""
    s *= rho
    s += (1 - rho) * g * g
    w -= eta * g / root(s, epsilon, epsilon_placement)


def root(s: Array, epsilon: float, epsilon_placement: str) -> Array:
    """√(s + ε), or with ε outside the root √s + ε, of the shape of s."""
    if epsilon_placement == "outside_root":
        return np.sqrt(s) + epsilon
    return np.sqrt(s + epsilon)


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
    epsilon_placement: str,
) -> None:
    """m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², w ← w - ηc m / (√s + ε) (Kingma & Ba 2015).

    c = √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹) corrects m and s for having started at 0. With ε at the corrected
    root it is w ← w - ηm̂ / (√ŝ + ε), which is the same with ε √(1 - β₂ᵗ⁺¹) in place of ε.
    """
    m *= beta_1
    m += (1 - beta_1) * g
    s *= beta_2
    s += (1 - beta_2) * g * g
    of_s = math.sqrt(1 - beta_2 ** (t + 1))
    c = of_s / (1 - beta_1 ** (t + 1))
    if epsilon_placement == "corrected_root":
        epsilon *= of_s
    w -= eta * c * m / (np.sqrt(s) + epsilon)


adamw = adam  # the decay, which is what AdamW adds, is not part of the rule


# Each under the name of its function.
CLIP: dict[str, Callable[..., None]] = {name: globals()[name] for name in CLIPS}
RULES: dict[str, Callable[..., None]] = {name: globals()[name] for name in OPTIMIZERS}
