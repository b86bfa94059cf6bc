"""Activation functions g in TensorFlow's operations; the tape finds the derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

import shared

__all__ = ["ACTIVATIONS", *shared.ACTIVATIONS]

Array: TypeAlias = tf.Tensor


def linear(z: Array) -> Array:
    """g(z) = z."""
    return tf.identity(z)


def step(z: Array) -> Array:
    """g(z) = 1 if z > 0, else 0 (KTH-1)."""
    return tf.cast(z > 0, z.dtype)


def sign(z: Array) -> Array:
    """g(z) = 1 if z > 0, else -1 (EPITA-3); tf.sign has a third value, 0 at 0."""
    return 2 * step(z) - 1


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ) (KTH-9)."""
    return tf.sigmoid(z)


def tanh(z: Array) -> Array:
    """tanh(z) = 2σ(2z) - 1 (KTH-9)."""
    return tf.tanh(z)


def scaled_tanh(z: Array) -> Array:
    """g(z) = 1.7159 tanh(⅔z) (LeCun et al. 1998; LUMS-7)."""
    return 1.7159 * tf.tanh(2 / 3 * z)


def relu(z: Array) -> Array:
    """g(z) = max(0, z) (KTH-9); tf.maximum(z, 0) would have the derivative ½ or 1 at 0."""
    return tf.nn.relu(z)


def leaky_relu(z: Array, alpha: float) -> Array:
    """g(z) = z if z > 0, else αz (EPITA-8, LUMS-8).

    tf.nn.leaky_relu keeps α in float32: its 0.1 is 0.10000000149 in a float64 network too.
    """
    return tf.where(z > 0, z, alpha * z)


def elu(z: Array, alpha: float) -> Array:
    """g(z) = z if z > 0, else α(eᶻ - 1) (EPITA-8)."""
    return tf.where(z > 0, z, alpha * tf.nn.elu(z))


def selu(z: Array) -> Array:
    """g(z) = λz if z > 0, else λα(eᶻ - 1), λ = 1.0507…, α = 1.6733… (EPITA-8)."""
    return tf.nn.selu(z)


def softmax(z: Array) -> Array:
    """g(z)ᵢ = e^zᵢ / Σⱼ e^zⱼ along each row (EPITA-3)."""
    return tf.nn.softmax(z)


# Each under the name of its function.
ACTIVATIONS: dict[str, Callable[..., Array]] = {
    name: globals()[name] for name in shared.ACTIVATIONS
}
