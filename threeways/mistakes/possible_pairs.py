"""Which pairs of mistakes a step's numbers do not rule out, so that not all have to be tried."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from shared.sources import ancestors
from threeways.mistakes import MISTAKES, Mistake
from threeways.mistakes.candidates import is_far
from threeways.mistakes.observations import Observation, Recorded, agrees
from threeways.mistakes.steps import Numbers

# Many times the rounding error of any step, in eps.
MANY = 1e4


class Effect(NamedTuple):
    """What a mistake alone does to a step, as sets of quantities.

    Args:
        changed: those in which it changes a bit.
        first: the observed ones that it changes although it moves nothing that they are computed
            from, except by rounding.
        belied: those of the latter that it makes wrong, but were observed to be right.
    """

    changed: set[str]
    first: set[str]
    belied: set[str]


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
    same method, nor for one that changes the network itself: there the other one may do something
    else than alone.

    Args:
        pairs: pairs of the names in ``effective``.
        observed: what somebody got.
        exact: the exact step.
        effective: the step that each mistake alone makes, by its name.
        right: the step without a mistake, made as those are.
        direct: the quantities in the order of the step, each with those that it is directly
            computed from.
    """
    earlier = {each.quantity: ancestors([each.quantity], direct) for each in observed}
    agreeing = [each for each in observed if agrees(each, exact)]
    departing = [each for each in observed if not agrees(each, exact)]
    # Of a printed number, the others in its array may be wrong.
    known = {each.quantity for each in agreeing if isinstance(each, Recorded)}
    departures = {each.quantity for each in departing if direct[each.quantity] <= known}
    effects = {}
    for name, numbers in effective.items():
        changed = {each for each in right if not np.array_equal(numbers[each], right[each])}
        moved = {each for each in changed if is_far(numbers[each], right[each], MANY)}
        first = {each for each in changed & earlier.keys() if not moved & earlier[each]}
        believed = [each for each in agreeing if each.quantity in first]
        belied = {each.quantity for each in believed if not agrees(each, numbers)}
        effects[name] = Effect(changed, first, belied)

    def are_possible(a: Effect, b: Effect) -> bool:
        return not (
            any(not b.changed & {each, *earlier[each]} for each in a.belied)
            or any(not a.changed & {each, *earlier[each]} for each in b.belied)
            # Two that change the same sources may cancel there and still change what follows.
            or any(
                each not in a.first | b.first
                and not (a.changed & earlier[each] and b.changed & earlier[each])
                for each in departures
            )
        )

    # A mistake that changes nothing on the way to the wrong numbers has no part in them.
    wrong = {each.quantity for each in departing}
    on_the_way = wrong | ancestors(wrong, direct)

    def has_to_be_tried(one: str, other: str) -> bool:
        a, b = effects[one], effects[other]
        if not (a.changed & on_the_way and b.changed & on_the_way):
            return False
        if is_last(one) or is_last(other):
            return wrong <= a.changed | b.changed
        return meet(one, other) or are_possible(a, b)

    return [names for names in pairs if has_to_be_tried(*names)]


def meet(one: str, other: str) -> bool:
    """Whether two mistakes override the same method, or either one that changes the network."""
    a, b = overridden(one), overridden(other)
    return bool((a & b) - {"step"} or "__init__" in a | b)


def is_last(name: str) -> bool:
    """Whether a mistake acts on what the step has made, and so can hide what another one did."""
    return "step" in overridden(name)


@functools.cache
def overridden(name: str) -> set[str]:
    """The methods that a mistake overrides."""
    kinds = [kind for kind in MISTAKES[name].__mro__ if issubclass(kind, Mistake)]
    parts = {method: part for kind in kinds[:-1] for method, part in vars(kind).items()}
    return {method for method, part in parts.items() if callable(part)}
