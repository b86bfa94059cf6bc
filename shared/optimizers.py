"""The optimizers and the schedules of their learning rate, in Keras's definitions and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UpdateRule:
    """How an optimizer changes a weight or a bias.

    Args:
        hyperparameters: by name, with their defaults.
        slots: the numbers that it keeps for each weight and bias from one step to the next.
        initial_slots: the hyperparameter that the slots start at; they start at 0 where None.
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
}
# How the learning rate changes with the steps: the hyperparameters of each schedule.
SCHEDULES: dict[str, tuple[str, ...]] = {
    "constant": (),
    "step": ("decay_rate", "decay_steps"),
    "exponential": ("decay_rate", "decay_steps"),
    "inverse_time": ("decay_rate", "decay_steps"),
    "cosine": ("decay_steps",),
}
