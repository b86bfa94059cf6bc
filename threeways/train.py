"""A case's whole training run in each implementation, on the same batches."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from shared import Case, History, OnEpoch, Parameters, accuracy
from threeways.implementations import model


@dataclass(frozen=True)
class Run:
    """What one implementation's training came to.

    Args:
        name: of the implementation.
        history: its losses, epoch by epoch.
        accuracy: on the data it was trained on, None where targets are no classes.
        seconds: that ``fit`` took.
        parameters: where it ended.
    """

    name: str
    history: History
    accuracy: float | None
    seconds: float
    parameters: Parameters


@dataclass(frozen=True)
class Apart:
    """How far two implementations ended from each other, as the largest |difference|.

    Args:
        a, b: their names.
        parameter: which array it is in, as ``"W[1]"``.
        difference: how large it is.
        eps: the same in units of the dtype's eps at that array's scale.
    """

    a: str
    b: str
    parameter: str
    difference: float
    eps: float


def train(case: Case, name: str, package: ModuleType, on_epoch: OnEpoch) -> Run:
    """Train a case in one implementation for all of its epochs."""
    net = model(package, case)
    with np.errstate(all="ignore"):  # a run that diverges ends in numbers that say so
        start = time.perf_counter()
        history = net.fit(case.dataset, case.training, on_epoch)
        seconds = time.perf_counter() - start
        outputs = net.predict(case.dataset.x)
    reached = accuracy(case.dataset.y, outputs) if np.isfinite(outputs).all() else None
    return Run(name, history, reached, seconds, net.parameters)


def ended_apart(runs: Sequence[Run]) -> list[Apart]:
    """For each pair of runs, the parameters that ended furthest apart."""
    return [_apart(a, b) for a, b in itertools.combinations(runs, 2)]


def _apart(a: Run, b: Run) -> Apart:
    candidates = []
    for l, pair in enumerate(zip(a.parameters, b.parameters, strict=True)):
        for letter, first, second in zip("Wb", *pair, strict=True):
            difference = float(np.abs(first - second).max())
            scale = float(np.abs(first).max()) or 1.0
            eps = difference / (scale * float(np.finfo(first.dtype).eps))
            candidates.append(Apart(a.name, b.name, f"{letter}[{l}]", difference, eps))
    return max(candidates, key=lambda apart: apart.eps)
