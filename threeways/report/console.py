"""The console that tables are printed on, and how they show numbers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # ends the command; rich would exit with 1, which here is a failure


def console() -> Console:
    """A console of the terminal's width; in a file or a pipe at least 160 columns wide."""
    width = shutil.get_terminal_size().columns
    return _Console(width=None if Console().is_terminal else max(width, 160), highlight=False)


def new_table(columns: Iterable[str], numeric: Iterable[str] = ()) -> Table:
    """An empty table with these columns, the numeric ones aligned to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left", no_wrap=True)
    return table


def ok_or_differs(ok: bool) -> str:
    """``ok`` in green or ``differs`` in red."""
    return "[green]ok[/]" if ok else "[bold red]differs[/]"


def plural(number: int, what: str) -> str:
    """A number with its noun, as ``1 case`` or ``2 cases``."""
    return f"{number} {what}{'s' * (number != 1)}"


def decimal(value: float) -> str:
    """A number with two decimals, from 100 on with none; ``∞`` if it is not finite."""
    if not math.isfinite(value):
        return "∞"
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share as ``97.50%``; an empty text for None."""
    return "" if share is None else f"{share:.2%}"


def duration(seconds: float) -> str:
    """A time as ``1.2 ms``, to three digits."""
    for unit, one in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= one:
            return f"{seconds / one:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
