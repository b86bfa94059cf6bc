"""Damaged and hostile files end in a result or in one clear error, whatever is in them."""

from __future__ import annotations

import json
import os
import pickle
import re
import socket
import time
import warnings
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import shared.datasets
import shared.npz
from benchmarks.bad_files import MAKERS
from benchmarks.bad_inputs import failure, failures
from shared import Dataset, InputError, load_case
from shared.datasets import read_data_file
from shared.errors import MOST_CHARACTERS, MOST_PROBLEMS, Findings, printable, short, unknown
from shared.npz import MOST_MEMORY
from shared.reading import parse_json, read_text
from threeways.cli import main
from threeways.conformance.record_reader import read_records
from threeways.conformance.record_tables import parse
from threeways.mistakes.observations import Printed

NUMPY = ("--implementations", "numpy")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def error_of(use: Callable[[], object]) -> str:
    with pytest.raises(InputError) as error:
        use()
    return str(error.value)


def read_rows(path: Path) -> Dataset:
    return read_data_file(path, 1)


# ``python -m benchmarks.bad_inputs`` tries more of them.
@pytest.mark.parametrize("kind", MAKERS)
def test_bad_files_of_all_kinds(kind: str) -> None:
    assert list(failures(kind, seed=1, inputs=200)) == []


def fails_badly() -> None:
    raise KeyError("x")


def warns() -> None:
    warnings.warn("careful", stacklevel=1)


def forges() -> None:
    error = InputError("x")
    error.problems = ("fine\x1b[2K",)
    raise error


@pytest.mark.parametrize(
    ("use", "what"),
    [
        (fails_badly, "KeyError"),
        (warns, "UserWarning: careful"),
        (lambda: print("hello"), "printed 'hello"),
        (forges, "not printable"),
    ],
)
def test_what_is_a_failure(use: Callable[[], None], what: str) -> None:
    assert what in (failure(use) or "")


def test_no_answer_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.bad_inputs.SECONDS", 1)
    assert failure(lambda: time.sleep(600)) == "no answer within 1 seconds"
    assert failure(lambda: None) is None


