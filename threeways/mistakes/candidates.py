"""The candidates of a diagnosis: the step that each mistake makes, alone or with another."""

from __future__ import annotations

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
    """The steps that mistakes make of one step of a case.

    Args:
        make: makes the step as a kind of network does.
        on_progress: called with the number of single mistakes made so far, and of all.
    """

    def __init__(
        self, make: Callable[[type[FeedForward]], Numbers], on_progress: OnProgress | None = None
    ) -> None:
        self.make = make
        self.right = make(FeedForward)
        made = ((name, make(MISTAKES[name])) for name in counted(list(MISTAKES), on_progress))
        # A mistake that changes nothing by itself is taken to change nothing in a pair either.
        self.alone = {name: numbers for name, numbers in made if differ(numbers, self.right)}

    def together(self, names: tuple[str, str]) -> Numbers:
        """The step of two mistakes together."""
        return self.make(pair(*names))


def differ(a: Numbers, b: Numbers) -> bool:
    """Whether two steps differ by more than rounding."""
    return any(is_far(a[name], b[name], ROUNDING) for name in b)


def is_far(a: np.ndarray, b: np.ndarray, n_eps: float) -> bool:
    """Whether two arrays are further apart than some eps of the second one's largest number."""
    if np.array_equal(a, b, equal_nan=True):
        return False
    with np.errstate(all="ignore"):
        return not np.abs(a - b).max() <= n_eps * np.finfo(b.dtype).eps * np.abs(b).max()


def counted(candidates: Sequence[T], on_progress: OnProgress | None) -> Iterator[T]:
    """The candidates one by one; progress is reported after each."""
    for i, candidate in enumerate(candidates, start=1):
        yield candidate
        if on_progress:
            on_progress(i, len(candidates))
