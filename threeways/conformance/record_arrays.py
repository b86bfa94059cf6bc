"""Arrays in a JSON file of recorded steps.

An array is nested lists of numbers, ``[[0.3775, 0.3925]]``, with null for a number that is not
finite; or ``{"decimal": …, "hex": …, "bound": …}``, where hex holds C99's hexadecimal floats as
strings. decimal or hex may be left out. bound is how far each number may be from the exact one,
where that is more than rounding explains.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import PlainValidator, WithJsonSchema

from shared import Array, InputError
from shared.errors import short, unknown
from shared.quantities import element

# A quantity is a number, a vector or a matrix.
MOST_DIMENSIONS = 2


@dataclass(frozen=True)
class WrittenArray:
    """An array as a file has it: the float64 arrays of its decimals, hex floats and bounds.

    Any may be None, but not both decimal and hex.
    """

    decimal: Array | None
    hex: Array | None = None
    bound: Array | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all of them."""
        form = self.decimal if self.hex is None else self.hex
        assert form is not None
        return form.shape

    def array(self, shape: tuple[int, ...], dtype: str, at: str) -> Array:
        """The array in ``dtype``.

        Args:
            shape: which it has to have.
            dtype: ``"float32"`` or ``"float64"``.
            at: its path in the file, for messages.

        Raises:
            InputError: it has another shape, a number is too large for the dtype, or a decimal is
                not the same number as its hex float.
        """
        if self.shape != shape:
            is_turned = len(shape) == 2 and self.shape == shape[::-1]
            hint = "; it is transposed, (out, in) as in PyTorch: record its .T" if is_turned else ""
            raise InputError(f"{at}: expected shape {shape}, got {self.shape}{hint}")
        arrays = [
            _rounded(form, dtype, at) for form in (self.hex, self.decimal) if form is not None
        ]
        if len(arrays) == 2:
            _check_same(arrays[0], arrays[1], at)
        return arrays[0]


def _rounded(numbers: Array, dtype: str, at: str) -> Array:
    """Float64 numbers in a dtype; raises InputError for one that is too large for it."""
    if dtype == "float64":
        return numbers
    with np.errstate(over="ignore"):
        rounded = numbers.astype(dtype)
    for index in np.argwhere(np.isfinite(numbers) & ~np.isfinite(rounded)):
        here = element(at, tuple(index))
        raise InputError(f"{here}: {numbers[tuple(index)]} is too large for {dtype}")
    return rounded


def _check_same(hexadecimal: Array, decimal: Array, at: str) -> None:
    """Raise :class:`InputError` for a decimal that is not the same number as its hex float."""
    alike = (hexadecimal == decimal) | ~(np.isfinite(hexadecimal) | np.isfinite(decimal))
    for index in map(tuple, np.argwhere(~alike)):
        here = element(at, index)
        raise InputError(f"{here}: decimal {decimal[index]} is not hex {hexadecimal[index]}")


def _parse(value: Any) -> WrittenArray:
    """The array that a JSON value stands for; raises ValueError, as pydantic expects."""
    if not isinstance(value, dict):
        return WrittenArray(_nested(value, _decimal))
    for key in value:
        if key not in _FORMS:
            raise ValueError(unknown(key, "a key here", _FORMS))
    forms = {key: _nested(value[key], read) for key, read in _FORMS.items() if key in value}
    if len({array.shape for array in forms.values()}) > 1:
        raise ValueError(f"{' and '.join(forms)} differ in shape")
    if not {"decimal", "hex"} & forms.keys():
        raise ValueError("needs decimal, or hex, or both")
    if "bound" in forms and not (forms["bound"] >= 0).all():
        raise ValueError("bound: should be numbers of 0 or more")
    return WrittenArray(forms.get("decimal"), forms.get("hex"), forms.get("bound"))


def _nested(value: Any, read: Callable[[Any], float], depth: int = 0) -> Array:
    """The array of nested lists, each of whose items is read by ``read``."""
    if not isinstance(value, list):
        return np.array(read(value))
    if depth == MOST_DIMENSIONS:
        raise ValueError("expected a number, a list of them, or a list of rows of them")
    if read is _decimal and {*map(type, value)} == {float}:  # nothing to look at one by one
        return np.array(value)
    rows = [_nested(item, read, depth + 1) for item in value]
    if len({row.shape for row in rows}) > 1:
        raise ValueError("rows of different lengths")
    return np.array(rows, dtype=np.float64)


def _decimal(value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{short(value)} is not a number")
    return _float64(value, float)


def _hex(value: Any) -> float:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError(f"{short(value)} is not a hex float such as '0x1.8p-1'")
    return _float64(value, float.fromhex)


def _float64(value: Any, convert: Callable[[Any], float]) -> float:
    try:
        return convert(value)
    except OverflowError:
        raise ValueError(f"{short(value)} is too large for float64") from None


_HEX = re.compile(r"[-+]?(0x([0-9a-f]+(\.[0-9a-f]*)?|\.[0-9a-f]+)(p[-+]?\d+)?|inf|nan)", re.I)
_FORMS: dict[str, Callable[[Any], float]] = {"decimal": _decimal, "hex": _hex, "bound": _decimal}


def _nested_schema(item: dict[str, Any]) -> dict[str, Any]:
    row = {"type": "array", "items": item}
    return {"anyOf": [item, row, {"type": "array", "items": row}]}


_DECIMALS = _nested_schema({"type": ["number", "null"]})
_ARRAY_SCHEMA = {
    "anyOf": [
        *_DECIMALS["anyOf"],
        {
            "type": "object",
            "properties": {
                "decimal": _DECIMALS,
                "hex": _nested_schema({"type": "string", "pattern": "^[-+]?(0[xX].*|inf|nan)$"}),
                "bound": _nested_schema({"type": "number", "minimum": 0}),
            },
            "anyOf": [{"required": ["decimal"]}, {"required": ["hex"]}],
            "additionalProperties": False,
        },
    ]
}

# The type of a field that holds an array.
ArrayField = Annotated[Any, PlainValidator(_parse), WithJsonSchema(_ARRAY_SCHEMA)]
