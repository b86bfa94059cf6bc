"""The rounding errors of a few operations and of each activation, in eps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared import Array, Layer
from threeways.exact.activations import selu_alpha, selu_scale

# The error of a few operations in a row, in eps, and that of a function of a library: the worst
# found are TensorFlow's tanh, 3.9 eps in float64, and its sigmoid, 4.1 eps in float32.
FEW = 4
FUNCTION = 6


@dataclass(frozen=True)
class Rounding:
    """The rounding errors of an activation g and of its derivative, in eps.

    Args:
        value: the error of g itself for an exact z, as a function of its layer, z and a; not used
            at an exact 0 where g(0) = 0. All arrays are (N, D[l+1]).
        slope: |∂g'/∂a| where g' is computed from a.
        kink_from_a: whether some implementations take the side of the kink from a rounded eᶻ - 1,
            and not from z.
    """

    value: Callable[[Layer, Array, Array], Array]
    slope: Callable[[Array], Array] = np.ones_like
    kink_from_a: bool = False


def _exponential_unit(layer: Layer, z: Array, a: Array) -> Array:
    """The error of ELU or SELU, (N, D[l+1]) in eps; some compute eᶻ - 1 as it stands."""
    scale = abs(layer.arguments["alpha"]) if layer.arguments else selu_scale(z) * selu_alpha(z)
    return np.where(z > 0, FEW * np.abs(a), 2 * scale)


EXACT = Rounding(lambda layer, z, a: np.zeros_like(a))
ROUNDINGS: dict[str, Rounding] = {
    "linear": EXACT,
    "step": EXACT,
    "sign": EXACT,
    "relu": EXACT,
    # 1 / (1 + e⁻ᶻ) with e⁻ᶻ wrong by a few eps.
    "sigmoid": Rounding(
        lambda layer, z, a: a * (1 + FUNCTION * (1 - a)), slope=lambda a: np.abs(1 - 2 * a)
    ),
    "tanh": Rounding(lambda layer, z, a: FUNCTION * np.abs(a), slope=lambda a: 2 * np.abs(a)),
    # With the rounding of 1.7159, of ⅔z, and of their products.
    "scaled_tanh": Rounding(
        lambda layer, z, a: (FUNCTION + 2) * np.abs(a), slope=lambda a: 2 * np.abs(a)
    ),
    "leaky_relu": Rounding(lambda layer, z, a: FEW * np.abs(a)),
    "elu": Rounding(_exponential_unit, kink_from_a=True),
    "selu": Rounding(_exponential_unit, kink_from_a=True),
}
