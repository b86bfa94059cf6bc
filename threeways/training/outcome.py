"""The outcome of training a case: each implementation's result, and how far any two were apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from shared import Array, Case, History, Parameters
from shared.arrays import all_finite

# The figures that a case's goal may set.
GOALS = ("loss", "accuracy", "test_accuracy")


@dataclass(frozen=True, eq=False)
class RunResult:
    """The result of one implementation's training run.

    Args:
        name: the implementation.
        history: its losses, epoch by epoch.
        epoch: the epoch, from 0, that the parameters are from: the last, or the best with early
            stopping.
        parameters: the trained parameters.
        accuracy: on the training rows, from 0 to 1; None if the targets are not classes.
        test_accuracy: on the test rows; None also if there are none.
        makes_errors: whether the output differs from the target on any training row.
        seconds_per_step: in the median epoch.
        steps_per_epoch: number of steps in an epoch.
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
        """The loss of the epoch that the parameters are from."""
        return self.history.loss[self.epoch]

    @property
    def has_diverged(self) -> bool:
        """Whether a loss was not finite, or the last step left a parameter that is not."""
        return self.history.diverged_at is not None or not are_finite(self.parameters)


@dataclass(frozen=True)
class Reached:
    """What an implementation's run had come to when it was stopped.

    Args:
        name: the implementation.
        epoch: the number of epochs that it made.
        loss: the loss of the last one.
        accuracy: on the training rows, from 0 to 1; None if the targets are not classes.
    """

    name: str
    epoch: int
    loss: float
    accuracy: float | None


@dataclass(frozen=True)
class WorstDistance:
    """The largest distance of two implementations in a run.

    Args:
        epoch: the epoch, from 1, after which it was found.
        parameter: the array, such as ``"W[1]"``.
        distance: the largest |difference| in that array.
        distance_eps: the same in units of the dtype's eps at the array's scale.
    """

    epoch: int
    parameter: str
    distance: float
    distance_eps: float


@dataclass(frozen=True, eq=False)
class ParameterDistances:
    """The distances of two implementations' parameters, a row for each of E epochs.

    Args:
        a, b: the implementations.
        parameters: the names of the arrays, ``("W[0]", "b[0]", …)``, two for each of L layers.
        epochs: the epochs, from 1, (E,).
        distances: the largest |difference| in each array, (E, 2L).
        distances_eps: the same in units of the dtype's eps at the array's scale, (E, 2L).
    """

    a: str
    b: str
    parameters: tuple[str, ...]
    epochs: Array
    distances: Array
    distances_eps: Array

    @property
    def worst(self) -> WorstDistance | None:
        """The largest distance in units of eps; None if the two were never compared."""
        if not self.epochs.size:
            return None
        row, column = np.unravel_index(self.distances_eps.argmax(), self.distances_eps.shape)
        return WorstDistance(
            epoch=int(self.epochs[row]),
            parameter=self.parameters[column],
            distance=float(self.distances[row, column]),
            distance_eps=float(self.distances_eps[row, column]),
        )


@dataclass(frozen=True)
class GoalResult:
    """Whether the implementations reached one figure of a case's goal.

    Args:
        figure: one of ``GOALS``.
        goal: the value to reach: at most for a loss, at least for an accuracy.
        missed: the implementations that missed it, each with the value that it came to.
    """

    figure: str
    goal: float
    missed: dict[str, float]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of training a case.

    Args:
        case: the case.
        results: the result of each implementation.
        distances: the distances of each two implementations.
    """

    case: Case
    results: list[RunResult]
    distances: list[ParameterDistances]

    @property
    def goals(self) -> list[GoalResult]:
        """A result for each figure of the case's goal, if it has one."""
        goals = {figure: getattr(self.case.goal, figure, None) for figure in GOALS}
        return [_goal_result(figure, goal, self.results) for figure, goal in goals.items() if goal]

    @property
    def has_diverged(self) -> bool:
        """Whether any implementation diverged."""
        return any(result.has_diverged for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether no implementation diverged and all reached the goal."""
        return not self.has_diverged and not any(goal.missed for goal in self.goals)


def _goal_result(figure: str, goal: float, results: list[RunResult]) -> GoalResult:
    missed = {}
    for result in results:
        reached = getattr(result, figure)
        value = math.nan if reached is None else float(reached)
        if not (value <= goal if figure == "loss" else value >= goal):
            missed[result.name] = value
    return GoalResult(figure, goal, missed)


def named_arrays(parameters: Iterable[tuple[Array, Array]]) -> dict[str, Array]:
    """The arrays of the parameters by name: ``{"W[0]": …, "b[0]": …, "W[1]": …, …}``."""
    return {
        f"{letter}[{l}]": array
        for l, (W, b) in enumerate(parameters)
        for letter, array in (("W", W), ("b", b))
    }


def are_finite(parameters: Parameters) -> bool:
    """Whether no parameter is NaN or infinite."""
    return all(all_finite(array) for weights in parameters for array in weights)
