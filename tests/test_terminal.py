"""What a terminal, a pipe, a shell or a script sees of the commands, whatever happens there."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from shared import InputError, case_names
from threeways.characters import encodable, visible
from threeways.cli import main
from threeways.cli.options import echo, load_cases
from threeways.compare import Pair
from threeways.compare import Result as Compared
from threeways.exact.judge import Worst
from threeways.files import LOCK, check_writable, locked, write_text, write_whole
from threeways.report.bars import ROOM_FOR_CTRL_C, Bars
from threeways.report.comparison import print_comparison
from threeways.report.console import decimal
from threeways.report.departures import departure
from threeways.report.listings import print_cases, print_datasets
from threeways.report.training import print_reached
from threeways.training.outcome import Reached

NUMPY = ("--implementations", "numpy")
COMMAND = [sys.executable, "-m", "threeways"]
ENDLESS = """
loss = "mean_squared_error"
[[layers]]
units = 3
[[layers]]
units = 1
[data]
dataset = "diabetes"
[training]
learning_rate = 1e-6
epochs = 100000000
"""


def call(*arguments: object, **options: Any) -> Result:
    return CliRunner(**options).invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    path = tmp_path / "endless.toml"
    path.write_text(ENDLESS)
    return path


# --- Characters


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["compare", "--help"],
        ["cases"],
        ["compare", "mazur", "iris", "digits", "diabetes", *NUMPY],  # with columns named Δ
        ["diagnose", "mazur", "--value", "dW[1][0,0]=0.1643"],
        ["mistakes"],
        ["show", "digits"],
        ["compare", "½ 中"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_any_encoding_is_enough(encoding: str, arguments: list[str]) -> None:
    result = call(*arguments, charset=encoding)
    assert result.exit_code == {"½ 中": 2, "dW[1][0,0]=0.1643": 1}.get(arguments[-1], 0)
    assert result.output
    assert not isinstance(result.exception, UnicodeError)


def test_a_locale_without_unicode() -> None:
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [*COMMAND, "diagnose", "mazur", "--value", "dW[1][0,0]=0.1643"]
    run = subprocess.run(command, capture_output=True, env=os.environ | environment)
    assert run.returncode == 1
    assert b"1/2 missing in the gradient" in run.stdout


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1.2 µs, Δnumpy …", "1.2 us, dnumpy ..."),
        ("½(a - y)², σ' = λη", "1/2(a - y)^2, sigma' = lambdaeta"),
        ("Caf\xe9, e\u0301, x\u2081 \u2190 5", "Cafe, e, x_1 <- 5"),
        ("中\udcff", "??"),
    ],
)
def test_what_ascii_lacks_is_spelled_out(text: str, plain: str) -> None:
    assert encodable(text, "ascii") == plain


def test_control_characters_are_shown_as_escapes() -> None:
    assert visible("a\x1b[31m\r\nb\u202e\x9b") == r"a\x1b[31m\r\nb\u202e\x9b"
    assert visible("中é שלום") == "中é שלום"


# Names that are markup, control sequences, or of unusual widths.
NAMES = {
    "markup": "[red]a[/red]",
    "closing": "[/]",
    "emoji": ":smile:",
    "escape": "\x1b[31ma\x07",
    "wide": "神经网络",
    "combining": "e\u0301a\u0308",
    "right-to-left": "שלום",
    "turned": "\u202ea",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_from_outside_are_shown_as_they_are(name: str, endless: Path) -> None:
    path = endless.with_name(f"{name.replace('/', '')}.toml")
    path.write_text(ENDLESS.replace("epochs = 100000000", "epochs = 1"))
    for arguments in (["compare", path, *NUMPY], ["train", path, *NUMPY]):
        result = call(*arguments)
        assert result.exit_code == 0, result.output
        assert visible(path.stem) in result.output
        assert not set("\x1b\x07\u202e") & set(result.output)
    result = call("compare", path.with_suffix(".x.toml"))
    assert result.exit_code == 2
    assert not set("\x1b\x07\u202e") & set(result.stderr)


def test_a_name_that_is_no_text(endless: Path) -> None:
    path = endless.with_name(os.fsdecode(b"\xff.toml"))
    endless.rename(path)
    result = call("vectors", path.parent, path)
    assert result.exit_code == 0, result.output
    for vectors in path.parent.glob(os.fsdecode(b"\xff*.json")):
        assert call("check", vectors).exit_code == 0
    result = call("compare", path, *NUMPY, "--json", path.with_suffix(".json"))
    assert result.exit_code == 0, result.output
    assert r"in \udcff (float" in result.output


def test_lines_from_outside_have_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    echo(["\na\x1b[2J\nb", "½ c"])
    assert capsys.readouterr().out == "\na\\x1b[2J\\nb\n½ c\n"


# --- Pipes, files and what cannot be written

SHORT_COMMANDS = {
    "help": "--help",
    "version": "--version",
    "cases": "cases",
    "compare": "compare mazur --implementations numpy",
    "train": "train uio-1-or --implementations numpy",
    "diagnose": "diagnose mazur --value loss=0.2",
    "mistakes": "mistakes",
    "show": "show mazur",
    "vectors": "vectors {folder} mazur",
}


@pytest.mark.parametrize("command", SHORT_COMMANDS.values(), ids=SHORT_COMMANDS)
def test_what_cannot_be_written_is_said(command: str, tmp_path: Path) -> None:
    threeways = f"{' '.join(COMMAND)} {command.format(folder=tmp_path)}"
    for redirection, code, message in (
        ("> /dev/full", 2, "Error: cannot write the output (No space left on device)\n"),
        (">&-", 2, "Error: cannot write the output (stdout is closed)\n"),
        (">&- 2>&- <&-", 2, ""),
        ("2> /dev/full >&-", 2, ""),
        ("| true; exit ${PIPESTATUS[0]}", 141, ""),
    ):
        run = subprocess.run(
            ["bash", "-c", f"{threeways} {redirection}"], stderr=subprocess.PIPE, text=True
        )
        assert (run.returncode, run.stderr) == (code, message), redirection


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(24, "Too many open files"), "the system refuses: Too many open files"),
        (OSError(30, "Read-only file system", "/dev/shm/x"), "/dev/shm/x: Read-only file system"),
        (OSError("AF_UNIX path too long"), "the system refuses: AF_UNIX path too long"),
        (BrokenPipeError(32, "Broken pipe"), "the system refuses: Broken pipe"),
        (EOFError(), "a process ended unexpectedly"),
    ],
)
def test_an_error_is_called_what_it_is(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("shared.case_names", fail)
    result = call("cases")
    assert result.exit_code == 2
    assert result.stderr == f"Error: {message}\n"


def test_a_report_is_written_even_if_nobody_reads_the_table(tmp_path: Path) -> None:
    command = " ".join([*COMMAND, "compare", "mazur", *NUMPY, "--json", str(tmp_path / "a.json")])
    run = subprocess.run(["bash", "-c", f"{command} >/dev/full"], stderr=subprocess.PIPE)
    assert run.returncode == 2
    assert json.loads((tmp_path / "a.json").read_text())["ok"] is True


def test_a_terminal_without_columns() -> None:
    with on_a_terminal("cases", COLUMNS="0") as (_, terminal):
        assert b"mazur" in read(terminal)


def test_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    for arguments in (["compare", "mazur", "--json", "a.json"], ["train", "iris", "--save", "run"]):
        result = call(*arguments, *NUMPY)
        assert result.exit_code == 2
        assert "(the current folder no longer exists)" in result.stderr


WRONG_PATHS = {
    "empty": (["compare", "--json", ""], "expected the path of a file, not an empty one"),
    "empty-folder": (["train", "iris", "--save", ""], "expected the path of a folder, not an"),
    "empty-vectors": (["vectors", ""], "expected the path of a folder, not an empty one"),
    "nul": (["compare", "--json", "a\0b"], "expected the path of a file, not 'a\\x00b'"),
    "nul-folder": (["train", "iris", "--save", "a\0b"], "expected the path of a folder, not 'a"),
    "slash": (["compare", "--json", "a/"], "expected the path of a file, not of a folder: a/"),
    "case": (["compare", "--json", "a.TOML"], "a.TOML: is the name of a case's file"),
    "stdout": (["train", "iris", "--save", "-"], "'-' stands for stdout"),
    "long": (["compare", "--json", "a" * 300], "cannot be written (File name too long)"),
    "long-folder": (["train", "iris", "--save", "a" * 300], "(File name too long)"),
    "long-vectors": (["vectors", "a" * 300], "cannot be written (File name too long)"),
    "no-parent": (["compare", "--json", "a/b.json"], "(No such file or directory)"),
    "proc": (["compare", "--json", "/proc/a.json"], "/proc/a.json: cannot be written"),
    "not-open": (["compare", "--json", "/dev/fd/987"], "(Bad file descriptor)"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_PATHS.values(), ids=WRONG_PATHS)
def test_wrong_paths(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("threeways.compare.compare_all", lambda *_: pytest.fail("worked in vain"))
    result = call(*arguments, *() if arguments[0] == "vectors" else NUMPY)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("path", ["-", "/dev/stdout", "/dev/fd/1"])
def test_a_report_on_stdout_is_alone_there(path: str, tmp_path: Path) -> None:
    result = call("compare", "mazur", *NUMPY, "--json", path)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True
    assert "The closest call" in result.stderr


def test_a_report_into_an_open_file(tmp_path: Path) -> None:
    """What is there already stays, and it is no new file."""
    path = tmp_path / "report"
    compare = " ".join([*COMMAND, "compare", "mazur", *NUMPY, "--json"])
    subprocess.run(
        ["bash", "-c", f"exec 3>{path}; echo before >&3; {compare} /dev/fd/3; echo after >&3"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    before, *report, after = path.read_text().splitlines()
    assert (before, after) == ("before", "after")
    assert json.loads("\n".join(report))["ok"] is True
    run = subprocess.run(
        ["bash", "-c", f"{compare} >(cat >&2) >/dev/null"], capture_output=True, check=True
    )
    assert json.loads(run.stderr)["ok"] is True


def test_long_names_and_loops_of_links(tmp_path: Path) -> None:
    longest = tmp_path / ("a" * 250 + ".json")
    check_writable(longest)
    write_text(longest, "x")
    assert longest.read_text() == "x"
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with contextlib.suppress(InputError):
        check_writable(loop)
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    write_whole(link, lambda part: part.write_text("y"))
    assert link.is_symlink()
    assert target.read_text() == "y"


def test_vectors_replace_only_their_own_files(tmp_path: Path) -> None:
    assert call("vectors", tmp_path, "mazur").exit_code == 0
    assert call("vectors", tmp_path, "mazur").exit_code == 0
    foreign = {
        "schema.json": "{}",
        "mazur-float32.json": '{"schema": "threeways/vectors/v1", "groups": []}',
        "iris-float64.json": "notes",
    }
    for name, text in foreign.items():
        (tmp_path / name).write_text(text)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = call("vectors", tmp_path, "mazur", "iris", "diabetes")
    assert result.exit_code == 2
    assert sorted(result.stderr.splitlines()) == sorted(
        f"Error: {tmp_path / name}: is there already, and not from `threeways vectors`"
        for name in foreign
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


# --- Two runs and one folder


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert call("train", "uio-1-or", *NUMPY, "--save", folder).exit_code == 0
    assert not (folder / LOCK).exists()
    with locked(folder, "is at work"):
        for more in ([], ["--resume"]):
            result = call("train", "uio-1-or", *NUMPY, "--save", folder, *more)
            assert result.exit_code == 2
            assert result.stderr == f"Error: {folder}: another process is training into it\n"


def test_nor_the_folder_of_a_source(tmp_path: Path) -> None:
    inner = tmp_path / "digits-low"
    inner.mkdir()
    with locked(inner, "is at work"):
        result = call("train", "digits-high-frozen", *NUMPY, "--save", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {inner}: another process is training into it\n"


def test_a_run_that_was_killed_leaves_no_lock(endless: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [*COMMAND, "train", str(endless), *NUMPY, "--save", str(folder)]
    with subprocess.Popen(command) as process:
        while process.poll() is None and not (folder / "numpy-checkpoint.npz").exists():
            time.sleep(0.01)
        result = call("train", endless, *NUMPY, "--save", folder, "--resume")
        assert "another process is training into it" in result.stderr
        process.kill()
    with locked(folder, "is at work"):
        pass


def test_weights_of_something_else_are_not_replaced(tmp_path: Path) -> None:
    assert call("train", "uio-1-or", *NUMPY, "--save", tmp_path).exit_code == 0
    weights = tmp_path / "tf-weights.npz"
    weights.touch()
    names = ("--implementations", "numpy,tf")
    result = call("train", "uio-1-or", *names, "--save", tmp_path, "--resume")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {weights}: already exists, without a checkpoint")


# --- Narrow terminals


def compared(case: str, difference: float, bound: float, step: int = 1) -> list[Compared]:
    names = ["numpy", "tf", "keras"]
    worst = Worst("W_next[0]", (12, 10), 0.25, 0.75, difference, bound, step)
    pairs = tuple(Pair(a, b, worst) for a, b in itertools.combinations(names, 2))
    exact = dict.fromkeys(names, worst)
    seconds = dict.fromkeys(names, 0.0123)
    return [Compared(case, dtype, pairs, exact, seconds, step) for dtype in ("float32", "float64")]


def printed(results: list[Compared], width: int) -> str:
    text = io.StringIO()
    print_comparison(results, Console(file=text, width=width))
    return text.getvalue()


@pytest.mark.parametrize("n_cases", [2, 5])
@pytest.mark.parametrize("width", [200, 120, 100, 80, 60, 40])
def test_a_failed_comparison_is_readable_at_any_width(width: int, n_cases: int) -> None:
    name = "epita-1-perceptron-rule"
    results = compared(name, 450_314_931_234_567.0, 520.0, 2)
    for i in range(1, n_cases):
        results += compared(f"mazur-{i}", 0.5, 2.0)
    text = printed(results, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text.replace("numpy …", "")  # nothing is cut off
    assert re.search(r"\bok\b", text)
    assert re.search(r"\bdiffers\b", text)
    assert re.search(r"and \d+ more$", text.strip())
    rows = text.splitlines()[1:]
    assert name in text or f"{name[:20]} " in "\n".join(rows)
    assert ("12.3 ms" in text) == (width >= 120)
    assert ("4.5e+14" in text) == (width >= (80 if n_cases == 2 else 60))


def test_cases_and_data_sets_are_readable_at_any_width() -> None:
    cases = load_cases(case_names())
    for width in (200, 80, 60, 40):
        text = io.StringIO()
        out = Console(file=text, width=width)
        print_cases(cases, out)
        print_datasets(out)
        assert "…" not in text.getvalue()
        assert all(case.name in text.getvalue() for case in cases)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (0.004, "4.0e-03"),
        (0.005, "0.01"),
        (99.994, "99.99"),
        (99.996, "100"),
        (450_314.0, "450,314"),
        (999_999.7, "1.0e+06"),
        (4.5e14, "4.5e+14"),
        (3.22e-291, "3.2e-291"),
        (float("nan"), "∞"),
    ],
)
def test_decimals(value: float, text: str) -> None:
    assert decimal(value) == text


def test_the_closest_call_is_named() -> None:
    text = printed([*compared("a", 0.5, 2.0), *compared("b", 1.98, 2.0, step=2)], 160)
    assert "All 36 comparisons agree.\n" in text
    call = "The closest call: W_next[0][12,10] in b (float32), step 2, at 99% of what rounding can"
    assert call in text


@pytest.mark.parametrize(
    ("b", "bound", "text"),
    [
        (0.75, 2.0, "(4 eps apart; rounding explains 2)"),
        (0.0, 2.0, "(4 eps apart; rounding explains 2)"),
        (0.0, 3.22e-291, "(4 eps apart; this number has to be exact)"),  # but for an underflow
        (1.0, 0.0, "(4 eps apart; this number has to be exact)"),
    ],
)
def test_what_rounding_does_not_explain(b: float, bound: float, text: str) -> None:
    worst = Worst("loss", (), 0.25, b, 4.0, bound)
    assert departure(worst, verbose=True).endswith(text)
    assert departure(worst) == f"loss is 0.25, should be {b}"


def test_no_summary_of_a_command_is_cut() -> None:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["--help"])
    assert "compare" in result.output
    assert "..." not in result.output.partition("Commands:")[2]


# --- A terminal


@contextlib.contextmanager
def on_a_terminal(
    *arguments: object, COLUMNS: str = "80"
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The process of a command, and the file descriptor of its terminal."""
    terminal, end = pty.openpty()
    command = [*COMMAND, *map(str, arguments)]
    environment = os.environ | {"COLUMNS": COLUMNS, "TERM": "xterm"}
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=environment) as process:
        os.close(end)
        try:
            yield process, terminal
        finally:
            process.kill()
            os.close(terminal)


