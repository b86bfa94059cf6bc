"""The search for the mistakes, alone or two together, that explain what was observed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from threeways.mistakes import MISTAKES
from threeways.mistakes.candidates import Candidates, counted
from threeways.mistakes.chance import Chance
from threeways.mistakes.matches import Diagnosis, Match, match
from threeways.mistakes.observations import Observation, agrees
from threeways.mistakes.possible_pairs import possible_pairs
from threeways.mistakes.steps import Numbers
from threeways.progress import OnProgress

# Number of runners-up in a diagnosis, and the digits to which each has to agree.
RUNNERS_UP = 3
LEAST_DIGITS = 2


def search(
    observed: Sequence[Observation],
    right: Numbers,
    candidates: Candidates,
    direct: Mapping[str, set[str]] | None,
    on_progress: OnProgress | None = None,
    rounded: Sequence[Observation] = (),
    otherwise: Match | None = None,
    with_pairs: bool = True,
) -> Diagnosis:
    """The correct step if it fits; or else the single mistakes that fit; or else the pairs.

    Args:
        observed: the numbers to explain.
        right: the correct step.
        candidates: the steps that mistakes make.
        direct: the quantities in the order of the step, each with those that it is directly
            computed from; None where the numbers are of a later step, whose start is wrong already.
        on_progress: called with the number of pairs tried, and of all.
        rounded: the same numbers to float32's digits, if they may be of a float32 program; it is
            taken to be one if nothing fits all of their digits.
        otherwise: what fits if no single mistake does.
        with_pairs: whether pairs are tried.
    """
    given = observed
    for given in (observed, rounded) if rounded else (observed,):
        correct = match(given, (), right)
        alone = [] if correct.fits else _alone(given, candidates)
        fitting = [correct] if correct.fits else _general(each for each in alone if each.fits)
        if fitting:
            break
    chance = Chance(given, right)
    if not correct.fits:
        for numbers in candidates.alone.values():
            chance.add(numbers)
    if not fitting and otherwise:
        fitting = [otherwise]
    if not fitting and with_pairs:
        wrong_first = sorted(given, key=lambda each: agrees(each, right))
        for names in counted(_pairs(given, right, candidates, direct), on_progress):
            numbers = candidates.together(names)
            chance.add(numbers)
            if all(agrees(each, numbers) for each in wrong_first):
                together = match(given, names, numbers)
                fitting += [together] if together.fits else []
        fitting.sort(key=lambda each: -each.digits)
        exactly = [each for each in fitting if match(observed, (), each.numbers).fits]
        if exactly:
            given, fitting = observed, exactly
    closer = [each for each in alone if not each.fits and each.digits >= LEAST_DIGITS]
    closer = [each for each in closer if closeness(each) > closeness(correct)]
    return Diagnosis(
        matches=tuple(fitting),
        runners_up=tuple(closer[:RUNNERS_UP]),
        observed=tuple(given),
        correct=correct,
        chance=chance.value,
        of_float32=bool(fitting) and given is rounded,
        with_pairs=with_pairs,
    )


def _alone(observed: Sequence[Observation], candidates: Candidates) -> list[Match]:
    """How well each single mistake fits, the best first."""
    found = [match(observed, (name,), numbers) for name, numbers in candidates.alone.items()]
    return sorted(found, key=closeness, reverse=True)


def _pairs(
    observed: Sequence[Observation],
    right: Numbers,
    candidates: Candidates,
    direct: Mapping[str, set[str]] | None,
) -> list[tuple[str, str]]:
    """The pairs of mistakes that the observed numbers do not rule out.

    A mistake is not tried with its other values, or in one layer alone: that would be too many.
    """
    basic = [name for name in candidates.alone if not is_variant(name)]
    pairs = list(itertools.combinations(basic, 2))
    if direct is None:
        return pairs
    return possible_pairs(pairs, observed, right, candidates.alone, candidates.right, direct)


def _general(fitting: Iterable[Match]) -> list[Match]:
    """The matches without those in one layer alone, if any other fits as well."""
    found = list(fitting)
    return [each for each in found if not MISTAKES[each.mistakes[0]].variant_of] or found


def is_variant(name: str) -> bool:
    """Whether a mistake is another one in one layer alone, or with another value."""
    kind = MISTAKES[name]
    return kind.variant_of is not None or (bool(kind.values) and kind.value != kind.values[0])


def closeness(found: Match) -> tuple[int, float]:
    """How many numbers agree, and to how many digits; rounding does not decide between equals."""
    return found.agreed, round(found.digits, 1)
