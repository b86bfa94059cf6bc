"""A diagnosis in words, line by line; for terminals and for failed tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, Match

# How many mistakes are named if more fit.
MOST = 4


def explain_diagnosis(diagnosis: Diagnosis) -> Iterator[str]:
    """Lines with the mistakes that fit: what was done, why it is wrong, and what to do."""
    match diagnosis.verdict:
        case "correct":
            found = diagnosis.matches[0]
            enough = found.digits >= 1
            yield f"correct, to {digits(found)}" if enough else "too few digits to tell"
        case "known":
            (found,) = diagnosis.matches
            yield f"known mistake, to {digits(found)}: {titles(found.mistakes)}"
            yield from advice(found.mistakes)
        case "not unique":
            yield f"not unique: {len(diagnosis.matches)} known mistakes make these numbers"
            for found in diagnosis.matches[:MOST]:
                yield f"  {titles(found.mistakes)} (to {digits(found)})"
            if len(diagnosis.matches) > MOST:
                yield f"  and {len(diagnosis.matches) - MOST} more"
            match diagnosis.telling:
                case None:
                    yield "  no number of this step tells them apart; another case may"
                case (number, of_all):
                    yield f"  {number} tells {'them' if of_all else 'most of them'} apart"
        case _:
            yield f"none of {len(MISTAKES)} known mistakes, alone or in pairs, makes these numbers"
    for found in diagnosis.runners_up:
        if found.digits >= 1:
            agreed = f"{found.agreed} of {found.observed}, {digits(found)}"
            yield f"runner-up: {titles(found.mistakes)} ({agreed})"


def advice(names: Sequence[str]) -> Iterator[str]:
    """Three lines for each mistake: what was done, why it is wrong, and what to do."""
    for name in names:
        mistake = MISTAKES[name]
        yield f"  what was done: {mistake.did}"
        yield f"  why it is wrong: {mistake.why}"
        yield f"  what to do: {mistake.fix}"


def titles(names: Sequence[str]) -> str:
    """The titles and names of mistakes that are made together."""
    named = [f"{MISTAKES[name].title} [{name}]" for name in names]
    return ", and ".join(named) or "the correct step"


def digits(found: Match) -> str:
    """The digits that a match agrees to: ``5 digits``."""
    whole = math.floor(found.digits)
    return f"{whole} digit{'s' * (whole != 1)}"
