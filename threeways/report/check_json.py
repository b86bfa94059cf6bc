"""The results of ``threeways check`` for programs: JSON, and JUnit's XML for CI."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from shared import Case
from threeways.characters import visible
from threeways.compare import versions
from threeways.conformance.contract import WHY_LEFT_OUT
from threeways.conformance.records import StepResult
from threeways.conformance.results import CaseResult
from threeways.exact.judge import Judgement, Worst
from threeways.mistakes.diagnosis import Diagnosis
from threeways.report.checks import explain_check
from threeways.report.diagnoses import explain_diagnosis
from threeways.report.records import explain_step

SCHEMA = "threeways/check/v1"


def check_report(target: str, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What ``check --json`` writes: whether all is right, and each result.

    Args:
        target: what was checked.
        results: as :func:`step_entry` and :func:`case_entry` make them.
    """
    return {
        "schema": SCHEMA,
        "ok": all(each["ok"] for each in results) and any(not each["skipped"] for each in results),
        "target": target,
        "versions": versions(),
        "results": list(results),
    }


def step_entry(result: StepResult) -> dict[str, Any]:
    """The entry of a recorded step."""
    digits = result.group.writing.digits
    return entry(
        result.group.name,
        result.step.number,
        result.group.network.dtype,
        result.ok,
        result.judgement,
        result.diagnosis,
        list(explain_step(result)),
        convention=result.convention,
    ) | {
        "valid": result.step.valid,
        "digits": str(digits) if digits else None,
    }


def case_entry(result: CaseResult, case: Case) -> dict[str, Any]:
    """The entry of a case that an implementation was checked on."""
    lines = list(explain_check(result, case))
    if result.diagnosis:
        lines += [f"  {line}" for line in explain_diagnosis(result.diagnosis)]
    return entry(
        result.case,
        result.step,
        result.dtype,
        result.ok,
        result.judgement,
        result.diagnosis,
        lines,
        WHY_LEFT_OUT if result.left_out else result.not_supported,
        result.convention,
    )


def entry(
    name: str,
    step: int,
    dtype: str,
    ok: bool,
    judgement: Judgement | None,
    diagnosis: Diagnosis | None,
    lines: Sequence[str],
    skipped: str | None = None,
    convention: str | None = None,
) -> dict[str, Any]:
    """The entry of a result, whatever was checked.

    Args:
        name: of its case or group.
        step: the number of the step.
        dtype: that of the step.
        ok: whether it is as it should be.
        judgement, diagnosis: of its numbers, if there are any.
        lines: what is wrong, in words.
        skipped: why it was not judged; None if it was.
        convention: the one by which it is right, in a line; None if there is none.
    """
    return {
        "name": name,
        "step": step,
        "dtype": dtype,
        "ok": ok,
        "skipped": skipped,
        "departures": [_worst(each) for each in judgement.departures] if judgement else [],
        "quantities": list(judgement.worst) if judgement else [],
        "convention": convention,
        "verdict": diagnosis.verdict if diagnosis else None,
        "mistakes": [
            {"names": list(match.mistakes), "digits": math.floor(match.digits)}
            for match in (diagnosis.matches if diagnosis else ())
        ],
        "lines": [visible(line.strip("\n")) for line in lines],
    }


def _worst(worst: Worst) -> dict[str, Any]:
    """A departure, in which a number that is not finite is null."""
    numbers = {
        "found": worst.a,
        "exact": worst.b,
        "difference_eps": worst.difference_eps,
        "bound_eps": worst.bound_eps,
    }
    return {"quantity": worst.quantity, "index": list(worst.index)} | {
        name: number if math.isfinite(number) else None for name, number in numbers.items()
    }


def junit(target: str, results: Sequence[dict[str, Any]]) -> str:
    """The same results as JUnit's XML: a test case for each.

    Args:
        target, results: as of :func:`check_report`.
    """
    skipped = sum(each["skipped"] is not None for each in results)
    failed = sum(not each["ok"] for each in results)
    counts = {"tests": len(results), "failures": failed, "errors": 0, "skipped": skipped}
    suite = ElementTree.Element(
        "testsuite", {"name": visible(target)} | {key: str(count) for key, count in counts.items()}
    )
    for each in results:
        name = f"{visible(each['name'])} {each['dtype']} step {each['step']}"
        case = ElementTree.SubElement(suite, "testcase", classname=visible(target), name=name)
        if each["skipped"] is not None:
            ElementTree.SubElement(case, "skipped", message=visible(each["skipped"]))
        elif not each["ok"]:
            first, *_ = each["lines"] or [""]
            failure = ElementTree.SubElement(case, "failure", message=first)
            failure.text = "\n".join(each["lines"])
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
