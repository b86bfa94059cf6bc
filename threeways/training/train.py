"""The training of a case in each implementation, epoch by epoch, on the same batches."""

from __future__ import annotations

import dataclasses
import itertools
import statistics
import time
from array import array
from collections.abc import Mapping, Sequence
from types import ModuleType

import numpy as np

from shared import Array, Case, Checkpoint, Dataset, History, Parameters, Run, accuracy, copy_layers
from threeways.implementations import model
from threeways.training.checkpoints import RunFiles, SavedRun
from threeways.training.lockstep import Pause
from threeways.training.outcome import (
    Outcome,
    ParameterDistances,
    Reached,
    RunResult,
    are_finite,
    named_arrays,
)
from threeways.training.stages import Stage


class TrainingRun:
    """The run in which one implementation trains a case.

    Args:
        name: the implementation.
        package: its package.
        case: the case, with the parameters that the run starts from.
        steps_per_epoch: number of steps in an epoch.
        files: the files that the run is saved in; not saved unless given.
        saved: the saved run to resume; starts from the beginning unless given.
    """

    def __init__(
        self,
        name: str,
        package: ModuleType,
        case: Case,
        steps_per_epoch: int,
        files: RunFiles | None = None,
        saved: SavedRun | None = None,
    ) -> None:
        self.name = name
        self.case = case
        self.files = files
        self.saved = saved
        self.net = model(package, case)
        self.steps_per_epoch = steps_per_epoch
        self.history, self.seconds, self.is_over = History(), [], False
        if saved:
            run = Run(self.net, case.dataset, case.training, None, saved.checkpoint)
            self.history, self.seconds, self.is_over = run.history, saved.seconds, run.is_over
        self.parameters: Parameters = self.net.parameters
        self.distance_logs: list[DistanceLog] = []

    @property
    def epochs_done(self) -> int:
        """The number of epochs so far."""
        return len(self.history.loss)

    @property
    def seconds_per_step(self) -> float:
        """Seconds per step in the median epoch: the first one is slow, it compiles a graph."""
        return statistics.median_low(self.seconds) / self.steps_per_epoch

    def run(self, pause: Pause) -> None:
        """Train to the end, with a call of ``pause`` between two epochs."""
        training = self.case.training
        start = time.perf_counter()

        def on_epoch(checkpoint: Checkpoint) -> None:
            nonlocal start
            self.seconds.append(time.perf_counter() - start)
            self.history, self.parameters = checkpoint.history, checkpoint.parameters
            for log in self.distance_logs:
                log.update()
            self.save(checkpoint)
            if self.epochs_done < training.epochs:
                pause()
            start = time.perf_counter()

        checkpoint = self.saved.checkpoint if self.saved else None
        with np.errstate(all="ignore"):  # a run that diverges ends in numbers that say so
            self.net.fit(self.case.dataset, training, on_epoch, checkpoint)
        self.is_over = True

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the saved checkpoint by this one, unless the run has diverged."""
        is_sound = checkpoint.history.diverged_at is None and are_finite(checkpoint.parameters)
        if self.files and is_sound:
            distances = {log.a.name: log.rows for log in self.distance_logs if log.b is self}
            self.files.write_checkpoint(SavedRun(checkpoint, self.seconds, distances))

    def result(self, rows: Dataset) -> RunResult:
        """The result of the run, now that it is over.

        Args:
            rows: the rows that it was trained on.
        """
        history, test = self.history, self.case.test
        outputs = self._outputs(rows)
        return RunResult(
            name=self.name,
            history=history,
            epoch=history.best_epoch if self.case.training.patience else self.epochs_done - 1,
            parameters=self.net.parameters,
            accuracy=_accuracy(rows, outputs),
            test_accuracy=_accuracy(test, self._outputs(test)) if test else None,
            makes_errors=not np.array_equal(outputs, rows.y),
            seconds_per_step=self.seconds_per_step,
            steps_per_epoch=self.steps_per_epoch,
        )

    def accuracy(self, rows: Dataset) -> float | None:
        """The present accuracy on these rows, from 0 to 1; None if the targets are not classes."""
        return _accuracy(rows, self._outputs(rows))

    def _outputs(self, rows: Dataset) -> Array:
        with np.errstate(all="ignore"):
            return self.net.predict(rows.x)


class DistanceLog:
    """A log of the distance of two runs, with a row for each epoch that both have made.

    Args:
        a, b: the runs; the log is saved with the checkpoints of ``b``.
    """

    def __init__(self, a: TrainingRun, b: TrainingRun) -> None:
        self.a, self.b = a, b
        arrays = named_arrays(a.parameters)
        self.names = tuple(arrays)
        self.starts = np.cumsum([0, *(each.size for each in arrays.values())])[:-1]
        self.values = array("d")
        self.last_epoch = 0  # that the runs were compared after
        if b.saved and a.name in b.saved.distances:
            self.values.extend(b.saved.distances[a.name].ravel())
            self.last_epoch = b.epochs_done

    @property
    def rows(self) -> Array:
        """A row for each of E epochs and L layers, (E, 1 + 4L).

        A row holds the epoch's number, the largest |difference| in each array, and these in eps.
        """
        return np.array(self.values).reshape(-1, 1 + 2 * len(self.names))

    def update(self) -> None:
        """Add a row if both runs have just made the same epoch, and all numbers are finite."""
        epoch = self.a.epochs_done
        if epoch != self.b.epochs_done or epoch <= self.last_epoch:
            return
        self.last_epoch = epoch
        a, b = (_flat(run.parameters) for run in (self.a, self.b))
        distances, *scales = (
            np.maximum.reduceat(np.abs(each), self.starts).astype(float) for each in (a - b, a, b)
        )
        unit = np.finfo(a.dtype).eps * np.maximum(*scales)
        if np.isfinite(distances).all():
            distances_eps = distances / np.where(unit > 0, unit, np.inf)
            self.values.extend([epoch, *distances, *distances_eps])

    def distances(self) -> ParameterDistances:
        """All distances in the log."""
        epochs, distances, distances_eps = np.split(self.rows, [1, 1 + len(self.names)], axis=1)
        return ParameterDistances(
            a=self.a.name,
            b=self.b.name,
            parameters=self.names,
            epochs=epochs[:, 0].astype(int),
            distances=distances,
            distances_eps=distances_eps,
        )


def prepare_runs(
    stage: Stage, packages: Mapping[str, ModuleType], source: Outcome | None = None
) -> list[TrainingRun]:
    """A run for each implementation, ready to train the stage's case in lockstep.

    Args:
        stage: the case, with its files and what was saved before.
        packages: the implementations by name.
        source: the outcome of the case whose layers are transferred, if any are.
    """
    rows, _ = stage.case.training.prepare(stage.case.dataset)
    n_steps = len(stage.case.training.sizes(len(rows)))
    runs = []
    for i, (name, package) in enumerate(packages.items()):
        case = stage.case
        if source and case.transfer:
            learned = source.results[i].parameters
            start = copy_layers(learned, case.parameters, case.transfer.layers)
            case = dataclasses.replace(case, parameters=start)
        files, saved = stage.files.get(name), stage.saved.get(name)
        runs.append(TrainingRun(name, package, case, n_steps, files, saved))
    for a, b in itertools.combinations(runs, 2):
        log = DistanceLog(a, b)
        a.distance_logs.append(log)
        b.distance_logs.append(log)
    return runs


def reached(case: Case, runs: Sequence[TrainingRun]) -> list[Reached]:
    """What each run that was stopped has come to; without those that have made no epoch."""
    rows, _ = case.training.prepare(case.dataset)
    return [
        Reached(run.name, run.epochs_done, run.history.loss[-1], run.accuracy(rows))
        for run in runs
        if run.epochs_done
    ]


def finish_runs(case: Case, runs: Sequence[TrainingRun]) -> Outcome:
    """The outcome of training a case, now that all runs are over; their results are saved."""
    rows, _ = case.training.prepare(case.dataset)
    results = []
    for run in runs:
        results.append(run.result(rows))
        if run.files:
            run.files.write_results(results[-1], run.net)
    logs = [log for run in runs for log in run.distance_logs if log.b is run]
    return Outcome(case, results, [log.distances() for log in logs])


def _flat(parameters: Parameters) -> Array:
    return np.concatenate([each.ravel() for each in named_arrays(parameters).values()])


def _accuracy(rows: Dataset, outputs: Array) -> float | None:
    return accuracy(rows.y, outputs) if np.isfinite(outputs).all() else None
