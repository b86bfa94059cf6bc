"""Numbers that know how wrong floating-point arithmetic may have made them.

A running error analysis (Higham 2002, "Accuracy and stability of numerical algorithms", section
3.3) for scalars: each operation passes on the errors of what it is given and adds its own rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from threeways.exact.rounding import FEW


@dataclass(frozen=True)
class Rounded:
    """A computed number: its value, and a bound on its error.

    Args:
        value: the exact value.
        error: the largest |computed - exact|.
        dtype: what it is computed in.
    """

    value: np.float64
    error: float
    dtype: str

    def __add__(self, other: Rounded | int) -> Rounded:
        other = self._number(other)
        return self._result(self.value + other.value, self.error + other.error)

    def __sub__(self, other: Rounded) -> Rounded:
        return self + -1 * other

    def __mul__(self, other: Rounded | int) -> Rounded:
        other = self._number(other)
        passed_on = abs(self.value) * other.error + abs(other.value) * self.error
        return self._result(self.value * other.value, passed_on + self.error * other.error)

    def __pow__(self, n: int) -> Rounded:
        if n in (0, 1):
            return self if n else self._number(1)
        largest = abs(self.value) + self.error
        passed_on = n * largest ** (n - 1) * self.error
        return self._result(self.value**n, passed_on, roundings=2 * FEW)

    __radd__ = __add__
    __rmul__ = __mul__

    def _number(self, other: Rounded | int) -> Rounded:
        return other if isinstance(other, Rounded) else Rounded(np.float64(other), 0, self.dtype)

    def _result(self, value: np.float64, passed_on: float, roundings: int = 1) -> Rounded:
        """A result, with the errors that come from its operands and that of its own roundings."""
        precision = np.finfo(self.dtype)
        own = roundings * float(precision.eps) / 2 * (abs(value) + passed_on)
        # Frameworks may flush smaller numbers to 0.
        return Rounded(value, passed_on + own + float(precision.tiny), self.dtype)


@dataclass(frozen=True)
class Dual:
    """A function's value and its derivative, each a computed number; forward differentiation."""

    value: Rounded
    slope: Rounded

    def __add__(self, other: Dual | int) -> Dual:
        if isinstance(other, int):
            return Dual(self.value + other, self.slope)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Dual | int) -> Dual:
        if isinstance(other, int):
            return Dual(self.value * other, self.slope * other)
        slope = self.value * other.slope + self.slope * other.value
        return Dual(self.value * other.value, slope)

    def __pow__(self, n: int) -> Dual:
        return Dual(self.value**n, n * self.value ** (n - 1) * self.slope)

    __radd__ = __add__
    __rmul__ = __mul__
