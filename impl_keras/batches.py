"""A training run for Keras's ``fit``: its batches in order, and a callback after each epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from shared import Run

__all__ = ["EndEpoch", "batches", "no_limits"]


def batches(run: Run) -> tf.data.Dataset:
    """The batches (x, y, masks) of all epochs left, in the order that all implementations see."""
    training = run.training
    first = len(run.history.loss)

    def chunks() -> Iterator[Any]:
        for epoch in range(first, training.epochs):
            for x, y, masks in run.masked_chunks(epoch):
                yield x.copy(), y, masks  # TensorFlow may read it after the next chunk overwrites x

    def split(*chunk: Any) -> tf.data.Dataset:
        rows = tf.data.Dataset.from_tensor_slices(chunk)
        return rows.batch(training.batch_size or len(run.x))

    like_first = tf.nest.map_structure(
        lambda part: tf.TensorSpec((None, part.shape[1]), part.dtype), next(chunks())
    )
    data = tf.data.Dataset.from_generator(chunks, output_signature=like_first)
    return data.flat_map(split)


class EndEpoch(keras.callbacks.Callback):
    """A callback that records each epoch in a run and ends the training when the run is over.

    Args:
        run: the run.
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.n_finite.assign(0)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        loss = float(logs["loss"])
        self.run.end_epoch(loss, None if math.isfinite(loss) else int(self.model.n_finite.numpy()))
        self.model.stop_training = self.run.is_over


@contextmanager
def no_limits() -> Iterator[None]:
    """A block in which ``fit`` makes all epochs and steps, whatever KERAS_MAX_EPOCHS says.

    Keras has such limits to try a script out quickly; a shorter run would look like a whole one.
    """
    config = keras.config
    if not hasattr(config, "max_epochs"):  # an older Keras
        yield
        return
    epochs, steps = config.max_epochs(), config.max_steps_per_epoch()
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)
    try:
        yield
    finally:
        config.set_max_epochs(epochs)
        config.set_max_steps_per_epoch(steps)
