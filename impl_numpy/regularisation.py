"""Regularisation against overfitting: penalties on weights, and dropout.

In dropout, a is the output (N, D[l]) of a layer, ``rate`` is p, the probability that a unit is
dropped, and ``mask`` (N, D[l]) is 1 where a unit is kept.
"""

from __future__ import annotations

import numpy as np

from impl_numpy.activations import SELU_ALPHA, SELU_SCALE
from shared import Array

__all__ = ["alpha_dropout", "dropout", "penalty"]


def penalty(W: Array, l1: float, l2: float) -> Array:
    """l1 Σ|W| + l2 ΣW², a scalar (EPITA-12)."""
    return l1 * np.abs(W).sum() + l2 * (W * W).sum()


def penalty_gradient(W: Array, l1: float, l2: float) -> Array:
    """l1 sign(W) + 2 l2 W, of the shape of W; sign(0) = 0."""
    return l1 * np.sign(W) + 2 * l2 * W


def dropout(a: Array, mask: Array, rate: float) -> Array:
    """a · mask / (1 - p): kept units grow, so that the mean stays (Srivastava et al. 2014)."""
    return a * mask / (1 - rate)


def dropout_backward(da: Array, mask: Array, rate: float) -> Array:
    """da before dropout, from da after it: da · mask / (1 - p)."""
    return da * mask / (1 - rate)


def alpha_dropout(a: Array, mask: Array, rate: float) -> Array:
    """c (a - pα') where kept, c (α' - pα') where not: dropped units go to SELU's lower limit α'.

    With c = 1 / √((1 - p)(1 + pα'²)), mean 0 and variance 1 stay (Klambauer et al. 2017).
    """
    limit = -SELU_SCALE * SELU_ALPHA
    c = alpha_dropout_scale(rate)
    return c * (np.where(mask, a, limit) - rate * limit)


def alpha_dropout_scale(rate: float) -> float:
    """c = 1 / √((1 - p)(1 + pα'²))."""
    limit = SELU_SCALE * SELU_ALPHA
    return float(((1 - rate) * (1 + rate * limit**2)) ** -0.5)


def alpha_dropout_backward(da: Array, mask: Array, rate: float) -> Array:
    """da before alpha dropout, from da after it: da · mask · c."""
    return da * mask * alpha_dropout_scale(rate)
