"""The tables of ``threeways compare``, and the lines that explain and sum them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.quantities import element
from threeways.compare import Result
from threeways.exact.judge import Worst
from threeways.report.console import decimal, fitting_table, ok_or_differs, plural, shown

# The most cases for which every comparison has a row of its own.
FEW_CASES = 3

# How many comparisons that failed are listed at most.
MOST_FAILED = 5

# The rows of a result, each with a cell for each column.
RowsOf: TypeAlias = Callable[[Result], list[list[str]]]

LEGEND = {
    "compared": "two implementations, or one and the exact step",
    "quantity": "the number that is nearest to its bound, of all numbers of the step",
    "step": "the step that it belongs to, from 1",
    "diff": "the difference of the two",
    "bound": "the largest difference that rounding explains",
}


def print_comparison(results: Sequence[Result], out: Console) -> None:
    """Print a table for each dtype, a legend, and whether all agree."""
    few = len({result.case for result in results}) <= FEW_CASES
    columns, rows_of = (_every_comparison if few else _row_a_case)(results)
    names = list(results[0].exact)
    from_exact = [f"Δ{name}" for name in names]
    drop = [names, *([from_exact] if "quantity" in columns else [])]
    drop += [["step"], ["bound"], ["diff"], ["quantity"]]
    all_rows = [row for result in results for row in rows_of(result)]
    for dtype in dict.fromkeys(result.dtype for result in results):
        rows = [row for result in results if result.dtype == dtype for row in rows_of(result)]
        numeric = {*from_exact, *names, "step", "diff", "bound"}
        table = fitting_table(columns, rows, out, numeric, drop, like=all_rows)
        eps = np.finfo(dtype).eps
        out.print(
            f"\n{dtype}: differences in eps ({eps:.2g}) times the largest number of the array"
        )
        out.print(table)
    legend = _legend(table, names)
    if legend.row_count:
        out.print()
        out.print(legend)
    out.print(_summary(results))


def _every_comparison(results: Sequence[Result]) -> tuple[list[str], RowsOf]:
    """The columns, and a row for each comparison of a case."""
    difference = _difference_columns(results)
    names = list(results[0].exact)

    def rows(result: Result) -> list[list[str]]:
        compared = [(f"{pair.a} {pair.b}", pair.worst) for pair in result.pairs]
        compared += [(f"{name} exact", worst) for name, worst in result.exact.items()]
        return [
            [
                "" if i else shown(result.case),
                names,
                *_difference(worst, difference),
                ok_or_differs(worst.ratio <= 1),
                *([""] * len(result.exact) if i else _times(result)),
            ]
            for i, (names, worst) in enumerate(compared)
        ]

    return ["case", "compared", *difference, "", *names], rows


def _row_a_case(results: Sequence[Result]) -> tuple[list[str], RowsOf]:
    """The columns, and a row for a case: its worst pair, and each implementation's worst."""
    difference = _difference_columns(results) if results[0].pairs else []
    names = list(results[0].exact)

    def rows(result: Result) -> list[list[str]]:
        worst_pair = max((pair.worst for pair in result.pairs), key=_ratio, default=None)
        row = [
            shown(result.case),
            *(_difference(worst_pair, difference) if worst_pair else []),
            *(decimal(worst.difference_eps) for worst in result.exact.values()),
            ok_or_differs(result.ok),
            *_times(result),
        ]
        return [row]

    return ["case", *difference, *(f"Δ{name}" for name in names), "", *names], rows


def _difference_columns(results: Sequence[Result]) -> list[str]:
    step = ["step"] if any(result.steps > 1 for result in results) else []
    return ["quantity", *step, "diff", "bound"]


def _difference(worst: Worst, columns: Sequence[str]) -> list[str]:
    cells = {
        "quantity": escape(element(worst.quantity, worst.index)),
        "step": str(worst.step),
        "diff": decimal(worst.difference_eps),
        "bound": decimal(worst.bound_eps),
    }
    return [cells[column] for column in columns]


def _ratio(worst: Worst) -> float:
    return worst.ratio


def _times(result: Result) -> list[str]:
    return [_seconds(seconds) for seconds in result.seconds_per_step.values()]


def _legend(table: Table, names: Sequence[str]) -> Table:
    """A line for each column of a table that a newcomer may not know."""
    shown = [str(column.header) for column in table.columns]
    lines = {column: text for column, text in LEGEND.items() if column in shown}
    if "diff" in shown and "compared" not in shown:
        lines["diff"] = "the difference of the two implementations that agree least"
    more = " …" if len(names) > 1 else ""
    if f"Δ{names[0]}" in shown:
        lines[f"Δ{names[0]}{more}"] = (
            "the difference from the exact value, where it is nearest to its bound"
        )
    if names[0] in shown:
        lines[f"{names[0]}{more}"] = "the time of a step"
    legend = Table.grid(padding=(0, 1, 0, 0))
    legend.add_column(no_wrap=True)
    for column, text in lines.items():
        legend.add_row(column, text)
    return legend


def _summary(results: Sequence[Result]) -> str:
    cases = plural(len({result.case for result in results}), "case")
    dtypes = " and ".join(dict.fromkeys(result.dtype for result in results))
    found = [
        (result, name, "exact", worst) for result in results for name, worst in result.exact.items()
    ]
    found += [(result, pair.a, pair.b, pair.worst) for result in results for pair in result.pairs]
    n_steps = sum(result.steps * len(result.exact) for result in results)
    n_pairs = sum(result.steps * len(result.pairs) for result in results)
    tried = f"\n{cases} in {dtypes},\n{plural(n_steps, 'step')} compared with the exact ones"
    tried += f" and {plural(n_pairs, 'pair')} with each other.\n" if n_pairs else ".\n"
    failed = [each for each in found if not each[-1].ratio <= 1]
    if not failed:
        result, _, _, worst = max(found, key=lambda each: each[-1].ratio)
        return (
            f"{tried}[green]All {n_steps + n_pairs:,} comparisons agree.[/]\n"
            f"The closest call: {_place(result, worst)}, "
            f"at {worst.ratio:.0%} of what rounding can explain."
        )
    lines = [tried + f"[bold red]{len(failed)} differ[/] by more than rounding explains:"]
    for result, a, b, worst in failed[:MOST_FAILED]:
        lines.append(f"{_place(result, worst)}: {a} {worst.a!r}, {b} {worst.b!r}")
    if len(failed) > MOST_FAILED:
        lines.append(f"and {len(failed) - MOST_FAILED} more")
    return "\n".join(lines)


def _place(result: Result, worst: Worst) -> str:
    """Where a number is: ``W_next[0][1,1] in mazur (float32), step 2``."""
    step = f", step {worst.step}" if worst.step > 1 else ""
    where = escape(element(worst.quantity, worst.index))
    return f"{where} in {shown(result.case)} ({result.dtype}){step}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"
