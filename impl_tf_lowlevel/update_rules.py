"""The rules by which a gradient changes a variable, without TensorFlow's own.

η is the learning rate, g = ∂loss/∂w, of the shape of w, and t counts the steps from 0. A rule works
on one variable at a time, in a graph as well as eagerly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import tensorflow as tf

from shared import CLIPS, OPTIMIZERS

__all__ = ["RULES"]

Array: TypeAlias = tf.Variable


def clipvalue(gradients: Sequence[tf.Tensor], *, most: float) -> list[tf.Tensor]:
    """g ← g, but at most c and at least -c, for each number of each gradient."""
    return [tf.clip_by_value(g, -most, most) for g in gradients]


def clipnorm(gradients: Sequence[tf.Tensor], *, most: float) -> list[tf.Tensor]:
    """g ← g · min(1, c / ‖g‖) for each gradient."""
    return [clipped for g in gradients for clipped in global_clipnorm([g], most=most)]


def global_clipnorm(gradients: Sequence[tf.Tensor], *, most: float) -> list[tf.Tensor]:
    """g ← g · min(1, c / ‖all g‖): all of them as one vector keep its direction."""
    norm = tf.sqrt(tf.add_n([tf.reduce_sum(g * g) for g in gradients]))
    return [g * most / tf.maximum(norm, most) for g in gradients]


def decay(eta: tf.Tensor, w: Array, *, weight_decay: float) -> None:
    """w ← w - ηλw, before the rule: decoupled weight decay (Loshchilov & Hutter 2019)."""
    w.assign_sub(eta * weight_decay * w)


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


def pytorch_momentum(
    eta: tf.Tensor,
    t: tf.Tensor,
    g: tf.Tensor,
    w: Array,
    v: Array,
    *,
    momentum: float,
    dampening: float,
) -> None:
    """v ← μv + (1 - d)g, at first v ← g, w ← w - ηv: η is not in v, as in PyTorch's SGD."""
    v.assign(momentum * v + tf.where(t == 0, g, (1 - dampening) * g))
    w.assign_sub(eta * v)


def pytorch_nesterov(
    eta: tf.Tensor, t: tf.Tensor, g: tf.Tensor, w: Array, v: Array, *, momentum: float
) -> None:
    """v ← μv + g, w ← w - η(μv + g): η is not in v, as in PyTorch's SGD."""
    v.assign(momentum * v + g)
    w.assign_sub(eta * (momentum * v + g))


def adagrad(
    eta: tf.Tensor,
    t: tf.Tensor,
    g: tf.Tensor,
    w: Array,
    s: Array,
    *,
    epsilon: float,
    epsilon_placement: str,
) -> None:
    """s ← s + g², w ← w - ηg / √(s + ε) (Duchi et al. 2011)."""
    s.assign_add(g * g)
    w.assign_sub(eta * g / root(s, epsilon, epsilon_placement))


def rmsprop(
    eta: tf.Tensor,
    t: tf.Tensor,
    g: tf.Tensor,
    w: Array,
    s: Array,
    *,
    rho: float,
    epsilon: float,
    epsilon_placement: str,
) -> None:
    """s ← ρs + (1 - ρ)g², w ← w - ηg / √(s + ε) (Hinton 2012)."""
    s.assign(rho * s + (1 - rho) * g * g)
    w.assign_sub(eta * g / root(s, epsilon, epsilon_placement))


def root(s: Array, epsilon: float, epsilon_placement: str) -> tf.Tensor:
    """√(s + ε), or with ε outside the root √s + ε, of the shape of s."""
    if epsilon_placement == "outside_root":
        return tf.sqrt(s) + epsilon
    return tf.sqrt(s + epsilon)


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
    epsilon_placement: str,
) -> None:
    """m ← β₁m + (1 - β₁)g, s ← β₂s + (1 - β₂)g², w ← w - ηc m / (√s + ε) (Kingma & Ba 2015).

    c = √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹) corrects m and s for having started at 0. With ε at the corrected
    root it is w ← w - ηm̂ / (√ŝ + ε), which is the same with ε √(1 - β₂ᵗ⁺¹) in place of ε.
    """
    m.assign(beta_1 * m + (1 - beta_1) * g)
    s.assign(beta_2 * s + (1 - beta_2) * g * g)
    of_s = tf.sqrt(1 - beta_2 ** (t + 1))
    c = of_s / (1 - beta_1 ** (t + 1))
    if epsilon_placement == "corrected_root":
        epsilon *= of_s
    w.assign_sub(eta * c * m / (tf.sqrt(s) + epsilon))


adamw = adam  # the decay, which is what AdamW adds, is not part of the rule


# Each under the name of its function.
CLIP: dict[str, Callable[..., list[tf.Tensor]]] = {name: globals()[name] for name in CLIPS}
RULES: dict[str, Callable[..., None]] = {name: globals()[name] for name in OPTIMIZERS}
