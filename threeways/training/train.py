"""A case's whole training in each implementation, epoch by epoch together, on the same batches."""

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
from threeways.training.checkpoints import Files, Saved, Stage
from threeways.training.lockstep import PassOn
from threeways.training.outcome import Apart, Outcome, Trained


class Learner:
    """One implementation that trains a case.

    Args:
        name: of the implementation.
        package: the implementation.
        case: with the parameters that it starts from.
        steps_per_epoch: how many that training has.
        files: where it is saved, if it is.
        saved: what to go on from; it starts from the beginning unless given.
    """

    def __init__(
        self,
        name: str,
        package: ModuleType,
        case: Case,
        steps_per_epoch: int,
        files: Files | None = None,
        saved: Saved | None = None,
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
        self.pairs: list[Pair] = []

    @property
    def made(self) -> int:
        """How many epochs it has made."""
        return len(self.history.loss)

    @property
    def seconds_per_step(self) -> float:
        """In the middle one of its epochs: the first, in which a graph is compiled, takes long."""
        return statistics.median_low(self.seconds) / self.steps_per_epoch

    def run(self, pass_on: PassOn) -> None:
        """Train, with a call of ``pass_on`` between two epochs."""
        training = self.case.training
        start = time.perf_counter()

        def on_epoch(checkpoint: Checkpoint) -> None:
            nonlocal start
            self.seconds.append(time.perf_counter() - start)
            self.history, self.parameters = checkpoint.history, checkpoint.parameters
            for pair in self.pairs:
                pair.compare()
            self.save(checkpoint)
            if self.made < training.epochs:
                pass_on()
            start = time.perf_counter()

        checkpoint = self.saved.checkpoint if self.saved else None
        with np.errstate(all="ignore"):  # a run that diverges ends in numbers that say so
            self.net.fit(self.case.dataset, training, on_epoch, checkpoint)
        self.is_over = True

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint over the last one, if the run can go on from it."""
        finite = all(np.isfinite(part).all() for part in _parts(checkpoint.parameters))
        if self.files and finite and checkpoint.history.diverged_at is None:
            apart = {pair.a.name: pair.rows for pair in self.pairs if pair.b is self}
            self.files.write_checkpoint(Saved(checkpoint, self.seconds, apart))

    def trained(self, rows: Dataset) -> Trained:
        """What the run came to, now that it is over, on the rows that it has trained on."""
        history, test = self.history, self.case.test
        outputs = self._outputs(rows)
        return Trained(
            name=self.name,
            history=history,
            epoch=history.best_epoch if self.case.training.patience else self.made - 1,
            parameters=self.net.parameters,
            accuracy=_accuracy(rows, outputs),
            test_accuracy=_accuracy(test, self._outputs(test)) if test else None,
            makes_errors=not np.array_equal(outputs, rows.y),
            seconds_per_step=self.seconds_per_step,
            steps_per_epoch=self.steps_per_epoch,
        )

    def _outputs(self, rows: Dataset) -> Array:
        with np.errstate(all="ignore"):
            return self.net.predict(rows.x)


class Pair:
    """How far two implementations are from each other after each epoch.

    Args:
        a, b: the two; with the checkpoints of ``b`` it is saved.
    """

    def __init__(self, a: Learner, b: Learner) -> None:
        self.a, self.b = a, b
        self.starts = np.cumsum([0, *(part.size for part in _parts(a.parameters))])[:-1]
        self.numbers = array("d")
        self.compared = 0  # after which epoch last
        if b.saved and a.name in b.saved.apart:
            self.numbers.extend(b.saved.apart[a.name].ravel())
            self.compared = b.made

    @property
    def rows(self) -> Array:
        """(E, 1 + 4L), a row for each epoch that was compared.

        It has the epoch's number, the largest |difference| in each array, and these in eps.
        """
        return np.array(self.numbers).reshape(-1, 1 + 2 * len(self.starts))

    def compare(self) -> None:
        """Add a row, if both have made as many epochs, more than before, and all is finite."""
        if self.a.made != self.b.made or self.a.made <= self.compared:
            return
        self.compared = self.a.made
        a, b = (_flat(each.parameters) for each in (self.a, self.b))
        difference, *sizes = (
            np.maximum.reduceat(np.abs(each), self.starts).astype(float) for each in (a - b, a, b)
        )
        unit = np.finfo(a.dtype).eps * np.maximum(*sizes)
        if np.isfinite(difference).all():
            in_eps = difference / np.where(unit > 0, unit, np.inf)
            self.numbers.extend([self.a.made, *difference, *in_eps])

    def apart(self) -> Apart:
        """All that was found."""
        rows, L = self.rows, len(self.starts) // 2
        return Apart(
            a=self.a.name,
            b=self.b.name,
            parameters=tuple(f"{letter}[{l}]" for l in range(L) for letter in "Wb"),
            epochs=rows[:, 0].astype(int),
            differences=rows[:, 1 : 1 + 2 * L],
            eps=rows[:, 1 + 2 * L :],
        )


def learners(
    stage: Stage, packages: Mapping[str, ModuleType], source: Outcome | None = None
) -> list[Learner]:
    """The implementations, ready to train a case together.

    Args:
        stage: the case, with where it is saved and what was saved before.
        packages: the implementations by name.
        source: what came of the case whose layers are transferred, if any are.
    """
    rows, _ = stage.case.training.prepare(stage.case.dataset)
    n_steps = len(stage.case.training.sizes(len(rows)))
    chosen = []
    for i, (name, package) in enumerate(packages.items()):
        case = stage.case
        if source and case.transfer:
            learned = source.runs[i].parameters
            start = copy_layers(learned, case.parameters, case.transfer.layers)
            case = dataclasses.replace(case, parameters=start)
        files, saved = stage.files.get(name), stage.saved.get(name)
        chosen.append(Learner(name, package, case, n_steps, files, saved))
    for a, b in itertools.combinations(chosen, 2):
        pair = Pair(a, b)
        a.pairs.append(pair)
        b.pairs.append(pair)
    return chosen


def outcome(case: Case, learners: Sequence[Learner]) -> Outcome:
    """What training a case came to, now that all have ended; saves it where it is to be saved."""
    rows, _ = case.training.prepare(case.dataset)
    runs = []
    for learner in learners:
        runs.append(learner.trained(rows))
        if learner.files:
            learner.files.write_results(runs[-1], learner.net)
    pairs = [pair for learner in learners for pair in learner.pairs if pair.b is learner]
    return Outcome(case, runs, [pair.apart() for pair in pairs])


def _parts(parameters: Parameters) -> list[Array]:
    return [part for weights in parameters for part in weights]


def _flat(parameters: Parameters) -> Array:
    return np.concatenate([part.ravel() for part in _parts(parameters)])


def _accuracy(rows: Dataset, outputs: Array) -> float | None:
    return accuracy(rows.y, outputs) if np.isfinite(outputs).all() else None