# Messages.


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a name, with η and é", "a name, with η and é"),
        ("\x1b[2K\rforged", r"\x1b[2K\rforged"),
        ("two\nlines\u2028", r"two\nlines\u2028"),
        ("\u202eeman\u200b", r"\u202eeman\u200b"),
        ("\ud800x", r"\ud800x"),
        ("\x85\x7f\0", r"\x85\x7f\x00"),
    ],
)
def test_every_problem_is_one_line_that_is_safe_to_print(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert InputError(text).problems == (shown,)
    assert str(InputError("x").within(f"{text}: ")) == f"{shown}: x"


def test_a_long_problem_is_cut_in_its_midst() -> None:
    (line,) = InputError("start" + "x" * 1_000_000 + "\n" * 1000 + "end").problems
    assert len(line) <= MOST_CHARACTERS + 1
    assert line.startswith("start")
    assert line.endswith("end")


def test_of_many_problems_the_first_are_shown_and_the_others_counted() -> None:
    findings = Findings("file: ")
    for i in range(3):
        for _ in range(2):  # a problem that is found again is the same
            with findings:
                raise InputError(*(f"{i}.{j}" for j in range(5000)))
    error = error_of(findings.raise_any).splitlines()
    assert len(error) == MOST_PROBLEMS + 1
    assert error[0] == "file: 0.0"
    assert re.fullmatch(r"and [\d,]+ more problems", error[-1])
    assert InputError(*"ab").lines == ["a", "b"]


def test_a_problem_that_another_process_found() -> None:
    error = pickle.loads(pickle.dumps(InputError("a", "b", more=3)))
    assert error.lines == ["a", "b", "and 3 more problems"]


def test_a_huge_value_is_shown_at_no_cost() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert short(nested) == "[" * 37 + "..."
    assert short(16**6000) == "an integer of about 7225 digits"
    assert short([16**6000]) == "[an integer of about 7225 digits]"
    assert short("x" * 10**6) == "'" + "x" * 36 + "..."
    assert short({"a": range(3)}) == "{'a': range(0, 3)}"


# Files that are no files.


@pytest.fixture
def odd_files(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Paths that lead to something else than a file, and what is said of it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("link")
    with socket.socket(socket.AF_UNIX) as server:
        folder = os.getcwd()
        os.chdir(tmp_path)  # the path of a socket has to be short
        server.bind("socket")
        os.chdir(folder)
    return {
        "pipe": (tmp_path / "pipe", "is a pipe, not a file"),
        "link": (tmp_path / "link", "Too many levels of symbolic links"),
        "socket": (tmp_path / "socket", "is a socket, not a file"),
        "device": (Path("/dev/zero"), "is a device, not a file"),
        "folder": (tmp_path, "Is a directory"),
        "nothing": (tmp_path / "nothing", "No such file or directory"),
        "null": (tmp_path / "a\0b", "not the path of a file (embedded null byte)"),
    }


@pytest.mark.parametrize("what", ["pipe", "link", "socket", "device", "folder", "nothing", "null"])
def test_only_files_are_read(
    what: str, odd_files: dict[str, tuple[Path, str]], tmp_path: Path
) -> None:
    path, message = odd_files[what]
    for read in (read_text, load_case, read_records, read_rows):
        assert message in error_of(partial(read, path))
    npz = tmp_path / "rows.npz"
    npz.symlink_to(path) if what != "null" else npz.touch()
    assert (message if what != "null" else "not an .npz file") in error_of(
        lambda: read_data_file(npz, 1)
    )


def test_a_case_from_a_pipe(tmp_path: Path) -> None:
    """As from a shell's ``<(…)``."""
    mazur = load_case("mazur")
    text = (Path(load_case.__code__.co_filename).parent / "cases" / "mazur.toml").read_bytes()
    read, write = os.pipe()
    os.write(write, text)
    os.close(write)
    assert load_case(f"/dev/fd/{read}").title == mazur.title
    os.close(read)


def test_a_file_may_have_only_so_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(2**40)  # takes no space
    for read in (load_case, read_records, read_rows):
        assert "is too large: more than" in error_of(partial(read, path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1, "b": 2, "a": 1}', "'a' is given 2 times in the same table"),
        ('[{"b": {"\\u001b": 1, "\\u001b": 2}}]', r"'\x1b' is given 2 times in the same table"),
        ("9" * 5000, "not JSON: a number of thousands of digits"),
        ("[" * 100_000, "not JSON: nested too deeply"),
    ],
)
def test_json(content: str, message: str) -> None:
    assert error_of(lambda: parse_json(content)) == message


# Cases.

CASE = """
loss = "mean_squared_error"
{more}
[[layers]]
units = {units}
[data]
{data}
[training]
learning_rate = 0.1
{training}
"""


def case(
    folder: Path,
    units: str = "1",
    data: str = 'dataset = "xor"',
    more: str = "",
    training: str = "",
) -> Path:
    path = folder / "mine.toml"
    path.write_text(CASE.format(units=units, data=data, more=more, training=training))
    return path


def deep_key(part: str) -> str:
    return "title" + f". {part}" * 20_000 + " = 1"


COSTLY = {
    "hex": ({"units": "0x" + "f" * 5000}, "layers[0].units: should be a smaller number, not an"),
    "digits": ({"units": "9" * 5000}, "not TOML: an integer of thousands of digits"),
    "seed": ({"training": "seed = 0x" + "f" * 300}, "training.seed: should be less than"),
    "key": ({"more": deep_key("a")}, "line 3: a key of more than 50 parts"),
    "quoted-key": ({"more": deep_key("'a'")}, "line 3: a key of more than 50 parts"),
    "inline-key": ({"more": f"x = {{{deep_key('a')}}}"}, "line 3: a key of more than 50 parts"),
    "depth": ({"more": "title = " + "[" * 300 + "]" * 300}, "not TOML: nested too deeply"),
    "layers": ({"units": "1\n[[layers]]\nunits = 1" * 1001}, "layers: 1002 are too many, at most"),
    "units": ({"units": "2000000000"}, "weights and biases, 134,217,728 at most"),
    "copies": (
        {"data": 'dataset = "digits"', "training": "augmentation = {copies = 100000, shift = 1}"},
        "training: augmentation.copies: 100000 copies make 179,701,797 images, 1,048,576 at most",
    ),
    "tiny-copies": (
        {
            "data": "x = [[0, 1]]\ny = [[1]]\nimage_shape = [1, 2]",
            "training": "augmentation = {copies = 2000000000, shift = 1}",
        },
        "2000000000 copies make 2,000,000,001 images",
    ),
    "index": (
        {"more": f'figures.X."dW[0][0,{"1" * 5000}]" = "1"'},
        "is not a quantity of this step",
    ),
    "pixels": (
        {
            "data": "x = [[-1.7e308, 1]]\ny = [[1]]\nimage_shape = [1, 2]",
            "training": "augmentation.contrast = 0.5",
        },
        "training: data set 'mine': 1.7e+308 is too large for a pixel",
    ),
    "shift": ({"training": "augmentation.shift = 1e300"}, "shift: should be less than or equal"),
    "keys": ({"training": "\n".join(f"k{i} = 1" for i in range(100_000))}, "99,980 more problems"),
    "size": ({"training": "#" * 2**25}, "is too large: more than 16 MiB"),
}


@pytest.mark.parametrize(("wrong", "message"), COSTLY.values(), ids=COSTLY)
def test_what_would_cost_time_or_memory_is_refused(
    wrong: dict[str, str], message: str, tmp_path: Path
) -> None:
    path = case(tmp_path, **wrong)
    lines = error_of(lambda: load_case(path)).splitlines()
    assert any(message in line for line in lines), lines
    assert len(lines) <= MOST_PROBLEMS + 1


@pytest.mark.parametrize("name", ["\\u001b[2K", "a\\nb", "\\u202e", "\\u200b", "\\u0085"])
def test_text_that_would_forge_a_line_is_refused(name: str, tmp_path: Path) -> None:
    message = "should be printable characters on one line, not '"
    for more in (f'title = "{name}"', f'lectures = ["{name}"]', f'figures."{name}".loss = "1"'):
        path = case(tmp_path, more=more)
        assert message in error_of(partial(load_case, path))
    assert call("compare", path, *NUMPY).stderr.isascii()


def test_the_name_of_a_file_is_safe_to_print(tmp_path: Path) -> None:
    path = case(tmp_path).rename(tmp_path / "\x1b[2K\nall right.toml")
    assert load_case(path).name == r"\x1b[2K\nall right"


@pytest.mark.parametrize("schedule", ["step", "exponential", "inverse_time"])
@pytest.mark.parametrize("rate", [1e300, 1e-300])
def test_a_schedule_that_leaves_the_range_of_floats(
    schedule: str, rate: float, tmp_path: Path
) -> None:
    training = f'epochs = 40\nschedule = "{schedule}"\ndecay_rate = {rate}\ndecay_steps = 1'
    result = call("train", case(tmp_path, training=training), *NUMPY)
    diverges = rate > 1 and schedule != "inverse_time"
    assert result.exit_code == diverges, result.output
    assert ("numpy: diverged at step 3" in result.output) == diverges


def test_a_case_that_overflows_at_its_first_step(tmp_path: Path) -> None:
    path = case(tmp_path, data="x = [[1e300]]\ny = [[-1e300]]", training='optimizer = "momentum"')
    result = call("compare", path, *NUMPY, "--dtype", "float64")
    assert result.exit_code == 1
    assert result.stderr == ""


def test_a_chain_of_functions_that_is_too_large_for_float32(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'chain_rule = {example = "square", inputs = {x = -1e39}, learning_rate = 0.1}\n'
    )
    result = call("compare", path, *NUMPY)
    assert result.stderr == "Error: mine: inputs.x: -1e+39 is too large for float32\n"
    assert call("compare", path, *NUMPY, "--dtype", "float64").exit_code == 0


@pytest.mark.parametrize("link", [False, True])
def test_cases_that_start_from_one_another(link: bool, tmp_path: Path) -> None:
    path = case(tmp_path, more='transfer = {case = "b.toml", layers = 1}')
    other = tmp_path / "b.toml"
    if link:
        other.symlink_to(path)
    else:
        other.write_text(path.read_text().replace("b.toml", "mine.toml"))
    assert error_of(lambda: load_case(path)).endswith("would start from itself")


def test_too_many_cases_in_a_row(tmp_path: Path) -> None:
    text = case(tmp_path, more='transfer = {case = "NEXT.toml", layers = 1}').read_text()
    for i in range(30):
        (tmp_path / f"{i}.toml").write_text(text.replace("NEXT", str(i + 1)))
    assert "more than 20 cases" in error_of(lambda: load_case(tmp_path / "0.toml"))


NAMES = {
    "data-set": (["train", "moons"], "'moons' is a data set, not a case; cases that use it: "),
    "data-set-used": (["train", "moons"], "moons-momentum"),
    "many": (["compare", "zzz"], "; `threeways cases` lists them (a file's name ends in .toml)"),
}


@pytest.mark.parametrize(("arguments", "message"), NAMES.values(), ids=NAMES)
def test_names_of_cases(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr) < 200


def test_a_file_without_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case(tmp_path).parent)
    result = call("compare", "mine")
    assert result.stderr == "Error: 'mine' is not a case; did you mean mine.toml?\n"


