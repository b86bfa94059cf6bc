"""Losses, scalars, of targets y and outputs (N, K), in TensorFlow's operations.

Each is a mean over the N rows of a batch and says what it does over the K outputs of a row. The
cross-entropies and the perceptron rule take the output layer's z, the others its a.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

import shared
from impl_tf_lowlevel.activations import sign, step

__all__ = ["LOSSES", *shared.LOSSES]

Array: TypeAlias = tf.Tensor


def mean_squared_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs (a - y)² (UIO-7)."""
    return tf.reduce_mean(tf.square(a - y))


def half_squared_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows ½ Σ outputs (a - y)² (KTH-11)."""
    return tf.reduce_mean(0.5 * tf.reduce_sum(tf.square(a - y), axis=1))


def mean_absolute_error(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs |a - y|; the tape's derivative is 0 at the kink, a = y."""
    return tf.reduce_mean(tf.abs(a - y))


def huber(y: Array, a: Array, delta: float) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs of e = a - y: ½e² where |e| ≤ δ, else δ|e| - ½δ² (Huber 1964).

    Both are the same as |e| m - ½m² with m = min(|e|, δ).
    """
    e = tf.abs(a - y)
    m = tf.minimum(e, delta)
    return tf.reduce_mean(m * (e - m / 2))


def hinge(y: Array, a: Array) -> Array:
    """(1/N) Σ rows (1/K) Σ outputs max(0, 1 - ya), y in {-1, 1}: 0 from a margin of 1 on.

    At the kink, ya = 1, ReLU's derivative is 0; that of tf.maximum(0., 1 - ya) would be -y.
    """
    return tf.reduce_mean(tf.nn.relu(1 - y * a))


def binary_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows (1/K) Σ outputs [y log σ(z) + (1 - y) log(1 - σ(z))] (KTH-8)."""
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=z))


def categorical_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows Σ outputs y log softmax(z) (KTH-8, UIO-7)."""
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=z))


def softmax_binary_crossentropy(y: Array, z: Array) -> Array:
    """-(1/N) Σ rows (1/K) Σ outputs [y log o + (1 - y) log(1 - o)], o = softmax(z) (EPITA-5).

    log(1 - oᵢ) = log Σ_{j≠i} e^zⱼ - log Σⱼ e^zⱼ, exact where oᵢ rounds to 1.
    """
    # Shifted to the maximum, so that no large numbers have to cancel.
    z -= tf.stop_gradient(tf.reduce_max(z, axis=1, keepdims=True))
    diagonal = tf.eye(z.shape[1], dtype=tf.bool)
    others = tf.where(diagonal, -z.dtype.max, z[:, tf.newaxis])  # (N, K, K)
    log_others = tf.reduce_logsumexp(others, axis=2)  # (N, K)
    log_all = tf.reduce_logsumexp(z, axis=1, keepdims=True)  # (N, 1)
    return -tf.reduce_mean(y * (z - log_all) + (1 - y) * (log_others - log_all))


def perceptron(y: Array, z: Array) -> Array:
    """(1/N) Σ rows Σ outputs (step(z) - y) z, y in {0, 1}.

    Its derivative, with step(z) held constant, makes the perceptron rule, w ← w + η(y - ŷ)x, or
    the mean of that over a batch (EPITA-1; Rosenblatt 1958).
    """
    return tf.reduce_mean(tf.reduce_sum(tf.stop_gradient(step(z) - y) * z, axis=1))


def bipolar_perceptron(y: Array, z: Array) -> Array:
    """(1/N) Σ rows Σ outputs (sign(z) - y) z, y in {-1, 1}: the perceptron rule again (LUMS-4)."""
    return tf.reduce_mean(tf.reduce_sum(tf.stop_gradient(sign(z) - y) * z, axis=1))


def output(y: Array, a: Array) -> Array:
    """(1/N) Σ rows Σ outputs a: the output itself is to become small, whatever y (CSUMB-5)."""
    return tf.reduce_mean(tf.reduce_sum(a, axis=1))


# Each under the name of its function.
LOSSES: dict[str, Callable[..., Array]] = {name: globals()[name] for name in shared.LOSSES}
