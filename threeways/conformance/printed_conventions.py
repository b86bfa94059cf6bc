"""Conventions that explain printed numbers, as :mod:`.conventions` has them of whole arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from impl_numpy import FeedForward
from shared import Case
from threeways.conformance.conventions import TITLES, factors, others
from threeways.mistakes import MISTAKES
from threeways.mistakes.matches import match
from threeways.mistakes.observations import Printed, agrees
from threeways.mistakes.steps import Numbers, numbers_of, scaled

# With fewer digits of what departs, all together, chance may well have made a factor.
LEAST_DIGITS = 3

# Later steps would have to be made too often.
MOST_STEPS = 1000


class PrintedConvention(NamedTuple):
    """A convention that makes all of some printed numbers.

    Args:
        line: what to say about it.
        is_certain: whether it explains them; if not, the loss or the gradients are not given, and
            the mistake of a factor in the others alone explains them as well.
    """

    line: str
    is_certain: bool


def printed_convention(
    case: Case, step: int, printed: Sequence[Printed], right: Numbers
) -> PrintedConvention | None:
    """The convention that makes printed numbers; None if there is none.

    Args:
        case: the case.
        step: the number of the step, counted from 1.
        printed: the numbers.
        right: the right step.
    """
    wrong = [each for each in printed if not agrees(each, right)]
    if step > MOST_STEPS or sum(each.n_digits for each in wrong) < LEAST_DIGITS:
        return None

    def explains(numbers: Numbers) -> bool:
        return match(printed, (), numbers).fits

    for factor, why in factors(case).items():
        if explains(numbers_of(scaled(FeedForward, float(factor)), case, step)):
            stems = {each.quantity.partition("[")[0] for each in wrong}
            whose = ["loss"] if "loss" in stems else []
            if any(stem[0] == "d" for stem in stems):
                whose.append("gradients")
            if not whose:  # only what the update has made of them is given
                continue
            verb = "is" if whose == ["loss"] else "are"
            line = f"your {' and '.join(whose)} {verb} {factor} times this case's ({why})"
            if not {"loss"} < stems:
                other = "gradients are" if whose == ["loss"] else "loss is"
                line += f"; if your {other}, too, it is a convention, and no mistake"
            return PrintedConvention(line, {"loss"} < stems)
    if not any(each.quantity.startswith("momentum_") for each in printed):
        for line, numbers in _others(case, step):
            if explains(numbers):
                return PrintedConvention(line, is_certain=True)
    return None


def _others(case: Case, step: int) -> Iterator[tuple[str, Numbers]]:
    """The lines and the numbers of the conventions other than of scale."""
    for theirs in others(case):
        yield theirs.line, numbers_of(FeedForward, theirs.case, step)
    training = case.training
    if training.weight_decay and training.optimizer != "adamw":
        kind = MISTAKES["weight-decay-in-gradient"]
        name = TITLES.get(training.optimizer, training.optimizer)
        line = (
            f"this is weight decay inside the gradient, g + λw, as PyTorch's {name} has it; this "
            "case's is a step of its own, as in AdamW"
        )
        yield line, numbers_of(kind, case, step)
