"""The results of checking an implementation, in words, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared import Case
from threeways.conformance.check import CaseResult, common_mistakes
from threeways.conformance.contract import WHY_LEFT_OUT
from threeways.conformance.coverage import given_in
from threeways.report.departures import explain_departures
from threeways.report.diagnoses import MOST, advice, explain_diagnosis, titles


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
        if result.ok and result.is_tried:
            yield f"{result.case} {result.dtype}: right"
        elif result.diagnosis:
            first, *more = explain_diagnosis(result.diagnosis)
            yield f"  {first}"
            if result.diagnosis.verdict in ("not unique", "possible", "partly known"):
                yield from (f"  {line}" for line in more)
    wrong = [result for result in done if not result.ok]
    left_out = sum(result.left_out for result in done)
    tried = sum(result.is_tried for result in done)
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
    head = f"{result.case} {result.dtype}: " + f"step {result.step}: " * (result.step > 1)
    yield from (head + problem for problem in result.problems)
    if result.printed:
        yield head + result.printed
    if result.judgement:
        yield from explain_departures(result.judgement, result.judged or case, head)
