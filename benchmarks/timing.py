"""Ratios of running times, measured side by side so that a busy machine slows both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Ratio(NamedTuple):
    """How much longer one thing takes than its peer: medians over the repetitions."""

    seconds: float
    peer_seconds: float
    ratio: float


def ratio(
    thing: Callable[[], object], peer: Callable[[], object], repetitions: int, inner: int = 1
) -> Ratio:
    """Run the two in turn; the ratio is the median of the pairs' ratios.

    Args:
        thing, peer: what to time.
        repetitions: how many pairs, after one that is not counted.
        inner: how often each runs within a repetition; times are for one of these runs.
    """

    def seconds(run: Callable[[], object]) -> float:
        start = time.perf_counter()
        for _ in range(inner):
            run()
        return (time.perf_counter() - start) / inner

    pairs = [(seconds(thing), seconds(peer)) for _ in range(repetitions + 1)][1:]
    mine, theirs = zip(*pairs, strict=True)
    return Ratio(
        statistics.median(mine),
        statistics.median(theirs),
        statistics.median(a / b for a, b in pairs),
    )
