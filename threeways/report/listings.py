"""The tables of ``threeways cases`` and ``threeways datasets``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from shared import DATASETS, Case, ChainRuleCase
from threeways.report.console import fitting_table, shown

# The least width of a column of text.
LEAST_TEXT = 16


def print_cases(cases: Sequence[Case | ChainRuleCase], out: Console) -> None:
    """Print the name, widths, lectures and title of each case."""
    rows = []
    for case in cases:
        shape = "-".join(map(str, case.network.widths)) if isinstance(case, Case) else "chain rule"
        cells = case.name, shape, ", ".join(case.lectures), case.title
        rows.append([shown(cell) for cell in cells])
    columns = ["case", "network", "lectures", "title"]
    table = fitting_table(columns, rows, out, drop=[["network"], ["lectures"]], text=LEAST_TEXT)
    out.print(table)


def print_datasets(out: Console) -> None:
    """Print the name and the contents of each data set."""
    rows = [[shown(name), shown(title)] for name, (title, _) in DATASETS.items()]
    out.print(fitting_table(["data set", "what it holds"], rows, out, text=LEAST_TEXT))
