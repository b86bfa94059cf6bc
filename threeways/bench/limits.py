"""What ``threeways bench`` measures: ratios with their limits, and how cost grows with size."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType

import numpy as np

from shared import Case
from threeways.bench.timing import (
    Size,
    contest,
    of_many_batches,
    our_fit,
    seconds_per_step,
    steps_per_epoch,
)
from threeways.progress import OnProgress

RUNS = 3


@dataclass(frozen=True)
class Limit:
    """How long a step may take.

    Args:
        name: the implementation that makes it.
        peer: that it is measured by.
        size: of the network and its batches.
        most: times as long as the peer's.
        cores: that matrix products may use; all unless given.
    """

    name: str
    peer: str
    size: Size
    most: float
    cores: int | None = None

    @property
    def network(self) -> str:
        """What it is of, in words."""
        return f"{self.size}{', one core' * (self.cores == 1)}"


SMALL = Size((64, 32, 10), 32, 500)
# Long enough for TensorFlow's epochs to be compiled by XLA, as JAX's always are.
LONG = Size((64, 32, 10), 32, 3400)
MEDIUM = Size((784, 128, 10), 128, 100)
LIMITS = (
    Limit("tf", "keras.fit", SMALL, 1 / 15),
    Limit("tf", "JAX", LONG, 1.2),
    Limit("keras", "keras.fit", SMALL, 0.5),
    Limit("numpy", "scikit-learn", SMALL, 0.25),
    Limit("numpy", "PyTorch", SMALL, 1),
    Limit("numpy", "PyTorch", Size((2, 2, 2), 1, 500), 1),
    Limit("numpy", "bare products", MEDIUM, 1.3),
    Limit("numpy", "bare products", MEDIUM, 1.3, cores=1),
)


@dataclass(frozen=True)
class Ratio:
    """A limit, and what was measured: medians, in seconds per step."""

    limit: Limit
    seconds: float
    peer_seconds: float
    ratio: float


def ratios(
    limits: Sequence[Limit], packages: Mapping[str, ModuleType], on_progress: OnProgress
) -> tuple[list[Ratio], list[str]]:
    """The ratios of these implementations, and a line for each peer that is left out."""
    wanted = [limit for limit in limits if limit.name in packages]
    groups = [
        list(group) for _, group in itertools.groupby(wanted, lambda each: (each.size, each.cores))
    ]
    found: list[Ratio] = []
    left_out: list[str] = []
    for done, group in enumerate(groups):
        names = {limit.name for limit in group}
        held = contest(
            group[0].size.case(),
            {name: package for name, package in packages.items() if name in names},
            dict.fromkeys(limit.peer for limit in group),
            partial(_part, on_progress, done, len(groups)),
            group[0].cores,
        )
        left_out += [line for line in held.left_out if line not in left_out]
        for limit in group:
            if limit.peer in held.rounds:
                times = held.seconds(limit.name), held.seconds(limit.peer)
                found.append(Ratio(limit, *times, held.ratio(limit.name, limit.peer)))
    return found, left_out


@dataclass(frozen=True)
class Axis:
    """One way in which a case can grow.

    Args:
        name: what grows; a batch and the data by their rows.
        of: what the time is of, ``"a step"`` or ``"an epoch"``.
        sizes: to measure.
        case: the case of each size.
    """

    name: str
    of: str
    sizes: Sequence[int]
    case: Callable[[int], Case]


AXES = [
    Axis("width", "a step", (128, 256, 512, 1024), lambda n: Size((n, n, n, 10), 128, 20).case()),
    Axis("depth", "a step", (2, 4, 8, 16), lambda n: Size((*(128,) * n, 10), 128, 20).case()),
    Axis("batch", "a step", (32, 128, 512, 2048), lambda n: Size((128, 128, 10), n, 20).case()),
    Axis(
        "data",
        "an epoch",
        (1024, 4096, 16384, 65536),
        lambda n: Size((64, 32, 10), 32, n // 32).case(),
    ),
]


def axes_of(case: Case) -> list[Axis]:
    """How a case can grow: by the rows in its batches, unless it has few."""
    rows, _ = case.training.prepare(case.dataset)
    sizes = [size for size in (8, 32, 128, 512) if size <= len(rows)]
    if len(sizes) < 2:
        return []
    return [Axis("batch", "a step", sizes, lambda n: of_many_batches(case, n))]


@dataclass(frozen=True)
class Growth:
    """Seconds per step or epoch at each size, of each implementation."""

    axis: Axis
    seconds: dict[str, list[float]]

    def exponent(self, name: str) -> float:
        """p of the nearest power law, seconds ~ size^p: least squares of the logarithms."""
        p, _ = np.polyfit(np.log(self.axis.sizes), np.log(self.seconds[name]), 1)
        return float(p)


def growth(
    axes: Sequence[Axis], packages: Mapping[str, ModuleType], on_progress: OnProgress
) -> list[Growth]:
    """How the cost of these implementations grows: the least time of a few runs at each size."""
    # TensorFlow takes networks of different sizes for one that is traced again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    total = sum(len(axis.sizes) for axis in axes)
    done = itertools.count(1)
    found = []
    for axis in axes:
        grown = Growth(axis, {name: [] for name in packages})
        for size in axis.sizes:
            case = axis.case(size)
            for name, package in packages.items():
                fit = our_fit(package, case)
                seconds = min(seconds_per_step(case, fit) for _ in range(RUNS))
                steps = steps_per_epoch(case) if axis.of == "an epoch" else 1
                grown.seconds[name].append(seconds * steps)
            on_progress(next(done), total)
        found.append(grown)
    return found


def _part(on_progress: OnProgress, part: int, parts: int, done: int, total: int) -> None:
    on_progress(part * total + done, parts * total)
