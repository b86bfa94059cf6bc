"""The losses of one row, a ball, and their derivatives, (K,) balls.

Each takes a row of targets y, of net inputs z and of outputs a, (K,) each. The derivative is dz if
the loss takes logits, else da. In place of 1 - a, which would lose digits, stands the sum of the
other outputs of a softmax, or σ(-z) for a sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

from threeways.exact.activations import sigmoid
from threeways.exact.arithmetic import Row, is_positive, others, square, total, where_positive


def squared_error(y: Row, z: Row, a: Row) -> arb:
    """Σ (a - y)²."""
    return total(square(output - target) for output, target in zip(a, y, strict=True))


def error(y: Row, z: Row, a: Row) -> list[arb]:
    """a - y, (K,)."""
    return [output - target for output, target in zip(a, y, strict=True)]


def absolute_error(y: Row, z: Row, a: Row) -> arb:
    """Σ |a - y|."""
    return total(abs(each) for each in error(y, z, a))


def sign_of_error(y: Row, z: Row, a: Row) -> list[arb]:
    """The sign of a - y, (K,); 0 where a = y."""
    return [arb(is_positive(each) - is_positive(-each)) for each in error(y, z, a)]


def huber(y: Row, z: Row, a: Row, delta: float) -> arb:
    """Σ ½e² where |e| ≤ δ, else δ|e| - ½δ², of e = a - y."""
    return total(
        where_positive(abs(e) - delta, delta * abs(e) - square(arb(delta)) / 2, square(e) / 2)
        for e in error(y, z, a)
    )


def clipped_error(y: Row, z: Row, a: Row, delta: float) -> list[arb]:
    """a - y between -δ and δ, (K,)."""
    return [
        where_positive(abs(e) - delta, where_positive(e, delta, -delta), e) for e in error(y, z, a)
    ]


def margins_short(y: Row, z: Row, a: Row) -> list[arb]:
    """1 - ya, (K,), by how much each output falls short of a margin of 1."""
    return [1 - t * output for t, output in zip(y, a, strict=True)]


def hinge(y: Row, z: Row, a: Row) -> arb:
    """Σ max(0, 1 - ya)."""
    return total(where_positive(each, each, 0) for each in margins_short(y, z, a))


def hinge_slope(y: Row, z: Row, a: Row) -> list[arb]:
    """-y where ya < 1, else 0, (K,)."""
    short = zip(y, margins_short(y, z, a), strict=True)
    return [where_positive(each, -t, 0) for t, each in short]


def binary_crossentropy(y: Row, z: Row, a: Row) -> arb:
    """-Σ [y log σ(z) + (1 - y) log σ(-z)]."""
    terms = zip(y, z, strict=True)  # -log σ(z) = log(1 + e⁻ᶻ)
    return total(t * (-net).exp().log1p() + (1 - t) * net.exp().log1p() for t, net in terms)


def sigmoid_error(y: Row, z: Row, a: Row) -> list[arb]:
    """σ(z) - y, (K,), without a difference that cancels."""
    return [sigmoid(net) * (1 - t) - sigmoid(-net) * t for t, net in zip(y, z, strict=True)]


def categorical_crossentropy(y: Row, z: Row, a: Row) -> arb:
    """-Σ y log a, of a softmax."""
    terms = zip(y, a, others(a), strict=True)  # -log aᵢ = log(1 + (1 - aᵢ) / aᵢ)
    return total(t * (rest / output).log1p() for t, output, rest in terms if t != 0)


def softmax_error(y: Row, z: Row, a: Row) -> list[arb]:
    """a Σy - y Σa, (K,), without a difference that cancels; a - y where both sum to 1."""
    terms = zip(y, a, others(y), others(a), strict=True)
    return [output * other_t - t * rest for t, output, other_t, rest in terms]


def softmax_binary_crossentropy(y: Row, z: Row, a: Row) -> arb:
    """-Σ [y log a + (1 - y) log(1 - a)], of a softmax."""
    terms = zip(y, a, others(a), strict=True)
    return total(
        t * (rest / output).log1p() + (1 - t) * (output / rest).log1p() for t, output, rest in terms
    )


def softmax_binary_error(y: Row, z: Row, a: Row) -> list[arb]:
    """The derivative of softmax_binary_crossentropy with respect to z, (K,)."""
    # The derivative of -(1 - yⱼ) log(1 - aⱼ) with respect to zᵢ is (1 - yᵢ)aᵢ at j = i, else
    # -(1 - yⱼ)aᵢaⱼ / (1 - aⱼ).
    pulls = [(1 - t) * output / rest for t, output, rest in zip(y, a, others(a), strict=True)]
    terms = zip(softmax_error(y, z, a), y, a, others(pulls), strict=True)
    return [direct + output * (1 - t - pulled) for direct, t, output, pulled in terms]


def perceptron(y: Row, z: Row, a: Row) -> arb:
    """Σ (a - y) z."""
    return total(wrong * net for wrong, net in zip(error(y, z, a), z, strict=True))


def mean(of_row: Callable[..., arb]) -> Callable[..., arb]:
    """The loss with a mean over the K outputs in place of the sum."""
    return lambda y, z, a, **arguments: of_row(y, z, a, **arguments) / len(y)


def scaled(numerator: int, of_row: Callable[..., list[arb]]) -> Callable[..., list[arb]]:
    """The derivative times ``numerator`` / K, as that of a mean over the K outputs."""
    return lambda y, z, a, **arguments: [
        each * numerator / len(y) for each in of_row(y, z, a, **arguments)
    ]


@dataclass(frozen=True)
class RowLoss:
    """A loss of one row, a ball, with its derivative, (K,); of y, z, a and, for Huber's, δ."""

    value: Callable[..., arb]
    derivative: Callable[..., list[arb]]


LOSSES: dict[str, RowLoss] = {
    "mean_squared_error": RowLoss(mean(squared_error), scaled(2, error)),
    "half_squared_error": RowLoss(lambda y, z, a: squared_error(y, z, a) / 2, error),
    "mean_absolute_error": RowLoss(mean(absolute_error), scaled(1, sign_of_error)),
    "huber": RowLoss(mean(huber), scaled(1, clipped_error)),
    "hinge": RowLoss(mean(hinge), scaled(1, hinge_slope)),
    "binary_crossentropy": RowLoss(mean(binary_crossentropy), scaled(1, sigmoid_error)),
    "categorical_crossentropy": RowLoss(categorical_crossentropy, softmax_error),
    "softmax_binary_crossentropy": RowLoss(
        mean(softmax_binary_crossentropy), scaled(1, softmax_binary_error)
    ),
    "perceptron": RowLoss(perceptron, error),
    "bipolar_perceptron": RowLoss(perceptron, error),
    "output": RowLoss(lambda y, z, a: total(a), lambda y, z, a: [arb(1)] * len(a)),
}
