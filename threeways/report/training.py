"""The tables and lines that ``threeways train`` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from shared import Case
from threeways.report.console import (
    decimal,
    duration,
    fitting_table,
    new_table,
    ok_or_differs,
    percent,
    plural,
    shown,
)
from threeways.training.agreement import Agreement
from threeways.training.outcome import GoalResult, Outcome, ParameterDistances, Reached, RunResult
from threeways.training.stages import Stage
from threeways.training.train import TrainingRun


def print_start(stage: Stage, runs: Sequence[TrainingRun], out: Console) -> None:
    """Print what this stage of a training is for, and where each run resumes."""
    case = stage.case
    if stage.copied:
        copied = "1 layer is" if stage.copied == 1 else f"{stage.copied} layers are"
        out.print(f"{shown(case.name)} first: {copied} copied from it")
    for run in runs if stage.saved else ():
        epochs = f"{run.epochs_done} of {case.training.epochs}"
        if run.is_over:
            out.print(f"{run.name} is complete after epoch {epochs}")
        elif run.epochs_done:
            out.print(f"{run.name} resumes after epoch {epochs}")
        else:
            out.print(f"{run.name} starts from the beginning")


def stopped(stage: Stage, runs: Sequence[TrainingRun]) -> str:
    """A line that says after which epoch a training was stopped."""
    names: dict[int, list[str]] = {}
    for run in runs:
        names.setdefault(run.epochs_done, []).append(run.name)
    parts = [
        f"{epoch} ({', '.join(those)})" if len(names) > 1 else f"{epoch}"
        for epoch, those in names.items()
    ]
    of_case = f" of {stage.case.name}" if stage.copied else ""
    epochs = stage.case.training.epochs
    return f"Stopped after epoch {' and '.join(parts)} of {epochs}{of_case}"


def print_reached(runs: Sequence[Reached], out: Console) -> None:
    """Print a row for each run that was stopped after one of its epochs."""
    if not runs:
        return
    columns = ["epoch", "loss", *["accuracy"] * any(run.accuracy is not None for run in runs)]
    table = new_table(["", *columns], columns)
    for run in runs:
        cells = f"{run.epoch:,}", f"{run.loss:.6g}", percent(run.accuracy)
        table.add_row(run.name, *cells[: len(columns)])
    out.print(table)


def print_training(outcome: Outcome, out: Console) -> None:
    """Print the results, the largest distances, how each run ended and which goals were reached."""
    case, results = outcome.case, outcome.results
    out.print(f"\n{shown(case.name)}: {plural(case.training.epochs, 'epoch')} in {case.dtype}")
    out.print(_results_table(case, results, out))
    table = _distances_table(outcome.distances, out)
    if table.row_count:
        out.print()
        out.print(table)
    endings: dict[str, list[str]] = {}
    for result in results:
        endings.setdefault(_ending(case, result), []).append(result.name)
    lines = [f"{', '.join(names)}: {ending}" for ending, names in endings.items() if ending]
    lines += [_goal(goal) for goal in outcome.goals]
    if lines:
        out.print("", *lines, sep="\n")


def print_agreement(agreements: Sequence[Agreement], outcome: Outcome, out: Console) -> None:
    """Print a row for each two implementations, and how far their runs could be compared."""
    if not agreements:
        return
    columns = ["agreement", "after epoch", "in", "difference", "bound", ""]
    rows = []
    for each in agreements:
        where = [str(each.epoch), escape(each.quantity)]
        numbers = [f"{each.difference:.2g}", f"{each.bound:.2g}"]
        rows.append([f"{each.a} {each.b}", *where, *numbers, ok_or_differs(each.ratio <= 1)])
    numeric = ["after epoch", "difference", "bound"]
    drop = [["after epoch"], ["in"], ["bound"], ["difference"]]
    out.print()
    out.print(fitting_table(columns, rows, out, numeric, drop))
    lengths = {result.name: len(result.history.loss) for result in outcome.results}
    if len({*lengths.values()}) > 1:
        made = ", ".join(f"{name} {plural(n, 'epoch')}" for name, n in lengths.items())
        out.print(f"runs of different lengths, compared as far as both go: {made}")
    since = agreements[0].chaotic_from
    if since is not None:
        out.print(f"chaotic: from epoch {since} on rounding decides, and only losses are compared")


def _results_table(case: Case, results: Sequence[RunResult], out: Console) -> Table:
    """A row for each implementation."""
    columns: dict[str, Callable[[RunResult], str]] = {
        "first loss": lambda result: f"{result.history.loss[0]:.6g}",
        "last loss": lambda result: f"{result.history.loss[-1]:.6g}",
    }
    if case.training.patience:
        columns["best loss"] = lambda result: f"{result.loss:.6g}"
    if any(result.accuracy is not None for result in results):
        columns["accuracy"] = lambda result: percent(result.accuracy)
    if any(result.test_accuracy is not None for result in results):
        columns["test accuracy"] = lambda result: percent(result.test_accuracy)
    columns["time per step"] = lambda result: duration(result.seconds_per_step)
    rows = [[result.name, *(cell(result) for cell in columns.values())] for result in results]
    drop = [["time per step"], ["first loss"], ["best loss"], ["accuracy"]]
    return fitting_table(["", *columns], rows, out, columns, drop)


def _distances_table(distances: Iterable[ParameterDistances], out: Console) -> Table:
    """A row for each two implementations that were compared: where they differed most."""
    columns = ["largest difference", "after epoch", "in", "absolute", "eps"]
    rows = []
    for pair in distances:
        if worst := pair.worst:
            where = [str(worst.epoch), escape(worst.parameter)] if worst.distance else ["", ""]
            numbers = [f"{worst.distance:.2g}", decimal(worst.distance_eps)]
            rows.append([f"{pair.a} {pair.b}", *where, *numbers])
    numeric = ["after epoch", "absolute", "eps"]
    return fitting_table(columns, rows, out, numeric, [["after epoch"], ["eps"], ["in"]])


def _ending(case: Case, result: RunResult) -> str:
    """How a run ended; empty if it just made all of its epochs."""
    epochs, diverged_at = len(result.history.loss), result.history.diverged_at
    if diverged_at is not None:
        epoch = diverged_at // result.steps_per_epoch + 1
        at = f"at step {diverged_at + 1} (epoch {epoch})"
        return f"[bold red]diverged[/] {at}: try a smaller learning rate"
    if result.has_diverged:
        return "[bold red]diverged[/] in the last epoch: try a smaller learning rate"
    if case.training.patience:
        return f"early stopping: best epoch {result.epoch + 1} of {epochs}"
    if not case.network.has_perceptron_rule:
        return ""
    if not result.makes_errors:
        return f"no errors after epoch {epochs}"
    why = "the classes are not linearly separable, or more epochs are needed"
    return f"still errors after all {epochs} epochs: {why}"


def _goal(result: GoalResult) -> str:
    """Whether a goal was reached, in words."""
    is_loss = result.figure == "loss"
    figure = result.figure.replace("_", " ")
    goal = f"at most {result.goal:g}" if is_loss else f"at least {100 * result.goal:g}%"
    if not result.missed:
        return f"goal: {figure} {goal}: [green]reached[/]"
    missed = ", ".join(
        f"{name} ({f'{value:.6g}' if is_loss else percent(value)})"
        for name, value in result.missed.items()
    )
    return f"goal: {figure} {goal}: [bold red]missed[/] by {missed}"
