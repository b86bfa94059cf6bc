"""The command line: ``threeways compare | train | bench | check | diagnose | vectors | …``.

Exit codes: 0 fine, 1 a comparison failed or a goal was missed, 2 the call or its input was wrong,
130 Ctrl-C. What a command needs is imported when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import click

_IMPLEMENTATIONS = click.option(
    "--implementations",
    default="numpy,tf,keras",
    show_default=True,
    metavar="NAME,…",
    help="Which ones, of numpy, tf and keras.",
)


class _Group(click.Group):
    """Commands whose errors are a line each on stderr, without usage and without a traceback."""

    def main(self, *args: Any, **options: Any) -> Any:
        options["standalone_mode"] = False
        try:
            sys.exit(super().main(*args, **options))
        except (KeyboardInterrupt, click.Abort):
            click.echo("Stopped.", err=True)
            sys.exit(130)
        except BrokenPipeError:  # as in ``threeways cases | head``; as if the signal had ended it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + 13)
        except OSError as error:
            _fail([f"cannot write the output ({error.strerror or error})"])
        except MemoryError:
            _fail(["there is not enough memory for networks and data of this size"])
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(2)
        except click.ClickException as error:
            _fail([error.format_message().replace("\n", " ")])
        except ValueError as error:
            if not hasattr(error, "problems"):
                raise
            _fail(error.problems)


def _fail(problems: list[str]) -> None:
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    sys.exit(2)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="threeways")
def main() -> None:
    """The same neural networks in NumPy, low-level TensorFlow and Keras, number by number."""


@main.command()
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="Compare in this arithmetic; in both unless given.",
)
@_IMPLEMENTATIONS
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write a report here.")
def compare(
    cases: tuple[str, ...], dtype: str | None, implementations: str, json_path: Path | None
) -> int:
    """Make one training step three ways and compare every number of it.

    All of the project's cases unless some are named, or a TOML file of your own.
    """
    from shared import DTYPES, case_names
    from threeways.crew import IS_POSSIBLE, Crew
    from threeways.implementations import choose, load, timed_steps

    names = choose(implementations)
    crew = None if cases or not IS_POSSIBLE else Crew(names)
    loaded = _load_cases(cases or case_names())
    steps = [(case, each) for each in ([dtype] if dtype else DTYPES) for case in loaded]
    results: list[Any] = []
    with _output(json_path) as file:
        from threeways.compare import compare_all, report
        from threeways.tables import console, print_comparison

        make = crew.timed_steps if crew else partial(timed_steps, packages=load(names))
        with _counted("steps") as counted:
            for _ in _kept(compare_all(steps, make), results):
                counted(len(results), len(steps))
        print_comparison(results, console())
        if file:
            import json

            json.dump(report(results), file, indent=1, allow_nan=False)
            file.write("\n")
    return 0 if all(result.ok for result in results) else 1


@main.command()
@click.argument("case", metavar="CASE|FILE.toml")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    help="Train in this arithmetic; in the case's own unless given.",
)
@_IMPLEMENTATIONS
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
    from shared import Case, InputError
    from threeways.checkpoints import plan
    from threeways.implementations import choose, load

    names = choose(implementations)
    (loaded,) = _load_cases([case])
    if not isinstance(loaded, Case):
        raise InputError(f"{loaded.name}: a chain of functions has no training; use compare")
    if dtype:
        loaded = loaded.with_dtype(dtype)
    stages = plan(loaded, names, folder, resume)
    packages = load(names)

    from threeways import tables
    from threeways import train as training
    from threeways.agreement import agreements
    from threeways.progress import Bars
    from threeways.turns import Turns

    out = tables.console()
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
            with _counted("twins") as done:
                agreed += agreements(stage.case, starts, outcomes[-1], done)
            tables.print_agreement(agreed[-len(outcomes[-1].apart) :], out)
    right = all(each.ratio <= 1 for each in agreed)
    return 0 if right and all(outcome.ok for outcome in outcomes) else 1


@main.command()
@click.argument("case", required=False, metavar="[CASE|FILE.toml]")
@_IMPLEMENTATIONS
def bench(case: str | None, implementations: str) -> int:
    """Measure what training costs, against other libraries and as networks grow.

    With a case, what a step of it costs. Other libraries take part where they are installed.
    """
    from shared import Case, InputError
    from threeways.implementations import choose, load

    names = choose(implementations)
    if case:
        (loaded,) = _load_cases([case])
        if not isinstance(loaded, Case):
            raise InputError(f"{loaded.name}: a chain of functions has no training")
    packages = load(names)

    from threeways import bench as measuring
    from threeways import tables
    from threeways.memory import LARGE, memory
    from threeways.peers import PEERS
    from threeways.timing import contest, of_many_batches

    out = tables.console()
    if case:
        with _counted("turns") as counted:
            held = contest(of_many_batches(loaded), packages, PEERS, counted)
        tables.print_contest(loaded, held, names, out)
        axes = measuring.axes_of(loaded)
    else:
        with _counted("turns") as counted:
            ratios, left_out = measuring.ratios(measuring.LIMITS, packages, counted)
        tables.print_ratios(ratios, left_out, out)
        with _counted("memory") as counted:
            found = memory(LARGE, names, counted)
        tables.print_memory(found, LARGE, out)
        axes = measuring.AXES
    with _counted("sizes") as counted:
        grown = measuring.growth(axes, packages, counted)
    tables.print_growth(grown, out)
    return 0


@main.command()
@click.argument("case", metavar="CASE|FILE.toml")
@click.option(
    "--value",
    "values",
    multiple=True,
    required=True,
    metavar="QUANTITY=NUMBER",
    help="A number of the step, with as many digits as are known: 'dW[1][0,1]=0.0826'.",
)
@click.option(
    "--steps", default=1, show_default=True, help="Which step the numbers are of, from 1."
)
def diagnose(case: str, values: tuple[str, ...], steps: int) -> int:
    """Say which known mistakes, alone or in pairs, make these numbers."""
    from shared import InputError
    from threeways import diagnosis
    from threeways.explanations import explain_diagnosis

    problems = [
        f"--value {value!r}: expected QUANTITY=NUMBER" for value in values if "=" not in value
    ]
    if problems:
        raise InputError(*problems)
    numbers = dict(value.rsplit("=", 1) for value in values)
    if len(numbers) < len(values):
        names = [value.rsplit("=", 1)[0] for value in values]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"--value {twice}: is given twice")
    with _counted("candidates") as tried:
        found = diagnosis.diagnose(case, numbers, steps, tried)
    for line in explain_diagnosis(found):
        click.echo(line)
    return 0


@main.command()
@click.argument("target", metavar="MODULE:NAME|FILE.json")
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float64",
    show_default=True,
    help="What the implementation is to compute in.",
)
@click.option(
    "--time-limit",
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the import and each step may take.",
)
def check(target: str, cases: tuple[str, ...], dtype: str, time_limit: float) -> int:
    """Hold your own implementation, or recorded steps, to the exact step.

    MODULE:NAME is a function step(network, parameters, x, y, learning_rate) that gives any of the
    step's quantities by name, or a class with the methods of impl_numpy.FeedForward. It is run on
    all of the project's networks unless cases are named. FILE.json holds steps that were recorded
    anywhere, in the form that `threeways vectors` writes.
    """
    from shared import Case, InputError, case_names
    from threeways.check import check_implementation
    from threeways.explanations import explain_checks, explain_records
    from threeways.record_file import read_records
    from threeways.records import check_records

    results: list[Any] = []
    if target.lower().endswith(".json"):
        if cases:
            raise InputError(f"{cases[0]}: a file of steps has its own networks")
        lines = explain_records(_kept(check_records(read_records(Path(target))), results))
    else:
        loaded = _load_cases(cases or case_names())
        chains = [case.name for case in loaded if not isinstance(case, Case)]
        if cases and chains:
            raise InputError(*(f"{name}: a chain of functions, not a network" for name in chains))
        networks = [case.with_dtype(dtype) for case in loaded if isinstance(case, Case)]
        checks = check_implementation(target, networks, time_limit)
        lines = explain_checks(_kept(checks, results), networks)
    for line in lines:
        click.echo(line)
    return 0 if all(result.ok for result in results) else 1


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…")
def vectors(folder: Path, cases: tuple[str, ...]) -> int:
    """Write test vectors, right and wrong, for implementations in any language.

    A JSON file for each network and dtype, and the JSON Schema that they follow.
    """
    import itertools

    from shared import DTYPES, Case, case_names
    from threeways.vectors import write_vectors

    loaded = _load_cases(cases or case_names())
    total = len(DTYPES) * sum(isinstance(case, Case) for case in loaded)
    done = itertools.count(1)
    with _counted("files") as written:
        paths = write_vectors(folder, loaded, lambda _: written(next(done), total))
    click.echo(f"{len(paths)} files and schema.json in {folder}")
    return 0


@main.command("cases")
def list_cases() -> int:
    """List the cases: networks with their data and training, most from the lectures."""
    from shared import case_names
    from threeways.tables import console, print_cases

    print_cases(_load_cases(case_names()), console())
    return 0


@main.command("datasets")
def list_datasets() -> int:
    """List the data sets."""
    from threeways.tables import console, print_datasets

    print_datasets(console())
    return 0


def _kept(items: Iterable[Any], kept: list[Any]) -> Iterator[Any]:
    for item in items:
        kept.append(item)
        yield item


@contextmanager
def _counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, gone when it is done: called with how many, and of how many."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    err = Console(stderr=True)
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _load_cases(names: Any) -> list[Any]:
    from shared import load_case
    from shared.errors import Findings

    cases: list[Any] = []
    findings = Findings()
    for name in dict.fromkeys(names):
        with findings:
            cases.append(load_case(name))
    findings.raise_any()
    return cases


@contextmanager
def _output(path: Path | None) -> Iterator[IO[str] | None]:
    """A file to write, found to be writable now; it takes its place only once it is whole.

    Raises:
        InputError: it cannot be written there.
    """
    if path is None:
        yield None
        return
    import tempfile

    from shared import InputError

    try:
        path = path.resolve()
        if path.is_dir():
            raise IsADirectoryError(21, "is a folder")
        if path.exists() and not path.is_file():  # a device or a pipe
            with path.open("w", encoding="utf-8") as device:
                yield device
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                yield file
                file.close()
                os.umask(mask := os.umask(0))
                os.chmod(file.name, 0o666 & ~mask)
                os.replace(file.name, path)
            finally:
                Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