OTHER_NAMES = {
    "xavier": ({"more": 'initialise.scheme = "xavier"'}, "glorot_uniform"),
    "kaiming": ({"more": 'initialise.scheme = "Kaiming"'}, "he_normal"),
    "logistic": ({"units": '1\nactivation = "logistic"'}, "sigmoid"),
    "momentum": ({"training": 'optimizer = "SGD with momentum"'}, "momentum"),
    "lr": ({"training": "lr = 1"}, "learning_rate"),
}


@pytest.mark.parametrize(("wrong", "meant"), OTHER_NAMES.values(), ids=OTHER_NAMES)
def test_what_others_call_it_is_understood(
    wrong: dict[str, str], meant: str, tmp_path: Path
) -> None:
    path = case(tmp_path, **wrong)
    assert f"; did you mean '{meant}'?" in error_of(lambda: load_case(path))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sse", "half_squared_error"),
        ("nll", "categorical_crossentropy"),
        ("mean_squared_eror", "mean_squared_error"),
        ("smooth_l1_loss", "huber"),
        ("sparse_categorical_crossentropy", "categorical_crossentropy"),
    ],
)
def test_what_others_call_a_loss(name: str, meant: str, tmp_path: Path) -> None:
    path = case(tmp_path)
    path.write_text(path.read_text().replace("mean_squared_error", name))
    assert f"loss: '{name}' is not a loss; did you mean '{meant}'?" in error_of(
        lambda: load_case(path)
    )


