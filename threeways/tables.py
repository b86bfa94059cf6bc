"""The tables that the commands print."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from shared import DATASETS, Case, ChainRuleCase
from threeways.compare import Result
from threeways.judge import Worst
from threeways.train import Apart, Run

DIFFERENCE = ("quantity", "apart", "bound")

# Columns that a table needs to show times too.
WIDE = 110


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # for the command to end by; rich would exit with 1, a failure here


def console() -> Console:
    """A console that does not fold tables when its output goes into a file or a pipe."""
    width = shutil.get_terminal_size().columns
    return _Console(width=None if Console().is_terminal else max(width, 160), highlight=False)


def _table(columns: Iterable[str], numeric: Iterable[str] = ()) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left", no_wrap=True)
    return table


def print_comparison(results: Sequence[Result], out: Console) -> None:
    """A table for each dtype: every comparison where cases are few, else a row a case."""
    few = len({result.case for result in results}) <= 3
    for dtype in dict.fromkeys(result.dtype for result in results):
        chosen = [result for result in results if result.dtype == dtype]
        out.print(f"\n{dtype}: the worst of each step, in units of eps at the array's scale")
        out.print(_every_comparison(chosen) if few else _row_a_case(chosen, out.width >= WIDE))
    if not few:
        out.print("Δ: the worst of each implementation, from the exact value")
    out.print(_summary(results))


def _every_comparison(results: Sequence[Result]) -> Table:
    names = list(results[0].seconds_per_step)
    table = _table(["case", "of", *DIFFERENCE, "", *names], [*DIFFERENCE[1:], *names])
    for result in results:
        comparisons = [(f"{pair.a} {pair.b}", pair.worst) for pair in result.pairs]
        comparisons += [(f"{name} exact", worst) for name, worst in result.exact.items()]
        for i, (of, worst) in enumerate(comparisons):
            times = [] if i else _times(result)
            table.add_row("" if i else result.case, of, *_difference(worst), *times)
    return table


def _row_a_case(results: Sequence[Result], with_times: bool) -> Table:
    names = list(results[0].seconds_per_step)
    from_exact = [f"Δ{name}" for name in names]
    pairwise = list(DIFFERENCE) if results[0].pairs else []
    times = names if with_times else []
    columns = ["case", *pairwise, *from_exact, "", *times]
    table = _table(columns, [*pairwise[1:], *from_exact, *times])
    for result in results:
        cells = []
        if result.pairs:
            cells = _difference(max((pair.worst for pair in result.pairs), key=_ratio))[:-1]
        cells += [_number(worst.difference_eps) for worst in result.exact.values()]
        table.add_row(
            result.case, *cells, _verdict(result.ok), *(_times(result) if with_times else [])
        )
    return table


def _difference(worst: Worst) -> list[str]:
    numbers = [_number(worst.difference_eps), _number(worst.bound_eps)]
    return [_element(worst), *numbers, _verdict(worst.ratio <= 1)]


def _verdict(ok: bool) -> str:
    return "[green]ok[/]" if ok else "[bold red]differs[/]"


def _ratio(worst: Worst) -> float:
    return worst.ratio


def _times(result: Result) -> list[str]:
    return [_seconds(seconds) for seconds in result.seconds_per_step.values()]


def _summary(results: Sequence[Result]) -> str:
    cases = _count(len({result.case for result in results}), "case")
    dtypes = " and ".join(dict.fromkeys(result.dtype for result in results))
    steps = [
        (result, name, "exact", worst) for result in results for name, worst in result.exact.items()
    ]
    pairs = [(result, pair.a, pair.b, pair.worst) for result in results for pair in result.pairs]
    tried = f"\n{cases} in {dtypes}: {_count(len(steps), 'step')} held to the exact one"
    tried += f", {_count(len(pairs), 'pair')} to each other:\n" if pairs else ":\n"
    failed = [comparison for comparison in steps + pairs if not comparison[-1].ratio <= 1]
    if not failed:
        share = max(worst.ratio for *_, worst in steps + pairs)
        return tried + f"[green]all agree[/], the worst at {share:.0%} of its bound."
    lines = [tried + f"[bold red]{len(failed)} differ[/] by more than rounding explains."]
    for result, a, b, worst in failed[:5]:
        lines.append(
            f"{result.case} {result.dtype}, {_element(worst)}: {a} {worst.a!r}, {b} {worst.b!r}"
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
