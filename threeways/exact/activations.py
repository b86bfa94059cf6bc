"""The activations g and their derivatives g', for a ball or for a float64 array of any shape.

The derivatives are those of mathematics, not of an implementation: where NumPy has 1 - a², here
stands 1/cosh²(z), which keeps its digits at any z. At a kink g' is the one from below, except
SELU's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

from shared import Layer
from threeways.exact.arithmetic import (
    Number,
    Row,
    constant,
    exp,
    expm1,
    sech,
    square,
    tanh,
    total,
    where_positive,
)


@dataclass(frozen=True)
class Function:
    """An activation that works on each unit by itself, which softmax does not.

    Args:
        value: g(z), or g(z, alpha).
        derivative: g'(z), or g'(z, alpha).
    """

    value: Callable[..., Number]
    derivative: Callable[..., Number]


def selu_alpha(like: Number) -> Number:
    """SELU's α, as a ball or a double (Klambauer et al. 2017)."""
    return constant("1.6732632423543772", like)


def selu_scale(like: Number) -> Number:
    """SELU's λ, as a ball or a double."""
    return constant("1.0507009873554805", like)


def scaled_tanh_scale(like: Number) -> Number:
    """The factor 1.7159 of the scaled tanh, as a ball or a double (LeCun et al. 1998)."""
    return constant("1.7159", like)


def sigmoid(z: Number) -> Number:
    """σ(z) = 1 / (1 + e⁻ᶻ), of the shape of z."""
    return 1 / (1 + exp(-z))


FUNCTIONS: dict[str, Function] = {
    "linear": Function(lambda z: z, lambda z: 0 * z + 1),
    "step": Function(lambda z: where_positive(z, 1, 0), lambda z: 0 * z),
    "sign": Function(lambda z: where_positive(z, 1, -1), lambda z: 0 * z),
    "sigmoid": Function(sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "tanh": Function(tanh, lambda z: square(sech(z))),
    "scaled_tanh": Function(
        lambda z: scaled_tanh_scale(z) * tanh(z * 2 / 3),
        lambda z: scaled_tanh_scale(z) * 2 / 3 * square(sech(z * 2 / 3)),
    ),
    "relu": Function(lambda z: where_positive(z, z, 0), lambda z: where_positive(z, 1, 0)),
    "leaky_relu": Function(
        lambda z, alpha: where_positive(z, z, alpha * z),
        lambda z, alpha: where_positive(z, 1, alpha),
    ),
    "elu": Function(
        lambda z, alpha: where_positive(z, z, alpha * expm1(z)),
        lambda z, alpha: where_positive(z, 1, alpha * exp(z)),
    ),
    "selu": Function(
        lambda z: selu_scale(z) * where_positive(z, z, selu_alpha(z) * expm1(z)),
        lambda z: selu_scale(z) * where_positive(-z, selu_alpha(z) * exp(z), 1),
    ),
}


def g(layer: Layer, z: Number) -> Number:
    """g(z), of the shape of z, for any activation except softmax."""
    return FUNCTIONS[layer.activation].value(z, **layer.arguments)


def g_prime(layer: Layer, z: Number) -> Number:
    """g'(z), of the shape of z, for any activation except softmax."""
    return FUNCTIONS[layer.activation].derivative(z, **layer.arguments)


def softmax(z: Row) -> list[arb]:
    """Softmax, e^zᵢ / Σⱼ e^zⱼ, of a row of K balls; K balls."""
    powers = [ball.exp() for ball in z]
    return [each / total(powers) for each in powers]


def softmax_backward(da: Row, a: Row) -> list[arb]:
    """dz of a row of K softmax units, K balls, from da and a; dzᵢ = aᵢ (daᵢ - Σⱼ daⱼ aⱼ)."""
    mean = total(slope * ball for slope, ball in zip(da, a, strict=True))
    return [ball * (slope - mean) for slope, ball in zip(da, a, strict=True)]
