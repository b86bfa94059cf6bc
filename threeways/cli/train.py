"""``threeways train``: train a case in each implementation, in lockstep."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from threeways.characters import visible
from threeways.cli.options import (
    CASE,
    DTYPE,
    IMPLEMENTATIONS,
    OUTPUT_FOLDER,
    load_network,
    loading,
)

if TYPE_CHECKING:
    from threeways.training.outcome import Outcome
    from threeways.training.stages import Stage


@click.command()
@click.argument("case", metavar="CASE|FILE.toml", type=CASE)
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
    type=OUTPUT_FOLDER,
    help="Save each epoch here, and at the end the weights and the losses.",
)
@click.option("--resume", is_flag=True, help="Continue the run that --save DIR holds.")
def train(
    case: str, dtype: str | None, implementations: str, folder: Path | None, resume: bool
) -> int:
    """Train a case three ways on the same batches.

    Ctrl-C stops at the end of the current epoch, a second Ctrl-C at once. The exit code is 1 if an
    implementation diverges or misses the case's goal, or if two differ by more than rounding
    explains.
    """
    with ExitStack() as locks:
        with loading(implementations):
            from threeways.implementations import choose, load
            from threeways.training.stages import lock_folders, plan

            names = choose(implementations)
            loaded = load_network(case, "a chain of functions has no training; use compare")
            if dtype:
                loaded = loaded.with_dtype(dtype)
            locks.enter_context(lock_folders(loaded, folder, resume))
            stages = plan(loaded, names, folder, resume)
            packages = load(names)
        again = shlex.join(["threeways", *sys.argv[1:], *["--resume"] * (not resume)])
        what = f"continue with: {again}" if folder else "nothing was saved; use --save DIR"
        return _train(stages, packages, what)


def _train(stages: Sequence[Stage], packages: Mapping[str, ModuleType], if_stopped: str) -> int:
    """The exit code of training all stages.

    Args:
        stages: the stages.
        packages: the implementations by name.
        if_stopped: what is said after Ctrl-C.
    """
    from threeways.report import training as report
    from threeways.report.bars import Bars
    from threeways.report.console import console
    from threeways.report.progress import counted
    from threeways.training.agreement import agreements
    from threeways.training.lockstep import Lockstep
    from threeways.training.train import finish_runs, prepare_runs, reached

    out = console()
    ok = True
    outcome: Outcome | None = None
    for stage in stages:
        runs = prepare_runs(stage, packages, outcome)
        report.print_start(stage, runs, out)
        lockstep = Lockstep(runs)
        with Bars(runs, out, partial(getattr, lockstep, "stopping")):
            ended = lockstep.run()
        if not ended:
            report.print_reached(reached(stage.case, runs), out)
            click.echo(visible(f"{report.stopped(stage, runs)}; {if_stopped}"), err=True)
            return 130
        outcome = finish_runs(stage.case, runs)
        report.print_training(outcome, out)
        ok = ok and outcome.ok
        if outcome.has_diverged:
            break
        if len(runs) > 1:
            starts = [run.case.parameters for run in runs]
            with counted("perturbed runs") as on_progress:
                found = agreements(stage.case, starts, outcome, on_progress)
            report.print_agreement(found, outcome, out)
            ok = ok and all(each.ratio <= 1 for each in found)
    return 0 if ok else 1
