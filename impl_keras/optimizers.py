"""The optimizers: the rule by which a gradient changes a variable, by Keras's own classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import keras
import numpy as np

from impl_keras.update_rules import PLACED, RULES
from shared import Optimizer as SharedOptimizer
from shared import Slots, Training

__all__ = ["Optimizer"]

Array: TypeAlias = keras.Variable


class Optimizer(SharedOptimizer):
    """The optimizer of a training run, with its slots: what it keeps from one step to the next.

    Args:
        training: which optimizer, its hyperparameters, and the schedule of its learning rate.
        variables: what it updates, W of every layer, then b of every layer.
    """

    def __init__(self, training: Training, variables: Sequence[Array]) -> None:
        super().__init__(training, variables)
        # Keras rounds a Python float to float32, whatever its target's dtype, but not a NumPy one.
        arguments = {
            ARGUMENTS.get(name, name): np.float64(value)
            for name, value in training.hyperparameters.items()
        }
        if training.clip:
            clip, most = training.clip
            arguments[clip] = np.dtype(variables[0].dtype).type(most)  # here it is not cast
        if training.decay:
            arguments["weight_decay"] = np.float64(training.decay)
        name, place = training.optimizer, training.epsilon_placement
        rule = PLACED.get((name, place or ""), RULES[name])
        self.keras = rule(learning_rate(training), **arguments)
        self.keras.build(variables)
        self.slot_variables = {
            slot: getattr(self.keras, SLOTS[name, slot]) for slot in training.slots
        }

    @property
    def steps(self) -> int:
        return int(self.keras.iterations.numpy())

    def restore(self, steps: int, slots: Slots) -> None:
        self.keras.iterations.assign(steps)
        for array, values in self.restored(slots):
            array.assign(values)


# Keras's names of its optimizers' slots, and of an argument that has another name there.
SLOTS = {
    ("momentum", "momentum"): "momentums",
    ("nesterov", "momentum"): "momentums",
    ("pytorch_momentum", "momentum"): "momentums",
    ("pytorch_nesterov", "momentum"): "momentums",
    ("adagrad", "accumulator"): "_accumulators",
    ("rmsprop", "velocity"): "_velocities",
    ("adam", "momentum"): "_momentums",
    ("adam", "velocity"): "_velocities",
    ("adamw", "momentum"): "_momentums",
    ("adamw", "velocity"): "_velocities",
}
ARGUMENTS = {"initial_accumulator": "initial_accumulator_value"}


def learning_rate(training: Training) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """η, or Keras's schedule for it."""
    schedules = keras.optimizers.schedules
    eta, steps = np.float64(training.learning_rate), training.decay_steps
    rate = training.decay_rate and np.float64(training.decay_rate)
    match training.schedule:
        case "step" | "exponential":
            return schedules.ExponentialDecay(eta, steps, rate, training.has_stairs)
        case "inverse_time":
            return schedules.InverseTimeDecay(eta, steps, rate, training.has_stairs)
        case "cosine":
            return schedules.CosineDecay(eta, steps)
        case "constant":
            return eta
        case unknown:
            raise ValueError(unknown)
