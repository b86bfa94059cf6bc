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
@click.option(
    "--steps",
    type=click.IntRange(2, 1000),
    default=2,
    show_default=True,
    help="How many steps to make of each case.",
)
@click.option(
    "--network",
    metavar="LAYERS",
    help="Only networks like this: relu-softmax, or 4-5sigmoid-3softmax with widths.",
)
@click.option("--loss", metavar="LOSS", help="Only networks with this loss.")
@click.option("--optimizer", metavar="OPTIMIZER", help="Only steps of this optimizer.")
@click.option(
    "--verbose",
    is_flag=True,
    help="Say of each departure how many eps it is, and how many rounding explains.",
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
    steps: int,
    network: str | None,
    loss: str | None,
    optimizer: str | None,
    verbose: bool,
    json_path: Path | None,
    junit_path: Path | None,
) -> int:
    """Check your own network, or recorded steps, number by number.

    MODULE:NAME is a function step(network, parameters, x, y, learning_rate) that returns any of the
    step's quantities by name, or a class with the methods of impl_numpy.FeedForward. It runs on all
    of the project's networks, or those that are named or that it is for, and on small ones made of
    their kinds. FILE.json, FILE.jsonl or - for stdin holds recorded steps, in the form that
    `threeways vectors` writes.
    """
    from shared import InputError

    choosing = {"--network": network, "--loss": loss, "--optimizer": optimizer}
    reports = Reports(json_path, junit_path)
    reports.check_writable()
    if target == "-" or target.lower().endswith(RECORDS):
        if cases:
            raise InputError(f"{cases[0]}: a file of steps has its own networks")
        of_code = {"--require": require, "--scale": scale, **choosing}
        given = [name for name, value in of_code.items() if value is not None]
        if given:
            raise InputError(*(f"{name}: is for MODULE:NAME and FILE.py:NAME" for name in given))
        return check_file(target, reports, verbose)
    if ":" not in target:
        raise InputError(f"{target!r}: expected MODULE:NAME, FILE.py:NAME or FILE.json")
    return check_code(
        target,
        cases,
        reports,
        dtype=dtype,
        time_limit=time_limit,
        require=require,
        steps=steps,
        scale=scale,
        choosing=choosing,
        verbose=verbose,
    )


def check_code(
    target: str,
    names: tuple[str, ...],
    reports: Reports,
    *,
    dtype: str,
    time_limit: float,
    require: str | None,
    scale: str | None,
    steps: int,
    choosing: dict[str, str | None],
    verbose: bool,
) -> int:
    """The exit code of checking a function or class; see the options of the command."""
    from shared import Case, InputError
    from threeways.conformance.check import Checker
    from threeways.conformance.coverage import check_required
    from threeways.conformance.plan import cases_for_named, cases_that_fit, settled
    from threeways.conformance.supports import declaration
    from threeways.report.check_json import case_entry
    from threeways.report.checks import explain_checks

    layers, loss, optimizer = choosing.values()
    wanted = declaration(layers, loss, optimizer, ("--network", "--loss", "--optimizer"))
    if names and wanted:
        given = next(name for name, value in choosing.items() if value)
        raise InputError(f"{given}: chooses cases, and {names[0]!r} is named; give one of the two")
    loaded = load_cases(names) if names else own_cases()
    chains = [case.name for case in loaded if not isinstance(case, Case)]
    if names and chains:
        raise InputError(*(f"{name}: a chain of functions, not a network" for name in chains))
    networks = [case.with_dtype(dtype) for case in loaded if isinstance(case, Case)]
    required = [name.strip() for name in require.split(",")] if require is not None else []
    check_required(required, networks)
    results: list[Any] = []
    with Checker(target, time_limit, steps, scale if scale is not None else 1.0) as checker:
        wanted = wanted or checker.declared
        if names:
            groups = cases_for_named(networks, wanted)
        else:
            groups = [[case] for case in cases_that_fit(networks, wanted, checker.kind)]
        chosen = [case for group in groups for case in group]
        found = settled(checker.results(chosen, required, wanted), groups)
        is_narrowed = bool(names or wanted)
        lines = explain_checks(kept(found, results), chosen, is_narrowed, verbose)
        reports.echo(lines)
    reports.write(target, list(map(case_entry, results, chosen)))
    is_right = any(result.is_tried for result in results)
    return 0 if is_right and all(result.ok for result in results) else 1


def check_file(target: str, reports: Reports, verbose: bool) -> int:
    """The exit code of checking a file of recorded steps."""
    from threeways.conformance.record_reader import read_records
    from threeways.conformance.records import check_records
    from threeways.report.check_json import step_entry
    from threeways.report.records import explain_records

    results: list[Any] = []  # StepResult
    done = kept(check_records(read_records(Path(target))), results)
    reports.echo(explain_records(done, verbose))
    reports.write(target, [step_entry(result) for result in results])
    return 0 if all(result.ok for result in results) else 1
