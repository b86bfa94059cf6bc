"""What departs from the exact step, in words, line by line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from shared import Case
from shared.quantities import ancestors, element, sources
from threeways.conformance.hints import look_at
from threeways.exact.judge import Judgement, Worst

# How many quantities are named if there are more.
MOST_QUANTITIES = 12


def explain_departures(judgement: Judgement, case: Case, head: str) -> Iterator[str]:
    """Lines about the first departure, what to look at, and departures that it does not explain."""
    if not judgement.departures:
        return
    first, *others = judgement.departures
    yield head + departure(first)
    yield f"  {look_at(first.quantity, case)}"
    direct = sources(case.network, case.training)
    earlier = ancestors((each.quantity for each in judgement.departures), direct)
    if unknown := [name for name in direct if name in earlier - {*judgement.worst}]:
        yield f"  the error may lie earlier, in what is not given: {_listed(unknown)}"
    if others:
        why = "" if unknown else ", and not because of it"
        also = _listed([element(each.quantity, each.index) for each in others])
        yield f"  also wrong{why}: {also}"


def _listed(names: Sequence[str]) -> str:
    """The names in one line; of many the first few, and how many more there are."""
    more = len(names) - MOST_QUANTITIES
    return (
        ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST_QUANTITIES])} and {more} more"
    )


def departure(worst: Worst) -> str:
    """An element that departs: its value, the exact one, and how far apart they are."""
    apart = f"{worst.difference_eps:.3g} eps apart; rounding explains {worst.bound_eps:.3g}"
    if not math.isfinite(worst.difference_eps):
        apart = "not a finite number"
    elif _must_be_exact(worst):
        apart = f"{worst.difference_eps:.3g} eps apart; this number has to be exact"
    return f"{element(worst.quantity, worst.index)} is {worst.a!r}, should be {worst.b!r} ({apart})"


def _must_be_exact(worst: Worst) -> bool:
    """Whether no rounding is allowed, or around 0 only as little as in numbers that underflow."""
    bound = abs(worst.a - worst.b) / worst.ratio
    return worst.b + bound == worst.b or (worst.b == 0 and worst.ratio > 1e20)
