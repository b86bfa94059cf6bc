"""How well a network's outputs meet their targets, beside the loss."""

from __future__ import annotations

import numpy as np

from shared.arrays import Array


def accuracy(y: Array, a: Array) -> float | None:
    """The share of rows whose class is right, or None where targets are no classes.

    One-hot targets of several outputs: the largest output has to be the 1. Else every target has to
    be one of two values, 0 and 1 or -1 and 1, and every output on its target's side of the middle.

    Args:
        y: targets (N, D[L]).
        a: outputs (N, D[L]).
    """
    binary, bipolar = np.isin(y, (0, 1)).all(), np.isin(y, (-1, 1)).all()
    if binary and y.shape[1] > 1 and (y.sum(axis=1) == 1).all():
        return float(np.mean(a.argmax(axis=1) == y.argmax(axis=1)))
    if binary or bipolar:
        middle = 0 if bipolar and not binary else 0.5
        return float(np.mean(((a > middle) == (y > middle)).all(axis=1)))
    return None
