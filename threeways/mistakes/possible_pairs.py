"""Which pairs of mistakes a step's numbers do not rule out, so that not all have to be tried."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np

from shared.quantities import ancestors
from threeways.mistakes.observations import Observation, Recorded
from threeways.mistakes.steps import Numbers


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

    first = {
        name: {each.quantity for each in observed if each.quantity in quantities}
        - {each.quantity for each in observed if quantities & earlier(each.quantity)}
        for name, quantities in changed.items()
    }
    belied = {
        name: {each.quantity for each in observed if agrees[each] and each not in fits[name]}
        & first[name]
        for name in effective
    }

    def spoils(one: str, other: str) -> bool:
        return any(not changed[other] & {each, *earlier(each)} for each in belied[one])

    def leaves(one: str, other: str) -> bool:
        return any(
            each not in first[one] | first[other]
            and not (changed[one] & earlier(each) and changed[other] & earlier(each))
            for each in departures
        )

    return [
        (one, other)
        for one, other in pairs
        if not (spoils(one, other) or spoils(other, one) or leaves(one, other))
    ]
