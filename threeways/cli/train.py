"""``threeways train``: all of a case's training three ways, side by side."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from threeways.cli.options import DTYPE, IMPLEMENTATIONS, load_network


@click.command()
@click.argument("case", metavar="CASE|FILE.toml")
@click.option(
    "--dtype",
    type=DTYPE,
    help="Train in this arithmetic; in the case's own unless given.",
)
@IMPLEMENTATIONS
@click.option(
    "--save",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Save each epoch here, and in the end the weights and the losses.",
)
@click.option("--resume", is_flag=True, help="Go on with the run that --save DIR holds.")
def train(
    case: str, dtype: str | None, implementations: str, folder: Path | None, resume: bool
) -> int:
    """Train a case three ways on the same batches, for all of its epochs.

    Ctrl-C ends it with the epoch. The exit code is 1 if one diverges or misses the case's goal, or
    if two differ by more than rounding explains.
    """
    from threeways.implementations import choose, load
    from threeways.training.checkpoints import plan

    names = choose(implementations)
    loaded = load_network(case, "a chain of functions has no training; use compare")
    if dtype:
        loaded = loaded.with_dtype(dtype)
    stages = plan(loaded, names, folder, resume)
    packages = load(names)

    from threeways.report import training as tables
    from threeways.report.bars import Bars
    from threeways.report.console import console
    from threeways.report.progress import counted
    from threeways.training import train as training
    from threeways.training.agreement import agreements
    from threeways.training.lockstep import Turns

    out = console()
    outcomes: list[Any] = []
    agreed: list[Any] = []
    for stage in stages:
        learners = training.learners(stage, packages, outcomes[-1] if outcomes else None)
        tables.print_start(stage, learners, out)
        with Bars(learners, out):
            ended = Turns(learners).take()
        if not ended:
            again = shlex.join(["threeways", *sys.argv[1:], *["--resume"] * (not resume)])
            what = f"go on with: {again}" if folder else "nothing was saved; --save DIR saves it"
            click.echo(f"{tables.stopped(stage, learners)}; {what}", err=True)
            return 130
        outcomes.append(training.outcome(stage.case, learners))
        tables.print_training(outcomes[-1], out)
        if outcomes[-1].has_diverged:
            break
        if len(learners) > 1 and stage.case.dtype == "float64":
            starts = [learner.case.parameters for learner in learners]
            with counted("twins") as on_progress:
                agreed += agreements(stage.case, starts, outcomes[-1], on_progress)
            tables.print_agreement(agreed[-len(outcomes[-1].apart) :], out)
    right = all(each.ratio <= 1 for each in agreed)
    return 0 if right and all(outcome.ok for outcome in outcomes) else 1