def read(terminal: int, until: bytes | None = None) -> bytes:
    """What is written on a terminal up to some text, or to the end of the process."""
    text = b""
    while until is None or until not in text:
        ready, _, _ = select.select([terminal], [], [], 120)
        assert ready, text
        try:
            more = os.read(terminal, 1 << 16)
        except OSError:
            return text
        if not more:
            return text
        text += more
    return text


def test_ctrl_c_while_frameworks_are_loaded() -> None:
    with on_a_terminal("compare", "mazur") as (process, terminal):
        read(terminal, b"loading TensorFlow and Keras")
        process.send_signal(signal.SIGINT)
        text = read(terminal)
        assert process.wait() == 130
    assert text.endswith(b"\x1b[2KStopped.\r\n")  # where the line was erased
    assert b"Traceback" not in text


def test_ctrl_c_while_training(endless: Path) -> None:
    with on_a_terminal("train", endless, *NUMPY) as (process, terminal):
        read(terminal, b"steps/s")
        process.send_signal(signal.SIGINT)
        text = read(terminal)
        assert process.wait() == 130
    end = text.rpartition(b"\x1b[2K")[2].decode()
    assert "numpy" in end
    assert re.search(r"epoch\b.*\bloss", end)
    assert "Stopped after epoch" in end
    assert "\u2501" not in end


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_bars_leave_room_for_what_ctrl_c_shows(width: int) -> None:
    """Otherwise its line wraps, and the bars leave a ghost behind."""
    text = io.StringIO()
    out = Console(file=text, width=width, color_system=None)
    run: Any = SimpleNamespace(
        name="numpy",
        epochs_done=2,
        history=SimpleNamespace(loss=[0.5, 0.123456]),
        case=SimpleNamespace(training=SimpleNamespace(epochs=100_000)),
        is_over=False,
        seconds_per_step=1e-5,
    )
    for renderable in Bars([run], out, lambda: True).get_renderables():
        out.print(renderable)
    lines = text.getvalue().splitlines()
    assert "2/100000" in text.getvalue()
    assert "stopping after this epoch; Ctrl-C" in text.getvalue()
    assert "…" not in text.getvalue()
    assert max(len(line.rstrip()) for line in lines) <= width - ROOM_FOR_CTRL_C


