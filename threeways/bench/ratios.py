"""The ratios of steps' times that have a limit, as measured."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from threeways.bench.limits import TimeLimit
from threeways.bench.timing import time_in_turns
from threeways.progress import OnProgress


@dataclass(frozen=True)
class StepRatio:
    """A measured ratio of steps' times.

    Args:
        limit: that it is held to.
        seconds: per step of the implementation, the median of the rounds.
        baseline_seconds: the same of the baseline.
        ratio: the median of the rounds' ratios.
        is_disturbed: whether either took far longer in the rounds than alone.
    """

    limit: TimeLimit
    seconds: float
    baseline_seconds: float
    ratio: float
    is_disturbed: bool = False


def ratios(
    limits: Sequence[TimeLimit], on_progress: OnProgress
) -> tuple[list[StepRatio], list[str]]:
    """The ratio of each limit, and a line for each implementation or baseline that is left out.

    Raises:
        InputError: an implementation's framework is not installed.
    """
    groups = [
        list(group) for _, group in itertools.groupby(limits, lambda each: (each.size, each.cores))
    ]
    found: list[StepRatio] = []
    left_out: dict[str, None] = {}
    for done, group in enumerate(groups):
        pairs = [(limit.name, limit.baseline) for limit in group]
        timings = time_in_turns(
            group[0].size.case,
            itertools.chain.from_iterable(pairs),
            partial(_part, on_progress, done, len(groups)),
            group[0].cores,
        )
        left_out |= dict.fromkeys(timings.left_out)
        for limit, pair in zip(group, pairs, strict=True):
            if timings.rounds.keys() >= set(pair):
                disturbed = any(timings.is_disturbed(name) for name in pair)
                ours, theirs = (timings.seconds(name) for name in pair)
                found.append(StepRatio(limit, ours, theirs, timings.ratio(*pair), disturbed))
    return found, list(left_out)


def _part(on_progress: OnProgress, part: int, parts: int, done: int, total: int) -> None:
    on_progress(part * total + done, parts * total)
