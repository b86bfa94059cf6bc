"""Progress bars for the implementations that train, all moving together."""

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

from threeways.training.train import Learner

COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(bar_width=None),
    MofNCompleteColumn(),
    TextColumn("{task.fields[loss]:19}"),
    TextColumn("{task.fields[rate]:>15}"),
    TimeRemainingColumn(),
)


class Bars(Progress):
    """A bar for each learner; none where the output is no terminal.

    They look at the learners some times a second, so that an epoch need not tell them of itself.
    """

    def __init__(self, learners: Sequence[Learner], out: Console) -> None:
        self.learners: dict[TaskID, Learner] = {}
        super().__init__(*COLUMNS, console=out, expand=True, disable=not out.is_terminal)
        for learner in learners:
            task = self.add_task(learner.name, completed=learner.made, loss="", rate="")
            self.learners[task] = learner

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars as they are now."""
        for task, learner in self.learners.items():
            losses, epochs = learner.history.loss, learner.case.training.epochs
            self.update(
                task, completed=len(losses), total=len(losses) if learner.is_over else epochs
            )
            if losses:
                rate = 1 / learner.seconds_per_step
                self.update(task, loss=f"loss {losses[-1]:.6g}", rate=f"{rate:,.0f} steps/s")
        yield from super().get_renderables()
