"""The commands as a person calls them, and every kind of wrong call."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

import threeways.compare
from shared import DATASETS, Case, InputError, case_names, load_case, load_dataset
from shared.frameworks import importing_frameworks
from tests.processes import LIMIT, marked, started, wait_until_gone
from threeways.cli import main
from threeways.exact.bounds import CONSTANT
from threeways.pool import StepPool
from threeways.report.comparison import print_comparison

MINE = """
title = "A network of my own"
loss = "mean_squared_error"

[[layers]]
units = 2
activation = "tanh"

[[layers]]
units = 1

[data]
x = [[0, 1], [1, 2]]
y = [[1], [0]]

[training]
learning_rate = 0.1
epochs = 2
"""
NUMPY = ("--implementations", "numpy")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


@pytest.mark.usefixtures("packages")
def test_compare_covers_every_case(tmp_path: Path) -> None:
    result = call("compare", "--json", tmp_path / "report.json")
    assert result.exit_code == 0, result.output
    assert "comparisons agree." in result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["schema"] == "threeways/compare/v1"
    assert report["ok"] is True
    assert set(report["versions"]) == {"python", "numpy", "tensorflow", "keras"}
    found = [(each["case"], each["dtype"]) for each in report["results"]]
    assert sorted(found) == sorted(itertools.product(case_names(), ("float32", "float64")))
    for each in report["results"]:
        pairs = [(pair["a"], pair["b"]) for pair in each["pairs"]]
        assert pairs == [("numpy", "tf"), ("numpy", "keras"), ("tf", "keras")]
        assert set(each["seconds_per_step"]) == {"numpy", "tf", "keras"}
        for pair in each["pairs"]:
            assert pair["ok"]
            assert pair["worst"]["difference_eps"] <= pair["worst"]["bound_eps"]
        assert [one["implementation"] for one in each["exact"]] == ["numpy", "tf", "keras"]
        assert all(one["ok"] for one in each["exact"])


@pytest.mark.usefixtures("packages")
def test_compare_fails_where_something_differs(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for dtype in CONSTANT:
        monkeypatch.setitem(CONSTANT, dtype, 1e-30)
    path = tmp_path / "report.json"
    result = call("compare", "digits", mine, "--json", path)
    assert result.exit_code == 1
    assert "differ" in result.output
    assert " in digits (float32): " in result.output
    report = json.loads(path.read_text())
    assert report["ok"] is False
    assert {each["case"] for each in report["results"]} == {"digits", "mine"}


@pytest.mark.usefixtures("packages")
def test_compare_one_case_in_one_dtype(mine: Path) -> None:
    result = call("compare", mine, "--dtype", "float32", "--implementations", "keras,numpy")
    assert result.exit_code == 0, result.output
    assert "float64" not in result.output
    assert "numpy keras" in result.output


def test_the_tables_of_compare_fit_the_terminal(packages: dict[str, ModuleType]) -> None:
    """The longest name of a case, the longest of an element, and a later step."""
    names = ("epita-1-perceptron-rule", "digits-adam", "circles-nesterov", "mazur")
    results = [threeways.compare.compare(load_case(name), "float32", packages) for name in names]
    for some, width in itertools.product((results[:2], results), (80, 160)):
        text = io.StringIO()
        print_comparison(some, Console(file=text, width=width))
        lines = text.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        assert not re.search(r"\S…", text.getvalue())  # nothing is cut off
        for header in ("quantity", "step", "diff", "bound"):
            assert header in lines[2]
            assert any(line.startswith(f"{header} ") for line in lines[3:])
        assert ("ms" in text.getvalue()) == (width == 160)


@pytest.mark.usefixtures("packages")
def test_train(mine: Path) -> None:
    mine.write_text(MINE.replace("[[1], [0]]", "[[1], [0.5]]"))
    result = call("train", mine, "--dtype", "float32")
    assert result.exit_code == 0, result.output
    for text in ("2 epochs in float32", "last loss", "largest difference", "numpy tf", "tf keras"):
        assert text in result.output
    assert "%" not in result.output  # regression: no accuracy


@pytest.mark.usefixtures("packages")
def test_train_counts_right_answers() -> None:
    result = call("train", "uio-1-and")
    assert result.exit_code == 0, result.output
    assert result.output.count("100.00%") == 3


def test_diagnose() -> None:
    result = call("diagnose", "mazur", "--value", "dW[1][0,0]=0.1643", "--value", "loss=0.29837")
    assert result.exit_code == 1, result.output
    assert result.output.startswith("known mistake, to 4 digits: ½ missing")
    assert "what to do:" in result.output
    result = call("diagnose", "mazur", "--value", "loss=0.298371109")
    assert result.exit_code == 0
    assert result.output == "correct, to 9 digits\n"


def test_diagnose_as_json(tmp_path: Path) -> None:
    wrong = ("diagnose", "mazur", "--value", "dW[1][0,0]=0.1643", "--value", "loss=0.29837")
    result = call(*wrong, "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (answer["schema"], answer["ok"]) == ("threeways/diagnose/v1", False)
    assert (answer["verdict"], answer["case"], answer["step"]) == ("known", "mazur", 1)
    assert 0 < answer["chance"] < 0.01
    (found,) = answer["matches"]
    assert [mistake["name"] for mistake in found["mistakes"]] == ["half-missing"]
    assert [(each["element"], each["state"]) for each in answer["given"]] == [
        ("loss", "right"),
        ("dW[1][0,0]", "first"),
    ]
    path = tmp_path / "answer.json"
    result = call(*wrong, "--json", str(path))
    assert result.output.startswith("known mistake")
    assert json.loads(path.read_text()) == answer
    fields = set(
        re.findall(
            r"`(\w+)`", (Path(__file__).parents[1] / "docs" / "diagnose.md").read_text("utf-8")
        )
    )
    assert {*answer, *found, *found["mistakes"][0], *answer["given"][0]} <= fields


def test_check(tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    net.write_text("from impl_numpy import FeedForward as Right\n"
                   "from threeways.mistakes import MISTAKES\n"
                   "Wrong = MISTAKES['half-missing']\n")  # fmt: skip
    result = call("check", f"{net}:Right", "mazur", "iris", "--dtype", "float32")
    assert result.exit_code == 0, result.output
    assert "mazur float32: right\n" in result.output
    assert "6 of 6 right" in result.output
    result = call("check", f"{net}:Wrong", "mazur", "uio-9-buildings")
    assert result.exit_code == 1
    assert "One explanation fits all that depart: ½ missing" in result.output
    assert " eps apart; rounding explains " not in result.output
    result = call("check", f"{net}:Wrong", "mazur", "--verbose")
    assert " eps apart; rounding explains " in result.output


def test_vectors_and_checking_them(tmp_path: Path) -> None:
    result = call("vectors", tmp_path / "vectors", "mazur", "csumb-2-chain")
    assert result.exit_code == 0, result.output
    assert "2 files and schema.json" in result.output
    path = tmp_path / "vectors" / "mazur-float64.json"
    assert call("check", path).exit_code == 0
    path.write_text(path.read_text().replace("0.5932699921071872", "0.59327", 1))
    result = call("check", path)
    assert result.exit_code == 2
    assert "hex" in result.output


def test_lists() -> None:
    cases, datasets = call("cases"), call("datasets")
    assert cases.exit_code == datasets.exit_code == 0
    for name in case_names():
        assert name in cases.output
    for name in DATASETS:
        assert name in datasets.output


def test_a_data_file(mine: Path) -> None:
    inline = "x = [[0, 1], [1, 2]]\ny = [[1], [0]]"
    mine.write_text(MINE.replace(inline, 'file = "rows.csv"'))
    (mine.parent / "rows.csv").write_text("a,b,target\n0,1,1\n1,2,0\n")
    assert call("compare", mine, *NUMPY).exit_code == 0


WRONG_CALLS = {
    "case": (["compare", "mazr"], "'mazr' is not a case; did you mean 'mazur'?"),
    "file": (["compare", "none.toml"], "none.toml: No such file or directory"),
    "implementation": (
        ["compare", "mazur", "--implementations", "numpi"],
        "'numpi' is not an implementation; did you mean 'numpy'?",
    ),
    "dtype": (["compare", "--dtype", "float16"], "'float16' is not one of"),
    "command": (["compar"], "Did you mean 'compare'?"),
    "option": (["compare", "--jsn"], "Did you mean '--json'?"),
    "no-case": (["train"], "Missing argument"),
    "chain": (["train", "csumb-1-square"], "has no training"),
    "folder": (["compare", "--json", "."], "cannot be written (is a folder)"),
    "nowhere": (["compare", "--json", "no/where.json"], "No such file or directory"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_wrong_call(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unwritable_report_is_found_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threeways.compare, "compare_all", lambda *_: pytest.fail("worked in vain"))
    assert call("compare", "mazur", *NUMPY, "--json", "no/where.json").exit_code == 2


# What to replace in MINE, with what, and what is then said.
WRONG_FILES = {
    "toml": ("loss =", "loss", "not TOML: Expected '=' after a key in a key/value pair (at line 3"),
    "toml-end": ("epochs = 2\n", "epochs =", "(at line 18, column 9)"),
    "loss": ("mean_squared", "meen_squared", "loss: 'meen_squared_error' is not a loss; did you"),
    "loss-misfit": ("mean_squared_error", "binary_crossentropy", "does not fit an output layer of"),
    "activation": ("tanh", "tan", "layers[0].activation: 'tan' is not an activation; did you mean"),
    "units": ("units = 1", "units = 0", "layers[1].units: should be greater than 0, not 0"),
    "type": ("units = 1", 'units = "1"', "layers[1].units: should be a valid integer, not '1'"),
    "key": ("units = 1", "units = 1\nunit = 1", "layers[1]: 'unit' is not a key here; did you"),
    "missing": ("units = 1", "", "layers[1]: 'units' is missing"),
    "alpha": ("units = 1", "units = 1\nalpha = 1", "'linear' has none"),
    "softmax": ("units = 1", 'units = 1\nactivation = "softmax"', "use sigmoid"),
    "rate": ("rate = 0.1", "rate = -0.1", "training.learning_rate: should be greater than 0"),
    "rate-nan": ("rate = 0.1", "rate = nan", "training.learning_rate: should be a finite number"),
    "epochs": ("epochs = 2", "epochs = 0", "training.epochs: should be greater than 0, not 0"),
    "batch": ("epochs = 2", "batch_size = -1", "training.batch_size: should be greater than 0"),
    "dtype": ("title", 'dtype = "float16"\ntitle', "dtype: 'float16' is not a dtype; did you mean"),
    "nan": ("x = [[0, 1]", "x = [[nan, 1]", "data.x[0][0]: should be a finite number, not nan"),
    "flat": ("y = [[1], [0]]", "y = [1, 0]", "data.y[0]: should be a list such as [1], not 1"),
    "ragged": ("x = [[0, 1]", "x = [[0]", "data: x: rows of different lengths"),
    "rows": ("y = [[1], [0]]", "y = [[1]]", "x has 2 rows, y has 1"),
    "width": ("y = [[1], [0]]", "y = [[1, 1], [0, 0]]", "y: expected shape (N, 1), got (2, 2)"),
    "empty": ("x = [[0, 1], [1, 2]]", "x = []", "x: expected shape (N, D), got (0,)"),
    "no-data": ("x = [[0, 1], [1, 2]]\ny = [[1], [0]]", "", "data: needs dataset, or file, or x"),
    "dataset": ("[data]", '[data]\ndataset = "moon"', "'moon' is not a data set; did you mean"),
    "no-file": (
        "x = [[0, 1], [1, 2]]\ny = [[1], [0]]",
        'file = "none.csv"',
        "none.csv: No such file or directory",
    ),
    "shapes": (
        "[data]",
        "[[parameters]]\nW = [[1]]\nb = [1, 2]\n[[parameters]]\nW = [[1], [1]]\nb = [1]\n[data]",
        "parameters[0].W: expected shape (2, 2), got (1, 1)",
    ),
    "layers": (
        "[data]",
        "[[parameters]]\nW = [[1]]\nb = [1]\n[data]",
        "expected 2 layers, got 1",
    ),
    "huge": ("units = 1", "units = 3000000000", "layers[1].units: should be less than 2147483648"),
    "scale": ("[data]", "[initialise]\nscale = 1e300\n[data]", "initialise.scale: should be less"),
    "no-table": ("[training]", "[other]", "'other' is not a key here"),
    "figure": ("[data]", '[figures.X]\n"dW[7][0,0]" = "1"\n[data]', "'dW[7]' is not a quantity"),
}


@pytest.mark.parametrize(("old", "new", "message"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_wrong_file(old: str, new: str, message: str, mine: Path) -> None:
    assert old in MINE
    mine.write_text(MINE.replace(old, new, 1))
    result = call("compare", mine, *NUMPY)
    assert result.exit_code == 2, result.output
    assert all(line.startswith(f"Error: {mine}: ") for line in result.stderr.splitlines())
    assert message in result.stderr


@pytest.mark.parametrize(
    ("output", "loss", "y", "message"),
    [
        ("sigmoid", "binary_crossentropy", "[[1], [2]]", "y[1]: [2.0] is not in [0, 1]"),
        (
            "softmax",
            "categorical_crossentropy",
            "[[1, 1], [0, 1]]",
            "y[0]: [1.0, 1.0] is not one-hot",
        ),
        ("step", "perceptron", "[[1], [-1]]", "y[1]: [-1.0] is not of 0 and 1 alone"),
        ("sign", "bipolar_perceptron", "[[1], [0]]", "y[1]: [0.0] is not of -1 and 1 alone"),
    ],
)
def test_targets_that_a_loss_is_not_defined_for(
    output: str, loss: str, y: str, message: str, mine: Path
) -> None:
    units = y.split("]")[0].count(",") + 1
    text = MINE.replace("mean_squared_error", loss).replace("[[1], [0]]", y)
    mine.write_text(text.replace("units = 1", f'units = {units}\nactivation = "{output}"'))
    result = call("compare", mine, *NUMPY)
    assert result.exit_code == 2
    assert message in result.stderr


def test_too_large_for_float32(mine: Path) -> None:
    mine.write_text(MINE.replace("[[0, 1]", "[[1e300, 1]"))
    result = call("compare", mine, *NUMPY)
    assert result.exit_code == 2
    assert result.stderr == "Error: mine: x[0,0]: 1e+300 is too large for float32\n"
    assert call("compare", mine, *NUMPY, "--dtype", "float64").exit_code == 0


@pytest.mark.usefixtures("packages")
def test_a_run_that_diverges_says_so(mine: Path) -> None:
    mine.write_text(
        MINE.replace('"tanh"', '"linear"').replace("0.1", "1e6").replace("= 2", "= 200")
    )
    mine.write_text(mine.read_text().replace("units = 200", "units = 2"))
    result = call("train", mine)
    assert result.exit_code == 1, result.output
    assert "numpy, tf, keras: diverged at step 4 (epoch 4): try a smaller" in result.output


def test_all_of_a_files_errors_at_once(mine: Path) -> None:
    text = MINE.replace("tanh", "tan").replace("0.1", "0").replace("epochs", "epoch")
    mine.write_text(text.replace("[data]", "[data]\nfile = 3\n").replace("title", "titel"))
    result = call("compare", mine)
    assert result.stderr.count("\n") == 5, result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,c\n", "no rows in it"),
        (b"0,1,1\n1,2,0\n", "the first line should be headings, not numbers"),
        (b"a,b,c\n1,2,x\n", "could not convert string 'x'"),
        (b"a,b,c\n1,2,nan\n", "rows.csv: line 2, column 3 ('c'): nan is not a finite number"),
        (b"a\n1\n", "1 columns leave no features"),
        (b"\xff\xfe", "not UTF-8 text (byte 0); it seems to be UTF-16"),
    ],
)
def test_wrong_data_file(content: bytes, message: str, mine: Path) -> None:
    inline = "x = [[0, 1], [1, 2]]\ny = [[1], [0]]"
    mine.write_text(MINE.replace(inline, 'file = "rows.csv"'))
    (mine.parent / "rows.csv").write_bytes(content)
    result = call("compare", mine, *NUMPY)
    assert result.exit_code == 2
    assert message in result.stderr


def test_missing_framework() -> None:
    code = (
        "import sys; sys.modules.update(tensorflow=None, keras=None)\n"
        "from threeways.cli import main; main(['compare', 'mazur'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT
    )
    assert run.returncode == 2
    assert run.stderr.startswith("Error: tf: tensorflow is not installed; pip install tensorflow")
    assert run.stderr.count("\n") == 1


def test_no_network_for_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def fail() -> None:
        raise Exception("URL fetch failure: no network")  # as Keras does

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(InputError, match="'mnist': could not be downloaded"):
        load_dataset("mnist")


def test_as_a_process(tmp_path: Path) -> None:
    """The whole command, frameworks and all, with a clean terminal."""
    run = subprocess.run(
        [sys.executable, "-m", "threeways", "compare", "mazur", "--json", "report.json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "All 12 comparisons agree." in run.stdout
    assert json.loads((tmp_path / "report.json").read_text())["ok"] is True
    assert os.listdir(tmp_path) == ["report.json"]


def test_ctrl_c(mine: Path) -> None:
    mine.write_text(MINE.replace("epochs = 2", "epochs = 100000000"))
    command = [sys.executable, "-m", "threeways", "train", str(mine), *NUMPY]
    with started(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in stderr


class Deadly:
    """Ends the process that it is sent to.

    Args:
        how: a function and its arguments.
    """

    def __init__(self, *how: Any) -> None:
        self.how = how

    def __reduce__(self) -> tuple[Any, ...]:
        function, *arguments = self.how
        return function, tuple(arguments)


@pytest.mark.parametrize(
    ("deadly", "how"),
    [
        (Deadly(os._exit, 1), "exit code 1"),
        (Deadly(signal.raise_signal, signal.SIGKILL), r"signal 9 \(killed\)"),
    ],
)
def test_a_process_that_ends_unexpectedly_is_reported(deadly: Deadly, how: str) -> None:
    with pytest.raises(InputError, match=rf"a process ended unexpectedly \({how}\); is there"):
        list(StepPool(["numpy"]).timed_steps([cast(Case, deadly)]))


def test_a_framework_that_cannot_be_imported() -> None:
    """TensorFlow's message, where there is too little memory for its libraries."""
    message = "Traceback (most recent call last):\n  File ...\nImportError: no memory\n"
    with (
        pytest.raises(ImportError, match=r"Keras fails to start \(ImportError: no memory\)"),
        importing_frameworks(),
    ):
        raise ImportError(message)


AT_WORK = """
import time
from shared import load_case
from threeways.pool import StepPool
steps = StepPool(["numpy"]).timed_steps([load_case("mazur")] * 2)
next(steps)
print("at work", flush=True)
time.sleep(60)
"""


def test_a_pool_ends_with_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_WORK]
    environment = os.environ | {"MARK": str(tmp_path)}
    with started(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout
        assert process.stdout.readline() == b"at work\n"
        assert len(marked(str(tmp_path))) > 2
        process.kill()
    wait_until_gone(str(tmp_path))
