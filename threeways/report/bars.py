"""The progress bars of ``threeways train``: a bar for each implementation, all moving together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from threeways.report.console import can_animate
from threeways.training.train import TrainingRun

# The columns, each with the width of the terminal from which on there is room for it. The bar gives
# way to the others.
COLUMNS = (
    (0, TextColumn("{task.description}", table_column=Column(no_wrap=True))),
    (0, BarColumn(bar_width=None, table_column=Column(ratio=1))),
    (0, MofNCompleteColumn(table_column=Column(no_wrap=True))),
    (60, TextColumn("{task.fields[loss]:19}", table_column=Column(no_wrap=True))),
    (80, TextColumn("{task.fields[rate]:>15}", table_column=Column(no_wrap=True))),
    (70, TimeRemainingColumn(table_column=Column(no_wrap=True))),
)

# What a terminal shows when Ctrl-C is pressed. It must not wrap: rich would miss that line when it
# erases the bars.
ROOM_FOR_CTRL_C = len("^C^C")


class Bars(Progress):
    """A progress bar for each run, gone at the end; none if the output is not a terminal.

    They look at the runs several times a second, so that an epoch need not report to them.

    Args:
        runs: the runs.
        out: the console to draw on.
        is_stopping: says whether Ctrl-C was pressed.
    """

    def __init__(
        self, runs: Sequence[TrainingRun], out: Console, is_stopping: Callable[[], bool]
    ) -> None:
        self.runs: dict[TaskID, TrainingRun] = {}
        self.is_stopping = is_stopping
        self.out = out
        disable = not can_animate(out)
        columns = [column for width, column in COLUMNS if out.width >= width]
        super().__init__(*columns, console=out, expand=True, transient=True, disable=disable)
        for run in runs:
            task = self.add_task(run.name, completed=run.epochs_done, loss="", rate="")
            self.runs[task] = run

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars, brought up to date."""
        for task, run in self.runs.items():
            losses, epochs = run.history.loss, run.case.training.epochs
            self.update(task, completed=len(losses), total=len(losses) if run.is_over else epochs)
            if losses:
                rate = 1 / run.seconds_per_step
                self.update(task, loss=f"loss {losses[-1]:.6g}", rate=f"{rate:,.0f} steps/s")
        width = self.out.width - ROOM_FOR_CTRL_C
        for bars in super().get_renderables():
            yield Constrain(bars, width)
        if self.is_stopping():
            yield Constrain(Text("stopping after this epoch; Ctrl-C again stops at once"), width)
