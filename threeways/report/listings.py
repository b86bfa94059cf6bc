"""The tables of ``threeways cases`` and ``threeways datasets``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console

from shared import DATASETS, Case, ChainRuleCase
from threeways.report.console import fitting_table, shown

# The least width of a column of text, and of the titles beside everything else about a case.
LEAST_TEXT, LEAST_TITLE = 16, 30


def print_cases(cases: Sequence[Case | ChainRuleCase], out: Console) -> None:
    """Print each case: its layers, loss, optimizer, rows of data, lectures and title.

    Where there is no room for a row of a table, a case has two lines.
    """
    columns = ["case", "network", "loss", "optimizer", "rows", "lectures", "title"]
    rows = [[shown(cell) for cell in _cells(case)] for case in cases]
    table = fitting_table(columns, rows, out, numeric=["rows"], text=LEAST_TITLE)
    if out.measure(table, options=out.options.update(max_width=1000)).minimum > out.width:
        columns = ["case", "title"]
        table = fitting_table(columns, list(_two_lines(cases)), out, text=LEAST_TEXT)
        table.columns[-1].overflow = "fold"  # many layers are one long word
    out.print(table)


def _cells(case: Case | ChainRuleCase) -> list[str]:
    """The cells of a case's row, from its name to its title."""
    lectures = ", ".join(case.lectures)
    if isinstance(case, ChainRuleCase):
        return [case.name, "chain rule", "", "", "", lectures, case.title]
    layers = [f"{layer.units}{layer.activation}" for layer in case.network.layers]
    network = "-".join([str(case.network.n_features), *layers])
    training = case.network.loss, case.training.optimizer, f"{len(case.dataset):,}"
    return [case.name, network, *training, lectures, case.title]


def _two_lines(cases: Sequence[Case | ChainRuleCase]) -> Iterator[tuple[str, str]]:
    """Two rows for each case: its name and title, then its lectures and all else."""
    for case in cases:
        name, network, loss, optimizer, n_rows, lectures, title = map(shown, _cells(case))
        yield name, title
        rows = f"{n_rows} row{'s' * (n_rows != '1')}" if n_rows else ""
        yield f"  {lectures}", ", ".join(filter(None, [network, loss, optimizer, rows]))


def print_datasets(out: Console) -> None:
    """Print the name and the contents of each data set."""
    rows = [[shown(name), shown(title)] for name, (title, _) in DATASETS.items()]
    out.print(fitting_table(["data set", "what it holds"], rows, out, text=LEAST_TEXT))
