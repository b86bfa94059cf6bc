"""Gradients derived from new parameters, where the update is plain descent: (W - W_next) / η."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from shared import Array, Case, Training
from threeways.exact.bounds import bounds
from threeways.exact.optimizers import learning_rate
from threeways.exact.oracle import Exact

# The fields of a training whose update is W_next = W - η dW.
PLAIN = {"learning_rate", "optimizer", "schedule", "decay_rate", "decay_steps"}


def is_plain(training: Training) -> bool:
    """Whether an update is W_next = W - η dW: by sgd, without weight decay or clipping."""
    given = {name for name, value in training.of_step.items() if value}
    return training.optimizer == "sgd" and given <= PLAIN


def derived_gradients(
    case: Case,
    quantities: Mapping[str, Array],
    exact: Exact,
    input_errors: Mapping[str, Array | float] | None = None,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """dW[l] and db[l] where only W_next[l] and b_next[l] are given, and the errors of dividing.

    A mistake in a gradient is so found where it is, and not in the update.

    Args:
        case: whose first step it is.
        quantities: those that were given.
        exact: the exact step.
        input_errors: of the start of the step, as in :func:`threeways.exact.bounds.bounds`.

    Returns:
        The gradients, and how far rounding of the update may have moved them: what is right as
        W_next is right as dW.
    """
    rate = float(learning_rate(case.training, case.steps_before))
    if not is_plain(case.training) or not rate:
        return {}, {}
    allowed = bounds(case, exact.values, input_errors=input_errors, scale=exact.scale)
    gradients, errors = {}, {}
    for l, (layer, weights) in enumerate(zip(case.network.layers, case.parameters, strict=True)):
        for letter, start in weights._asdict().items():
            name, after = f"d{letter}[{l}]", f"{letter}_next[{l}]"
            if layer.learns(letter) and after in quantities and name not in quantities:
                with np.errstate(all="ignore"):
                    gradients[name] = (start.astype(float) - quantities[after]) / rate
                    errors[name] = allowed[after] / rate + np.abs(gradients[name]) * 2.0**-51
    return gradients, errors
