"""Dropout and penalties, of balls or of float64 arrays."""

from __future__ import annotations

from flint import arb

from shared import Layer
from threeways.exact.activations import selu_alpha, selu_scale
from threeways.exact.arithmetic import Number, sign, sqrt, square


def selu_limit(like: Number) -> Number:
    """SELU's limit far below 0, -λα, as a ball or a double."""
    return -selu_scale(like) * selu_alpha(like)


def dropout_scale(layer: Layer) -> arb:
    """The factor of a layer's kept units: 1 / (1 - p), or alpha dropout's c."""
    p = arb(layer.dropout_rate)
    if not layer.alpha_dropout:
        return 1 / (1 - p)
    return 1 / sqrt((1 - p) * (1 + p * square(selu_limit(p))))


def dropout(layer: Layer, scale: Number, a: Number, kept: Number) -> Number:
    """a after dropout, where ``kept`` is 1 for a unit that is kept, else 0; see dropout_scale."""
    if not layer.alpha_dropout:
        return scale * kept * a
    limit = selu_limit(a)
    return scale * (kept * a + (1 - kept) * limit - layer.alpha_dropout * limit)


def penalty(layer: Layer, w: Number) -> Number:
    """l1 |w| + l2 w²."""
    return layer.l1 * abs(w) + layer.l2 * square(w)


def penalty_gradient(layer: Layer, w: Number) -> Number:
    """l1 sign(w) + 2 l2 w; sign(0) = 0."""
    return layer.l1 * sign(w) + 2 * layer.l2 * w
