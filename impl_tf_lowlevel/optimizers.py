"""The optimizers: the learning rate of each step, and what they keep from one step to the next.

η is the learning rate, and t counts the steps from 0. The rules, by which a gradient changes a
variable, are in update_rules.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from impl_tf_lowlevel.update_rules import CLIP, RULES, Array, decay
from shared import Optimizer as SharedOptimizer
from shared import Slots, Training

__all__ = ["Optimizer"]


class Optimizer(SharedOptimizer):
    """The optimizer of a training run, with its slots: what it keeps from one step to the next.

    Args:
        training: which optimizer, its hyperparameters, and the schedule of its learning rate.
        variables: what it updates, W of every layer, then b of every layer.
    """

    def __init__(self, training: Training, variables: Sequence[Array]) -> None:
        super().__init__(training, variables)
        self.t = tf.Variable(0, dtype=tf.int64)
        clip, most = training.clip or ("", 0.0)
        self.clip = partial(CLIP[clip], most=most) if clip else None
        self.decay = partial(decay, weight_decay=training.decay) if training.decay else None
        self.rule = partial(RULES[training.optimizer], **training.rule_arguments)
        self.slot_variables = {
            slot: [
                tf.Variable(tf.fill(w.shape, tf.constant(training.initial_slots, w.dtype)))
                for w in variables
            ]
            for slot in training.slots
        }

    @property
    def steps(self) -> int:
        return int(self.t.numpy())

    def restore(self, steps: int, slots: Slots) -> None:
        self.t.assign(steps)
        for array, values in self.restored(slots):
            array.assign(values)

    def apply(self, gradients: Sequence[tf.Tensor | None]) -> None:
        """Update each variable by its gradient, of the same shape.

        A variable whose gradient is None is frozen: it and its slots stay as they are.
        """
        dtype = self.variables[0].dtype
        eta = tf.cast(learning_rate(self.training, self.t), dtype)
        t = tf.cast(self.t, dtype)
        rows = zip(gradients, self.variables, *self.slot_variables.values(), strict=True)
        free = [row for row in rows if row[0] is not None]
        clipped = [g for g, *_ in free]
        if self.clip and free:
            clipped = self.clip(clipped)
        for g, (_, w, *slots) in zip(clipped, free, strict=True):
            if self.decay:
                self.decay(eta, w)
            self.rule(eta, t, g, w, *slots)
        self.t.assign_add(1)


@tf.autograph.experimental.do_not_convert
def learning_rate(training: Training, t: tf.Variable) -> tf.Tensor:
    """η after t steps, by the schedule; float64."""
    eta = training.learning_rate
    rate: Any = training.decay_rate
    past = tf.cast(t, tf.float64) / (training.decay_steps or 1)
    if training.has_stairs:
        past = tf.floor(past)
    match training.schedule:
        case "step" | "exponential":
            return eta * rate**past
        case "inverse_time":
            return eta / (1 + rate * past)
        case "cosine":
            return eta * (1 + tf.cos(math.pi * tf.minimum(past, 1))) / 2
        case "constant":
            return tf.constant(eta, tf.float64)
        case unknown:
            raise ValueError(unknown)
