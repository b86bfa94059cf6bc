"""The results of checking an implementation, in words, line by line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from shared import Case
from shared.quantities import element
from threeways.conformance.contract import WHY_LEFT_OUT
from threeways.conformance.coverage import given_in
from threeways.conformance.results import MOST_IN_FULL, CaseResult, common_mistakes
from threeways.report.departures import explain_departures, in_words
from threeways.report.diagnoses import MOST, advice, explain_diagnosis, titles

# How many reasons are given why cases are not supported.
MOST_REASONS = 3
# How many kinds of networks that are all right are named.
MOST_KINDS = 3


def explain_checks(
    results: Iterable[CaseResult],
    cases: Sequence[Case],
    is_narrowed: bool = False,
    verbose: bool = False,
) -> Iterator[str]:
    """Lines about each case, then how many are right by which quantities, and what is wrong.

    If any are wrong, that is the mistake that explains them all.

    Args:
        results: one for each case, in their order; consumed as the lines are.
        cases: the cases.
        is_narrowed: whether the implementation, or whoever runs it, says what it is for.
        verbose: as in :func:`threeways.report.departures.explain_departures`.
    """
    done: list[CaseResult] = []
    n_wrong = 0
    for result, case in zip(results, cases, strict=True):
        done.append(result)
        n_wrong += not result.ok
        if result.ok and result.is_tried:
            yield f"{result.case} {result.dtype}: right"
        lines = list(explain_check(result, case, verbose))
        is_brief = n_wrong > MOST_IN_FULL and not result.ok
        yield from lines[:1] if is_brief else lines
        if result.diagnosis and not (is_brief and not result.diagnosis.matches):
            first, *more = explain_diagnosis(result.diagnosis)
            yield f"  {first}"
            is_listed = result.diagnosis.verdict in ("not unique", "possible", "partly known")
            if is_listed and not is_brief:
                yield from (f"  {line}" for line in more)
        if n_wrong == 1 and not result.ok and not is_narrowed:
            yield from how_to_narrow(result, case)
    wrong = [result for result in done if not result.ok]
    yield from totals(done, cases)
    if not wrong:
        return
    if not is_narrowed:
        yield from narrower(done, cases)
    explained = common_mistakes(done)
    if len(explained) == 1:
        yield f"\nOne explanation fits all that depart: {titles(explained[0])}"
        yield from advice(explained[0])
    elif explained:
        yield f"\n{len(explained)} explanations fit all that depart:"
        yield from (f"  {titles(names)}" for names in explained[:MOST])


def totals(results: Sequence[CaseResult], cases: Sequence[Case]) -> Iterator[str]:
    """Lines with how many cases are right by which quantities, and how many were not tried."""
    tried = [result for result in results if result.is_tried]
    right = sum(result.ok for result in tried)
    judged = [
        (case, {*result.judgement.worst} - {*result.derived})
        for case, result in zip(cases, results, strict=True)
        if result.judgement
    ]
    reasons = Counter(each.not_supported for each in results if each.not_supported is not None)
    if tried:
        yield f"\n{right} of {len(tried)} right{given_in(judged)}"
    else:
        yield f"\nnothing was checked: none of {len(results)} networks is supported"
    if told := sum(result.convention is not None for result in tried if not result.ok):
        yield f"{told} wrong by nothing but a convention"
    if left_out := sum(result.left_out for result in results):
        yield f"{left_out} left out: {WHY_LEFT_OUT}"
    if reasons:
        yield f"{reasons.total()} not supported:"
        for reason, count in reasons.most_common(MOST_REASONS):
            yield f"  {count}: {reason}"
        if len(reasons) > MOST_REASONS:
            yield f"  and {len(reasons) - MOST_REASONS} more reasons"


def how_to_narrow(result: CaseResult, case: Case) -> Iterator[str]:
    """Lines that say how to declare what an implementation is for."""
    n_layers = len(case.network.layers)
    unpacked = (re.search(r"unpack \(expected (\d+)", each) for each in result.problems)
    expected = next((int(found[1]) for found in unpacked if found), n_layers)
    if expected != n_layers:
        yield f"  it looks as if it were for {expected} layers, and this network has {n_layers}"
    yield "  if this is not what it is for, say what is: --network relu-softmax, say, and --loss;"
    yield "  or @supports(layers=…, loss=…) above it; or raise NotImplementedError in it"


def narrower(results: Sequence[CaseResult], cases: Sequence[Case]) -> Iterator[str]:
    """Lines with the kinds of networks of which all are right, if they are few."""
    kinds: dict[tuple[str, str], list[bool]] = {}
    for result, case in zip(results, cases, strict=True):
        if result.is_tried:
            layers = "-".join(layer.activation for layer in case.network.layers)
            kinds.setdefault((layers, case.network.loss), []).append(result.ok)
    right = [kind for kind, each in kinds.items() if all(each)]
    if 0 < len(right) <= MOST_KINDS and len(right) < len(kinds):
        yield "\nAll are right of these; if it is for no others, say so:"
        yield from (f"  --network {layers} --loss {loss}" for layers, loss in right)


def explain_check(result: CaseResult, case: Case, verbose: bool = False) -> Iterator[str]:
    """Lines about the problems of a case's step, what it printed, and what departs first."""
    head = f"{result.case} {result.dtype}: " + f"step {result.step}: " * (result.step > 1)
    yield from (head + problem for problem in result.problems)
    if result.printed:
        yield f"{result.case} {result.dtype}: {result.printed}"
    if result.convention:
        yield head + result.convention
    elif result.judgement:
        lines = explain_departures(result.judgement, result.judged or case, head, verbose)
        yield from _said_of_derived(lines, result)
        if _is_all_wrong(result, case):
            yield (
                "  nothing of it is right: does it start from the parameters that it is given, "
                "take x and y as they are, and make one update?"
            )


def _is_all_wrong(result: CaseResult, case: Case) -> bool:
    """Whether every number that was given is wrong, for no reason that is known."""
    judgement, diagnosis = result.judgement, result.diagnosis
    if not (judgement and judgement.departures and diagnosis) or diagnosis.matches:
        return False
    if any(each.ratio <= 1 for each in judgement.worst.values()) or len(judgement.worst) == 1:
        return False
    return in_words(judgement, judgement.departures[0].quantity, result.judged or case) is None


def _said_of_derived(lines: Iterable[str], result: CaseResult) -> Iterator[str]:
    """The lines; the first says so if it is about a gradient that was derived."""
    for i, line in enumerate(lines):
        first = result.judgement.departures[0] if result.judgement else None
        if i == 0 and first and first.quantity in result.derived:
            name = element(first.quantity, first.index)
            after = f"{first.quantity[1]}_next{first.quantity[2:]}"
            line = line.replace(name, f"{name}, derived from your {after},", 1)
        yield line
