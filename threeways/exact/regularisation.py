"""Dropout and penalties, for balls or for float64 arrays of any shape."""

from __future__ import annotations

from flint import arb

from shared import Layer
from threeways.exact.activations import selu_alpha, selu_scale
from threeways.exact.arithmetic import Number, sign, sqrt, square


def selu_limit(like: Number) -> Number:
    """-λα, the limit of SELU far below 0, as a ball or a double."""
    return -selu_scale(like) * selu_alpha(like)


def dropout_scale(layer: Layer) -> arb:
    """The factor of the units that are kept: 1 / (1 - p), or alpha dropout's c."""
    p = arb(layer.dropout_rate)
    if not layer.alpha_dropout:
        return 1 / (1 - p)
    return 1 / sqrt((1 - p) * (1 + p * square(selu_limit(p))))


def dropout(layer: Layer, scale: Number, a: Number, kept: Number) -> Number:
    """a after dropout, of the same shape.

    Args:
        layer: the layer whose output a is.
        scale: its :func:`dropout_scale`.
        a: the output.
        kept: 1 for a unit that is kept, else 0.
    """
    if not layer.alpha_dropout:
        return scale * kept * a
    limit = selu_limit(a)
    return scale * (kept * a + (1 - kept) * limit - layer.alpha_dropout * limit)


def penalty(layer: Layer, w: Number) -> Number:
    """The penalty of each weight, l1 |w| + l2 w²."""
    return layer.l1 * abs(w) + layer.l2 * square(w)


def penalty_gradient(layer: Layer, w: Number) -> Number:
    """The derivative of the penalty of each weight, l1 sign(w) + 2 l2 w; sign(0) = 0."""
    return layer.l1 * sign(w) + 2 * layer.l2 * w
