"""The optimizers and the schedules of their learning rate, in Keras's definitions and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UpdateRule:
    """The hyperparameters and slots of an optimizer.

    Args:
        hyperparameters: the default of each hyperparameter, by name.
        slots: the names of the numbers that it keeps for each weight and bias between steps.
        initial_slots: the hyperparameter that gives the slots their initial value; 0 if None.
    """

    hyperparameters: Mapping[str, float] = field(default_factory=dict)
    slots: tuple[str, ...] = ()
    initial_slots: str | None = None


OPTIMIZERS: dict[str, UpdateRule] = {
    "sgd": UpdateRule(),
    "momentum": UpdateRule({"momentum": 0.9}, ("momentum",)),
    "nesterov": UpdateRule({"momentum": 0.9}, ("momentum",)),
    "adagrad": UpdateRule(
        {"initial_accumulator": 0.1, "epsilon": 1e-7}, ("accumulator",), "initial_accumulator"
    ),
    "rmsprop": UpdateRule({"rho": 0.9, "epsilon": 1e-7}, ("velocity",)),
    "adam": UpdateRule({"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, ("momentum", "velocity")),
    "adamw": UpdateRule(
        {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "weight_decay": 0.004},
        ("momentum", "velocity"),
    ),
}
# The hyperparameters of each schedule, by which the learning rate changes with the steps.
SCHEDULES: dict[str, tuple[str, ...]] = {
    "constant": (),
    "step": ("decay_rate", "decay_steps"),
    "exponential": ("decay_rate", "decay_steps"),
    "inverse_time": ("decay_rate", "decay_steps"),
    "cosine": ("decay_steps",),
}
