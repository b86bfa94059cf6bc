"""The time that a step of ``fit`` takes in implementations and baselines that take turns.

Times are of steps in the midst of a run: what a run does once, such as compiling, is not counted.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shared import Case
from threeways.bench.process import TrainingProcess, started
from threeways.progress import OnProgress

ROUNDS = 7
# Runs of each one by itself, before the rounds; the quickest counts.
RUNS_ALONE = 3
# How many times as long as alone a step may take in the rounds. A busy machine or a hot processor
# seldom doubles a median; threads that wait for each other's cores make it tens of times as long.
DISTURBED = 2.0


@dataclass(frozen=True)
class Timings:
    """The seconds per step of implementations and baselines that took turns.

    Args:
        alone: of each one before the rounds, while all others were idle.
        rounds: of each one, round after round.
        left_out: a line for each one that was not measured.
    """

    alone: dict[str, float]
    rounds: dict[str, list[float]]
    left_out: list[str]

    def seconds(self, name: str) -> float:
        """Seconds per step in the rounds, the median."""
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, baseline: str) -> float:
        """The ratio of a step's time to a baseline's, see :func:`median_ratio`."""
        return median_ratio(self.rounds[name], self.rounds[baseline])

    def is_disturbed(self, name: str) -> bool:
        """Whether a step took far longer in the rounds than alone, so that no ratio holds."""
        return self.seconds(name) > DISTURBED * self.alone[name]


def median_ratio(times: Sequence[float], baseline: Sequence[float]) -> float:
    """The median of the rounds' ratios, so that a busy machine slows down both alike."""
    pairs = zip(times, baseline, strict=True)
    return statistics.median(ours / theirs for ours, theirs in pairs)


def time_in_turns(
    make_case: Callable[[], Case],
    names: Iterable[str],
    on_progress: OnProgress,
    cores: int | None = None,
) -> Timings:
    """The times of a case's training, each in a process of its own, of which one works at a time.

    Args:
        make_case: is pickled, and called in each process.
        names: of implementations and of ``BASELINES``.
        on_progress: called after each one was measured alone or in a round.
        cores: that matrix products may use; all unless given.

    Raises:
        InputError: an implementation's framework is not installed, or the case is wrong.
    """
    names = list(dict.fromkeys(names))
    done = itertools.count(1)

    def measure(process: TrainingProcess, runs: int) -> float:
        seconds = min(process.run() for _ in range(runs))
        on_progress(next(done), len(names) * (1 + ROUNDS))
        return seconds

    def alone(process: TrainingProcess) -> float:
        process.build(make_case)
        return measure(process, RUNS_ALONE)

    with started(names, cores) as processes:
        before = processes.ask_each(alone)
        rounds = [processes.ask_each(lambda each: measure(each, 1)) for _ in range(ROUNDS)]
        return Timings(
            {name: before[name] for name in processes.running},
            {name: [seconds[name] for seconds in rounds] for name in processes.running},
            processes.left_out,
        )
