"""How the cost of training grows with the width, the depth, the batch and the data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from shared import Case
from threeways.bench.process import TrainingProcess, started
from threeways.bench.workloads import Size, of_many_batches
from threeways.progress import OnProgress

# Runs at each size; the quickest counts.
RUNS = 3


@dataclass(frozen=True)
class Axis:
    """One way in which a case can grow.

    Args:
        name: what grows; a batch and the data by their rows.
        of: what the time is of, ``"a step"`` or ``"an epoch"``.
        sizes: to measure.
        maker: gives for each size what makes its case, see :class:`TrainingProcess`.
    """

    name: str
    of: str
    sizes: Sequence[int]
    maker: Callable[[int], Callable[[], Case]]


AXES = (
    Axis("width", "a step", (128, 256, 512, 1024), lambda n: Size((n, n, n, 10), 128, 20).case),
    Axis("depth", "a step", (2, 4, 8, 16), lambda n: Size((*(128,) * n, 10), 128, 20).case),
    Axis("batch", "a step", (32, 128, 512, 2048), lambda n: Size((128, 128, 10), n, 20).case),
    Axis(
        "data",
        "an epoch",
        (1024, 4096, 16384, 65536),
        lambda n: Size((64, 32, 10), 32, n // 32).case,
    ),
)


def axes_of(case: Case) -> list[Axis]:
    """The ways in which a user's case can grow: by the rows in a batch, unless it has few rows."""
    rows, _ = case.training.prepare(case.dataset)
    sizes = [size for size in (8, 32, 128, 512) if size <= len(rows)]
    if len(sizes) < 2:
        return []
    return [Axis("batch", "a step", sizes, lambda n: partial(of_many_batches, case, n))]


@dataclass(frozen=True)
class Growth:
    """Seconds per step or epoch at each size, of each implementation."""

    axis: Axis
    seconds: dict[str, list[float]]

    def exponent(self, name: str) -> float:
        """The exponent p of the nearest power law, seconds ~ size^p, by least squares of logs."""
        p, _ = np.polyfit(np.log(self.axis.sizes), np.log(self.seconds[name]), 1)
        return float(p)


def growth(
    axes: Sequence[Axis], names: Iterable[str], on_progress: OnProgress
) -> tuple[list[Growth], list[str]]:
    """How the cost of implementations grows, and a line for each one that is left out.

    Args:
        axes: the ways to grow.
        names: of the implementations.
        on_progress: called after each size.

    Raises:
        InputError: a framework is not installed, or a case is wrong.
    """
    total = sum(len(axis.sizes) for axis in axes)
    done = itertools.count(1)
    found = []
    with started(names) as processes:
        for axis in axes:
            at_sizes = []
            for size in axis.sizes:
                at_sizes.append(processes.ask_each(partial(_seconds, axis=axis, size=size)))
                on_progress(next(done), total)
            seconds = {name: [each[name] for each in at_sizes] for name in processes.running}
            found.append(Growth(axis, seconds))
        return found, processes.left_out


def _seconds(process: TrainingProcess, axis: Axis, size: int) -> float:
    """Seconds per step or epoch at one size."""
    steps = process.build(axis.maker(size))
    seconds = min(process.run() for _ in range(RUNS))
    return seconds * steps if axis.of == "an epoch" else seconds
