"""The tables of ``threeways compare``, and the lines that explain and sum them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.quantities import element
from threeways.compare import Result
from threeways.exact.judge import Worst
from threeways.report.console import decimal, new_table, ok_or_differs, plural

# The most cases for which every comparison has a row of its own.
FEW_CASES = 3

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
    make = _every_comparison if few else _row_a_case
    for dtype in dict.fromkeys(result.dtype for result in results):
        chosen = [result for result in results if result.dtype == dtype]
        eps = np.finfo(dtype).eps
        out.print(
            f"\n{dtype}: differences in eps ({eps:.2g}) times the largest number of the array"
        )
        table = _with_times_if_they_fit(make, chosen, out)
        table.columns[0].no_wrap = False  # on a narrow terminal, names give way first
        out.print(table)
    out.print()
    out.print(_legend(table, list(results[0].exact)))
    out.print(_summary(results))


def _with_times_if_they_fit(
    make: Callable[[Sequence[Result], bool], Table], results: Sequence[Result], out: Console
) -> Table:
    table = make(results, True)
    width = out.measure(table, options=out.options.update(max_width=1000)).maximum
    return table if width <= out.width else make(results, False)


def _every_comparison(results: Sequence[Result], with_times: bool) -> Table:
    """A row for each comparison of each case."""
    times = list(results[0].seconds_per_step) if with_times else []
    difference = _difference_columns(results)
    table = new_table(["case", "compared", *difference, "", *times], [*difference[1:], *times])
    for result in results:
        comparisons = [(f"{pair.a} {pair.b}", pair.worst) for pair in result.pairs]
        comparisons += [(f"{name} exact", worst) for name, worst in result.exact.items()]
        for i, (compared, worst) in enumerate(comparisons):
            table.add_row(
                "" if i else result.case,
                compared,
                *_difference(worst, difference),
                ok_or_differs(worst.ratio <= 1),
                *(_times(result) if with_times and not i else []),
            )
    return table


def _row_a_case(results: Sequence[Result], with_times: bool) -> Table:
    """A row for each case: the worst of its pairs, and each implementation's worst."""
    times = list(results[0].seconds_per_step) if with_times else []
    from_exact = [f"Δ{name}" for name in results[0].exact]
    difference = _difference_columns(results) if results[0].pairs else []
    table = new_table(
        ["case", *difference, *from_exact, "", *times], [*difference[1:], *from_exact, *times]
    )
    for result in results:
        worst_pair = max((pair.worst for pair in result.pairs), key=_ratio, default=None)
        table.add_row(
            result.case,
            *(_difference(worst_pair, difference) if worst_pair else []),
            *(decimal(worst.difference_eps) for worst in result.exact.values()),
            ok_or_differs(result.ok),
            *(_times(result) if with_times else []),
        )
    return table


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
    for column, text in lines.items():
        legend.add_row(column, text)
    return legend


def _summary(results: Sequence[Result]) -> str:
    cases = plural(len({result.case for result in results}), "case")
    dtypes = " and ".join(dict.fromkeys(result.dtype for result in results))
    steps = [
        (result, name, "exact", worst) for result in results for name, worst in result.exact.items()
    ]
    pairs = [(result, pair.a, pair.b, pair.worst) for result in results for pair in result.pairs]
    n_steps = sum(result.steps * len(result.exact) for result in results)
    n_pairs = sum(result.steps * len(result.pairs) for result in results)
    tried = f"\n{cases} in {dtypes},\n{plural(n_steps, 'step')} compared with the exact ones"
    tried += f" and {plural(n_pairs, 'pair')} with each other:\n" if pairs else ":\n"
    failed = [comparison for comparison in steps + pairs if not comparison[-1].ratio <= 1]
    if not failed:
        share = max(worst.ratio for *_, worst in steps + pairs)
        return tried + f"[green]all agree[/]; the worst is at {share:.0%} of its bound."
    lines = [tried + f"[bold red]{len(failed)} differ[/] by more than rounding explains."]
    for result, a, b, worst in failed[:5]:
        step = f", step {worst.step}" if worst.step > 1 else ""
        where = escape(element(worst.quantity, worst.index)) + step
        lines.append(f"{result.case} {result.dtype}, {where}: {a} {worst.a!r}, {b} {worst.b!r}")
    return "\n".join(lines)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"
