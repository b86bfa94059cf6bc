"""Many training steps as one graph, compiled by XLA where the run is long enough to be worth it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from shared import Training

__all__ = ["CHUNK_BYTES", "STEPS_WORTH_XLA", "compiled_steps"]

# Steps of a run. XLA takes a second to compile an epoch, and saves a tenth of a millisecond a step.
STEPS_WORTH_XLA = 10_000

# Bytes of rows that a graph takes at once: to start it takes as long as twenty small steps.
CHUNK_BYTES = 2**23


def compiled_steps(descend: Callable[..., tf.Tensor], training: Training, n_rows: int) -> Any:
    """A graph that takes rows x, y and masks, makes a step on each batch and returns the losses.

    Args:
        descend: makes a step on a batch x, y with masks and a training, and returns its loss.
        training: the training of the steps.
        n_rows: the number of rows of all the data.
    """
    size = training.batch_size or n_rows
    n_steps = training.epochs * len(training.sizes(n_rows))

    @tf.function(jit_compile=n_steps >= STEPS_WORTH_XLA)
    def steps(*rows: Any) -> tf.Tensor:
        n_whole, n_left = divmod(len(rows[0]), size)
        losses = tf.TensorArray(rows[0].dtype, n_whole + (n_left > 0))
        if n_whole:
            batches = tf.nest.map_structure(
                lambda each: tf.reshape(each[: n_whole * size], (n_whole, size, each.shape[1])),
                rows,
            )
            for i in tf.range(n_whole):
                batch = tf.nest.map_structure(lambda each, i=i: each[i], batches)
                losses = losses.write(i, descend(*batch, training))
        if n_left:
            last = tf.nest.map_structure(lambda each: each[-n_left:], rows)
            losses = losses.write(n_whole, descend(*last, training))
        return losses.stack()

    return steps
