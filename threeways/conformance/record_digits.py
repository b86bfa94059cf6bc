"""How many digits the numbers of a file are written with, and how wrong rounding makes them.

A program in double precision often writes nine digits, or four decimals. Such numbers are right if
they are the right ones, rounded: each may be off by half a unit of its last digit, and so may each
number that a step starts from. How many digits those are, the file says, or its numbers show:

* Written in full, a double has 16 or 17 digits, some have less. If none of a group has more than
  15, its numbers are rounded to the most that any has: either significant digits, or decimals,
  whichever more numbers have that many of.
* That takes some evidence, since 0.35 may well be exact: the numbers with the most digits have 3 or
  more, and 9 together.
* An array that a step starts from, such as W = [[0.15, 0.2]] among numbers of nine digits, is
  exact if its own numbers have less than two thirds of these digits.
* Nine digits or more tell float32 numbers apart, so that these are exact. But if most numbers of a
  float32 group are not those of any float32, a program in double precision has computed them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from shared import Array

# Significant digits that tell all numbers of a dtype apart, and that some of them need.
ENOUGH = {"float32": 9, "float64": 17}
MOST_ROUNDED = {"float32": 8, "float64": 15}
LEAST, LEAST_TOGETHER = 3, 9

# From so many digits on, most decimals are not those of any float32.
TELLING = 8


@dataclass(frozen=True)
class Digits:
    """The number of digits that all numbers of a group are rounded to.

    Args:
        number: how many.
        decimals: whether they are counted from the point, and not from the first digit.
    """

    number: int
    decimals: bool = False

    def __str__(self) -> str:
        return f"{self.number} {'decimals' if self.decimals else 'digits'}"

    def half_units(self, values: Array) -> Array:
        """Half a unit of the last digit of each number, an array of the shape of ``values``."""
        if self.decimals:
            return np.full(values.shape, 0.5 * 10.0**-self.number)
        with np.errstate(divide="ignore"):
            first = np.floor(np.log10(np.abs(values)))  # -∞ of 0, whose digits are exact
        return np.asarray(0.5 * 10.0 ** (first - self.number + 1))

    def count(self, number: float) -> int:
        """How many of these digits a number is written with."""
        significant, decimals = _counts(number)
        return decimals if self.decimals else significant


@dataclass(frozen=True)
class Writing:
    """How the numbers of a group are written.

    Args:
        dtype: of the program that has computed them.
        digits: what they are rounded to; None if they are written in full.
    """

    dtype: str
    digits: Digits | None

    def errors(self, values: Array) -> Array:
        """How wrong rounding to digits has made each number, of the shape of ``values``."""
        if self.digits is None:
            return np.zeros(values.shape)
        finite = np.where(np.isfinite(values), values, 0)
        # A number of few digits is rounded to the dtype as well.
        return self.digits.half_units(finite) + np.finfo(self.dtype).eps / 2 * np.abs(finite)

    def errors_of_start(self, values: Array) -> Array:
        """The same for an array that a step starts from; all 0 if it is exact.

        It may have more digits than what is recorded, or so few that it has not been rounded.
        """
        if self.digits is None:
            return np.zeros(values.shape)
        own = max((self.digits.count(each) for each in _flat(values)), default=0)
        longest = max((_counts(each)[0] for each in _flat(values)), default=0)
        if 3 * own < 2 * self.digits.number or longest > MOST_ROUNDED[self.dtype]:
            return np.zeros(values.shape)
        digits = dataclasses.replace(self.digits, number=max(own, self.digits.number))
        return Writing(self.dtype, digits).errors(values)


def writing_of(arrays: Sequence[Array], dtype: str, said: int | None = None) -> Writing:
    """How the decimals of a group are written.

    Args:
        arrays: its recorded quantities, in float64, whatever their dtype.
        dtype: of the group's network.
        said: the significant digits, if the file says them.
    """
    counts = None if said else _all_counts(arrays, MOST_ROUNDED["float64"])
    digits = Digits(said) if said else _longest(counts) if counts else None
    if digits is None:
        return Writing(dtype, None)
    if dtype == "float32" and _is_of_doubles(arrays):
        dtype = "float64"
    full = ENOUGH[dtype] if said else MOST_ROUNDED[dtype] + 1
    if not digits.decimals and digits.number >= full:
        return Writing(dtype, None)
    return Writing(dtype, digits)


def _flat(array: Array) -> list[float]:
    return [number for number in array.ravel().tolist() if math.isfinite(number)]


def _all_counts(arrays: Iterable[Array], most: int) -> list[tuple[int, int]] | None:
    """The significant digits and the decimals of each number; None if one has too many digits."""
    counts = []
    for array in arrays:
        for number in _flat(array):
            counts.append(_counts(number))
            if counts[-1][0] > most:
                return None
    return counts


def _counts(number: float) -> tuple[int, int]:
    """The significant digits of a number, and its decimals, as Python writes it."""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    return len((whole + fraction).strip("0")), max(len(fraction) - int(exponent or 0), 0)


def _longest(counts: Sequence[tuple[int, int]]) -> Digits | None:
    """The most digits that any number has, or the most decimals; None without evidence."""
    candidates = []
    for decimals in (False, True):
        most = max((each[decimals] for each in counts), default=0)
        having = [each[0] for each in counts if each[decimals] == most]
        if most >= LEAST and sum(having) >= LEAST_TOGETHER:
            candidates.append((len(having), Digits(most, decimals)))
    return max(candidates, key=lambda each: each[0])[1] if candidates else None


def _is_of_doubles(arrays: Iterable[Array]) -> bool:
    """Whether most of the decimals that could show it are not those of float32 numbers."""
    telling = [
        (number, significant)
        for array in arrays
        for number in _flat(array)
        if (significant := _counts(number)[0]) >= TELLING
    ]
    of_none = [not _is_float32(number, significant) for number, significant in telling]
    return 2 * sum(of_none) > len(of_none)


def _is_float32(number: float, significant: int) -> bool:
    """Whether a number is a float32 number written with so many significant digits."""
    with np.errstate(over="ignore"):
        nearest = float(np.float32(number))
    return number in (nearest, float(f"{nearest:.{significant - 1}e}"))
