"""The tables of ``threeways bench``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from shared import Case
from threeways.bench.limits import Growth, Ratio
from threeways.bench.memory import Memory
from threeways.bench.timing import Contest, Size
from threeways.report.console import duration, new_table


def print_ratios(found: Sequence[Ratio], left_out: Sequence[str], out: Console) -> None:
    """A row a limit, then a line for each peer that is left out."""
    numeric = ["a step", "peer's", "ratio", "at most"]
    table = new_table(["", "peer", "network", *numeric, ""], numeric)
    for each in found:
        limit = each.limit
        times = duration(each.seconds), duration(each.peer_seconds)
        held = _held(each.ratio, limit.most)
        table.add_row(limit.name, limit.peer, limit.network, *times, *held)
    out.print("\nfit: the time of a step, and its ratio to a peer's")
    out.print(table)
    for line in left_out:
        out.print(line)


def print_contest(case: Case, held: Contest, names: Sequence[str], out: Console) -> None:
    """A row for each that took turns: its time, and an implementation's ratio to each peer."""
    peers = [name for name in held.rounds if name not in names]
    numeric = ["a step", *(f"/ {peer}" for peer in peers)]
    table = new_table(["", *numeric], numeric)
    for name in held.rounds:
        compared = [f"{held.ratio(name, peer):.3g}" for peer in peers] if name in names else []
        table.add_row(name, duration(held.seconds(name)), *compared)
    out.print(f"\n{case.name}: the time of a step of fit in {case.dtype}, and its ratio to peers'")
    out.print(table)
    for line in held.left_out:
        out.print(line)


def print_memory(found: Mapping[str, Memory], size: Size, out: Console) -> None:
    """A row an implementation: what its run takes besides the framework's own, and what it may."""
    numeric = ["peak", "framework", "run", "may be", "ratio", "at most"]
    table = new_table(["", *numeric, ""], numeric)
    for name, memory in found.items():
        parts = (memory.peak, memory.framework, memory.run, memory.allowed)
        table.add_row(name, *(f"{part / 1e6:,.0f} MB" for part in parts), *_held(memory.ratio, 1))
    out.print(f"\nfit: the memory of {size.rows * size.batches:,} rows in {size}")
    out.print(table)
    out.print("It may be the data and 4 × (the parameters and the activations of a batch).")


def print_growth(found: Sequence[Growth], out: Console) -> None:
    """A table for each way to grow: a row an implementation, with its exponent."""
    for grown in found:
        sizes = [f"{size:,}" for size in grown.axis.sizes]
        table = new_table([grown.axis.name, *sizes, "exponent"], [*sizes, "exponent"])
        for name, seconds in grown.seconds.items():
            table.add_row(name, *map(duration, seconds), f"{grown.exponent(name):.2f}")
        out.print(f"\nfit: the time of {grown.axis.of}, as {grown.axis.name} grows")
        out.print(table)


def _held(ratio: float, most: float) -> list[str]:
    verdict = "[green]ok[/]" if ratio <= most else "[bold red]over[/]"
    return [f"{ratio:.3g}", f"{most:.3g}", verdict]
