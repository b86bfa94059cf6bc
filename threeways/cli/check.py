"""``threeways check``: your own implementation, or recorded steps, compared with the exact step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from threeways.cli.options import CASE, DTYPE, echo, kept, load_cases, own_cases


@click.command()
@click.argument("target", metavar="MODULE:NAME|FILE.json")
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
def check(
    target: str,
    cases: tuple[str, ...],
    dtype: str,
    time_limit: float,
    require: str | None,
    scale: str | None,
) -> int:
    """Check your own network, or recorded steps, number by number.

    MODULE:NAME is a function step(network, parameters, x, y, learning_rate) that returns any of the
    step's quantities by name, or a class with the methods of impl_numpy.FeedForward. It runs on all
    of the project's networks unless cases are named. FILE.json holds recorded steps, in the form
    that `threeways vectors` writes.
    """
    from shared import Case, InputError
    from threeways.conformance.check import check_implementation
    from threeways.conformance.record_reader import read_records
    from threeways.conformance.records import check_records
    from threeways.report.checks import explain_checks
    from threeways.report.records import explain_records

    results: list[Any] = []  # CaseResult or StepResult
    if target.lower().endswith(".json"):
        if cases:
            raise InputError(f"{cases[0]}: a file of steps has its own networks")
        if require is not None:
            raise InputError("--require: is for MODULE:NAME and FILE.py:NAME")
        if scale is not None:
            raise InputError("--scale: is for MODULE:NAME and FILE.py:NAME")
        lines = explain_records(kept(check_records(read_records(Path(target))), results))
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
    echo(lines)
    return 0 if results and all(result.ok for result in results) else 1
