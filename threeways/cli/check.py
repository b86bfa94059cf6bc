"""``threeways check``: your own implementation, or recorded steps, compared with the exact step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from threeways.cli.options import DTYPE, kept, load_cases, own_cases


@click.command()
@click.argument("target", metavar="MODULE:NAME|FILE.json")
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…")
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
def check(target: str, cases: tuple[str, ...], dtype: str, time_limit: float) -> int:
    """Compare your own implementation, or recorded steps, with the exact step.

    MODULE:NAME is a function step(network, parameters, x, y, learning_rate) that returns any of the
    step's quantities by name, or a class with the methods of impl_numpy.FeedForward. It runs on all
    of the project's networks unless cases are named. FILE.json holds recorded steps, in the form
    that `threeways vectors` writes.
    """
    from shared import Case, InputError
    from threeways.conformance.check import check_implementation
    from threeways.conformance.record_reader import read_records
    from threeways.conformance.records import check_records
    from threeways.report.explanations import explain_checks, explain_records

    results: list[Any] = []  # CaseResult or StepResult
    if target.lower().endswith(".json"):
        if cases:
            raise InputError(f"{cases[0]}: a file of steps has its own networks")
        lines = explain_records(kept(check_records(read_records(Path(target))), results))
    elif ":" not in target:
        raise InputError(f"{target!r}: expected MODULE:NAME, FILE.py:NAME or FILE.json")
    else:
        loaded = load_cases(cases) if cases else own_cases()
        chains = [case.name for case in loaded if not isinstance(case, Case)]
        if cases and chains:
            raise InputError(*(f"{name}: a chain of functions, not a network" for name in chains))
        networks = [case.with_dtype(dtype) for case in loaded if isinstance(case, Case)]
        checks = check_implementation(target, networks, time_limit)
        lines = explain_checks(kept(checks, results), networks)
    for line in lines:
        click.echo(line)
    return 0 if all(result.ok for result in results) else 1
