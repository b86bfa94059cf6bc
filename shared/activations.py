"""The activation functions, as they are whichever implementation computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Activation:
    """An activation function g, a[l+1] = g(z[l]).

    Args:
        alpha: α unless a layer gives its own; None where g has none.
        is_threshold: whether g jumps, so that its derivative is 0 and nothing can be learned by it.
        kink: the side of 0 that g'(0) is taken from; None where g has a derivative at 0.
    """

    alpha: float | None = None
    is_threshold: bool = False
    kink: Literal["below", "above"] | None = None


# The conventions at 0: step(0) = 0 and sign(0) = -1, a unit fires only above its threshold;
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
