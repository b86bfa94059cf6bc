"""The optimizers and the schedules of their learning rate, in Keras's definitions and names.

Where else ε is added than in Keras, papers and libraries differ (``Training.epsilon_placement``):

    inside_root      √(s + ε)    Keras's AdaGrad and RMSprop
    outside_root     √s + ε      Keras's Adam; PyTorch's Adagrad and RMSprop
    corrected_root   √ŝ + ε      PyTorch's Adam; Kingma & Ba 2015, algorithm 1

What momentum sums up differs, too: v ← μv - ηg, w ← w + v in Keras, v ← μv + g, w ← w - ηv in
PyTorch. While η is constant, its v is Keras's divided by -η, and the weights are the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UpdateRule:
    """The hyperparameters and slots of an optimizer.

    Args:
        hyperparameters: the default of each hyperparameter, by name.
        slots: the names of the numbers that it keeps for each weight and bias between steps.
        initial_slots: the hyperparameter that gives the slots their initial value; 0 if None.
        epsilon_placements: where ε may be added, first where it is unless told otherwise.
    """

    hyperparameters: Mapping[str, float] = field(default_factory=dict)
    slots: tuple[str, ...] = ()
    initial_slots: str | None = None
    epsilon_placements: tuple[str, ...] = ()


_ADAM = UpdateRule(
    {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    ("momentum", "velocity"),
    epsilon_placements=("outside_root", "corrected_root"),
)
_EITHER_SIDE = ("inside_root", "outside_root")


OPTIMIZERS: dict[str, UpdateRule] = {
    "sgd": UpdateRule(),
    "momentum": UpdateRule({"momentum": 0.9}, ("momentum",)),
    "nesterov": UpdateRule({"momentum": 0.9}, ("momentum",)),
    "pytorch_momentum": UpdateRule({"momentum": 0.9, "dampening": 0.0}, ("momentum",)),
    "pytorch_nesterov": UpdateRule({"momentum": 0.9}, ("momentum",)),
    "adagrad": UpdateRule(
        {"initial_accumulator": 0.1, "epsilon": 1e-7},
        ("accumulator",),
        "initial_accumulator",
        _EITHER_SIDE,
    ),
    "rmsprop": UpdateRule(
        {"rho": 0.9, "epsilon": 1e-7}, ("velocity",), epsilon_placements=_EITHER_SIDE
    ),
    "adam": _ADAM,
    "adamw": dataclasses.replace(
        _ADAM, hyperparameters={**_ADAM.hyperparameters, "weight_decay": 0.004}
    ),
}
# The ways to clip gradients: each number to ±c; each variable's gradient, or all gradients
# together, to the Euclidean norm c.
CLIPS = ("clipvalue", "clipnorm", "global_clipnorm")
# The hyperparameters of each schedule, by which the learning rate changes with the steps.
# ``decay_epochs`` may stand for ``decay_steps``.
SCHEDULES: dict[str, tuple[str, ...]] = {
    "constant": (),
    "step": ("decay_rate", "decay_steps"),
    "exponential": ("decay_rate", "decay_steps"),
    "inverse_time": ("decay_rate", "decay_steps"),
    "cosine": ("decay_steps",),
}
# The schedules that may have stairs; "step" always has.
STAIRCASES = ("exponential", "inverse_time")