@pytest.mark.parametrize(
    ("name", "output", "loss"),
    [
        ("mse", "linear", "mean_squared_error"),
        ("MSELoss", "linear", "mean_squared_error"),
        ("mae", "linear", "mean_absolute_error"),
        ("L1Loss", "tanh", "mean_absolute_error"),
        ("BCE", "sigmoid", "binary_crossentropy"),
        ("binary_cross_entropy", "sigmoid", "binary_crossentropy"),
        ("BCEWithLogitsLoss", "sigmoid", "binary_crossentropy"),
        ("cce", "softmax", "categorical_crossentropy"),
        ("cross-entropy", "softmax", "categorical_crossentropy"),
        ("cross_entropy", "sigmoid", "binary_crossentropy"),
        ("log_loss", "sigmoid", "binary_crossentropy"),
        ("CrossEntropyLoss", "softmax", "categorical_crossentropy"),
        ("huber_loss", "linear", "huber"),
        ("hinge_loss", "linear", "hinge"),
    ],
)
def test_what_others_call_the_same_loss_is_taken(
    name: str, output: str, loss: str, tmp_path: Path
) -> None:
    layers = (shared.Layer(units=2, activation=output),)
    assert shared.Network(n_features=1, layers=layers, loss=name).loss == loss
    text = f"""
    loss = "{name}"
    [[layers]]
    units = 2
    activation = "{output}"
    [data]
    x = [[1]]
    y = [[1, {-1 if loss == "hinge" else 0}]]
    [training]
    learning_rate = 1
    """
    path = tmp_path / "mine.toml"
    path.write_text(text)
    loaded = load_case(path)
    assert isinstance(loaded, shared.Case)
    assert loaded.network.loss == loss
    network = {"n_features": 1, "layers": [{"units": 2, "activation": output}], "loss": name}
    table = {"network": network, "tests": [{"quantities": {"loss": 1.0}}]}
    (group,) = parse({"schema": "threeways/vectors/v1", "groups": [table]}).groups
    assert group.network.loss == loss


