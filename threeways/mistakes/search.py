"""The search for the mistakes, alone or two together, that explain what was observed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from threeways.mistakes.candidates import Candidates, counted
from threeways.mistakes.chance import Chance
from threeways.mistakes.matches import Diagnosis, Match, match
from threeways.mistakes.observations import Observation
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
    otherwise: Match | None = None,
) -> Diagnosis:
    """The single mistakes that fit; or else ``otherwise``, if given; or else the pairs that fit.

    Args:
        observed: the numbers to explain, which are not right.
        right: the correct step.
        candidates: the steps that mistakes make.
        direct: the quantities in the order of the step, each with those that it is directly
            computed from; None where the numbers are of a later step, whose start is wrong already.
        on_progress: called with the number of pairs tried, and of all.
        otherwise: what fits if no single mistake does.
    """
    correct = match(observed, (), right)
    chance = Chance(observed, right)
    alone = []
    for name, numbers in candidates.alone.items():
        chance.add(numbers)
        alone.append(match(observed, (name,), numbers))
    ranked = sorted(alone, key=closeness, reverse=True)
    fitting = [each for each in ranked if each.fits] or ([otherwise] if otherwise else [])
    if not fitting:
        pairs = list(itertools.combinations(candidates.alone, 2))
        if direct:
            pairs = possible_pairs(
                pairs, observed, right, candidates.alone, candidates.right, direct
            )
        for names in counted(pairs, on_progress):
            numbers = candidates.together(names)
            chance.add(numbers)
            together = match(observed, names, numbers)
            fitting += [together] if together.fits else []
        fitting.sort(key=lambda each: -each.digits)
    closer = [each for each in ranked if not each.fits and each.digits >= LEAST_DIGITS]
    closer = [each for each in closer if closeness(each) > closeness(correct)]
    return Diagnosis(
        matches=tuple(fitting),
        runners_up=tuple(closer[:RUNNERS_UP]),
        observed=tuple(observed),
        correct=correct,
        chance=chance.value,
    )


def closeness(found: Match) -> tuple[int, float]:
    """How many numbers agree, and to how many digits; rounding does not decide between equals."""
    return found.agreed, round(found.digits, 1)
