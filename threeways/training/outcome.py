"""What training a case came to in each implementation, and between each two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shared import Array, Case, History, Parameters

VERDICTS = ("loss", "accuracy", "test_accuracy")


@dataclass(frozen=True, eq=False)
class Trained:
    """What one implementation's training came to.

    Args:
        name: of the implementation.
        history: its losses, epoch by epoch.
        epoch: after which, from 0, its parameters are: the last, or the best with early stopping.
        parameters: where it ended.
        accuracy: on the rows trained on, None where targets are no classes.
        test_accuracy: on the rows kept for the test, if there are any.
        makes_errors: whether its output is not the target of each row trained on.
        seconds_per_step: in the middle one of its epochs.
        steps_per_epoch: how many.
    """

    name: str
    history: History
    epoch: int
    parameters: Parameters
    accuracy: float | None
    test_accuracy: float | None
    makes_errors: bool
    seconds_per_step: float
    steps_per_epoch: int

    @property
    def loss(self) -> float:
        """That of the epoch that its parameters are of."""
        return self.history.loss[self.epoch]

    @property
    def has_diverged(self) -> bool:
        """Whether a loss was not a finite number."""
        return self.history.diverged_at is not None


@dataclass(frozen=True)
class Furthest:
    """Where in a run two implementations were the furthest apart.

    Args:
        epoch: after which, from 1.
        parameter: in which array, as ``"W[1]"``.
        difference: the largest |difference| in it.
        eps: the same in units of the dtype's eps at that array's scale.
    """

    epoch: int
    parameter: str
    difference: float
    eps: float


@dataclass(frozen=True, eq=False)
class Apart:
    """How far two implementations were from each other, a row after each epoch of both.

    Args:
        a, b: their names.
        parameters: the arrays' names, ``("W[0]", "b[0]", …)``.
        epochs: which, from 1, (E,).
        differences: the largest |difference| in each array, (E, 2L).
        eps: the same in units of the dtype's eps at that array's scale.
    """

    a: str
    b: str
    parameters: tuple[str, ...]
    epochs: Array
    differences: Array
    eps: Array

    @property
    def furthest(self) -> Furthest | None:
        """Where they were the furthest in units of eps; None if they were never compared."""
        if not self.epochs.size:
            return None
        row, column = np.unravel_index(self.eps.argmax(), self.eps.shape)
        return Furthest(
            epoch=int(self.epochs[row]),
            parameter=self.parameters[column],
            difference=float(self.differences[row, column]),
            eps=float(self.eps[row, column]),
        )


@dataclass(frozen=True)
class Verdict:
    """Whether one of the numbers of a case's goal was reached.

    Args:
        what: one of ``VERDICTS``.
        limit: what had to be reached.
        missed: what those implementations came to that did not.
    """

    what: str
    limit: float
    missed: dict[str, float]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What training a case came to.

    Args:
        case: the case.
        runs: of each implementation.
        apart: each two of them.
    """

    case: Case
    runs: list[Trained]
    apart: list[Apart]

    @property
    def verdicts(self) -> list[Verdict]:
        """Of each number of the case's goal."""
        limits = {what: getattr(self.case.goal, what, None) for what in VERDICTS}
        return [_verdict(what, limit, self.runs) for what, limit in limits.items() if limit]

    @property
    def has_diverged(self) -> bool:
        """Whether any implementation has."""
        return any(run.has_diverged for run in self.runs)

    @property
    def ok(self) -> bool:
        """Whether none diverged and all reached the goal."""
        return not self.has_diverged and not any(verdict.missed for verdict in self.verdicts)


def _verdict(what: str, limit: float, runs: list[Trained]) -> Verdict:
    missed = {}
    for run in runs:
        reached = getattr(run, what)
        number = math.nan if reached is None else float(reached)
        if not (number <= limit if what == "loss" else number >= limit):
            missed[run.name] = number
    return Verdict(what, limit, missed)
