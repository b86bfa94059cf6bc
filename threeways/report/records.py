"""The results of recorded steps, in words, line by line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from shared import Case
from threeways.conformance.coverage import given_in
from threeways.conformance.records import StepResult
from threeways.report.departures import explain_departures
from threeways.report.diagnoses import explain_diagnosis


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
        if result.step.valid and result.convention:
            yield head + result.convention
        elif result.step.valid:
            yield from explain_departures(result.judgement, result.step.case, head)
        if result.diagnosis and result.step.valid:
            yield from (f"  {line}" for line in explain_diagnosis(result.diagnosis))
    yield f"{done - wrong} of {done} steps as they should be{given_in(given)}"
