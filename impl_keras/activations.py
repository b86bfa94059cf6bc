"""Activation functions g by Keras's names; those that it lacks, in its operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
from keras import ops

import shared

__all__ = ["ACTIVATIONS", *shared.ACTIVATIONS]

Array: TypeAlias = Any  # a tensor of Keras's backend

# Registers a function that Keras lacks, so that a saved model with it loads once this package is
# imported.
serializable = keras.saving.register_keras_serializable("impl_keras")


def linear(z: Array) -> Array:
    """g(z) = z."""
    return keras.activations.linear(z)


@serializable
def step(z: Array) -> Array:
    """g(z) = 1 if z > 0, else 0 (KTH-1)."""
    return ops.cast(z > 0, z.dtype)


@serializable
def sign(z: Array) -> Array:
    """g(z) = 1 if z > 0, else -1 (EPITA-3); ops.sign has a third value, 0 at 0."""
    return 2 * step(z) - 1


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ) (KTH-9)."""
    return keras.activations.sigmoid(z)


def tanh(z: Array) -> Array:
    """tanh(z) = 2σ(2z) - 1 (KTH-9)."""
    return keras.activations.tanh(z)


@serializable
def scaled_tanh(z: Array) -> Array:
    """g(z) = 1.7159 tanh(⅔z) (LeCun et al. 1998; LUMS-7)."""
    return 1.7159 * keras.activations.tanh(2 / 3 * z)


def relu(z: Array) -> Array:
    """g(z) = max(0, z) (KTH-9)."""
    return keras.activations.relu(z)


def leaky_relu(z: Array, alpha: float) -> Array:
    """g(z) = z if z > 0, else αz (EPITA-8, LUMS-8).

    keras.activations.leaky_relu on TensorFlow keeps α in float32: its 0.1 is 0.10000000149 in a
    float64 network too.
    """
    return ops.where(z > 0, z, alpha * z)


def elu(z: Array, alpha: float) -> Array:
    """g(z) = z if z > 0, else α(eᶻ - 1) (EPITA-8)."""
    return keras.activations.elu(z, alpha=alpha)


def selu(z: Array) -> Array:
    """g(z) = λz if z > 0, else λα(eᶻ - 1), λ = 1.0507…, α = 1.6733… (EPITA-8)."""
    return keras.activations.selu(z)


def softmax(z: Array) -> Array:
    """g(z)ᵢ = e^zᵢ / Σⱼ e^zⱼ along each row (EPITA-3)."""
    return keras.activations.softmax(z)


# Each under the name of its function.
ACTIVATIONS: dict[str, Callable[..., Array]] = {
    name: globals()[name] for name in shared.ACTIVATIONS
}
