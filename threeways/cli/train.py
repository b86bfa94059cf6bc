"""``threeways train``: train a case in each implementation, in lockstep."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from threeways.cli.options import DTYPE, IMPLEMENTATIONS, load_network

if TYPE_CHECKING:
    from threeways.training.outcome import Outcome


@click.command()
@click.argument("case", metavar="CASE|FILE.toml")
@click.option(
    "--dtype",
    type=DTYPE,
    help="Train in this dtype; in the case's own unless given.",
)
@IMPLEMENTATIONS
@click.option(
    "--save",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Save each epoch here, and at the end the weights and the losses.",
)
@click.option("--resume", is_flag=True, help="Continue the run that --save DIR holds.")
def train(
    case: str, dtype: str | None, implementations: str, folder: Path | None, resume: bool
) -> int:
    """Train a case three ways on the same batches, for all of its epochs.

    Ctrl-C stops at the end of the current epoch. The exit code is 1 if an implementation diverges
    or misses the case's goal, or if two differ by more than rounding explains.
    """
    from threeways.implementations import choose, load
    from threeways.training.stages import plan

    names = choose(implementations)
    loaded = load_network(case, "a chain of functions has no training; use compare")
    if dtype:
        loaded = loaded.with_dtype(dtype)
    stages = plan(loaded, names, folder, resume)
    packages = load(names)

    from threeways.report import training as report
    from threeways.report.bars import Bars
    from threeways.report.console import console
    from threeways.report.progress import counted
    from threeways.training.agreement import agreements
    from threeways.training.lockstep import Lockstep
    from threeways.training.train import finish_runs, prepare_runs

    out = console()
    ok = True
    outcome: Outcome | None = None
    for stage in stages:
        runs = prepare_runs(stage, packages, outcome)
        report.print_start(stage, runs, out)
        with Bars(runs, out):
            ended = Lockstep(runs).run()
        if not ended:
            again = shlex.join(["threeways", *sys.argv[1:], *["--resume"] * (not resume)])
            what = f"continue with: {again}" if folder else "nothing was saved; use --save DIR"
            click.echo(f"{report.stopped(stage, runs)}; {what}", err=True)
            return 130
        outcome = finish_runs(stage.case, runs)
        report.print_training(outcome, out)
        ok = ok and outcome.ok
        if outcome.has_diverged:
            break
        if len(runs) > 1 and stage.case.dtype == "float64":
            starts = [run.case.parameters for run in runs]
            with counted("perturbed runs") as on_progress:
                found = agreements(stage.case, starts, outcome, on_progress)
            report.print_agreement(found, outcome, out)
            ok = ok and all(each.ratio <= 1 for each in found)
    return 0 if ok else 1
