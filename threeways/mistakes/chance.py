"""How likely it is that numbers match a known mistake by chance.

With few digits, a few hundred mistakes and their pairs make so many numbers that almost any other
number matches one of them: such a match says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from shared import Array
from threeways.mistakes.observations import Observation, Wrong, agrees
from threeways.mistakes.steps import Numbers

# A match is "known" if chance alone is less likely, or else "possible".
UNLIKELY = 0.01

# So unlikely that nothing needs to be counted.
NEGLIGIBLE = 1e-9


class Chance:
    """The probability that random numbers in place of the wrong ones would match a candidate.

    A random number is drawn evenly from the right one ±50 %, or from the observed one ±50 % if that
    is further away. This interval is cut into cells, each as wide as the printed digits allow a
    match to be; of several numbers, into boxes. The probability is the share of the cells with a
    candidate in them. Only candidates count that agree with the numbers that are right.

    Args:
        observed: what somebody got.
        right: the correct step.
    """

    def __init__(self, observed: Sequence[Observation], right: Numbers) -> None:
        self.right_ones = []
        self.sides: list[Side] = []
        for each in observed:
            if agrees(each, right):
                self.right_ones.append(each)
            else:
                self.sides += sides(each.quantity, each.wrong(right), right[each.quantity])
        self.share = math.prod((side.share for side in self.sides), start=1.0)
        self.cells: set[tuple[int, ...]] = set()
        self.tried = 0

    def add(self, numbers: Numbers) -> None:
        """Count a candidate that was tried."""
        self.tried += 1
        if self.share < NEGLIGIBLE:
            return
        cell = []
        for side in self.sides:
            away = float(numbers[side.quantity][side.at]) - side.centre
            if not abs(away) <= side.reach:
                return
            cell.append(math.floor(away / side.width))
        if all(agrees(each, numbers) for each in self.right_ones):
            self.cells.add(tuple(cell))

    @property
    def value(self) -> float:
        """The probability, from 0 to 1; at most this, where it is next to nothing."""
        n_cells = self.tried if self.share < NEGLIGIBLE else len(self.cells)
        return min(n_cells * self.share, 1.0)


class Side(NamedTuple):
    """Where a random number in place of a wrong one may be: a side of the box.

    Args:
        quantity, at: the element.
        centre, reach: the middle of the interval, and half its length.
        width: the width of a cell.
    """

    quantity: str
    at: tuple[int, ...]
    centre: float
    reach: float
    width: float

    @property
    def share(self) -> float:
        """The share that a cell has of the interval."""
        return self.width / max(self.width, 2 * self.reach)


def sides(quantity: str, wrong: Wrong, right: Array) -> list[Side]:
    """Where random numbers in place of the wrong ones of a quantity may be."""
    found = []
    for index, value, width in zip(*wrong, strict=True):
        centre = float(right[index])
        if value and abs(value - centre) > abs(centre) / 2:
            centre = value
        found.append(Side(quantity, index, centre, abs(centre) / (2 if value else 1), width))
    return found
