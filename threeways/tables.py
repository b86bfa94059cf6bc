"""The tables that the commands print."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from shared import DATASETS, Case, ChainRuleCase
from threeways.compare import Pair, Result, Worst
from threeways.train import Apart, Run

DIFFERENCE = ("quantity", "apart", "bound")


def console() -> Console:
    """A console that does not fold tables when its output goes into a file or a pipe."""
    width = shutil.get_terminal_size().columns
    return Console(width=None if Console().is_terminal else max(width, 160), highlight=False)


def _table(columns: Iterable[str], numeric: Iterable[str] = ()) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left", no_wrap=True)
    return table


def print_comparison(results: Sequence[Result], out: Console) -> None:
    """A table for each dtype: every pair where cases are few, else a row a case with its worst."""
    every_pair = len({result.case for result in results}) <= 3
    for dtype in dict.fromkeys(result.dtype for result in results):
        chosen = [result for result in results if result.dtype == dtype]
        out.print(f"\n{dtype}: the worst of each step, in units of eps at the array's scale")
        out.print(_pairs(chosen) if every_pair else _worst_pairs(chosen))
    out.print(_summary(results))


def _pairs(results: Sequence[Result]) -> Table:
    names = list(results[0].seconds_per_step)
    table = _table(["case", "pair", *DIFFERENCE, "", *names], [*DIFFERENCE[1:], *names])
    for result in results:
        times = _times(result)
        for i, pair in enumerate(result.pairs):
            head = ["" if i else result.case, f"{pair.a} {pair.b}"]
            table.add_row(*head, *_difference(pair), *([] if i else times))
        if not result.pairs:
            table.add_row(result.case, "", "", "", "", "", *times)
    return table


def _worst_pairs(results: Sequence[Result]) -> Table:
    names = list(results[0].seconds_per_step)
    table = _table(["case", *DIFFERENCE, "", *names], [*DIFFERENCE[1:], *names])
    for result in results:
        worst = max(result.pairs, key=lambda pair: pair.worst.ratio, default=None)
        cells = _difference(worst) if worst else ["", "", "", ""]
        table.add_row(result.case, *cells, *_times(result))
    return table


def _difference(pair: Pair) -> list[str]:
    verdict = "[green]ok[/]" if pair.ok else "[bold red]differs[/]"
    worst = pair.worst
    return [_element(worst), _number(worst.difference_eps), _number(worst.bound_eps), verdict]


def _times(result: Result) -> list[str]:
    return [_seconds(seconds) for seconds in result.seconds_per_step.values()]


def _summary(results: Sequence[Result]) -> str:
    pairs = [(result, pair) for result in results for pair in result.pairs]
    if not pairs:
        return "\nOne implementation: there is nothing to compare it with."
    cases = _count(len({result.case for result in results}), "case")
    dtypes = " and ".join(dict.fromkeys(result.dtype for result in results))
    tried = f"\n{cases} in {dtypes}, {_count(len(pairs), 'pair')} of steps: "
    failed = [(result, pair) for result, pair in pairs if not pair.ok]
    if not failed:
        share = max(pair.worst.ratio for _, pair in pairs)
        return tried + f"[green]all agree[/], the worst at {share:.0%} of its bound."
    lines = [tried + f"[bold red]{len(failed)} differ[/] by more than rounding explains."]
    for result, pair in failed[:5]:
        worst = pair.worst
        lines.append(
            f"{result.case} {result.dtype}, {_element(worst)}: {pair.a} {worst.a!r}, "
            f"{pair.b} {worst.b!r}"
        )
    return "\n".join(lines)


def print_training(case: Case, runs: Sequence[Run], apart: Sequence[Apart], out: Console) -> None:
    """A row an implementation, then a row for each pair: how far apart they ended."""
    out.print(f"\n{case.name}: {_count(case.training.epochs, 'epoch')} in {case.network.dtype}")
    table = _table(
        ["", "first loss", "last loss", "accuracy", "seconds"],
        ["first loss", "last loss", "accuracy", "seconds"],
    )
    for run in runs:
        table.add_row(
            run.name,
            f"{run.history.loss[0]:.6g}",
            f"{run.history.loss[-1]:.6g}",
            "" if run.accuracy is None else f"{run.accuracy:.2%}",
            f"{run.seconds:.2f}",
        )
    out.print(table)
    for run in runs:
        if not math.isfinite(run.history.loss[-1]):
            out.print(f"[bold red]{run.name} diverged[/]: try a smaller learning rate.")
    for pair in apart:
        if not math.isfinite(pair.difference):
            continue
        out.print(
            f"{pair.a} and {pair.b} ended {pair.difference:.2g} apart, {_number(pair.eps)} eps, "
            f"in {pair.parameter}"
        )


def print_cases(cases: Sequence[Case | ChainRuleCase], out: Console) -> None:
    """A row a case: its name, its shape, its lectures and its title."""
    table = _table(["case", "network", "lectures"])
    table.add_column("title")
    for case in cases:
        shape = "-".join(map(str, case.network.widths)) if isinstance(case, Case) else "chain rule"
        table.add_row(case.name, shape, ", ".join(case.lectures), case.title)
    out.print(table)


def print_datasets(out: Console) -> None:
    """A row a data set: its name and what it holds."""
    table = _table(["data set"])
    table.add_column("what it holds")
    for name, (title, _) in DATASETS.items():
        table.add_row(name, title)
    out.print(table)


def _element(worst: Worst) -> str:
    index = ",".join(map(str, worst.index))
    return f"{worst.quantity}\\[{index}]" if index else worst.quantity.replace("[", "\\[")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "∞"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"
