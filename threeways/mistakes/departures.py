"""Whether a mistake shows on a case, and which number of the step departs first."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case
from threeways.exact.bounds import bounds
from threeways.mistakes import MISTAKES
from threeways.mistakes.steps import Numbers, batches

# How many steps are made: some mistakes show only in the second, such as a lost momentum.
STEPS = 3
# How many times its first step's rounding error a later step may have: errors grow on the way.
GROWTH = 1e4


@dataclass(frozen=True)
class Departure:
    """The first number of a training that a mistake makes wrong by more than rounding explains.

    Args:
        step: the number of the step, from 1.
        quantity, index: the element that is farthest off, in the first array that departs.
        wrong: the number with the mistake.
        right: the number without it.
    """

    step: int
    quantity: str
    index: tuple[int, ...]
    wrong: float
    right: float


class RightSteps:
    """The first steps of a case without mistakes, which those of mistakes are compared with.

    Args:
        case: the case; its steps are made in float64.
    """

    def __init__(self, case: Case) -> None:
        self.case = case.prepared().with_dtype("float64")
        self.steps = list(_steps(FeedForward, self.case))

    @cached_property
    def bounds(self) -> dict[str, Array]:
        """The error bound of each quantity of the first step."""
        return bounds(self.case, self.steps[0])

    def departure(self, kind: type[FeedForward]) -> Departure | None:
        """The first departure of a kind of network; None if these steps show none."""
        made = zip(self.steps, _steps(kind, self.case), strict=True)
        for step, (right, wrong) in enumerate(made, start=1):
            for quantity, values in right.items():
                if np.array_equal(wrong[quantity], values):
                    continue
                with np.errstate(all="ignore"):  # a mistake's numbers need not be finite
                    off = np.abs(np.asarray(wrong[quantity] - values))
                allowed = self._allowed(step, quantity, float(np.abs(values).max()))
                departs = ~(off <= allowed)
                if departs.any():
                    worst = np.where(departs, np.nan_to_num(off, nan=np.inf), -1).argmax()
                    index = tuple(map(int, np.unravel_index(int(worst), off.shape)))
                    numbers = float(wrong[quantity][index]), float(values[index])
                    return Departure(step, quantity, index, *numbers)
        return None

    def _allowed(self, step: int, quantity: str, size: float) -> Array | float:
        """How far rounding alone may set a quantity apart; both numbers are rounded."""
        if step == 1:
            return 2 * self.bounds[quantity]
        return GROWTH * max(float(self.bounds[quantity].max()), np.finfo(float).eps * size)


def _steps(kind: type[FeedForward], case: Case) -> Iterator[Numbers]:
    """Every quantity of each of the first steps of a case, as this kind of network makes it."""
    net = kind(case.network, case.parameters)
    with np.errstate(all="ignore"):
        for x, y in itertools.islice(batches(case), STEPS):
            yield net.step(x, y, case.training).quantities()


def first_departures(
    names: Iterable[str], cases: Sequence[Case]
) -> dict[str, dict[str, Departure]]:
    """For each mistake, by its name, its first departure in each case that it shows on."""
    found: dict[str, dict[str, Departure]] = {name: {} for name in names}
    for case in cases:
        right = RightSteps(case)
        for name, of_cases in found.items():
            if departure := right.departure(MISTAKES[name]):
                of_cases[case.name] = departure
    return found
