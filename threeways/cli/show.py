"""``threeways show``: all the numbers of a step."""

from __future__ import annotations

import json

import click

from threeways.cli.options import CASE, echo, load_cases


@click.command()
@click.argument("case", metavar="CASE|FILE.toml", type=CASE)
@click.option(
    "--steps",
    default=1,
    show_default=True,
    metavar="N",
    help="Show step N of the training; NumPy makes the steps before it.",
)
@click.option(
    "--quantity",
    "quantities",
    multiple=True,
    metavar="NAME",
    help="Show only this, whole: 'dW[1]', 'dW[1][0,1]', dW, or a name of the lecture: w5+.",
)
@click.option(
    "--digits",
    type=click.IntRange(1, 15),
    default=9,
    show_default=True,
    help="Round to so many significant digits.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all numbers and digits.")
def show(case: str, steps: int, quantities: tuple[str, ...], digits: int, as_json: bool) -> int:
    """Print all the numbers of a step, in its order.

    They are exact, and rounded for reading. Each array has its shape beside it; what a lecture
    calls w5, `w5+` after the update, goes by that name too.
    """
    from threeways.report.progress import waiting

    with waiting("making the step"):
        from shared import Case
        from threeways.report.console import console
        from threeways.report.steps import explain_step, parts, step_json
        from threeways.training.step import at_step, numbers_of_step

        (loaded,) = load_cases([case])
        names = loaded.names if isinstance(loaded, Case) else {}
        shown = parts(numbers_of_step(at_step(loaded, steps)), quantities, names)
    if as_json:
        click.echo(json.dumps(step_json(loaded, steps, shown, names), allow_nan=False))
    else:
        width = console().width
        echo(explain_step(loaded, steps, shown, names, digits, width, whole=bool(quantities)))
    return 0
