"""Branches: parts of a step that are wrong each by itself, and each to be explained alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.sources import ancestors
from threeways.mistakes.matches import Branch, Diagnosis
from threeways.mistakes.observations import Recorded, agrees
from threeways.mistakes.steps import Numbers

# If more quantities depart first, they are not searched one by one.
MOST = 8


def branches(
    observed: Sequence[Recorded], right: Numbers, direct: Mapping[str, set[str]]
) -> dict[str, list[Recorded]]:
    """What there is to explain of each quantity that departs first, by its name.

    That is the quantity itself, what follows from it and from no other that departs first, and what
    is right.

    Args:
        observed: what somebody got.
        right: the correct step.
        direct: the quantities in the order of the step, each with those that it is directly
            computed from.
    """
    right_ones = [each for each in observed if agrees(each, right)]
    wrong = {each.quantity: each for each in observed if each not in right_ones}
    causes = {name: ({name} | ancestors([name], direct)) & wrong.keys() for name in wrong}
    firsts = [name for name in direct if causes.get(name) == {name}]
    causes = {name: each & {*firsts} for name, each in causes.items()}
    return {
        first: right_ones + [each for name, each in wrong.items() if causes[name] == {first}]
        for first in firsts
    }


def merged(found: Mapping[str, Diagnosis]) -> tuple[Branch, ...]:
    """The diagnoses of branches, where those that one mistake explains are taken together."""
    groups: list[Branch] = []
    for first, diagnosis in found.items():
        names = {match.mistakes for match in diagnosis.matches}
        for i, group in enumerate(groups):
            common = [each for each in group.diagnosis.matches if each.mistakes in names]
            if common or not (names or group.diagnosis.matches):
                groups[i] = Branch((*group.firsts, first), group.diagnosis.of(common))
                break
        else:
            groups.append(Branch((first,), diagnosis))
    return tuple(groups)
