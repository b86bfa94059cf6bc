"""The cases that are timed: networks of a given size, and users' cases, with many batches."""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from shared import Case, Dataset, Layer, Network, Training, initialise

EPOCHS = 3
# The steps that an epoch of a user's case should have, and the rows that it may have for that.
STEPS = 200
MOST_ROWS = 100_000


class Size(NamedTuple):
    """The size of a network of ReLU layers and a softmax, and of its random data in float32.

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


def of_many_batches(case: Case, batch_size: int | None = None) -> Case:
    """A case with its rows repeated, so that an epoch has many batches, and with few epochs.

    Args:
        case: any; no rows are held back for validation, none is augmented.
        batch_size: instead of the case's own.
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


def steps_per_epoch(case: Case) -> int:
    """How many batches its data make."""
    n_rows = len(case.dataset)
    return math.ceil(n_rows / (case.training.batch_size or n_rows))
