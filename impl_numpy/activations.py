"""Activation functions g, each with its backward pass by hand: dz = da · g'(z), (N, D[l+1]).

A backward pass overwrites da: to multiply in place saves a pass over memory.

At a kink the derivative is the one from below, except SELU's: ReLU'(0) = 0, leaky ReLU'(0) = α,
ELU'(0) = α, SELU'(0) = λ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import shared
from shared import Array

__all__ = ["ACTIVATIONS", *shared.ACTIVATIONS]

# Klambauer et al. (2017), "Self-normalizing neural networks".
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def linear(z: Array) -> Array:
    """g(z) = z."""
    return z.copy()


def linear_backward(da: Array, z: Array, a: Array) -> Array:
    """g'(z) = 1."""
    return da


def step(z: Array) -> Array:
    """g(z) = 1 if z > 0, else 0 (KTH-1)."""
    return (z > 0).astype(z.dtype)


def step_backward(da: Array, z: Array, a: Array) -> Array:
    """g'(z) = 0, on both sides of the jump."""
    return np.zeros_like(da)


def sign(z: Array) -> Array:
    """g(z) = 1 if z > 0, else -1 (EPITA-3)."""
    return 2 * step(z) - 1


def sign_backward(da: Array, z: Array, a: Array) -> Array:
    """g'(z) = 0, on both sides of the jump."""
    return np.zeros_like(da)


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ) (KTH-9)."""
    with np.errstate(over="ignore"):  # e⁻ᶻ = ∞ gives the right answer, 0
        return 1 / (1 + np.exp(-z))


def sigmoid_backward(da: Array, z: Array, a: Array) -> Array:
    """σ'(z) = a(1 - a)."""
    da *= a * (1 - a)
    return da


def tanh(z: Array) -> Array:
    """tanh(z) = 2σ(2z) - 1 (KTH-9)."""
    return np.tanh(z)


def tanh_backward(da: Array, z: Array, a: Array) -> Array:
    """g'(z) = 1 - a²."""
    da *= 1 - a * a
    return da


def scaled_tanh(z: Array) -> Array:
    """g(z) = 1.7159 tanh(⅔z) (LeCun et al. 1998; LUMS-7)."""
    return 1.7159 * np.tanh(2 / 3 * z)


def scaled_tanh_backward(da: Array, z: Array, a: Array) -> Array:
    """g'(z) = 1.7159 · ⅔ (1 - tanh²(⅔z))."""
    da *= 1.7159 * 2 / 3 * (1 - np.tanh(2 / 3 * z) ** 2)
    return da


def relu(z: Array) -> Array:
    """g(z) = max(0, z) (KTH-9)."""
    return np.maximum(z, 0)


def relu_backward(da: Array, z: Array, a: Array) -> Array:
    """g'(z) = 1 if z > 0, else 0."""
    da *= step(z)
    return da


def leaky_relu(z: Array, alpha: float) -> Array:
    """g(z) = z if z > 0, else αz (EPITA-8, LUMS-8)."""
    return np.where(z > 0, z, alpha * z)


def leaky_relu_backward(da: Array, z: Array, a: Array, alpha: float) -> Array:
    """g'(z) = 1 if z > 0, else α."""
    da *= np.where(z > 0, 1, alpha).astype(z.dtype)
    return da


def elu(z: Array, alpha: float) -> Array:
    """g(z) = z if z > 0, else α(eᶻ - 1) (EPITA-8)."""
    return np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def elu_backward(da: Array, z: Array, a: Array, alpha: float) -> Array:
    """g'(z) = 1 if z > 0, else αeᶻ."""
    da *= np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0)))
    return da


def selu(z: Array) -> Array:
    """g(z) = λz if z > 0, else λα(eᶻ - 1), λ = 1.0507…, α = 1.6733… (EPITA-8)."""
    return SELU_SCALE * elu(z, SELU_ALPHA)


def selu_backward(da: Array, z: Array, a: Array) -> Array:
    """g'(z) = λ if z ≥ 0, else λαeᶻ."""
    slope = np.where(z >= 0, 1, SELU_ALPHA * np.exp(np.minimum(z, 0)))
    da *= SELU_SCALE * slope
    return da


def softmax(z: Array) -> Array:
    """g(z)ᵢ = e^zᵢ / Σⱼ e^zⱼ along each row (EPITA-3); shifted by the row's maximum, exact."""
    # Transposed, since NumPy adds whole rows to each other faster than it sums short ones.
    exp = z.T.copy()
    exp -= np.maximum.reduce(exp)
    np.exp(exp, out=exp)
    exp /= np.add.reduce(exp)
    return exp.T.copy()


def softmax_backward(da: Array, z: Array, a: Array) -> Array:
    """dzᵢ = aᵢ (daᵢ - Σⱼ daⱼ aⱼ): every output depends on every input, ∂aᵢ/∂zⱼ = aᵢ(δᵢⱼ - aⱼ)."""
    return a * (da - (da * a).sum(axis=1, keepdims=True))


# Each under the name of its function.
ACTIVATIONS: dict[str, Callable[..., Array]] = {
    name: globals()[name] for name in shared.ACTIVATIONS
}
BACKWARD: dict[str, Callable[..., Array]] = {
    name: globals()[f"{name}_backward"] for name in shared.ACTIVATIONS
}
