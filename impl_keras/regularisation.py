"""Regularisation against overfitting: penalties on weights, and dropout.

In dropout, a is the output (N, D[l]) of a layer, ``rate`` is p, the probability that a unit is
dropped, and ``mask`` (N, D[l]) is 1 where a unit is kept. Keras's own Dropout draws its masks
itself; these functions take one.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import keras

__all__ = ["alpha_dropout", "dropout", "penalty"]

Array: TypeAlias = Any


def penalty(W: Array, l1: float, l2: float) -> Array:
    """l1 Σ|W| + l2 ΣW², a scalar (EPITA-12).

    Written out, since Keras's own L1L2 rounds l1 and l2 to float32, whatever the dtype of W.
    """
    return l1 * keras.ops.sum(keras.ops.abs(W)) + l2 * keras.ops.sum(keras.ops.square(W))


def dropout(a: Array, mask: Array, rate: float) -> Array:
    """a · mask / (1 - p): kept units grow, so that the mean stays (Srivastava et al. 2014)."""
    return a * keras.ops.cast(mask, a.dtype) / (1 - rate)


def alpha_dropout(a: Array, mask: Array, rate: float) -> Array:
    """c (a - pα') where kept, c (α' - pα') where not: dropped units go to SELU's lower limit α'.

    With c = 1 / √((1 - p)(1 + pα'²)), mean 0 and variance 1 stay (Klambauer et al. 2017).
    """
    limit = keras.activations.selu(keras.ops.convert_to_tensor(-math.inf, a.dtype))
    c = ((1 - rate) * (1 + rate * limit**2)) ** -0.5
    return c * (keras.ops.where(mask, a, limit) - rate * limit)
