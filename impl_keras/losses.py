"""Losses, (N,), of the rows of targets y and outputs (N, K), by Keras's names.

The compiled model takes their mean over the N rows; each says what it does over the K outputs of
a row. The cross-entropies and the perceptron rule take the output layer's z, the others its a.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
from keras import ops

import shared
from impl_keras.activations import sign, step

__all__ = ["LOSSES", *shared.LOSSES]

Array: TypeAlias = Any  # a tensor of Keras's backend


def mean_squared_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs (a - y)² (UIO-7)."""
    return keras.losses.mean_squared_error(y, a)


def half_squared_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows ½ Σ outputs (a - y)² (KTH-11)."""
    return 0.5 * ops.sum(ops.square(a - y), axis=1)


def mean_absolute_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs |a - y|."""
    return keras.losses.mean_absolute_error(y, a)


def huber(y: Array, a: Array, delta: float) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs of e = a - y: ½e² where |e| ≤ δ, else δ|e| - ½δ².

    (Huber 1964)
    """
    return keras.losses.huber(y, a, delta)


def hinge(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs max(0, 1 - ya), y in {-1, 1}: 0 from a margin of 1 on.

    keras.losses.hinge on TensorFlow has the derivative -y at the kink, ya = 1; ReLU's is 0.
    """
    return ops.mean(ops.relu(1 - y * a), axis=1)


def binary_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows (1/K) Σ outputs [y log σ(z) + (1 - y) log(1 - σ(z))] (KTH-8)."""
    return keras.losses.binary_crossentropy(y, z, from_logits=True)


def categorical_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows Σ outputs y log softmax(z) (KTH-8, UIO-7)."""
    return keras.losses.categorical_crossentropy(y, z, from_logits=True)


def softmax_binary_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows (1/K) Σ outputs [y log o + (1 - y) log(1 - o)], o = softmax(z) (EPITA-5).

    log(1 - oᵢ) = log Σ_{j≠i} e^zⱼ - log Σⱼ e^zⱼ, exact where oᵢ rounds to 1.
    """
    # Shifted to the maximum, so that no large numbers have to cancel.
    z -= ops.stop_gradient(ops.max(z, axis=1, keepdims=True))
    diagonal = ops.eye(z.shape[1], dtype="bool")
    others = ops.where(diagonal, -z.dtype.max, ops.expand_dims(z, 1))  # (N, K, K)
    log_others = ops.logsumexp(others, axis=2)  # (N, K)
    log_all = ops.logsumexp(z, axis=1, keepdims=True)  # (N, 1)
    return -ops.mean(y * (z - log_all) + (1 - y) * (log_others - log_all), axis=1)


def perceptron(y: Array, z: Array) -> Array:
    """(1/N) Σ rows Σ outputs (step(z) - y) z, y in {0, 1}.

    Its derivative, with step(z) held constant, makes the perceptron rule, w ← w + η(y - ŷ)x, or
    the mean of that over a batch (EPITA-1; Rosenblatt 1958).
    """
    return ops.sum(ops.stop_gradient(step(z) - y) * z, axis=1)


def bipolar_perceptron(y: Array, z: Array) -> Array:
    """(1/N) Σ rows Σ outputs (sign(z) - y) z, y in {-1, 1}: the perceptron rule again (LUMS-4)."""
    return ops.sum(ops.stop_gradient(sign(z) - y) * z, axis=1)


def output(y: Array, a: Array) -> Array:
    """(1/N) Σ rows Σ outputs a: the output itself is to become small, whatever y (CSUMB-5)."""
    return ops.sum(a, axis=1)


# Each under the name of its function.
LOSSES: dict[str, Callable[..., Array]] = {name: globals()[name] for name in shared.LOSSES}