def test_what_was_reached() -> None:
    text = io.StringIO()
    runs = [Reached("numpy", 1200, 0.25, 0.975), Reached("tf", 1199, 0.26, None)]
    print_reached(runs, Console(file=text, width=60))
    assert text.getvalue().split() == [
        *("epoch", "loss", "accuracy"),
        *("numpy", "1,200", "0.25", "97.50%"),
        *("tf", "1,199", "0.26"),
    ]


def test_nothing_moves_in_a_pipe(endless: Path) -> None:
    endless.write_text(ENDLESS.replace("100000000", "3"))
    for arguments in (["train", endless, *NUMPY], ["compare", "mazur", *NUMPY]):
        run = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=os.environ | {"FORCE_COLOR": "1"},
        )
        assert run.returncode == 0
        assert run.stderr == ""
        assert "\x1b[2K" not in run.stdout
        assert "\u2501" not in run.stdout


# --- Shells


def completions(*words: str) -> list[str]:
    environment = {
        "COMP_WORDS": " ".join(["threeways", *words]),
        "COMP_CWORD": str(len(words)),
        "_THREEWAYS_COMPLETE": "bash_complete",
    }
    result = CliRunner(env=environment).invoke(main, prog_name="threeways")
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_shells_complete_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").touch()
    Path("sub").mkdir()
    Path("sub/other.toml").touch()
    for command in (["compare"], ["train"], ["bench"], ["diagnose"], ["vectors", "x"]):
        assert completions(*command, "maz") == ["plain,mazur"]
    assert completions("compare", "mn") == ["plain,mnist"]  # it is downloaded
    assert completions("compare", "mi") == ["plain,mine.toml"]
    assert completions("compare", "sub/") == ["plain,sub/other.toml"]
    assert completions("compare", "su") == ["file,su"]
    assert completions("compare", "--implementations", "numpy,") == [
        "plain,numpy,tf",
        "plain,numpy,keras",
    ]
    assert completions("train", "iris", "--save", "") == ["dir,"]
    assert completions("compare", "--json", "") == ["file,"]
    assert len(completions("compare", "")) == len(case_names()) + 2
