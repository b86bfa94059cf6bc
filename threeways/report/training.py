"""The tables of ``threeways train``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console

from shared import Case
from threeways.report.console import decimal, duration, new_table, ok_or_differs, percent, plural
from threeways.training.agreement import Agreement
from threeways.training.checkpoints import Stage
from threeways.training.outcome import Outcome, Trained, Verdict
from threeways.training.train import Learner


def print_start(stage: Stage, learners: Sequence[Learner], out: Console) -> None:
    """What this stage of a training is for, and what it goes on from."""
    case = stage.case
    if stage.copied:
        copied = "1 layer is" if stage.copied == 1 else f"{stage.copied} layers are"
        out.print(f"{case.name} first: {copied} copied from it")
    for learner in learners if stage.saved else ():
        epochs = f"{learner.made} of {case.training.epochs}"
        does = "is complete" if learner.is_over else "goes on" if learner.made else "starts"
        out.print(f"{learner.name} {does} after epoch {epochs}")


def stopped(stage: Stage, learners: Sequence[Learner]) -> str:
    """After which epoch a training was stopped."""
    made = {learner.made: "" for learner in learners}
    if len(made) > 1:
        for epochs in made:
            names = [learner.name for learner in learners if learner.made == epochs]
            made[epochs] = f" ({', '.join(names)})"
    after = " and ".join(f"{epochs}{names}" for epochs, names in made.items())
    of = f" of {stage.case.name}" if stage.copied else ""
    return f"Stopped after epoch {after} of {stage.case.training.epochs}{of}"


def print_training(outcome: Outcome, out: Console) -> None:
    """A row an implementation, a row each two, then how each ended and whether goals were met."""
    case, runs = outcome.case, outcome.runs
    columns: dict[str, Callable[[Trained], str]] = {
        "first loss": lambda run: f"{run.history.loss[0]:.6g}",
        "last loss": lambda run: f"{run.history.loss[-1]:.6g}",
    }
    if case.training.patience:
        columns["best loss"] = lambda run: f"{run.loss:.6g}"
    if any(run.accuracy is not None for run in runs):
        columns["accuracy"] = lambda run: percent(run.accuracy)
    if any(run.test_accuracy is not None for run in runs):
        columns["test"] = lambda run: percent(run.test_accuracy)
    columns["a step"] = lambda run: duration(run.seconds_per_step)
    table = new_table(["", *columns], columns)
    for run in runs:
        table.add_row(run.name, *(cell(run) for cell in columns.values()))
    out.print(f"\n{case.name}: {plural(case.training.epochs, 'epoch')} in {case.dtype}")
    out.print(table)

    numeric = ["after epoch", "apart", "eps"]
    table = new_table(["furthest apart", "after epoch", "in", "apart", "eps"], numeric)
    for pair in outcome.apart:
        if at := pair.furthest:
            where = [str(at.epoch), at.parameter.replace("[", "\\[")] if at.difference else ["", ""]
            numbers = f"{at.difference:.2g}", decimal(at.eps)
            table.add_row(f"{pair.a} {pair.b}", *where, *numbers)
    if table.row_count:
        out.print()
        out.print(table)
    endings: dict[str, list[str]] = {}
    for run in runs:
        endings.setdefault(_ending(case, run), []).append(run.name)
    lines = [f"{', '.join(names)}: {ending}" for ending, names in endings.items() if ending]
    lines += [_goal(verdict) for verdict in outcome.verdicts]
    if lines:
        out.print("", *lines, sep="\n")


def print_agreement(found: Sequence[Agreement], out: Console) -> None:
    """A row each two: where in the run they came nearest to what rounding explains."""
    numeric = ["after epoch", "apart", "bound"]
    table = new_table(["agreement", "after epoch", "in", "apart", "bound", ""], numeric)
    for each in found:
        where = [str(each.epoch), each.quantity.replace("[", "\\[")]
        numbers = [f"{each.difference:.2g}", f"{each.bound:.2g}"]
        table.add_row(f"{each.a} {each.b}", *where, *numbers, ok_or_differs(each.ratio <= 1))
    out.print()
    out.print(table)
    since = found[0].chaotic_from
    if since is not None:
        out.print(f"chaotic: from epoch {since} on rounding decides, and only losses are compared")


def _ending(case: Case, run: Trained) -> str:
    """How a run ended, unless it just made all of its epochs."""
    epochs, diverged_at = len(run.history.loss), run.history.diverged_at
    if diverged_at is not None:
        epoch = diverged_at // run.steps_per_epoch + 1
        at = f"at step {diverged_at + 1} (epoch {epoch})"
        return f"[bold red]diverged[/] {at}: try a smaller learning rate"
    if case.training.patience:
        return f"early stopping: best epoch {run.epoch + 1} of {epochs}"
    if not case.network.has_perceptron_rule:
        return ""
    if not run.makes_errors:
        return f"no errors after epoch {epochs}"
    why = "no line separates these, or more epochs are needed"
    return f"still errors after all {epochs} epochs: {why}"


def _goal(verdict: Verdict) -> str:
    what, limit = verdict.what.replace("_", " "), verdict.limit
    goal = f"at most {limit:g}" if what == "loss" else f"at least {100 * limit:g}%"
    if not verdict.missed:
        return f"goal: {what} {goal}: [green]reached[/]"
    show = (lambda number: f"{number:.6g}") if what == "loss" else percent
    missed = ", ".join(f"{name} ({show(number)})" for name, number in verdict.missed.items())
    return f"goal: {what} {goal}: [bold red]missed[/] by {missed}"
