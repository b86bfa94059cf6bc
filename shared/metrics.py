"""Accuracy, the share of rows that a network classifies correctly."""

from __future__ import annotations

import numpy as np

from shared.arrays import Array


def accuracy(y: Array, a: Array) -> float | None:
    """The share of rows whose class is right, from 0 to 1; None where the targets are not classes.

    With one-hot targets, the largest output of a row has to be where the 1 is. Else the targets
    have to be 0 and 1, or -1 and 1, and every output on its target's side of the middle.

    Args:
        y: targets, (N, D[L]).
        a: outputs, (N, D[L]).
    """
    binary, bipolar = np.isin(y, (0, 1)).all(), np.isin(y, (-1, 1)).all()
    if binary and y.shape[1] > 1 and (y.sum(axis=1) == 1).all():
        return float(np.mean(a.argmax(axis=1) == y.argmax(axis=1)))
    if binary or bipolar:
        middle = 0 if bipolar and not binary else 0.5
        return float(np.mean(((a > middle) == (y > middle)).all(axis=1)))
    return None
