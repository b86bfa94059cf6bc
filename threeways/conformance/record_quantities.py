"""The recorded quantities of a step, whole arrays or some of their elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shared import Array, InputError
from shared.errors import Findings
from shared.quantities import is_inside, parse_element, unknown_quantity
from threeways.conformance.record_arrays import WrittenArray
from threeways.conformance.record_digits import Writing


@dataclass(frozen=True, eq=False)
class RecordedArray:
    """A recorded quantity; all arrays have its shape.

    Args:
        values: in the dtype of the step; 0 where it is not known.
        errors: how wrong rounding to digits may have made each number.
        start_errors: the same for a step that starts from it.
        bound: how far each number may be from the exact one; 0 unless the file says so.
        known: which of its numbers are recorded; None if all are.
    """

    values: Array
    errors: Array
    start_errors: Array
    bound: Array
    known: Array | None = None


def read_quantities(
    written: Mapping[str, WrittenArray],
    shapes: Mapping[str, tuple[int, ...]],
    writing: Writing,
    at: str,
) -> dict[str, RecordedArray]:
    """The recorded arrays, by quantity.

    Args:
        written: the arrays and elements of a test, by name.
        shapes: the shape of each quantity that the step has.
        writing: how the group's numbers are written.
        at: the path of the quantities in the file, for messages.

    Raises:
        InputError: all that is not such a quantity or element, or has a wrong shape or number.
    """
    findings = Findings()
    arrays: dict[str, RecordedArray] = {}
    elements: dict[str, dict[tuple[int, ...], RecordedArray]] = {}
    for name, each in written.items():
        with findings:
            if name in shapes:
                arrays[name] = _recorded(each, shapes[name], writing, f"{at}.{name}")
                continue
            quantity, index = parse_element(name)
            if not index or quantity not in shapes:
                raise InputError(f"{at}: {unknown_quantity(name, shapes)}")
            if not is_inside(index, shapes[quantity]):
                shape = shapes[quantity]
                raise InputError(f"{at}: {name} is outside of {quantity}, whose shape is {shape}")
            if quantity in written or index in elements.get(quantity, {}):
                raise InputError(f"{at}: {name} is given twice")
            number = _recorded(each, (), writing, f"{at}.{name}")
            elements.setdefault(quantity, {})[index] = number
    findings.raise_any()
    return arrays | {name: _partial(each, shapes[name]) for name, each in elements.items()}


def _recorded(
    written: WrittenArray, shape: tuple[int, ...], writing: Writing, at: str
) -> RecordedArray:
    values = written.array(shape, writing.dtype, at)
    none = np.zeros(shape)
    bound = none if written.bound is None else written.bound
    if written.decimal is None or written.hex is not None:
        return RecordedArray(values, none, bound, bound)
    return RecordedArray(
        values,
        writing.errors(written.decimal),
        writing.errors_of_start(written.decimal) + bound,
        bound,
    )


def _partial(
    elements: Mapping[tuple[int, ...], RecordedArray], shape: tuple[int, ...]
) -> RecordedArray:
    """The array of which only some elements are recorded."""
    (first, *_) = elements.values()
    values = np.zeros(shape, first.values.dtype)
    errors, start_errors, bound = (np.zeros(shape) for _ in range(3))
    known = np.zeros(shape, bool)
    for index, number in elements.items():
        values[index], errors[index] = number.values, number.errors
        start_errors[index], bound[index] = number.start_errors, number.bound
        known[index] = True
    return RecordedArray(values, errors, start_errors, bound, known)
