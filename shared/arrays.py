"""Checks of the arrays that an implementation is given, and their conversion to its dtype."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from shared.arguments import check_type, kind_of
from shared.errors import InputError, short
from shared.labels import are_labels
from shared.losses import LOSSES
from shared.network import Network
from shared.quantities import element

Array = np.ndarray[Any, Any]


def real_numbers(name: str, values: Any, dtype: str | None = None) -> Array:
    """``values`` as an array of real numbers of any shape, in C order; not always a copy.

    Whatever NumPy makes an array of (lists, other libraries' arrays and tables) is rounded to
    ``dtype``, but refused if more than digits would be lost.

    Args:
        name: what the values are called in messages.
        values: the numbers.
        dtype: float32 or float64; unless given, float32 arrays stay float32 and all others become
            float64.

    Raises:
        InputError: NumPy makes no array of them, some are masked, or they are not real numbers
            (complex numbers, text, dates, None).
    """
    if type(values) is not np.ndarray or values.dtype.kind != "f":
        values = _as_real(name, values)
    if dtype is None:
        dtype = "float32" if values.dtype == np.float32 else "float64"
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=dtype, order="C")


def check_inputs(network: Network, x: Any) -> Array:
    """``x`` as an (N, D[0]) array of the network's dtype.

    Raises:
        InputError: ``x`` is not an array of real numbers, has another shape or no rows, or holds
            NaN or infinity.
    """
    return _matrix(network, "x", x, network.n_features)


def check_targets(network: Network, y: Any, n_rows: int) -> Array:
    """``y`` as an (N, D[L]) array of the network's dtype, with values that the loss is defined for.

    Raises:
        InputError: ``y`` is not an array of real numbers, has another shape, such as (N,), or holds
            NaN or infinity; or its values are not shares of a sum of 1, in [0, 1] or two-valued
            where the loss needs them to be.
    """
    K = network.widths[-1]
    y = real_numbers("y", y, network.dtype)
    if K > 1 and y.ndim and y.shape in ((len(y),), (len(y), 1)) and are_labels(y, K):
        raise InputError(
            f"y: expected shape (N, {K}), got {y.shape}; if these are labels of classes, make them "
            f"one-hot, np.eye({K})[labels], or give them as labels in the [data] of a case file"
        )
    y = _matrix(network, "y", y, K)
    if len(y) != n_rows:
        raise InputError(f"y: {len(y)} rows for the {n_rows} rows of x")
    targets = LOSSES[network.loss].targets
    if targets and not (allowed := targets.allowed(y)).all():
        row = np.argwhere(~allowed)[0, 0]
        raise InputError(f"y[{row}]: {short(y[row].tolist())} is not {targets.description}")
    return y


def check_masks(network: Network, masks: Any, n_rows: int) -> dict[int, Array]:
    """Dropout masks for ``n_rows`` rows: (n_rows, D[l]) of bool for each a[l] that has one.

    Raises:
        InputError: a mask is for an a[l] without dropout, has another shape, or is not of 0 and 1.
    """
    check_type("masks", masks, Mapping)
    checked = {}
    for l, given in masks.items():
        if l not in network.dropping:
            raise InputError(f"masks: there is no dropout of a[{short(l)}]")
        mask = real_numbers(f"masks[{l}]", given)
        if mask.shape != (shape := (n_rows, network.widths[l])):
            raise InputError(f"masks[{l}]: expected shape {shape}, got {mask.shape}")
        if not np.isin(mask, (0, 1)).all():
            raise InputError(f"masks[{l}]: holds other numbers than 0 and 1")
        checked[l] = mask.astype(bool)
    return checked


def all_finite(values: Array) -> bool:
    """Whether an array of any shape is free of NaN and infinity."""
    with np.errstate(all="ignore"):  # a finite sum says so without a second array
        return bool(np.isfinite(values.sum()) or np.isfinite(values).all())


def _matrix(network: Network, name: str, values: Any, width: int) -> Array:
    matrix = real_numbers(name, values, network.dtype)
    if matrix.ndim != 2 or matrix.shape[1] != width:
        hint = f"; use {name}.reshape(-1, 1)" if matrix.ndim == 1 and width == 1 else ""
        raise InputError(f"{name}: expected shape (N, {width}), got {matrix.shape}{hint}")
    if len(matrix) == 0:
        raise InputError(f"{name}: no rows in it")
    if not all_finite(matrix):
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        value = np.asarray(values)[row, column]
        wrong = f"is too large for {network.dtype}" if _is_finite(value) else "is not finite"
        shown = short(value) if isinstance(value, int) else str(value)
        raise InputError(f"{name}[{row},{column}]: {shown} {wrong}")
    return matrix


# What an array holds, by the kind of its dtype, if not real numbers.
_KINDS = {"c": "complex numbers", "M": "dates", "m": "time spans", "V": "records"}


def _as_real(name: str, values: Any) -> Array:
    """``values`` as an array of real numbers, of any dtype that can be rounded to a float."""
    if hasattr(type(values), "requires_grad") and values.requires_grad:
        raise InputError(f"{name}: a tensor that requires a gradient; call .detach()")
    if hasattr(type(values), "toarray"):
        raise InputError(f"{name}: a sparse {kind_of(values)}; call .toarray()")
    parts = values if isinstance(values, list | tuple) else [values]
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        raise InputError(f"{name}: some of it is masked; fill that in, or leave those rows out")
    try:
        array = np.asarray(values)
    except MemoryError:
        raise
    except Exception as error:  # any kind, from another library's array
        why = str(error).partition("\n")[0] or type(error).__name__
        if "inhomogeneous" in why:
            why = "its rows differ in length"
        raise InputError(f"{name}: not an array of numbers ({why})") from None
    if array.dtype.kind == "O":
        return _of_objects(name, array)
    if not np.can_cast(array.dtype, np.float64, "same_kind"):
        held = _KINDS.get(array.dtype.kind, "text")
        raise InputError(f"{name}: holds {held}, not real numbers")
    return array


def _of_objects(name: str, array: Array) -> Array:
    """A float64 array of the same shape, from Python's numbers and fractions."""
    floats = np.empty(array.shape)
    for index, value in np.ndenumerate(array):
        if not isinstance(value, Real | Decimal | np.bool) or isinstance(value, np.timedelta64):
            raise InputError(
                f"{element(name, index)}: expected a real number, got {kind_of(value)}"
            )
        try:
            floats[index] = float(value)
        except OverflowError:  # of an integer or a fraction; a decimal becomes infinite
            floats[index] = np.inf
        except ValueError:  # of a decimal that is a signalling NaN
            raise InputError(f"{element(name, index)}: {value} is not finite") from None
        if np.isinf(floats[index]) and _is_finite(value):
            raise InputError(f"{element(name, index)}: too large for float64")
    return floats


def _is_finite(value: Any) -> bool:
    """Whether a number of any kind is finite, in its own precision."""
    return bool(value == value and value not in (np.inf, -np.inf))
