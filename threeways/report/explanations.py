"""What a judgement and a diagnosis come to, in words; for terminals and for failed tests."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from shared import SLOTS, Case
from shared.quantities import element, sources
from threeways.conformance.check import Checked, common_mistakes, look_at
from threeways.conformance.contract import TOLD
from threeways.conformance.records import Verdict
from threeways.exact.judge import Judgement, Worst
from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, Match

# How many of the mistakes that all fit are named.
MOST = 4


def explain_checks(results: Iterable[Checked], cases: Sequence[Case]) -> Iterator[str]:
    """Each case as it comes, then what all of them come to: how many are right, and the mistake.

    Args:
        results: of each case, in their order; consumed as the lines are.
        cases: which.
    """
    done: list[Checked] = []
    for checked, case in zip(results, cases, strict=True):
        done.append(checked)
        yield from explain_check(checked, case)
        if checked.ok and not checked.left_out:
            yield f"{checked.case} {checked.dtype}: right"
        elif checked.diagnosis:
            first, *more = explain_diagnosis(checked.diagnosis)
            yield f"  {first}"
            if checked.diagnosis.verdict == "not unique":
                yield from (f"  {line}" for line in more)
    wrong = [checked for checked in done if not checked.ok]
    left_out = sum(checked.left_out for checked in done)
    tried = len(done) - left_out
    yield f"\n{tried - len(wrong)} of {tried} right"
    if left_out:
        yield f"{left_out} left out: {TOLD}"
    if not wrong:
        return
    explained = common_mistakes(done)
    if len(explained) == 1:
        yield f"\nOne explanation fits all that depart: {titles(explained[0])}"
        yield from advice(explained[0])
    elif explained:
        yield f"\n{len(explained)} explanations fit all that depart:"
        yield from (f"  {titles(names)}" for names in explained[:MOST])


def explain_check(checked: Checked, case: Case) -> Iterator[str]:
    """What is wrong with somebody's step: the problems, and what departs first."""
    head = f"{checked.case} {checked.dtype}: "
    yield from (head + problem for problem in checked.problems)
    if checked.printed:
        yield head + checked.printed
    if checked.judgement:
        yield from explain_departures(checked.judgement, case, head)


def explain_departures(judgement: Judgement, case: Case, head: str) -> Iterator[str]:
    """The first departure and what to look at, and what else departs that does not follow of it."""
    if not judgement.departures:
        return
    first, *others = judgement.departures
    yield head + departure(first)
    yield f"  {look_at(first.quantity, case)}"
    all_behind = sources(case.network, SLOTS[case.training.optimizer])
    behind = set().union(*(all_behind[each.quantity] for each in judgement.departures))
    if unknown := [name for name in all_behind if name in behind - {*judgement.worst}]:
        yield f"  it may have begun before: {', '.join(unknown)} not given"
    if others:
        why = "" if unknown else ", and not because of it"
        also = ", ".join(element(each.quantity, each.index) for each in others)
        yield f"  wrong as well{why}: {also}"


def explain_records(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Each recorded step that is not what it should be, then how many are.

    Args:
        verdicts: consumed as the lines are.
    """
    done = 0
    wrong = 0
    for verdict in verdicts:
        done += 1
        if verdict.ok:
            continue
        wrong += 1
        head = f"{verdict.group.name}, step {verdict.step.number}: "
        if verdict.chain:
            yield head + verdict.chain
        if verdict.judgement.ok and not verdict.step.valid:
            yield head + "right, but the file says that it is invalid"
        if verdict.step.valid:
            yield from explain_departures(verdict.judgement, verdict.step.case, head)
        if verdict.diagnosis and verdict.step.valid:
            yield from (f"  {line}" for line in explain_diagnosis(verdict.diagnosis))
    yield f"{done - wrong} of {done} steps as they should be"


def departure(worst: Worst) -> str:
    """The element of a quantity that departs, with what it should be."""
    apart = f"{worst.difference_eps:.3g} eps apart, {worst.bound_eps:.3g} is rounding"
    if not math.isfinite(worst.difference_eps):
        apart = "not a finite number"
    return f"{element(worst.quantity, worst.index)} is {worst.a!r}, should be {worst.b!r} ({apart})"


def explain_diagnosis(diagnosis: Diagnosis) -> Iterator[str]:
    """The verdict, with the mistakes that fit, what was done, why it is wrong, and what to do."""
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
    """What was done, why it is wrong and what to do, for each of some mistakes."""
    for name in names:
        mistake = MISTAKES[name]
        yield f"  what was done: {mistake.did}"
        yield f"  why it is wrong: {mistake.why}"
        yield f"  what to do: {mistake.fix}"


def titles(names: Sequence[str]) -> str:
    """The titles of some mistakes that are made together."""
    named = [f"{MISTAKES[name].title} [{name}]" for name in names]
    return ", and ".join(named) or "the correct step"


def digits(found: Match) -> str:
    """``5 digits``."""
    whole = math.floor(found.digits)
    return f"{whole} digit{'s' * (whole != 1)}"
