"""Which pairs of mistakes a step's numbers do not rule out, so that not all have to be tried."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from shared import Array
from shared.quantities import ancestors
from threeways.mistakes import MISTAKES
from threeways.mistakes.observations import Observation, Recorded
from threeways.mistakes.steps import Numbers

# Many times the rounding error of any step, in eps.
MANY = 1e4


def possible_pairs(
    pairs: Sequence[tuple[str, str]],
    observed: Sequence[Observation],
    exact: Numbers,
    effective: Mapping[str, Numbers],
    right: Numbers,
    direct: Mapping[str, set[str]],
) -> list[tuple[str, str]]:
    """The pairs that need to be tried, of a first step.

    What a mistake does to right numbers it does in a pair, too, unless the other one changes the
    same number or one that it is computed from. So a pair cannot have been made if one of the two
    is the first to make a number wrong that was observed to be right; nor if a number is wrong that
    was computed from right ones, and neither of the two is the first to change it.

    That holds for mistakes in different places of the step. It does not for two that override the
    same method, nor for one that changes the network itself or what is recorded of the whole step:
    there the other one may do something else than alone.

    Args:
        pairs: pairs of the names in ``effective``.
        observed: what somebody got.
        exact: the exact step.
        effective: the step that each mistake alone makes, by its name.
        right: the step without a mistake, made as those are.
        direct: the quantities in the order of the step, each with those that it is directly
            computed from.
    """
    with np.errstate(all="ignore"):
        agrees = {each: each.compare(exact)[0] for each in observed}
        fits = {
            name: {each for each in observed if each.compare(numbers)[0]}
            for name, numbers in effective.items()
        }
    # Of a printed number, the others in its array may be wrong.
    is_right = {each.quantity for each in observed if agrees[each] and isinstance(each, Recorded)}
    departures = {
        each.quantity for each in observed if not agrees[each] and direct[each.quantity] <= is_right
    }
    changed = {
        name: {each for each in right if not np.array_equal(numbers[each], right[each])}
        for name, numbers in effective.items()
    }

    @functools.cache
    def earlier(quantity: str) -> set[str]:
        return ancestors([quantity], direct)

    moved = {
        name: {each for each in quantities if is_far(effective[name][each], right[each])}
        for name, quantities in changed.items()
    }
    first = {
        name: {each.quantity for each in observed if each.quantity in quantities}
        - {each.quantity for each in observed if moved[name] & earlier(each.quantity)}
        for name, quantities in changed.items()
    }
    belied = {
        name: {each.quantity for each in observed if agrees[each] and each not in fits[name]}
        & first[name]
        for name in effective
    }

    def spoils(one: str, other: str) -> bool:
        """Whether the pair must make a number wrong that was right, since only one changes it."""
        return any(not changed[other] & {each, *earlier(each)} for each in belied[one])

    def leaves(one: str, other: str) -> bool:
        """Whether neither of the pair explains a number that is wrong although its sources are not.

        Two that change the same sources may cancel there and still change it.
        """
        return any(
            each not in first[one] | first[other]
            and not (changed[one] & earlier(each) and changed[other] & earlier(each))
            for each in departures
        )

    return [
        (one, other)
        for one, other in pairs
        if meet(one, other) or not (spoils(one, other) or spoils(other, one) or leaves(one, other))
    ]


def is_far(a: Array, b: Array) -> bool:
    """Whether two arrays are further apart than another order of the same operations explains."""
    eps = np.finfo(b.dtype).eps
    with np.errstate(all="ignore"):
        return not np.abs(a - b).max() <= MANY * eps * np.abs(b).max()


def meet(one: str, other: str) -> bool:
    """Whether two mistakes override the same method, or either one that the whole step is in."""
    a, b = (
        {name for name, part in vars(MISTAKES[each]).items() if callable(part)}
        for each in (one, other)
    )
    return bool(a & b or (a | b) & {"__init__", "step"})
