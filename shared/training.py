"""What a training run is: the numbers that steer it, the batches it sees, what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shared.errors import checked
from shared.fields import NaturalInt, PositiveFloat, PositiveInt

# Called after each epoch with its number, from 1, and its loss.
OnEpoch = Callable[[int, float], None]


@checked
class Training:
    """Gradient descent: w ← w − η ∂loss/∂w, a batch at a time.

    Args:
        learning_rate: η.
        epochs: passes over the data.
        batch_size: rows in a batch (the last of an epoch may have fewer); all of them unless given.
        seed: of the order of the rows, drawn anew each epoch; their own order unless given.

    Raises:
        InputError: a number that is not positive (or, as a seed, negative).
    """

    learning_rate: PositiveFloat
    epochs: PositiveInt = 1
    batch_size: PositiveInt | None = None
    seed: NaturalInt | None = None

    def order(self, epoch: int, n_rows: int) -> np.ndarray[Any, Any]:
        """The order in which epoch 0, 1, … visits the rows: a permutation of 0 .. n_rows-1."""
        if self.seed is None:
            return np.arange(n_rows)
        return np.random.default_rng([self.seed, epoch]).permutation(n_rows)

    def batches(self, epoch: int, n_rows: int) -> Iterator[np.ndarray[Any, Any]]:
        """The row numbers of each of an epoch's batches."""
        order = self.order(epoch, n_rows)
        size = self.batch_size or n_rows
        for start in range(0, n_rows, size):
            yield order[start : start + size]


@dataclass
class History:
    """What a run leaves for each epoch: ``loss``, the mean over its rows as they were visited."""

    loss: list[float] = field(default_factory=list)
