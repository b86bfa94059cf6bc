"""Losses, scalars, of targets y and outputs (N, K), with their derivatives by hand.

Each is a mean over the N rows of a batch and says what it does over the K outputs of a row. The
cross-entropies and the perceptron rule take the output layer's z, the others its a; the derivative
is with respect to the same: dz for the former, da for the latter, (N, K) each. Where a loss fits
its activation, dz comes to a - y, divided by N or NK.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import shared
from impl_numpy.activations import sign, step
from shared import Array

__all__ = ["LOSSES", *shared.LOSSES]


def mean_squared_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs (a - y)² (UIO-7)."""
    return np.mean((a - y) ** 2)


def mean_squared_error_backward(y: Array, z: Array, a: Array) -> Array:
    """da = 2(a - y) / NK."""
    return (a - y) * (2 / y.size)


def half_squared_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows ½ Σ outputs (a - y)² (KTH-11)."""
    return np.sum((a - y) ** 2) / (2 * len(y))


def half_squared_error_backward(y: Array, z: Array, a: Array) -> Array:
    """da = (a - y) / N."""
    return (a - y) / len(y)


def mean_absolute_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs |a - y|."""
    return np.mean(np.abs(a - y))


def mean_absolute_error_backward(y: Array, z: Array, a: Array) -> Array:
    """da = sign(a - y) / NK, 0 at the kink, a = y."""
    return np.sign(a - y) / y.size


def huber(y: Array, a: Array, delta: float) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs of e = a - y: ½e² where |e| ≤ δ, else δ|e| - ½δ² (Huber 1964).

    Both are the same as |e| m - ½m² with m = min(|e|, δ).
    """
    e = np.abs(a - y)
    m = np.minimum(e, delta)
    return np.mean(m * (e - m / 2))


def huber_backward(y: Array, z: Array, a: Array, delta: float) -> Array:
    """da = (a - y) / NK where |a - y| ≤ δ, else δ sign(a - y) / NK."""
    return np.clip(a - y, -delta, delta) / y.size


def hinge(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs max(0, 1 - ya), y in {-1, 1}: 0 from a margin of 1 on."""
    return np.mean(np.maximum(0, 1 - y * a))


def hinge_backward(y: Array, z: Array, a: Array) -> Array:
    """da = -y / NK where ya < 1, else 0, also at the kink, ya = 1."""
    return np.where(1 - y * a > 0, -y / y.size, 0)


def binary_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows (1/K) Σ outputs [y log σ(z) + (1 - y) log(1 - σ(z))] (KTH-8).

    Written as max(z, 0) - yz + log(1 + e^-|z|), which is the same and exact at any z.
    """
    return np.mean(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))))


def binary_crossentropy_backward(y: Array, z: Array, a: Array) -> Array:
    """dz = (a - y) / NK."""
    return (a - y) / y.size


def categorical_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows Σ outputs y log softmax(z) (KTH-8, UIO-7).

    log softmax(z)ᵢ = zᵢ - log Σⱼ e^zⱼ, never the logarithm of a rounded probability.
    """
    z = z - z.max(axis=1, keepdims=True)  # changes no difference, and nothing overflows
    return np.vdot(y, np.log(np.exp(z).sum(axis=1, keepdims=True)) - z) / len(y)


def categorical_crossentropy_backward(y: Array, z: Array, a: Array) -> Array:
    """dz = (a - y) / N."""
    return (a - y) / len(y)


def softmax_binary_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows (1/K) Σ outputs [y log o + (1 - y) log(1 - o)], o = softmax(z) (EPITA-5).

    log(1 - oᵢ) = log Σ_{j≠i} e^zⱼ - log Σⱼ e^zⱼ, exact where oᵢ rounds to 1.
    """
    z = z - z.max(axis=1, keepdims=True)
    others = log_sum_exp(without_each(z), axis=2)[..., 0]  # (N, K)
    return np.sum(y * (log_sum_exp(z) - z) + (1 - y) * (log_sum_exp(z) - others)) / y.size


def softmax_binary_crossentropy_backward(y: Array, z: Array, a: Array) -> Array:
    """dzᵢ = (1/NK) [aᵢ - yᵢ + Σ_{j≠i} aᵢyⱼ - (1 - yⱼ)aⱼ · aᵢ/(1 - aⱼ)].

    aᵢ/(1 - aⱼ) is the softmax without j, which needs no division by a difference that may be 0.
    """
    z = z - z.max(axis=1, keepdims=True)  # or large z would be rounded in every exponent
    rest = np.exp(without_each(z) - log_sum_exp(without_each(z), axis=2))  # (N, j, i), 0 at i = j
    K = y.shape[1]
    passed_on = a[:, np.newaxis] * y[:, :, np.newaxis] * (1 - np.eye(K, dtype=z.dtype))
    passed_on -= ((1 - y) * a)[:, :, np.newaxis] * rest
    return (a - y + passed_on.sum(axis=1)) / y.size


def perceptron(y: Array, z: Array) -> Array:
    """(1/N) Σ rows Σ outputs (step(z) - y) z, y in {0, 1}.

    Its derivative, with step(z) held constant, makes the perceptron rule, w ← w + η(y - ŷ)x, or
    the mean of that over a batch (EPITA-1; Rosenblatt 1958).
    """
    return np.sum((step(z) - y) * z) / len(y)


def perceptron_backward(y: Array, z: Array, a: Array) -> Array:
    """dz = (a - y) / N."""
    return (a - y) / len(y)


def bipolar_perceptron(y: Array, z: Array) -> Array:
    """(1/N) Σ rows Σ outputs (sign(z) - y) z, y in {-1, 1}: the perceptron rule again (LUMS-4)."""
    return np.sum((sign(z) - y) * z) / len(y)


def bipolar_perceptron_backward(y: Array, z: Array, a: Array) -> Array:
    """dz = (a - y) / N."""
    return (a - y) / len(y)


def output(y: Array, a: Array) -> Array:
    """(1/N) Σ rows Σ outputs a: the output itself is to become small, whatever y (CSUMB-5)."""
    return np.sum(a) / len(y)


def output_backward(y: Array, z: Array, a: Array) -> Array:
    """da = 1 / N."""
    return np.full_like(a, 1 / len(y))


def log_sum_exp(z: Array, axis: int = 1) -> Array:
    """log Σ e^z along an axis, kept with length 1; shifted by the maximum, so none overflows."""
    top = z.max(axis=axis, keepdims=True)
    return top + np.log(np.exp(z - top).sum(axis=axis, keepdims=True))


def without_each(z: Array) -> Array:
    """z (N, K) as (N, K, K): in its row j, the j-th number is replaced by -∞."""
    return z[:, np.newaxis] + np.where(np.eye(z.shape[1]), -np.inf, 0).astype(z.dtype)


# Each under the name of its function.
LOSSES: dict[str, Callable[..., Array]] = {name: globals()[name] for name in shared.LOSSES}
BACKWARD: dict[str, Callable[..., Array]] = {
    name: globals()[f"{name}_backward"] for name in shared.LOSSES
}