@pytest.mark.parametrize(
    ("name", "output", "message"),
    [
        (
            "cross_entropy",
            "linear",
            "only of softmax units ('categorical_crossentropy') or sigmoid u",
        ),
        ("bce", "linear", "'binary_crossentropy' does not fit an output layer of 'linear' units"),
        ("squared_hinge", "linear", "'squared_hinge' is not a loss; there are "),
        ("sparse_categorical_crossentropy", "softmax", "give the labels as labels in [data]"),
    ],
)
def test_what_others_call_a_loss_that_does_not_fit(name: str, output: str, message: str) -> None:
    layers = (shared.Layer(units=2, activation=output),)
    error = error_of(lambda: shared.Network(n_features=1, layers=layers, loss=name))
    assert error.startswith("loss: ")
    assert message in error


def test_adamw_is_not_adam() -> None:
    assert "did you mean" not in unknown("adamw", "an optimizer", shared.OPTIMIZERS)


# Arrays.


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def npy(shape: str, dtype: str = "<f8", content: bytes = b"") -> bytes:
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + content


LONG_HEADER = b"\x93NUMPY\2\0" + (2**30).to_bytes(4, "little") + b" " * 2**20
ONE = npy("(1, 1)", content=b"\0" * 8)
NPZ = {
    "objects": ({"x": npy("(1, 1)", "|O", b"\x80\x04N."), "y": ONE}, "x holds Python objects"),
    "text": ({"x": npy("(1, 1)", "<U1", b"\0" * 4), "y": ONE}, "holds <U1 instead of numbers"),
    "missing": ({"x": ONE}, "not an .npz file with arrays x and y"),
    "short": ({"x": npy("(10**9, 1)"), "y": ONE}, "not an .npz file with arrays x and y"),
    "lying": ({"x": npy("(300000000, 1)", content=b"1234"), "y": ONE}, "not an .npz file with"),
    "header": ({"x": LONG_HEADER, "y": ONE}, "not an .npz file with arrays x and y"),
    "negative": ({"x": npy("(-1, -1)", content=b"\0" * 8), "y": ONE}, "not an .npz file with"),
    "nothing": ({"x": npy("(10**10, 1)".replace("10**10", "9" * 11), "|V0"), "y": ONE}, "GiB"),
    "flat": ({"x": npy("(1,)", content=b"\0" * 8), "y": ONE}, "x: expected shape (N, D), got (1,)"),
}


@pytest.mark.parametrize(("members", "message"), NPZ.values(), ids=NPZ)
def test_arrays_are_judged_by_their_headers(
    members: dict[str, bytes], message: str, tmp_path: Path
) -> None:
    path = archive(tmp_path / "rows.npz", **members)
    assert message in error_of(lambda: read_data_file(path, 1))


def test_arrays_that_unpack_to_too_much_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_MEMORY == 2**30
    monkeypatch.setattr(shared.datasets, "MOST_MEMORY", 2**23)
    monkeypatch.setattr(shared.npz, "_read", lambda *_: pytest.fail("was unpacked"))
    zeros = npy(f"({2**20 + 1}, 1)", content=b"\0" * (2**23 + 8))
    path = archive(tmp_path / "rows.npz", x=zeros, y=ONE)
    assert path.stat().st_size < 2**14
    message = error_of(lambda: read_data_file(path, 1))
    assert message == f"{path}: its arrays take 0.00781 GiB of memory, 0.00781 GiB at most"


