"""The numbers that somebody got: printed ones and whole arrays, and what agrees with them."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from shared import Array, Case, InputError
from shared.errors import Findings
from shared.own_names import resolve_computed
from shared.quantities import shapes, unknown_quantity
from threeways.exact.rounding import FEW

# Wrong numbers of an array that are enough to rule chance out.
ENOUGH = 20

# Significant digits of a double, and of a float32 number.
DOUBLES_DIGITS = 16
FLOAT32S_DIGITS = 7


class Observation(Protocol):
    """A number or an array that somebody got."""

    @property
    def quantity(self) -> str:
        """The name of the array that it is, or belongs to."""

    def compare(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        """Whether a candidate's numbers agree with it, and to how many significant digits."""

    def wrong(self, right: Mapping[str, Array]) -> Wrong:
        """Those of its numbers that depart from the right ones."""


class Wrong(NamedTuple):
    """Numbers that depart from the right ones; of an array, the first few.

    Args:
        indices: which elements of the array they are.
        values: the numbers.
        widths: how wide the interval is in which a candidate's number agrees with each.
    """

    indices: list[tuple[int, ...]]
    values: list[float]
    widths: list[float]


@dataclass(frozen=True)
class Printed:
    """One number with its printed digits, which may be rounded or cut off.

    Args:
        quantity, index: the element of the step, as ``"dW[1]"`` and ``(0, 1)``.
        text: its printed digits.
        rounding: absolute rounding error that a correct computation may have.
        size: the largest number of the exact array, to which a zero is compared.
    """

    quantity: str
    index: tuple[int, ...]
    text: str
    rounding: float
    size: float = 0.0

    @functools.cached_property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @functools.cached_property
    def place(self) -> float:
        """One unit of its last digit."""
        return _last_place(self.text)

    @property
    def n_digits(self) -> int:
        """Its significant digits, 3 of 0.0354; one, if it is 0."""
        return math.floor(math.log10(max(abs(self.value) / self.place, 1)) + 1e-9) + 1

    def in_float32(self) -> Printed:
        """The same number with no more digits than float32 has, rounded a few times."""
        text = self.text if self.n_digits <= FLOAT32S_DIGITS else f"{self.value:.6e}"
        size = max(abs(self.value), self.size)
        rounding = FEW * float(np.finfo("float32").eps) * size
        return dataclasses.replace(self, text=text, rounding=max(rounding, self.rounding))

    def compare(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        value, place = self.value, self.place
        number = float(numbers[self.quantity][self.index])
        if number == value:
            return True, float(DOUBLES_DIGITS) if value == 0 else _digits(place, 10 * abs(value))
        # A rounded number is off by at most half a unit of its last digit, one that was cut off by
        # less than a whole unit, and then the printed one is nearer to 0.
        off = number - value
        unit = 1 if value and (off > 0) == (value > 0) else 0.5
        if abs(off) <= max(unit * place * (1 - 1e-9), self.rounding):
            return True, _digits(max(place, abs(off)), 10 * (abs(value) or self.size))
        return False, _digits(off, value)

    def wrong(self, right: Mapping[str, Array]) -> Wrong:
        width = max(1.5 * self.place, 2 * self.rounding)
        return Wrong([self.index], [self.value], [width])


@dataclass(frozen=True, eq=False)
class Recorded:
    """A whole array.

    Args:
        quantity: which, as ``"dW[1]"``.
        values: the array, in float64.
        rounding: rounding error that a correct computation may have, as a share of the array's
            largest number.
        size: the largest number of the exact array; rounding errors do not become smaller where a
            mistake makes its numbers cancel.
        errors: how far each number may be from the computed one, as where it was printed with few
            digits; infinite where it is not known.
    """

    quantity: str
    values: Array
    rounding: float
    size: float
    errors: Array | float = 0.0

    def compare(self, numbers: Mapping[str, Array]) -> tuple[bool, float]:
        candidate = numbers[self.quantity]
        with np.errstate(all="ignore"):
            away = np.abs(self.values - candidate)
        is_whole = isinstance(self.errors, float)
        off = float((away if is_whole else np.where(np.isposinf(self.errors), 0, away)).max())
        if off == 0:
            return True, float(DOUBLES_DIGITS)
        if not math.isfinite(off):  # something in either array is not
            same = np.array_equal(self.values, candidate, equal_nan=True)
            return same, DOUBLES_DIGITS * float(same)
        size = max(float(np.abs(candidate).max()), self.size)
        return bool((away <= self.rounding * size + self.errors).all()), _digits(off, size)

    def wrong(self, right: Mapping[str, Array]) -> Wrong:
        allowed = np.broadcast_to(self.rounding * self.size + self.errors, self.values.shape)
        departs = np.abs(self.values - right[self.quantity]) > allowed
        indices = list(map(tuple, np.argwhere(departs)[:ENOUGH].tolist()))
        values = [float(self.values[index]) for index in indices]
        return Wrong(indices, values, [2 * float(allowed[index]) for index in indices])


def agrees(observation: Observation, numbers: Mapping[str, Array]) -> bool:
    """Whether an observation agrees with a candidate's numbers, which need not be finite."""
    return observation.compare(numbers)[0]


def printed(
    case: Case,
    values: Mapping[str, str | float],
    right: Mapping[str, Array],
    allowed: Mapping[str, Array],
) -> list[Printed]:
    """The printed numbers of a case's step.

    Args:
        case: the case.
        values: each number by its quantity and index, as in ``diagnose``.
        right: the correct step.
        allowed: the error bound of each of its numbers.

    Raises:
        InputError: there are none, one is not a number, or the step has no such quantity or index;
            all problems at once.
    """
    eps = float(np.finfo(case.dtype).eps)
    return [
        Printed(
            quantity,
            index,
            text,
            rounding=max(FEW * eps * abs(float(text)), float(allowed[quantity][index])),
            size=float(np.abs(right[quantity]).max()),
        )
        for quantity, index, text in elements_of(case, values)
    ]


def elements_of(
    case: Case, values: Mapping[str, str | float]
) -> list[tuple[str, tuple[int, ...], str]]:
    """Quantity, index and printed digits of each value.

    Raises:
        InputError: there are none, one is not a number, or the step has no such quantity or index;
            all problems at once.
    """
    if not values:
        raise InputError("no value given, such as dW[1][0,1]=0.0826")
    rows = len(case.first_batch()[0])
    known = shapes(case.network, rows, case.training.slots)
    findings = Findings(f"{case.name}: ")
    elements = []
    for name, value in values.items():
        with findings:
            quantity, index = _element(resolve_computed(str(name).strip(), case.names), known)
            text = repr(float(value)) if isinstance(value, int | float | np.number) else str(value)
            text = text.strip()
            if not _NUMBER.fullmatch(text) or math.inf in (abs(float(text)), _last_place(text)):
                raise InputError(f"{name}: {text!r} is not a number")
            elements.append((quantity, index, text))
    findings.raise_any()
    return elements


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,9})?")


