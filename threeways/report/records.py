"""The results of recorded steps, in words, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from shared import Case
from threeways.conformance.coverage import given_in
from threeways.conformance.records import RecordedGroup, StepResult
from threeways.report.departures import explain_departures
from threeways.report.diagnoses import explain_diagnosis, listed

# Of how many steps of a run, at most, it is said what is wrong with them.
MOST_OF_A_RUN = 10


def explain_records(results: Iterable[StepResult], verbose: bool = False) -> Iterator[str]:
    """Lines about each recorded step that is not as it should be, then how many are.

    Args:
        results: consumed as the lines are.
        verbose: as in :func:`threeways.report.departures.explain_departures`.
    """
    given: list[tuple[Case, Collection[str]]] = []  # in the steps that are meant to be right
    written: dict[str, None] = {}
    of_run = Counter[RecordedGroup]()
    done = 0
    wrong = 0
    for result in results:
        done += 1
        written |= dict.fromkeys(how_written(result.group))
        if result.step.valid:
            given.append((result.step.case, result.step.quantities))
        wrong += not result.ok
        of_run[result.group] += result.group.chained and not result.ok
        if of_run[result.group] <= MOST_OF_A_RUN:
            yield from explain_step(result, verbose)
    for group, count in of_run.items():
        if (more := count - MOST_OF_A_RUN) > 0:
            yield f"{group.name}: and {more} more of its steps"
    yield from written
    yield f"{done - wrong} of {done} steps as they should be{given_in(given)}"


def explain_step(result: StepResult, verbose: bool = False) -> Iterator[str]:
    """Lines about a step that is not as it should be; none about one that is."""
    if result.ok:
        return
    head = f"{result.group.name}, step {result.step.number}: "
    if result.chain_break:
        yield head + result.chain_break
    if result.judgement.ok and not result.step.valid:
        yield head + "right, but the file says that it is invalid"
    if not result.step.valid:
        return
    if result.convention:
        yield head + result.convention
        return
    yield from explain_departures(result.judgement, result.step.case, head, verbose)
    if result.diagnosis and (repeated := result.group.repeated):
        yield (
            f"  the same in all {len(result.group.steps)} steps: {listed(repeated)}; is each "
            "copied when it is recorded, and in the loop?"
        )
    if result.diagnosis:
        yield from (f"  {line}" for line in explain_diagnosis(result.diagnosis))


def how_written(group: RecordedGroup) -> Iterator[str]:
    """A line on how a group's numbers are written, if they are not written in full."""
    digits = group.writing.digits
    if group.network.dtype != group.said_dtype:
        yield (
            f"numbers of {digits}, but not those of any {group.said_dtype}: "
            f"judged as {group.network.dtype}, rounded"
        )
    elif digits:
        yield f"numbers of {digits}: judged as rounded"
