"""Labels of classes, whole numbers from 0, and the targets that are made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import InputError

Array = np.ndarray[Any, Any]


def are_labels(values: Array, n_outputs: int) -> bool:
    """Whether numbers of any shape are labels of the classes that so many outputs tell apart."""
    classes = max(n_outputs, 2)
    return bool(((values >= 0) & (values < classes) & (values == np.floor(values))).all())


def targets_of(labels: Array, n_outputs: int, low: int = 0) -> Array:
    """Targets (N, K) of labels (N,): 1 at a label's own output, ``low`` at all others.

    One output tells two classes apart: its targets are ``low`` for the label 0 and 1 for 1.

    Args:
        labels: whole numbers from 0 to K - 1; 0 and 1 for one output.
        n_outputs: K.
        low: 0, or -1 for losses that are defined for -1 and 1.

    Raises:
        InputError: a label is another number.

    >>> targets_of(np.array([0, 2]), 3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    for i, label in enumerate(labels):
        if not are_labels(label, n_outputs):
            outputs = f"{n_outputs} output{'s' * (n_outputs != 1)}"
            most = max(n_outputs, 2) - 1
            raise InputError(
                f"labels[{i}]: {label:g} is not a label, a whole number from 0 to {most} "
                f"for {outputs}"
            )
    y = np.eye(max(n_outputs, 2))[labels.astype(int)]
    return np.where(y[:, -n_outputs:] == 1, 1.0, low)
