"""The candidates of a diagnosis: the step that each mistake makes, alone or with another."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from impl_numpy import FeedForward
from threeways.mistakes import MISTAKES, pair
from threeways.mistakes.steps import Numbers
from threeways.progress import OnProgress

# How far rounding may move a number, in eps of the largest in its array.
ROUNDING = 16

T = TypeVar("T")


class Candidates:
    """The steps that mistakes make of one step of a case, made when they are asked for.

    Args:
        make: makes the step as a kind of network does.
        on_progress: called with the number of single mistakes made so far, and of all.
    """

    def __init__(
        self, make: Callable[[type[FeedForward]], Numbers], on_progress: OnProgress | None = None
    ) -> None:
        self.make = make
        self.on_progress = on_progress

    @functools.cached_property
    def right(self) -> Numbers:
        """The step without a mistake."""
        return self.make(FeedForward)

    @functools.cached_property
    def alone(self) -> dict[str, Numbers]:
        """The step of each mistake that changes any number by more than rounding, by its name.

        A mistake that changes nothing by itself is taken to change nothing in a pair either, nor
        one that changes nothing in any layer in one layer alone.
        """
        found: dict[str, Numbers] = {}
        for name in counted(list(MISTAKES), self.on_progress):
            general = MISTAKES[name].variant_of
            if general is None or general in found:
                numbers = self.make(MISTAKES[name])
                if differ(numbers, self.right):
                    found[name] = numbers
        return found

    def together(self, names: tuple[str, str]) -> Numbers:
        """The step of two mistakes together."""
        return self.make(pair(*names))


def differ(a: Numbers, b: Numbers) -> bool:
    """Whether two steps differ by more than rounding."""
    return any(is_far(a[name], b[name], ROUNDING) for name in b)


def is_far(a: np.ndarray, b: np.ndarray, n_eps: float) -> bool:
    """Whether two arrays are further apart than some eps of the second one's largest number."""
    if a.tobytes() == b.tobytes():  # most are the same bit for bit, and this is fast
        return False
    with np.errstate(all="ignore"):
        off = np.abs(a - b).max()
        if not np.isfinite(off):  # something in either array is not
            return not np.array_equal(a, b, equal_nan=True)
        return bool(off > n_eps * np.finfo(b.dtype).eps * np.abs(b).max())


def counted(candidates: Sequence[T], on_progress: OnProgress | None) -> Iterator[T]:
    """The candidates one by one; progress is reported after each."""
    for i, candidate in enumerate(candidates, start=1):
        yield candidate
        if on_progress:
            on_progress(i, len(candidates))
