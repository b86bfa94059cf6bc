"""The course of a training run around its steps, the same for all implementations.

Which rows each step sees, when the run ends, its losses, and checkpoints to continue from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.arrays import Array, check_inputs, check_targets
from shared.datasets import Dataset
from shared.parameters import Parameters
from shared.trace import Slots
from shared.training import Training

if TYPE_CHECKING:
    from shared.model import Model


@dataclass
class History:
    """The losses of a training run, one for each epoch.

    Args:
        loss: the mean loss over the rows as they were visited, with penalties and dropout.
        validation_loss: the loss of the rows held back, after each epoch; empty without such rows.
        diverged_at: the first step, counted from 0, whose loss was not a finite number, if any.
    """

    loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    diverged_at: int | None = None

    @property
    def best_epoch(self) -> int:
        """The epoch, from 0, with the lowest validation loss; without validation the last one."""
        if not self.validation_loss:
            return len(self.loss) - 1
        return int(np.argmin(np.nan_to_num(self.validation_loss, nan=np.inf)))


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a run after an epoch, from which it continues as if it had not stopped.

    Args:
        history: the losses so far.
        parameters: the parameters after the epoch.
        best: the parameters after the best epoch, to which early stopping returns.
        steps: the number of updates made.
        slots: the optimizer's slots, as in :class:`Trace`.
    """

    history: History
    parameters: Parameters
    best: Parameters
    steps: int
    slots: Slots


# Bytes of rows in a chunk, unless a single batch has more.
CHUNK_BYTES = 2**20
# Rows that are validated at once, unless a batch has more.
VALIDATED_AT_ONCE = 1024

OnEpoch = Callable[[Checkpoint], None]