def test_an_array_that_is_there_twice(tmp_path: Path) -> None:
    path = archive(tmp_path / "rows.npz", x=ONE, y=ONE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's
        with zipfile.ZipFile(path, "a") as file:
            file.writestr("x.npy", ONE)
    assert error_of(lambda: read_data_file(path, 1)) == f"{path}: holds x 2 times"


# Records.

RECORD: dict[str, Any] = {
    "schema": "threeways/vectors/v1",
    "groups": [
        {
            "network": {
                "n_features": 2,
                "layers": [{"units": 1}],
                "loss": "half_squared_error",
            },
            "learning_rate": 0.5,
            "parameters": [{"W": [[1], [2]], "b": [0]}],
            "x": [[1, 2]],
            "y": [[4]],
            "tests": [{"quantities": {"z[0]": [[5]], "loss": 0.5}}],
        }
    ],
}


def record(folder: Path, **changes: Any) -> Path:
    path = folder / "steps.json"
    (group,) = RECORD["groups"]
    path.write_text(json.dumps(RECORD | {"groups": [group | changes]}))
    return path


def deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


FORGED = "should be printable characters on one line, not "
RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "name": ({"case": "\x1b[2K\rall right"}, rf"case: {FORGED}'\x1b[2K\rall right'"),
    "title": ({"title": "\u202e"}, rf"title: {FORGED}'\u202e'"),
    "surrogate": ({"case": "\ud800x"}, rf"case: {FORGED}'\ud800x'"),
    "key": ({"\x1b[2K": 1}, r"groups[0]: '\x1b[2K' is not a key here"),
    "depth": (
        {"tests": [{"quantities": {"loss": deep(500)}}]},
        "quantities.loss: expected a number, a list of them, or a list of rows of them",
    ),
    "depth-elsewhere": ({"x": deep(500)}, "x[0][0]: should be a valid number, not [[["),
    "digits": (
        {"tests": [{"quantities": {"loss": 10**4000}}]},
        "quantities.loss: an integer of about 4000 digits is too large for float64",
    ),
    "hex": (
        {"tests": [{"quantities": {"loss": {"hex": "0x" + "1" * 10**6 + "g"}}}]},
        "is not a hex float such as '0x1.8p-1'",
    ),
    "tests": ({"tests": [{"quantities": {"loss": "x"}}] * 10_000}, "and 9,980 more problems"),
    "shapes": ({"tests": [{"quantities": {"loss": [1]}}] * 10_000}, "and 9,980 more problems"),
    "quantities": (
        {"tests": [{"quantities": {f"q{i}": 1 for i in range(10_000)}}]},
        "and 9,980 more problems",
    ),
}


@pytest.mark.parametrize(("changes", "message"), RECORDS.values(), ids=RECORDS)
def test_wrong_records(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    result = call("check", record(tmp_path, **changes))
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.count("\n") <= MOST_PROBLEMS + 1
    assert result.stderr.replace("\n", "").isprintable()


def test_comments_may_have_any_characters(tmp_path: Path) -> None:
    path = record(tmp_path, tests=[{"comment": "a\nb\ud800", "quantities": {"loss": 0.5}}])
    (group,) = read_records(path)
    assert group.steps[0].comment == r"a\nb\ud800"


@pytest.mark.parametrize("number", ["0e9999999999", "1e999999999", "1" * 10**5 + "x"])
def test_a_number_that_no_step_has(number: str) -> None:
    result = call("diagnose", "mazur", "--value", f"loss={number}")
    assert result.exit_code == 2, result.output
    assert "is not a number" in result.stderr


@pytest.mark.parametrize("number", ["0", "0e300", "-0.0e999999999"])
def test_a_zero_is_no_other_number(number: str) -> None:
    assert not Printed("loss", (), number, 0.0).compare({"loss": np.array(0.6)})[0]
    assert Printed("loss", (), number, 0.0).compare({"loss": np.array(0.0)})[0]
