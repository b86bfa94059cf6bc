"""What departs from the exact step, in words, line by line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from shared import Case
from shared.quantities import element
from shared.sources import ancestors, sources
from threeways.conformance.hints import look_at
from threeways.exact.judge import Judgement, Worst
from threeways.report.relations import penalty, relation, relation_of_update

# How many quantities are named if there are more.
MOST_QUANTITIES = 12

# If more digits of a wrong number are right, it is said how many.
LEAST_DIGITS = 3


def explain_departures(
    judgement: Judgement, case: Case, head: str, verbose: bool = False
) -> Iterator[str]:
    """Lines about the first departure, what to look at, and departures that it does not explain.

    Args:
        judgement: of the step.
        case: whose first step it is.
        head: what the first line begins with.
        verbose: whether to say how far apart the numbers are in eps, and what rounding explains.
    """
    if not judgement.departures:
        return
    first, *others = judgement.departures
    words = in_words(judgement, first.quantity, case)
    yield head + departure(first, words, verbose)
    yield f"  {look_at(first.quantity, case)}"
    direct = sources(case.network, case.training)
    earlier = ancestors((each.quantity for each in judgement.departures), direct)
    unknown = [name for name in direct if name in earlier - {*judgement.worst}]
    right = {*judgement.worst} - {each.quantity for each in judgement.departures}
    used = ancestors(right, direct)  # by what is right, so that they are hardly wrong
    if len(suspects := [name for name in unknown if name not in used] or unknown) > 1:
        yield f"  the error may lie earlier, in what is not given: {_listed(suspects)}"
    elif suspects:
        yield f"  or earlier, in what is not given: {look_at(suspects[0], case)}"
    if others:
        why = "" if unknown else ", and not because of it"
        also = _listed([_also(judgement, each, case, words) for each in others])
        yield f"  also wrong{why}: {also}"


def in_words(judgement: Judgement, quantity: str, case: Case) -> str | None:
    """How a departing array relates to the right one; None where nothing simple fits."""
    difference = judgement.differences.get(quantity)
    if difference is None:
        return None
    words = relation(difference, case) or penalty(difference, quantity, case)
    if words is None and "_next" in quantity:
        letter, l = quantity[0], int(quantity[len("W_next[") : -1])
        words = relation_of_update(difference, getattr(case.parameters[l], letter), case)
    return words


def _also(judgement: Judgement, worst: Worst, case: Case, said: str | None) -> str:
    words = in_words(judgement, worst.quantity, case)
    if words and words == said:
        return f"{worst.quantity} likewise"
    return f"{worst.quantity}: {words}" if words else element(worst.quantity, worst.index)


def _listed(names: Sequence[str]) -> str:
    """The names in one line; of many the first few, and how many more there are."""
    more = len(names) - MOST_QUANTITIES
    return (
        ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST_QUANTITIES])} and {more} more"
    )


def departure(worst: Worst, words: str | None = None, verbose: bool = False) -> str:
    """The array in words, then an element that departs: its value and the exact one.

    Args:
        worst: the element.
        words: how the array relates to the right one, if that is known.
        verbose: whether to add how far apart the two numbers are.
    """
    line = f"{element(worst.quantity, worst.index)} is {worst.a!r}, should be {worst.b!r}"
    if words:
        line = f"{worst.quantity}: {words}; {line}"
    if not math.isfinite(worst.difference_eps):
        return f"{line} (not a finite number)"
    if verbose:
        explained = f"rounding explains {worst.bound_eps:.3g}"
        if _must_be_exact(worst):
            explained = "this number has to be exact"
        return f"{line} ({worst.difference_eps:.3g} eps apart; {explained})"
    agreeing = math.floor(math.log10(abs(worst.b) / abs(worst.a - worst.b) or 1))
    return f"{line} ({agreeing} digits agree)" if agreeing >= LEAST_DIGITS else line


def _must_be_exact(worst: Worst) -> bool:
    """Whether no rounding is allowed, or around 0 only as little as in numbers that underflow."""
    bound = abs(worst.a - worst.b) / worst.ratio
    return worst.b + bound == worst.b or (worst.b == 0 and worst.ratio > 1e20)
