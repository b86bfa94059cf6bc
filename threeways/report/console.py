"""The console that tables are printed on, and how they show numbers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection, Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from threeways.characters import visible

# Nothing can be read on a terminal that is narrower, or says so.
LEAST_WIDTH = 20


def console(stderr: bool = False) -> Console:
    """A console of the terminal's width; in a file or a pipe at least 160 columns wide."""
    out = Console(stderr=stderr, highlight=False, emoji=False)
    if not out.file.isatty():
        out.width = max(shutil.get_terminal_size().columns, 160)
    elif out.width < LEAST_WIDTH:
        out.width = LEAST_WIDTH
    return out


def can_animate(out: Console) -> bool:
    """Whether what is printed can be erased; FORCE_COLOR does not make a terminal of a file."""
    return out.file.isatty() and not out.is_dumb_terminal


def new_table(columns: Iterable[str], numeric: Iterable[str] = ()) -> Table:
    """An empty table with these columns, the numeric ones aligned to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in numeric else "left", no_wrap=True)
    return table


def fitting_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    out: Console,
    numeric: Iterable[str] = (),
    drop: Sequence[Collection[str]] = (),
    like: Sequence[Sequence[str]] = (),
    text: int | None = None,
) -> Table:
    """A table of these rows, without the columns that there is no room for.

    Args:
        columns: the headers.
        rows: a cell for each column, in markup.
        out: the console that it has to fit.
        numeric: the columns that are aligned to the right.
        drop: the columns that can be left out, in groups, the least important first.
        like: rows of other tables that are to have the same columns.
        text: the least width of the last column, if that is text to wrap.
    """

    def without(n_groups: int, rows: Sequence[Sequence[str]]) -> Table:
        dropped = {column for group in drop[:n_groups] for column in group}
        kept = [i for i, column in enumerate(columns) if column not in dropped]
        table = new_table([columns[i] for i in kept], numeric)
        for row in rows:
            table.add_row(*(row[i] for i in kept))
        return table

    def fits(n_groups: int) -> bool:
        cells = [[*row[:-1], "x" * text] for row in rows] if text else [*rows, *like]
        table = without(n_groups, cells)
        width = out.measure(table, options=out.options.update(max_width=1000)).maximum
        return width <= out.width

    n_groups = next(filter(fits, range(len(drop))), len(drop))
    table = without(n_groups, rows)
    if not fits(n_groups):
        table.columns[0].no_wrap, table.columns[0].overflow = False, "fold"
    if text:
        table.columns[-1].no_wrap, table.columns[-1].min_width = False, text
    return table


def shown(text: str) -> str:
    """A text from outside, such as a file's name, as markup that shows it just as it is."""
    return escape(visible(text))


def ok_or_differs(ok: bool) -> str:
    """``ok`` in green or ``differs`` in red."""
    return "[green]ok[/]" if ok else "[bold red]differs[/]"


def plural(number: int, what: str) -> str:
    """A number with its noun, as ``1 case`` or ``2 cases``."""
    return f"{number} {what}{'s' * (number != 1)}"


def decimal(value: float) -> str:
    """A number with two decimals, from 100 on with none; if very large or small, ``4.5e+14``."""
    if not math.isfinite(value):
        return "∞"
    if value and not 0.005 <= value < 999_999.5:
        return f"{value:.1e}"
    return f"{value:.2f}" if value < 99.995 else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share as ``97.50%``; an empty text for None."""
    return "" if share is None else f"{share:.2%}"


def duration(seconds: float) -> str:
    """A time as ``1.2 ms``, to three digits."""
    for unit, one in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= one:
            return f"{seconds / one:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
