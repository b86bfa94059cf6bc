"""Checks of the arrays that an implementation is given, and their conversion to its dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import InputError, short
from shared.losses import LOSSES
from shared.network import Network

Array = np.ndarray[Any, Any]


def check_inputs(network: Network, x: Any) -> Array:
    """``x`` as an (N, D[0]) array of the network's dtype.

    Raises:
        InputError: ``x`` has another shape or no rows, or holds NaN or infinity.
    """
    return _matrix(network, "x", x, network.n_features)


def check_targets(network: Network, y: Any, n_rows: int) -> Array:
    """``y`` as an (N, D[L]) array of the network's dtype, with values that the loss is defined for.

    Raises:
        InputError: ``y`` has another shape, such as (N,), or holds NaN or infinity; or its values
            are not one-hot, in [0, 1] or two-valued where the loss needs them to be.
    """
    y = _matrix(network, "y", y, network.widths[-1])
    if len(y) != n_rows:
        raise InputError(f"y: {len(y)} rows for the {n_rows} rows of x")
    targets = LOSSES[network.loss].targets
    if targets and not (allowed := targets.allowed(y)).all():
        row = np.argwhere(~allowed)[0, 0]
        raise InputError(f"y[{row}]: {short(y[row].tolist())} is not {targets.description}")
    return y


def all_finite(values: Array) -> bool:
    """Whether an array of any shape is free of NaN and infinity."""
    with np.errstate(all="ignore"):  # a finite sum says so without a second array
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def _matrix(network: Network, name: str, values: Any, width: int) -> Array:
    try:
        with np.errstate(over="ignore"):
            matrix = np.asarray(values, dtype=network.dtype)
    except (TypeError, ValueError):
        raise InputError(f"{name}: not a table of numbers, N rows of {width}") from None
    if matrix.ndim != 2 or matrix.shape[1] != width:
        hint = f"; use {name}.reshape(-1, 1)" if matrix.ndim == 1 and width == 1 else ""
        raise InputError(f"{name}: expected shape (N, {width}), got {matrix.shape}{hint}")
    if len(matrix) == 0:
        raise InputError(f"{name}: no rows in it")
    if not all_finite(matrix):
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        value = np.asarray(values)[row, column]
        wrong = f"is too large for {network.dtype}" if np.isfinite(value) else "is not finite"
        raise InputError(f"{name}[{row},{column}]: {value} {wrong}")
    return matrix
