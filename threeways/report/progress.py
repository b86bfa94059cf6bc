"""What is shown on a terminal while there is nothing else to see; nothing in a file or a pipe."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from threeways.progress import OnProgress
from threeways.report.console import can_animate


@contextmanager
def counted(what: str) -> Iterator[OnProgress]:
    """A progress bar on stderr, gone when it is done: called with how many, and of how many."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    err = Console(stderr=True)
    with Progress(*columns, console=err, transient=True, disable=not can_animate(err)) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A line on stderr that says what is awaited, gone when the block ends; Ctrl-C exits at once.

    It is for the import of frameworks, which have C++ code that an exception must not run through,
    and during which all that is written to stderr is discarded, except by this line.
    """
    with open(os.dup(2), "w", encoding="utf-8") as err:
        console = Console(file=err)
        status = console.status(what, spinner="line") if can_animate(console) else None

        def exit_at_once(*_: Any) -> None:
            if status:
                status.stop()
            err.write("Stopped.\n")
            err.flush()
            os._exit(130)

        before = signal.getsignal(signal.SIGINT)
        is_ours = before is signal.default_int_handler  # else Ctrl-C is ignored, or the caller's
        if is_ours and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, exit_at_once)
        try:
            with status or nullcontext():
                yield
        finally:
            if signal.getsignal(signal.SIGINT) is exit_at_once:
                signal.signal(signal.SIGINT, before)
