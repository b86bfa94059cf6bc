"""The tables of ``threeways bench``, and its last words: which of its limits it misses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console

from shared import Case
from threeways.bench import timing
from threeways.bench.growth import Growth
from threeways.bench.limits import MemoryLimit, TimeLimit, factor
from threeways.bench.memory import Memory
from threeways.bench.ratios import StepRatio
from threeways.bench.timing import Timings
from threeways.characters import visible
from threeways.report.console import duration, fitting_table, shown

_DISTURBED = "[bold yellow]disturbed[/]"


def print_ratios(found: Sequence[StepRatio], left_out: Sequence[str], out: Console) -> None:
    """A row a limit, then a line for each implementation or baseline that is left out."""
    numeric = ["a step", "baseline's", "ratio", "at most"]
    rows = []
    for each in found:
        limit = each.limit
        times = duration(each.seconds), duration(each.baseline_seconds)
        rows.append([limit.name, limit.baseline, limit.network, *times, *_judged(each)])
    columns = ["", "baseline", "network", *numeric, ""]
    drop = [["a step", "baseline's"], ["network"], ["at most"]]
    out.print("\nfit: the time of a step, and its ratio to a baseline's")
    out.print(fitting_table(columns, rows, out, numeric, drop))
    _explain_disturbed(any(each.is_disturbed for each in found), out)
    _print_lines(left_out, out)


def print_timings(case: Case, timings: Timings, names: Sequence[str], out: Console) -> None:
    """A row for each that took turns: its time, and an implementation's ratio to each baseline."""
    baselines = [name for name in timings.rounds if name not in names]
    numeric = ["a step", *(f"/ {baseline}" for baseline in baselines)]
    rows = []
    disturbed = [name for name in timings.rounds if timings.is_disturbed(name)]
    for name in timings.rounds:
        ratios = [f"{timings.ratio(name, each):.3g}" if name in names else "" for each in baselines]
        word = _DISTURBED if name in disturbed else ""
        rows.append([name, duration(timings.seconds(name)), *ratios, word])
    table = fitting_table(
        ["", *numeric, ""], rows, out, numeric, [[each] for each in numeric[:0:-1]]
    )
    what = f"the time of a step of fit in {case.dtype}, and its ratio to baselines'"
    out.print(f"\n{shown(case.name)}: {what}")
    out.print(table)
    _explain_disturbed(bool(disturbed), out)
    _print_lines(timings.left_out, out)


def print_memory(found: Sequence[Memory], left_out: Sequence[str], out: Console) -> None:
    """A row a limit: the memory of its run beyond the framework's own, and what is allowed."""
    numeric = ["peak", "framework", "run", "allowed", "ratio", "at most"]
    rows = []
    for each in found:
        parts = (each.peak, each.framework, each.run, each.limit.allowed)
        sizes = [f"{part / 1e6:,.0f} MB" for part in parts]
        rows.append([each.limit.name, each.limit.network, *sizes, *_judged(each)])
    columns = ["", "network", *numeric, ""]
    drop = [["peak", "framework"], ["run", "allowed"], ["network"], ["at most"]]
    out.print("\nfit: the memory of a run, and its ratio to what is allowed")
    out.print(fitting_table(columns, rows, out, numeric, drop))
    out.print("Allowed are the data and 4 × (the parameters and the activations of a batch).")
    _print_lines(left_out, out)


def print_growth(found: Sequence[Growth], left_out: Sequence[str], out: Console) -> None:
    """A table for each way to grow: a row an implementation, with its exponent."""
    for grown in found:
        sizes = [f"{size:,}" for size in grown.axis.sizes]
        rows = [
            [name, *map(duration, seconds), f"{grown.exponent(name):.2f}"]
            for name, seconds in grown.seconds.items()
        ]
        numeric = [*sizes, "exponent"]
        # The smallest and the largest size say most.
        drop = [[size] for size in sizes[1:-1]]
        table = fitting_table([grown.axis.name, *numeric], rows, out, numeric, drop)
        out.print(f"\nfit: the time of {grown.axis.of}, as {grown.axis.name} grows")
        out.print(table)
    _print_lines(left_out, out)


def print_summary(
    limits: Sequence[TimeLimit | MemoryLimit], found: Iterable[StepRatio | Memory], out: Console
) -> None:
    """How many of the limits are kept, and a line for each one that is not."""
    measured = {each.limit: each for each in found}
    lines = []
    for limit in limits:
        match measured.get(limit):
            case None:
                lines.append(f"not measured: {limit}")
            case each if each.is_disturbed:
                lines.append(f"disturbed: {limit}")
            case each if each.ratio > limit.most:
                lines.append(f"missed: {limit}; measured: {each.ratio:.3g}")
    n_limits = len(limits)
    if lines:
        out.print(f"\n{n_limits - len(lines)} of {n_limits} limits are kept. The others:")
    else:
        out.print(f"\nAll {n_limits} limits are kept.")
    _print_lines(lines, out)


def _judged(measured: StepRatio | Memory) -> list[str]:
    """The columns of a ratio, of its limit and of what follows."""
    ratio, most = measured.ratio, measured.limit.most
    if measured.is_disturbed:
        verdict = _DISTURBED
    else:
        verdict = "[green]ok[/]" if ratio <= most else "[bold red]over[/]"
    return [f"{ratio:.3g}", factor(most), verdict]


def _explain_disturbed(is_disturbed: bool, out: Console) -> None:
    if is_disturbed:
        out.print(
            f"disturbed: in the rounds a step took more than {timing.DISTURBED:g} times as long as "
            "alone, before them.\nThe ratio does not count. Was the machine busy with other work?"
        )


def _print_lines(lines: Iterable[str], out: Console) -> None:
    for line in lines:
        out.print(visible(line), markup=False, soft_wrap=True)
