"""The activation functions: what all implementations agree on, such as g'(0) and default α."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Activation:
    """An activation function g, a[l+1] = g(z[l]).

    Args:
        alpha: the default of α; None where g has none.
        is_threshold: whether g is a step, whose derivative 0 lets no gradient through.
        kink: the side of 0 that g'(0) is taken from; None where g has no kink.
    """

    alpha: float | None = None
    is_threshold: bool = False
    kink: Literal["below", "above"] | None = None


# The conventions at 0: step(0) = 0 and sign(0) = -1, since a unit fires only above its threshold;
# ReLU'(0) = 0, leaky ReLU'(0) = α, ELU'(0) = α, SELU'(0) = λ.
ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(),
    "step": Activation(is_threshold=True),
    "sign": Activation(is_threshold=True),
    "sigmoid": Activation(),
    "tanh": Activation(),
    "scaled_tanh": Activation(),
    "relu": Activation(kink="below"),
    "leaky_relu": Activation(alpha=0.01, kink="below"),
    "elu": Activation(alpha=1.0, kink="below"),
    "selu": Activation(kink="above"),
    "softmax": Activation(),
}
