"""Judgements and diagnoses in words, line by line; for terminals and for failed tests."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence

from shared import Case
from shared.quantities import ancestors, element, sources
from threeways.conformance.check import CaseResult, common_mistakes
from threeways.conformance.contract import WHY_LEFT_OUT
from threeways.conformance.coverage import summary
from threeways.conformance.hints import look_at
from threeways.conformance.records import StepResult
from threeways.exact.judge import Judgement, Worst
from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, Match

# How many mistakes are named if more fit.
MOST = 4

# How many quantities are named if there are more.
MOST_QUANTITIES = 12


def explain_checks(results: Iterable[CaseResult], cases: Sequence[Case]) -> Iterator[str]:
    """Lines about each case, then how many are right by which quantities, and what is wrong.

    If any are wrong, that is the mistake that explains them all.

    Args:
        results: one for each case, in their order; consumed as the lines are.
        cases: the cases.
    """
    done: list[CaseResult] = []
    for result, case in zip(results, cases, strict=True):
        done.append(result)
        yield from explain_check(result, case)
        if result.ok and not result.left_out:
            yield f"{result.case} {result.dtype}: right"
        elif result.diagnosis:
            first, *more = explain_diagnosis(result.diagnosis)
            yield f"  {first}"
            if result.diagnosis.verdict == "not unique":
                yield from (f"  {line}" for line in more)
    wrong = [result for result in done if not result.ok]
    left_out = sum(result.left_out for result in done)
    tried = len(done) - left_out
    judged = [
        (case, result.judgement.worst)
        for case, result in zip(cases, done, strict=True)
        if result.judgement
    ]
    yield f"\n{tried - len(wrong)} of {tried} right{given_in(judged)}"
    if left_out:
        yield f"{left_out} left out: {WHY_LEFT_OUT}"
    if not wrong:
        return
    explained = common_mistakes(done)
    if len(explained) == 1:
        yield f"\nOne explanation fits all that depart: {titles(explained[0])}"
        yield from advice(explained[0])
    elif explained:
        yield f"\n{len(explained)} explanations fit all that depart:"
        yield from (f"  {titles(names)}" for names in explained[:MOST])


def explain_check(result: CaseResult, case: Case) -> Iterator[str]:
    """Lines about the problems of a case's step, what it printed, and what departs first."""
    head = f"{result.case} {result.dtype}: "
    yield from (head + problem for problem in result.problems)
    if result.printed:
        yield head + result.printed
    if result.judgement:
        yield from explain_departures(result.judgement, case, head)


def explain_departures(judgement: Judgement, case: Case, head: str) -> Iterator[str]:
    """Lines about the first departure, what to look at, and departures that it does not explain."""
    if not judgement.departures:
        return
    first, *others = judgement.departures
    yield head + departure(first)
    yield f"  {look_at(first.quantity, case)}"
    direct = sources(case.network, case.training.slots)
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


def explain_records(results: Iterable[StepResult]) -> Iterator[str]:
    """Lines about each recorded step that is not as it should be, then how many are.

    Args:
        results: consumed as the lines are.
    """
    given: list[tuple[Case, Collection[str]]] = []  # in the steps that are meant to be right
    done = 0
    wrong = 0
    for result in results:
        done += 1
        if result.step.valid:
            given.append((result.step.case, result.step.quantities))
        if result.ok:
            continue
        wrong += 1
        head = f"{result.group.name}, step {result.step.number}: "
        if result.chain_break:
            yield head + result.chain_break
        if result.judgement.ok and not result.step.valid:
            yield head + "right, but the file says that it is invalid"
        if result.step.valid:
            yield from explain_departures(result.judgement, result.step.case, head)
        if result.diagnosis and result.step.valid:
            yield from (f"  {line}" for line in explain_diagnosis(result.diagnosis))
    yield f"{done - wrong} of {done} steps as they should be{given_in(given)}"


def given_in(steps: Sequence[tuple[Case, Collection[str]]]) -> str:
    """``; given: loss, dW``: the quantities of these steps; "" if there are no steps."""
    return f"; given: {summary(steps)}" if steps else ""


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
