"""The optimizers: the learning rate of each step, and what they keep from one step to the next.

η is the learning rate, and t counts the steps from 0. The rules, by which a gradient changes a
weight, are in update_rules.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from impl_numpy.update_rules import CLIP, RULES, decay
from shared import Array, Slots, Training
from shared import Optimizer as SharedOptimizer

__all__ = ["Optimizer"]


class Optimizer(SharedOptimizer):
    """The optimizer of a training run, with its slots: what it keeps from one step to the next.

    Args:
        training: which optimizer, its hyperparameters, and the schedule of its learning rate.
        variables: what it updates, W of every layer, then b of every layer.
    """

    def __init__(self, training: Training, variables: Sequence[Array]) -> None:
        super().__init__(training, variables)
        self.t = 0
        self.rate = learning_rate
        clip, most = training.clip or ("", 0.0)
        self.clip = partial(CLIP[clip], most=most) if clip else None
        self.decay = partial(decay, weight_decay=training.decay) if training.decay else None
        self.rule = partial(RULES[training.optimizer], **training.rule_arguments)
        self.slot_variables = {
            slot: [np.full_like(w, training.initial_slots) for w in variables]
            for slot in training.slots
        }

    @property
    def steps(self) -> int:
        return self.t

    def restore(self, steps: int, slots: Slots) -> None:
        self.t = steps
        for array, values in self.restored(slots):
            array[...] = values

    def apply(self, gradients: Sequence[Array | None]) -> None:
        """Update each variable by its gradient, of the same shape, which is overwritten.

        A variable whose gradient is None is frozen: it and its slots stay as they are.
        """
        eta = self.rate(self.training, self.t)
        rows = zip(gradients, self.variables, *self.slot_variables.values(), strict=True)
        free = [row for row in rows if row[0] is not None]
        if self.clip:
            self.clip([g for g, *_ in free])
        for g, w, *slots in free:
            if self.decay:
                self.decay(eta, w)
            self.rule(eta, self.t, g, w, *slots)
        self.t += 1


def learning_rate(training: Training, t: int) -> float:
    """η after t steps, by the schedule."""
    eta = training.learning_rate
    # As a NumPy number, a power of it that is too large is infinite and no OverflowError.
    rate: Any = training.decay_rate and np.float64(training.decay_rate)
    steps: Any = training.decay_steps or 1
    past = t // steps if training.has_stairs else t / steps
    match training.schedule:
        case "step" | "exponential":
            return float(eta * rate**past)
        case "inverse_time":
            return float(eta / (1 + rate * past))
        case "cosine":
            return eta * (1 + math.cos(math.pi * min(t, steps) / steps)) / 2
        case "constant":
            return eta
        case unknown:
            raise ValueError(unknown)
