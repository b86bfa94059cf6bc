"""How a gradient changes a variable, by Keras's own optimizers and schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import keras
import numpy as np

from shared import SLOTS, Slots, Training

__all__ = ["Optimizer"]

Array: TypeAlias = keras.Variable


class Optimizer:
    """The optimizer of a training run, with what it keeps from one step to the next.

    Args:
        training: which it is, its numbers, and the schedule of its learning rate.
        variables: what it is to update, W of every layer, then b of every layer.
    """

    def __init__(self, training: Training, variables: Sequence[Array]) -> None:
        self.training = training
        self.variables = variables
        # Keras takes a Python float through float32, wherever it is to end; a NumPy one stays.
        numbers = {name: np.float64(number) for name, number in training.hyperparameters.items()}
        start = numbers.pop("initial_accumulator", None)
        if start is not None:
            numbers["initial_accumulator_value"] = start
        self.keras = OPTIMIZERS[training.optimizer](learning_rate(training), **numbers)
        self.keras.build(variables)
        self.slot_variables: dict[str, list[Array]] = {
            slot: getattr(self.keras, KEPT[training.optimizer, slot])
            for slot in SLOTS[training.optimizer]
        }

    @property
    def slots(self) -> Slots:
        """A copy of what it keeps, by names such as ``"momentum_W"``; variables are W and b."""
        L = len(self.variables) // 2
        copies = {
            slot: tuple(each.numpy().copy() for each in kept)
            for slot, kept in self.slot_variables.items()
        }
        of_W = {f"{slot}_W": arrays[:L] for slot, arrays in copies.items()}
        return of_W | {f"{slot}_b": arrays[L:] for slot, arrays in copies.items()}

    @property
    def steps(self) -> int:
        """How many updates it has made."""
        return int(self.keras.iterations.numpy())

    def restore(self, steps: int, slots: Slots) -> None:
        """Go on from after ``steps`` updates, which left ``slots``."""
        self.keras.iterations.assign(steps)
        for slot, arrays in self.slot_variables.items():
            for array, values in zip(arrays, slots[f"{slot}_W"] + slots[f"{slot}_b"], strict=True):
                array.assign(values)


OPTIMIZERS: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "momentum": keras.optimizers.SGD,
    "nesterov": partial(keras.optimizers.SGD, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
}
# Where Keras's optimizers have their slots.
KEPT = {
    ("momentum", "momentum"): "momentums",
    ("nesterov", "momentum"): "momentums",
    ("adagrad", "accumulator"): "_accumulators",
    ("rmsprop", "velocity"): "_velocities",
    ("adam", "momentum"): "_momentums",
    ("adam", "velocity"): "_velocities",
}


def learning_rate(training: Training) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """η, or the schedule that it follows."""
    schedules = keras.optimizers.schedules
    eta, steps = np.float64(training.learning_rate), training.decay_steps
    rate = training.decay_rate and np.float64(training.decay_rate)
    match training.schedule:
        case "step":
            return schedules.ExponentialDecay(eta, steps, rate, staircase=True)
        case "exponential":
            return schedules.ExponentialDecay(eta, steps, rate)
        case "inverse_time":
            return schedules.InverseTimeDecay(eta, steps, rate)
        case "cosine":
            return schedules.CosineDecay(eta, steps)
        case _:
            return eta