class Run:
    """A training run of one implementation: its rows, its losses, and when it ends.

    Args:
        net: the network that is trained.
        dataset: the data, before any of them are held back or augmented.
        training: how to train.
        on_epoch: called with a checkpoint after each epoch.
        checkpoint: the state to continue from; a new run unless given.

    Raises:
        InputError: the data do not fit the network, or no rows are left to train or validate on.
    """

    def __init__(
        self,
        net: Model,
        dataset: Dataset,
        training: Training,
        on_epoch: OnEpoch | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.net = net
        training = training.in_steps(len(dataset))
        self.training = training
        self.on_epoch = on_epoch
        rows, self.validation = training.prepare(dataset)
        self.x = check_inputs(net.network, rows.x)
        self.y = check_targets(net.network, rows.y, len(rows))
        self.optimizer = net.optimizer_for(training)
        self.history = History()
        self.best: Parameters = ()
        self.buffer: Array | None = None  # holds x of a shuffled chunk, since allocating is slow
        if checkpoint:
            self.history = dataclasses.replace(
                checkpoint.history,
                loss=list(checkpoint.history.loss),
                validation_loss=list(checkpoint.history.validation_loss),
            )
            self.best = checkpoint.best if training.patience else ()
            net.load(checkpoint.parameters)
            self.optimizer.restore(checkpoint.steps, checkpoint.slots)
        self.steps_of_epoch = len(training.sizes(len(self.x)))
        self.first_step = self.optimizer.steps - len(self.history.loss) * self.steps_of_epoch

    def epochs(self) -> Iterator[int]:
        """The numbers, from 0, of the epochs that are left; end each with :meth:`end_epoch`."""
        while not self.is_over:
            yield len(self.history.loss)
        self.finish()

    def batches(self, epoch: int) -> Iterator[tuple[Array, Array]]:
        """x (n, D[0]) and y (n, D[L]) of each batch of an epoch."""
        size = self.training.batch_size or len(self.x)
        for x, y in self.chunks(epoch):
            for start in range(0, len(x), size):
                yield x[start : start + size], y[start : start + size]

    def chunks(self, epoch: int, n_bytes: int | None = None) -> Iterator[tuple[Array, Array]]:
        """x (n, D[0]) and y (n, D[L]) of an epoch, in chunks of one or more whole batches.

        When rows are shuffled, all chunks share one buffer for x: copy what is to last.

        Args:
            epoch: the number of the epoch, from 0.
            n_bytes: bytes of a chunk; ``CHUNK_BYTES`` unless given.
        """
        size = self.training.batch_size or len(self.x)
        bytes_of_batch = size * (self.x[0].nbytes + self.y[0].nbytes)
        size *= max(1, (n_bytes or CHUNK_BYTES) // bytes_of_batch)
        n_rows, training = len(self.x), self.training
        if training.seed is None:
            for start in range(0, n_rows, size):
                yield self.x[start : start + size], self.y[start : start + size]
            return
        order = training.order(epoch, n_rows)
        if self.buffer is None:
            self.buffer = np.empty_like(self.x[:size])
        for start in range(0, n_rows, size):
            rows = order[start : start + size]
            x = np.take(self.x, rows, axis=0, out=self.buffer[: len(rows)], mode="clip")
            yield x, self.y.take(rows, axis=0)

    def masked_chunks(
        self, epoch: int, n_bytes: int | None = None
    ) -> Iterator[tuple[Array, Array, dict[int, Array]]]:
        """The same chunks with their dropout masks, those of the batches one after the other."""
        t = self.first_step + epoch * self.steps_of_epoch
        for x, y in self.chunks(epoch, n_bytes):
            sizes = self.training.sizes(len(x))
            yield x, y, self.training.masks_of_steps(self.net.network, t, sizes)
            t += len(sizes)

    @property
    def is_over(self) -> bool:
        """Whether no epoch is left: all are made, the run diverged, or it is to stop early."""
        history, training = self.history, self.training
        made = len(history.loss)
        if made >= training.epochs or history.diverged_at is not None:
            return True
        if training.patience and made - 1 - history.best_epoch >= training.patience:
            return True
        return made > 0 and self.net.network.has_perceptron_rule and not self.has_errors

    @property
    def has_errors(self) -> bool:
        """Whether any row is classified wrongly; the perceptron rule ends when none is."""
        return not np.array_equal(self.net.predict(self.x), self.y)

    def end_steps(self, losses: Sequence[Any] | Array) -> None:
        """Record an epoch by the losses of its steps, each a mean over the rows of its batch."""
        finite = np.isfinite(losses)
        mean = np.average(losses, weights=self.training.sizes(len(self.x)))
        self.end_epoch(float(mean), None if finite.all() else int(np.argmin(finite)))

    def end_epoch(self, loss: float, diverged_at: int | None = None) -> None:
        """Record an epoch.

        Args:
            loss: the mean over its rows.
            diverged_at: its first step, counted from 0, whose loss was not a finite number, if any.
        """
        epoch = len(self.history.loss)
        self.history.loss.append(loss)
        if self.validation:
            self.history.validation_loss.append(self.validate(self.validation))
        if diverged_at is not None:
            self.history.diverged_at = epoch * self.steps_of_epoch + diverged_at
        if self.on_epoch or self.training.patience:
            parameters = self.net.parameters
            if self.training.patience and self.history.best_epoch == epoch:
                self.best = parameters
            if self.on_epoch:
                self.on_epoch(self.checkpoint(parameters))

    def validate(self, rows: Dataset) -> float:
        """The loss of rows that were held back, a mean over them."""
        size = max(VALIDATED_AT_ONCE, self.training.batch_size or 0)
        parts = [slice(start, start + size) for start in range(0, len(rows), size)]
        losses = [self.net.evaluate(rows.x[part], rows.y[part]) for part in parts]
        return float(np.average(losses, weights=[len(rows.y[part]) for part in parts]))

    def finish(self) -> None:
        """End the run: with early stopping, return to the parameters of the best epoch."""
        if self.best:
            self.net.load(self.best)

    def checkpoint(self, parameters: Parameters) -> Checkpoint:
        """The state of the run, with these parameters."""
        return Checkpoint(
            history=self.history,
            parameters=parameters,
            best=self.best or parameters,
            steps=self.optimizer.steps,
            slots=self.optimizer.slots,
        )
