"""``python -m benchmarks.bad_inputs``: how damaged and hostile files are answered.

Cases, CSV tables, ``.npz`` files, checkpoints and records of steps are changed at random: bytes
flipped, parts lost, doubled or mixed up, values swapped for the nastiest there are, keys renamed.
Each is then read and, if it can be, used: a small network makes a step that is judged. That has to
end in a result or in one :class:`InputError` whose lines are short and safe to print. All else is a
failure: another exception, a warning, anything printed, no answer within seconds.
"""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import impl_numpy
from benchmarks.bad_files import bad_file
from benchmarks.good_files import ROWS, run_files
from shared import DTYPES, Case, InputError, load_case, load_dataset
from shared.datasets import read_data_file
from shared.errors import MOST_CHARACTERS, MOST_PROBLEMS
from threeways.compare import compare_all
from threeways.conformance.record_reader import read_records
from threeways.conformance.records import check_records
from threeways.exact.judge import judge
from threeways.exact.oracle import exact_step
from threeways.implementations import timed_steps
from threeways.progress import OnProgress
from threeways.report.progress import counted

# An answer may take so many seconds.
SECONDS = 20
# A step is made, and judged, if it takes no more multiplications; a wrong one is diagnosed for one
# input in so many, since every known mistake is then made.
MULTIPLICATIONS, JUDGED, DIAGNOSED = 10_000_000, 2_000, 20


def multiplications(case: Case) -> int:
    """About how many multiplications a step of the case takes."""
    return len(case.dataset) * sum(W.size for W, _ in case.parameters)


def use_case(folder: Path, content: bytes, index: int) -> None:
    """Read a case and make its first steps, which are compared with the exact ones if small."""
    (folder / "rows.csv").write_text(ROWS)
    (folder / "mine.toml").write_bytes(content)
    case = load_case(folder / "mine.toml")
    if isinstance(case, Case) and multiplications(case) > MULTIPLICATIONS:
        return
    make = functools.partial(timed_steps, packages={"numpy": impl_numpy})
    if isinstance(case, Case) and multiplications(case) > JUDGED:
        list(make([case]))
    else:
        list(compare_all([(case, DTYPES[index % 2])], make))


def use_csv(folder: Path, content: bytes, index: int) -> None:
    """Read a table, with 0 to 2 columns of targets."""
    (folder / "rows.csv").write_bytes(content)
    read_data_file(folder / "rows.csv", index % 3)


def use_npz(folder: Path, content: bytes, index: int) -> None:
    """Read arrays of data."""
    (folder / "rows.npz").write_bytes(content)
    read_data_file(folder / "rows.npz", 1)


def use_checkpoint(folder: Path, content: bytes, index: int) -> None:
    """Read a checkpoint."""
    files = run_files(folder)
    files.checkpoint.write_bytes(content)
    files.read_checkpoint()


def use_record(folder: Path, content: bytes, index: int) -> None:
    """Read recorded steps and judge those that are small."""
    (folder / "steps.json").write_bytes(content)
    groups = read_records(folder / "steps.json")
    for group in groups:
        for step in group.steps:
            if multiplications(step.case) <= JUDGED and index % DIAGNOSED:
                judge(step.case, step.quantities, exact_step(step.case))
    if not index % DIAGNOSED:
        list(check_records(groups))


USES: dict[str, Callable[[Path, bytes, int], None]] = {
    "cases": use_case,
    "csv": use_csv,
    "npz": use_npz,
    "checkpoints": use_checkpoint,
    "records": use_record,
}


class NoAnswerError(BaseException):
    """It took too long."""


def failure(use: Callable[[], None]) -> str | None:
    """What is wrong with how an input is answered, in a line; None if nothing is."""

    def stop(*_: object) -> None:
        raise NoAnswerError

    printed = io.StringIO()
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            warnings.simplefilter("error")
            use()
    except InputError as error:
        lines = str(error).split("\n")
        wrong = [line for line in lines if not line.isprintable() or not line.strip()]
        long = [line for line in lines if len(line) > MOST_CHARACTERS + 20]
        if wrong or long or len(lines) > MOST_PROBLEMS + 1:
            return f"{len(lines)} lines, {len(long)} long, not printable: {wrong!r:.100}"
    except NoAnswerError:
        return f"no answer within {SECONDS} seconds"
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__}: {error}"
        return f"{what!r:.150} at {Path(last.filename).name}:{last.lineno}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return f"printed {printed.getvalue()!r:.100}" if printed.getvalue() else None


def failures(
    kind: str, seed: int, inputs: int, on_progress: OnProgress = lambda done, total: None
) -> Iterator[tuple[int, str]]:
    """The number of each input that is not answered as it should be, and what is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn's, on import
        load_dataset("iris")
    for index in range(inputs):
        content = bad_file(kind, seed, index)
        with tempfile.TemporaryDirectory() as folder:
            use = functools.partial(USES[kind], Path(folder), content, index)
            if wrong := failure(use):
                yield index, wrong
        on_progress(index + 1, inputs)


@click.command()
@click.option("--inputs", default=2000, show_default=True, help="How many of each kind.")
@click.option("--seed", default=0, show_default=True)
@click.option(
    "--write",
    type=(click.Choice([*USES]), int, click.Path(path_type=Path)),
    metavar="KIND INDEX FILE",
    help="Only write one input to a file, to try it.",
)
def main(inputs: int, seed: int, write: tuple[str, int, Path] | None) -> None:
    """Count the bad inputs that are not answered by a result or by one clear error."""
    if write:
        kind, index, file = write
        file.write_bytes(bad_file(kind, seed, index))
        return
    total = 0
    for kind in USES:
        with counted(kind) as on_progress:
            found = list(failures(kind, seed, inputs, on_progress))
        total += len(found)
        print(f"{kind}: {len(found)} of {inputs} not answered as they should be")
        for index, wrong in found:
            print(f"  {wrong}\n    --seed {seed} --write {kind} {index} FILE")
    sys.exit(bool(total))


if __name__ == "__main__":
    main()
