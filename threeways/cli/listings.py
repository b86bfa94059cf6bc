"""``threeways cases`` and ``threeways datasets``: the lists of both."""

from __future__ import annotations

import click

from threeways.cli.options import load_cases


@click.command("cases")
def list_cases() -> int:
    """List the cases: networks with their data and training.

    Most are examples of the lectures; `threeways compare` takes their names. A case whose data need
    a package that is not installed is left out, and a line on stderr says so.
    """
    from shared import InputError, case_names
    from threeways.report.console import console
    from threeways.report.listings import print_cases

    cases, left_out = [], []
    for name in case_names():
        try:
            cases += load_cases([name])
        except InputError as error:
            left_out += [f"such as {name} ({error.problems[0]})"]
    print_cases(cases, console())
    if left_out:
        click.echo(f"{len(left_out)} more are left out, {left_out[0]}", err=True)
    return 0


@click.command("datasets")
def list_datasets() -> int:
    """List the data sets that a case can name."""
    from threeways.report.console import console
    from threeways.report.listings import print_datasets

    print_datasets(console())
    return 0
