"""``threeways diagnose``: the known mistakes that explain the numbers that somebody got."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import click

from threeways.cli.options import CASE, OUTPUT_FILE, echo, load_network


@click.command()
@click.argument("case", metavar="CASE|FILE.toml", type=CASE, required=False)
@click.option(
    "--value",
    "values",
    multiple=True,
    required=True,
    metavar="QUANTITY=NUMBER",
    help="A number of the step, with as many digits as are known: 'dW[1][0,1]=0.0826'.",
)
@click.option(
    "--steps",
    default=1,
    show_default=True,
    help="The step that the numbers belong to, counted from 1.",
)
@click.option(
    "--json",
    "json_path",
    type=click.Path(),
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write the answer as JSON, to this file or else to stdout, alone.",
)
@click.pass_context
def diagnose(
    ctx: click.Context,
    case: str | None,
    values: tuple[str, ...],
    steps: int,
    json_path: str | None,
) -> int:
    """Say which known mistakes, alone or in pairs, make these numbers.

    The exit code is 0 if they are correct, and 1 if they are not.
    """
    from threeways.report.progress import counted, waiting

    if case is None and json_path not in (None, "-"):  # --json CASE, without a file
        case, json_path = json_path, "-"
    of_case, *_, of_json = ctx.command.params
    if case is None:
        raise click.MissingParameter(ctx=ctx, param=of_case)
    path: Path | None = None
    if json_path is not None:
        path = OUTPUT_FILE.convert(json_path, of_json, ctx)
    with waiting("loading the mistakes"):
        from shared import InputError
        from threeways.conformance.printed_conventions import printed_convention
        from threeways.files import check_writable, descriptor, write_text
        from threeways.mistakes import diagnosis
        from threeways.report.diagnoses import explain_diagnosis
        from threeways.report.diagnosis_json import as_json

        if path:
            check_writable(path)
    problems = [
        f"--value {value!r}: expected QUANTITY=NUMBER" for value in values if "=" not in value
    ]
    if problems:
        raise InputError(*problems)
    numbers = dict(value.rsplit("=", 1) for value in values)
    if len(numbers) < len(values):
        names = [value.rsplit("=", 1)[0] for value in values]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"--value {twice}: is given twice")
    tell = functools.partial(
        printed_convention,
        load_network(case, "a chain of functions, known mistakes are of networks"),
        steps,
    )
    with counted("candidates") as on_progress:
        found = diagnosis.diagnose(case, numbers, steps, on_progress, tell)
    if path:
        answer = as_json(found, case, steps)
        write_text(path, json.dumps(answer, indent=1, allow_nan=False) + "\n")
    if path is None or descriptor(path) != 1:
        echo(explain_diagnosis(found))
    return 0 if found.verdict == "correct" else 1
