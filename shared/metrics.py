"""Accuracy, the share of rows that a network classifies correctly."""

from __future__ import annotations

import numpy as np

from shared.arrays import Array
from shared.losses import is_distribution


def accuracy(y: Array, a: Array) -> float | None:
    """The share of rows whose class is right, from 0 to 1; None where the targets are not classes.

    Where each row of targets sums to 1 and one of them is the largest (that of a one-hot row, or
    of one with smoothed labels), the row's largest output has to be there. Else the targets have
    to be 0 and 1, or -1 and 1, and every output on its target's side of the middle.

    Args:
        y: targets, (N, D[L]).
        a: outputs, (N, D[L]).
    """
    largest = y == y.max(axis=1, keepdims=True)
    if y.shape[1] > 1 and is_distribution(y).all() and (largest.sum(axis=1) == 1).all():
        return float(np.mean(a.argmax(axis=1) == y.argmax(axis=1)))
    binary, bipolar = np.isin(y, (0, 1)).all(), np.isin(y, (-1, 1)).all()
    if binary or bipolar:
        middle = 0 if bipolar and not binary else 0.5
        return float(np.mean(((a > middle) == (y > middle)).all(axis=1)))
    return None
