"""The progress bars of ``threeways train``: a bar for each implementation, all moving together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from threeways.training.train import TrainingRun

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(bar_width=None),
    MofNCompleteColumn(),
    TextColumn("{task.fields[loss]:19}"),
    TextColumn("{task.fields[rate]:>15}"),
    TimeRemainingColumn(),
)


class Bars(Progress):
    """A progress bar for each run; none if the output is not a terminal.

    They look at the runs several times a second, so that an epoch need not report to them.
    """

    def __init__(self, runs: Sequence[TrainingRun], out: Console) -> None:
        self.runs: dict[TaskID, TrainingRun] = {}
        super().__init__(*COLUMNS, console=out, expand=True, disable=not out.is_terminal)
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
        yield from super().get_renderables()
