"""The table of ``threeways compare``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared.quantities import element
from threeways.compare import Result
from threeways.exact.judge import Worst
from threeways.report.console import decimal, new_table, ok_or_differs, plural

DIFFERENCE = ("quantity", "difference", "bound")

# Columns that a table needs to show times too.
WIDE = 110


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
    table = new_table(["case", "of", *DIFFERENCE, "", *names], [*DIFFERENCE[1:], *names])
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
    table = new_table(columns, [*pairwise[1:], *from_exact, *times])
    for result in results:
        cells = []
        if result.pairs:
            cells = _difference(max((pair.worst for pair in result.pairs), key=_ratio))[:-1]
        cells += [decimal(worst.difference_eps) for worst in result.exact.values()]
        table.add_row(
            result.case, *cells, ok_or_differs(result.ok), *(_times(result) if with_times else [])
        )
    return table


def _difference(worst: Worst) -> list[str]:
    numbers = [decimal(worst.difference_eps), decimal(worst.bound_eps)]
    return [_element(worst), *numbers, ok_or_differs(worst.ratio <= 1)]


def _ratio(worst: Worst) -> float:
    return worst.ratio


def _times(result: Result) -> list[str]:
    return [_seconds(seconds) for seconds in result.seconds_per_step.values()]


def _summary(results: Sequence[Result]) -> str:
    cases = plural(len({result.case for result in results}), "case")
    dtypes = " and ".join(dict.fromkeys(result.dtype for result in results))
    steps = [
        (result, name, "exact", worst) for result in results for name, worst in result.exact.items()
    ]
    pairs = [(result, pair.a, pair.b, pair.worst) for result in results for pair in result.pairs]
    n_steps = sum(result.steps * len(result.exact) for result in results)
    n_pairs = sum(result.steps * len(result.pairs) for result in results)
    tried = f"\n{cases} in {dtypes}: {plural(n_steps, 'step')} held to the exact one"
    tried += f", {plural(n_pairs, 'pair')} to each other:\n" if pairs else ":\n"
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


def _element(worst: Worst) -> str:
    step = f", step {worst.step}" if worst.step > 1 else ""
    return escape(element(worst.quantity, worst.index)) + step


def _seconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.1f} ms"
