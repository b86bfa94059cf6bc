"""A diagnosis in words, line by line; for terminals and for failed tests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, Match
from threeways.mistakes.given import Given
from threeways.mistakes.observations import Printed, agrees

# How many mistakes are named if more fit, and how many quantities.
MOST = 4
MOST_NAMES = 12


def explain_diagnosis(diagnosis: Diagnosis) -> Iterator[str]:
    """Lines with the mistakes that fit: what was done, why it is wrong, and what to do."""
    if diagnosis.convention:
        yield diagnosis.convention + "; all else agrees" * diagnosis.is_convention
    match diagnosis.verdict:
        case "convention":
            return
        case "correct":
            found = diagnosis.matches[0]
            enough = found.digits >= 1
            yield f"correct, to {digits(found)}" if enough else "too few digits to tell"
        case "none known" if diagnosis.correct.fits:
            yield "too near the right numbers to tell mistakes apart: none was tried"
        case "none known":
            pairs = ", alone or in pairs," if diagnosis.with_pairs else ", alone,"
            yield f"none of {len(MISTAKES)} known mistakes{pairs} makes these numbers"
            yield from beside_the_right(diagnosis.given)
        case "partly known":
            yield "no mistake or pair explains all of it, but by itself:"
            for branch in diagnosis.branches:
                first, *more = explain_diagnosis(branch.diagnosis)
                yield f"  {listed(branch.firsts)}: {first}"
                yield from (f"  {line}" for line in more)
        case verdict if len(diagnosis.matches) == 1:
            (found,) = diagnosis.matches
            known = "known mistake" if verdict == "known" else "possible, but not certain"
            yield f"{known}, to {digits(found)}: {titles(found.mistakes)}"
            yield from by_chance(diagnosis)
            yield from beside_the_right(diagnosis.given if verdict == "possible" else ())
            yield from advice(found.mistakes)
        case verdict:
            unsure = "not unique" if verdict == "not unique" else "possible, but not certain"
            yield f"{unsure}: {len(diagnosis.matches)} known mistakes make these numbers"
            for found in diagnosis.matches[:MOST]:
                yield f"  {titles(found.mistakes)} (to {digits(found)})"
            if len(diagnosis.matches) > MOST:
                yield f"  and {len(diagnosis.matches) - MOST} more"
            yield from by_chance(diagnosis)
            match diagnosis.telling:
                case None:
                    yield "  no number of this step tells them apart; another case may"
                case (number, of_all):
                    yield f"  {number} tells {'them' if of_all else 'most of them'} apart"
    if diagnosis.of_float32:
        yield "  only the 7 digits of float32 agree: a float32 program may have printed them all"
    for found in diagnosis.runners_up:
        agreed = f"{found.agreed} of {found.observed}, {digits(found)}"
        yield f"runner-up: {titles(found.mistakes)} ({agreed})"


def by_chance(diagnosis: Diagnosis) -> Iterator[str]:
    """A line on how many random numbers would match a mistake; none for whole arrays.

    Two mistakes that are to explain a single number are said to do so.
    """
    right = diagnosis.correct.numbers
    wrong = [each for each in diagnosis.observed if not agrees(each, right)]
    printed = [each for each in wrong if isinstance(each, Printed)]
    if not printed and diagnosis.verdict != "possible":
        return
    share = max(diagnosis.chance, 1e-6)
    often = "most" if share > 0.5 else f"1 in {round(1 / share)}"
    if share < 0.1:
        often = f"about 1 in {float(f'{1 / share:.0e}'):,.0f}"
    if len(wrong) > 1 or not printed:
        numbers = "random numbers in their place" if often == "most" else "draws of such numbers"
    else:
        numbers = f"numbers of {_in_digits(printed[0].n_digits)}"
    pairs = len(diagnosis.matches[0].mistakes) > 1 and len(diagnosis.observed) == 1
    head = "two mistakes from one number: " if pairs else ""
    yield f"  {head}by chance, {often} {numbers} would match something"


# What is said of a number beside the right one.
STATES = {
    "right": "right",
    "first": "departs first",
    "follows": "follows from yours before it",
    "departs": "departs, and not because of yours before it",
}


def beside_the_right(given: Sequence[Given]) -> Iterator[str]:
    """A line for each given number, in the order of the step: what it should be, what it says."""
    rows = [
        (each.element, each.printed.text, f"{each.right:.{max(each.printed.n_digits, 6)}g}")
        for each in given
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    departing = [each.state for each in given if each.state != "right"]
    for row, each in zip(rows, given, strict=True):
        name, yours, right = (cell.ljust(n) for cell, n in zip(row, widths, strict=True))
        state = STATES[each.state]
        if each.state == "first" and (len(departing) == 1 or departing.count("first") > 1):
            state = "departs"
        elif each.state == "right" and each.printed.place / 2 >= abs(each.right):
            state = "too few digits to tell"
        yield f"  {name}  yours {yours}  should be {right}  {state}"


def listed(names: Sequence[str]) -> str:
    """The names in one line; of many the first few, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:MOST_NAMES])} and {more} more"


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
    return ", and ".join(named)


def digits(found: Match) -> str:
    """The digits that a match agrees to: ``5 digits``."""
    return _in_digits(math.floor(found.digits))


def _in_digits(number: int) -> str:
    return f"{number} digit{'s' * (number != 1)}"
