"""What a step of ``fit`` takes in each implementation and in other libraries.

Times are of steps in the midst of a run: what a run does once, such as compiling, is not counted.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from shared import Case, Dataset, Layer, Network, Training, initialise
from threeways.bench.baselines import PEERS, AfterEpoch, LeftOut
from threeways.implementations import model
from threeways.progress import OnProgress

ROUNDS = 7
EPOCHS = 3
# How many steps an epoch should have, and how many rows it may have for that.
STEPS = 200
MOST_ROWS = 100_000

Fit = Callable[[AfterEpoch], object]


class Size(NamedTuple):
    """A network of ReLU layers and a softmax, in float32 and with random data.

    Args:
        widths: D[0..L].
        rows: in a batch.
        batches: in an epoch.
    """

    widths: tuple[int, ...]
    rows: int
    batches: int

    def __str__(self) -> str:
        rows = f"{self.rows} row{'s' * (self.rows > 1)}"
        return f"{'-'.join(map(str, self.widths))}, {rows}"

    def case(self) -> Case:
        """The network with its data and its training."""
        n_features, *hidden, n_classes = self.widths
        layers = [Layer(units=units, activation="relu") for units in hidden]
        network = Network(
            n_features=n_features,
            layers=(*layers, Layer(units=n_classes, activation="softmax")),
            loss="categorical_crossentropy",
            dtype="float32",
        )
        random = np.random.default_rng(0)
        n_rows = self.rows * self.batches
        x = random.random((n_rows, n_features), dtype=np.float32)
        y = np.eye(n_classes, dtype=np.float32)[random.integers(n_classes, size=n_rows)]
        return Case(
            name=str(self),
            network=network,
            parameters=initialise(network, "he_normal"),
            dataset=Dataset("random", x, y),
            training=Training(learning_rate=1e-3, epochs=EPOCHS, batch_size=self.rows, seed=0),
        )


@dataclass(frozen=True)
class Contest:
    """What took turns.

    Args:
        rounds: seconds per step of each, round after round.
        left_out: a line for each peer that there is not.
    """

    rounds: dict[str, list[float]]
    left_out: list[str]

    def seconds(self, name: str) -> float:
        """Per step, the median."""
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, peer: str) -> float:
        """The median of the rounds' ratios, so that a busy machine slows both alike."""
        pairs = zip(self.rounds[name], self.rounds[peer], strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def contest(
    case: Case,
    packages: Mapping[str, ModuleType],
    peers: Iterable[str],
    on_progress: OnProgress,
    cores: int | None = None,
) -> Contest:
    """Let implementations and peers take turns in fitting a case, after a round not counted.

    Args:
        case: of many batches, see :func:`of_many_batches`.
        packages: the implementations.
        peers: of ``PEERS``.
        on_progress: is told of the rounds.
        cores: that matrix products may use; all unless given.
    """
    fits = {name: our_fit(package, case) for name, package in packages.items()}
    left_out = []
    for name in peers:
        try:
            fits[name] = PEERS[name](case).fit
        except LeftOut as reason:
            left_out.append(str(reason))
    rounds: dict[str, list[float]] = {name: [] for name in fits}
    with threadpool_limits(cores) if cores else nullcontext():
        for done in range(ROUNDS + 1):
            for name, fit in list(fits.items()):
                try:
                    rounds[name].append(seconds_per_step(case, fit))
                except LeftOut as reason:
                    left_out.append(str(reason))
                    del fits[name]
            on_progress(done + 1, ROUNDS + 1)
    return Contest({name: rounds[name][1:] for name in fits}, left_out)


def our_fit(package: ModuleType, case: Case) -> Fit:
    """An implementation's ``fit``, each time from the case's own start."""
    net = model(package, case)

    def fit(after_epoch: AfterEpoch) -> object:
        net.load(case.parameters)
        return net.fit(case.dataset, case.training, after_epoch)

    return fit


def seconds_per_step(case: Case, fit: Fit) -> float:
    """Of one run: of its epochs after the first, unless it ends there."""
    stamps = [time.perf_counter()]
    with np.errstate(all="ignore"):  # a run that diverges takes as long
        fit(lambda *_: stamps.append(time.perf_counter()))
    counted = stamps[1:] if len(stamps) > 2 else stamps
    steps = (len(counted) - 1) * steps_per_epoch(case)
    return (counted[-1] - counted[0]) / steps


def steps_per_epoch(case: Case) -> int:
    """How many batches its data make."""
    n_rows = len(case.dataset)
    return math.ceil(n_rows / (case.training.batch_size or n_rows))


def of_many_batches(case: Case, batch_size: int | None = None) -> Case:
    """A case to be timed: its rows again and again, so that an epoch has many of its batches.

    No rows are held back, and there are few epochs. ``batch_size`` is another one than its own.
    """
    rows, _ = case.training.prepare(case.dataset)
    n_rows = len(rows)
    size = min(batch_size or case.training.batch_size or n_rows, n_rows)
    times = max(1, min(math.ceil(STEPS * size / n_rows), MOST_ROWS // n_rows))
    training = dataclasses.replace(
        case.training,
        epochs=EPOCHS,
        batch_size=size,
        validation=None,
        patience=None,
        augmentation=None,
    )
    x, y = (np.tile(values, (times, 1)) for values in (rows.x, rows.y))
    return dataclasses.replace(case, dataset=Dataset(rows.name, x, y), training=training)
