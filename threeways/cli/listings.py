"""``threeways cases`` and ``threeways datasets``: the lists of both."""

from __future__ import annotations

import click

from threeways.cli.options import own_cases


@click.command("cases")
def list_cases() -> int:
    """List the cases: networks with their data and training.

    Most are examples of the lectures; `threeways compare` takes their names.
    """
    from threeways.report.progress import waiting

    with waiting("loading the cases"):
        from threeways.report.console import console
        from threeways.report.listings import print_cases

        cases = own_cases()
    print_cases(cases, console())
    return 0


@click.command("datasets")
def list_datasets() -> int:
    """List the data sets that a case can name."""
    from threeways.report.console import console
    from threeways.report.listings import print_datasets

    print_datasets(console())
    return 0
