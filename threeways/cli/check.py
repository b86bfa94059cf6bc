"""``threeways check``: your own implementation, or recorded steps, compared with the exact step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from threeways.cli.check_reports import JSON, JUNIT, Reports
from threeways.cli.options import CASE, DTYPE, kept, load_cases, own_cases

# The endings of files of recorded steps; - is stdin.
RECORDS = (".json", ".jsonl")


@click.command()
@click.argument("target", metavar="MODULE:NAME|FILE.json|-")
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…", type=CASE)
@click.option(
    "--dtype",
    type=DTYPE,
    default="float64",
    show_default=True,
    help="The dtype to compute in.",
)
@click.option(
    "--time-limit",
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the import and each step may take.",
)
@click.option(
    "--require",
    metavar="NAME,…",
    help="Quantities that each step must have, such as dW,db; others may be left out.",
)
@click.option(
    "--scale",
    metavar="sum|NUMBER",
    help="How many times a case's loss and gradients yours are; sum if yours is not a mean.",
)
@JSON
@JUNIT
def check(
    target: str,
    cases: tuple[str, ...],
    dtype: str,
    time_limit: float,
    require: str | None,
    scale: str | None,
    json_path: Path | None,
    junit_path: Path | None,
) -> int:
    """Check your own network, or recorded steps, number by number.

    MODULE:NAME is a function step(network, parameters, x, y, learning_rate) that returns any of the
    step's quantities by name, or a class with the methods of impl_numpy.FeedForward. It runs on all
    of the project's networks unless cases are named. FILE.json, FILE.jsonl or - for stdin holds
    recorded steps, in the form that `threeways vectors` writes.
    """
    from shared import Case, InputError
    from threeways.conformance.check import check_implementation
    from threeways.report.check_json import case_entry
    from threeways.report.checks import explain_checks

    results: list[Any] = []  # CaseResult
    reports = Reports(json_path, junit_path)
    reports.check_writable()
    if target == "-" or target.lower().endswith(RECORDS):
        if cases:
            raise InputError(f"{cases[0]}: a file of steps has its own networks")
        if require is not None:
            raise InputError("--require: is for MODULE:NAME and FILE.py:NAME")
        if scale is not None:
            raise InputError("--scale: is for MODULE:NAME and FILE.py:NAME")
        return check_file(target, reports)
    elif ":" not in target:
        raise InputError(f"{target!r}: expected MODULE:NAME, FILE.py:NAME or FILE.json")
    else:
        loaded = load_cases(cases) if cases else own_cases()
        chains = [case.name for case in loaded if not isinstance(case, Case)]
        if cases and chains:
            raise InputError(*(f"{name}: a chain of functions, not a network" for name in chains))
        networks = [case.with_dtype(dtype) for case in loaded if isinstance(case, Case)]
        required = [name.strip() for name in require.split(",")] if require is not None else []
        checks = check_implementation(
            target, networks, time_limit, required, scale=scale if scale is not None else 1.0
        )
        lines = explain_checks(kept(checks, results), networks)
    reports.echo(lines)
    reports.write(target, list(map(case_entry, results, networks)))
    return 0 if results and all(result.ok for result in results) else 1


def check_file(target: str, reports: Reports) -> int:
    """The exit code of checking a file of recorded steps."""
    from threeways.conformance.record_reader import read_records
    from threeways.conformance.records import check_records
    from threeways.report.check_json import step_entry
    from threeways.report.records import explain_records

    results: list[Any] = []  # StepResult
    reports.echo(explain_records(kept(check_records(read_records(Path(target))), results)))
    reports.write(target, [step_entry(result) for result in results])
    return 0 if all(result.ok for result in results) else 1