def _element(name: str, known: Mapping[str, tuple[int, ...]]) -> tuple[str, tuple[int, ...]]:
    """Quantity and index of an element: ``"dW[1][0,1]"`` gives ``("dW[1]", (0, 1))``.

    The index may be left out if the quantity has only one element.
    """
    for quantity, shape in known.items():
        if name == quantity and math.prod(shape) == 1:
            return quantity, (0,) * len(shape)
        if name == quantity:
            example = ",".join("0" for _ in shape)
            raise InputError(f"{name}: has shape {shape}; which number, as {name}[{example}]?")
    quantity, _, rest = name.rpartition("[")
    if quantity not in known:
        has_layer = "[" in quantity or not rest.removesuffix("]").isdigit()
        raise InputError(unknown_quantity(quantity if quantity and has_layer else name, known))
    shape = known[quantity]
    try:
        index = tuple(int(part) for part in rest.removesuffix("]").split(","))
    except ValueError:
        raise InputError(f"{name}: [{rest} is not an index") from None
    inside = all(0 <= i < n for i, n in zip(index, shape, strict=False))
    if len(index) != len(shape) or not inside:
        raise InputError(f"{name}: outside of {quantity}, whose shape is {shape}")
    return quantity, index


def _last_place(text: str) -> float:
    """Value of one unit in the last printed digit of a number: 0.01 for ``"3.14"``.

    A zero's is at most 1, whatever its exponent.
    """
    mantissa, _, exponent = text.lower().partition("e")
    power = int(exponent or 0)
    if not mantissa.strip("+-.0"):
        power = min(power, 0)
    return float(f"1e{power - len(mantissa.partition('.')[2])}")


def _digits(off: float, size: float) -> float:
    """Significant digits to which two numbers of this size agree that are ``off`` apart."""
    if off == 0:
        return float(DOUBLES_DIGITS)
    exact = math.log10(abs(size / off)) if size and math.isfinite(off) else 0.0
    return min(max(exact, 0.0), float(DOUBLES_DIGITS))
