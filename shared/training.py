"""What a training run is: the numbers that steer it, the batches it sees, what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from shared.errors import checked
from shared.fields import (
    NaturalInt,
    NotNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
    Text,
    one_of,
)

# Each optimizer's own numbers, with what they are unless given; as Keras defines and names them.
OPTIMIZERS: dict[str, dict[str, float]] = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9},
    "adagrad": {"initial_accumulator": 0.1, "epsilon": 1e-7},
    "rmsprop": {"rho": 0.9, "epsilon": 1e-7},
    "adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
}
# What each keeps for each weight and bias from one step to the next.
SLOTS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentum",),
    "nesterov": ("momentum",),
    "adagrad": ("accumulator",),
    "rmsprop": ("velocity",),
    "adam": ("momentum", "velocity"),
}
# How the learning rate changes with the steps, and the numbers that say how.
SCHEDULES: dict[str, tuple[str, ...]] = {
    "constant": (),
    "step": ("decay_rate", "decay_steps"),
    "exponential": ("decay_rate", "decay_steps"),
    "inverse_time": ("decay_rate", "decay_steps"),
    "cosine": ("decay_steps",),
}
_OWN = ("momentum", "initial_accumulator", "rho", "beta_1", "beta_2", "epsilon")
_DECAY = ("decay_rate", "decay_steps")

# Called after each epoch with its number, from 1, and its loss.
OnEpoch = Callable[[int, float], None]


@checked
class Training:
    """Gradient descent, a batch at a time.

    Args:
        learning_rate: η, or what it starts from.
        optimizer: one of ``OPTIMIZERS``; w ← w − η ∂loss/∂w unless given.
        momentum, initial_accumulator, rho, beta_1, beta_2, epsilon: the optimizer's own numbers.
        schedule: one of ``SCHEDULES``: how η changes with t, the steps made before;
            "step" is η·decay_rate^⌊t/decay_steps⌋, "exponential" η·decay_rate^(t/decay_steps),
            "inverse_time" η / (1 + decay_rate·t/decay_steps), and "cosine" η·½(1 + cos πt/T) until
            T = decay_steps, then 0.
        decay_rate, decay_steps: the schedule's numbers.
        epochs: passes over the data.
        batch_size: rows in a batch (the last of an epoch may have fewer); all of them unless given.
        seed: of the order of the rows, drawn anew each epoch; their own order unless given.

    Raises:
        InputError: an unknown optimizer or schedule, a number that it does not have or lacks, or
            one that is out of its range.
    """

    learning_rate: PositiveFloat
    optimizer: Annotated[Text, one_of("an optimizer", OPTIMIZERS)] = "sgd"
    momentum: Share | None = None
    initial_accumulator: NotNegativeFloat | None = None
    rho: Share | None = None
    beta_1: Share | None = None
    beta_2: Share | None = None
    epsilon: PositiveFloat | None = None
    schedule: Annotated[Text, one_of("a schedule", SCHEDULES)] = "constant"
    decay_rate: PositiveFloat | None = None
    decay_steps: PositiveInt | None = None
    epochs: PositiveInt = 1
    batch_size: PositiveInt | None = None
    seed: NaturalInt | None = None

    def __post_init__(self) -> None:
        given = [name for name in (*_OWN, *_DECAY) if getattr(self, name) is not None]
        for kind, names, has in (
            (self.optimizer, _OWN, OPTIMIZERS[self.optimizer]),
            (self.schedule, _DECAY, SCHEDULES[self.schedule]),
        ):
            for name in names:
                if name in given and name not in has:
                    raise ValueError(f"{name}: {kind!r} has none")
        for name in SCHEDULES[self.schedule]:
            if name not in given:
                raise ValueError(f"{name}: is missing, {self.schedule!r} needs it")

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The optimizer's own numbers by name, as given or as they are unless given."""
        return {
            name: unless if getattr(self, name) is None else getattr(self, name)
            for name, unless in OPTIMIZERS[self.optimizer].items()
        }

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
