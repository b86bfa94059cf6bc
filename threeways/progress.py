"""A progress bar for each implementation that trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from shared import Checkpoint, OnEpoch


@contextmanager
def progress(epochs: int, out: Console) -> Iterator[Callable[[str], OnEpoch]]:
    """Progress bars: called with an implementation's name, it gives the callback that moves one."""
    columns = (
        TextColumn("{task.description:6}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.6g}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=out) as bars:

        def bar(name: str) -> OnEpoch:
            task = bars.add_task(name, total=epochs, loss=math.nan)

            def move(checkpoint: Checkpoint) -> None:
                losses = checkpoint.history.loss
                bars.update(task, completed=len(losses), loss=losses[-1])

            return move

        yield bar
