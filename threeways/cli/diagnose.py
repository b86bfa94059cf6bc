"""``threeways diagnose``: the known mistakes that explain the numbers that somebody got."""

from __future__ import annotations

import click

from threeways.cli.options import CASE, echo


@click.command()
@click.argument("case", metavar="CASE|FILE.toml", type=CASE)
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
def diagnose(case: str, values: tuple[str, ...], steps: int) -> int:
    """Say which known mistakes, alone or in pairs, make these numbers."""
    from threeways.report.progress import counted, waiting

    with waiting("loading the mistakes"):
        from shared import InputError
        from threeways.mistakes import diagnosis
        from threeways.report.diagnoses import explain_diagnosis

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
    with counted("candidates") as on_progress:
        found = diagnosis.diagnose(case, numbers, steps, on_progress)
    echo(explain_diagnosis(found))
    return 0
