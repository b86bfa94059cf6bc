"""The tables of ``threeways cases`` and ``threeways datasets``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from shared import DATASETS, Case, ChainRuleCase
from threeways.report.console import new_table


def print_cases(cases: Sequence[Case | ChainRuleCase], out: Console) -> None:
    """Print the name, widths, lectures and title of each case."""
    table = new_table(["case", "network", "lectures"])
    table.add_column("title")
    for case in cases:
        shape = "-".join(map(str, case.network.widths)) if isinstance(case, Case) else "chain rule"
        table.add_row(case.name, shape, ", ".join(case.lectures), case.title)
    out.print(table)


def print_datasets(out: Console) -> None:
    """Print the name and the contents of each data set."""
    table = new_table(["data set"])
    table.add_column("what it holds")
    for name, (title, _) in DATASETS.items():
        table.add_row(name, title)
    out.print(table)
