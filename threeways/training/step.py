"""Any step of a training by itself, and all its numbers."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from impl_numpy import FeedForward
from impl_numpy.chain_rule import differentiate
from shared import Array, Case, ChainRuleCase, Dataset, InputError
from shared.training import StepTraining
from threeways.exact.optimizers import learning_rate
from threeways.exact.oracle import exact_step
from threeways.training.outcome import are_finite

# The largest step that may be asked for.
MOST_STEPS = 1_000_000


def at_step(case: Case | ChainRuleCase, number: int) -> Case | ChainRuleCase:
    """The case whose only step is step ``number`` of this case's training.

    It starts where ``impl_numpy`` is after the steps before, made in the case's dtype.

    Args:
        case: the case.
        number: the number of the step, from 1; it may be beyond the last epoch.

    Raises:
        InputError: there is no such step, or the training has diverged before it.
    """
    if not 1 <= number <= MOST_STEPS:
        raise InputError(f"steps: should be a whole number from 1 to {MOST_STEPS:,}, not {number}")
    if isinstance(case, ChainRuleCase):
        return _chain_at_step(case, number)
    if number == 1:
        return case.alone()
    case = case.prepared()
    net = FeedForward(case.network, case.parameters)
    x, y = case.network.array(case.dataset.x), case.network.array(case.dataset.y)
    batches = (
        rows
        for epoch in itertools.count()
        for rows in case.training.batches(epoch, len(case.dataset))
    )
    with np.errstate(all="ignore"):  # it may diverge
        for rows in itertools.islice(batches, number - 1):
            net.descend(x[rows], y[rows], case.training)
    if not are_finite(net.parameters):
        raise _diverged(case, number)
    rows = next(batches)
    optimizer = net.optimizer_for(case.training)
    return dataclasses.replace(
        case,
        parameters=net.parameters,
        dataset=Dataset(case.dataset.name, case.dataset.x[rows], case.dataset.y[rows]),
        training=StepTraining.of(case.training, net.masks_of_step(case.training, len(rows))),
        steps_before=optimizer.steps,
        slots=optimizer.slots,
        test=None,
        transfer=None,
    )


def _chain_at_step(case: ChainRuleCase, number: int) -> ChainRuleCase:
    for _ in range(number - 1):
        with np.errstate(all="ignore"):
            numbers = differentiate(case.chain_rule, case.dtype)
        inputs = {name: float(numbers[f"{name}_next"]) for name in case.chain_rule.inputs}
        if not np.isfinite(list(inputs.values())).all():
            raise _diverged(case, number)
        case = dataclasses.replace(
            case, chain_rule=dataclasses.replace(case.chain_rule, inputs=inputs)
        )
    return case


def _diverged(case: Case | ChainRuleCase, number: int) -> InputError:
    return InputError(f"{case.name}: its training has diverged before step {number:,}")


def numbers_of_step(case: Case | ChainRuleCase) -> dict[str, Array]:
    """Every number of a case's first step by name, in its order, first what it starts from.

    These are x, y, W[l] and b[l], the learning rate, and the dropout masks, as ``mask[1]`` of 0 and
    1 for a[1]; or the inputs of a chain of functions. What the step computes is exact, rounded to
    the nearest double.
    """
    computed = exact_step(case).values
    if isinstance(case, ChainRuleCase):
        inputs = {name: np.asarray(x) for name, x in case.chain_rule.inputs.items()}
        return {**inputs, "learning_rate": np.asarray(case.chain_rule.learning_rate), **computed}
    given = dict(zip("xy", map(case.network.array, case.first_batch()), strict=True))
    for l, (W, b) in enumerate(case.parameters):
        given |= {f"W[{l}]": W, f"b[{l}]": b}
    given["learning_rate"] = np.asarray(float(learning_rate(case.training, case.steps_before)))
    given |= {f"mask[{l}]": mask.astype(int) for l, mask in case.masks().items()}
    return given | computed
