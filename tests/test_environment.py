"""What surrounds a program: its terminal, its settings, its limits, and what is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from shared import Case, Dataset, Training, frameworks, load_case
from shared.frameworks import importing_frameworks

ROOT = Path(__file__).parent.parent


def python(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A run of Python code in a process of its own, where no TensorFlow is imported."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    environment |= options.pop("env", {})
    command = [sys.executable, *options.pop("flags", ()), "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, **options
    )


SETTINGS = ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND", "KERAS_HOME")
COMMAND = "import sys; from threeways.cli import main; main(sys.argv[1:])"


def threeways(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    before = options.pop("before", "")
    return python(f"{before}\nfrom threeways.cli import main; main({list(arguments)})", **options)


# Silence.


def test_only_the_users_own_lines_are_on_stderr() -> None:
    """Neither the import of the frameworks, nor their first use, nor their end writes any."""
    pytest.importorskip("tensorflow")
    code = """
import sys, warnings
import impl_tf_lowlevel, impl_tf_lowlevel.chain_rule
import impl_keras
from shared import ChainRule, Dataset, Layer, Network, Training, initialise
print("imported", file=sys.stderr)
square = ChainRule(example="square", inputs={"x": 1.0}, learning_rate=0.1)
impl_tf_lowlevel.chain_rule.differentiate(square, "float64")
network = Network(n_features=1, layers=(Layer(units=1),), loss="mean_squared_error")
for package in (impl_tf_lowlevel, impl_keras):
    net = package.FeedForward(network, initialise(network))
    net.fit(Dataset("", [[1.0]], [[2.0]]), Training(learning_rate=0.1, epochs=10_000 // 500))
warnings.warn("heard")
sys.exit("ended")
"""
    lines = python(code).stderr.splitlines()
    assert lines[0] == "imported"
    assert lines[1].endswith("UserWarning: heard")
    assert lines[-1] == "ended"
    assert len(lines) <= 4, lines  # the warning's own line of code, where there is one


@pytest.mark.parametrize(
    ("env", "level", "is_silent"),
    [
        ({}, "2", True),
        ({"TF_CPP_MIN_LOG_LEVEL": "1"}, "1", True),
        ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "0", False),
        ({"XLA_FLAGS": "--wrong"}, "2", False),  # which ends the process
    ],
)
def test_messages_that_the_user_asks_for(
    env: dict[str, str], level: str, is_silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    for name in ("TF_CPP_MIN_LOG_LEVEL", "XLA_FLAGS", "TF_XLA_FLAGS"):
        monkeypatch.setenv(name, "")  # so that what is set here does not last
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(frameworks, "_is_ours", False)
    with frameworks.importing_frameworks():
        pass
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == level
    assert frameworks._is_ours == is_silent


def test_a_tensorflow_that_the_user_imported_keeps_its_messages(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.setattr("shared.frameworks._is_ours", False)
    with importing_frameworks():
        os.write(2, b"said")
    assert capfd.readouterr().err == "said"
    assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ


SILENT = """
import os, sys, threading
from shared.quiet import silent_stderr

def be_silent():
    for _ in range(200):
        with silent_stderr():
            os.write(2, b"lost")

threads = [threading.Thread(target=be_silent) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
try:
    with silent_stderr():
        raise ValueError("shown")
except ValueError as error:
    print(error)
    os.write(2, b"again\\n")
"""


@pytest.mark.parametrize(
    ("before", "heard"),
    [
        ("", "again\n"),
        ("import os; os.close(2)", ""),
        ("import sys; sys.stderr = None", "again\n"),
        ("import sys; sys.stderr.close()", "again\n"),
        ("import os; os.environ['TMPDIR'] = '/nowhere'", "again\n"),
    ],
    ids=["threads", "closed", "none", "closed-by-python", "no-folder-for-temporary-files"],
)
def test_silence_ends_wherever_stderr_goes(before: str, heard: str) -> None:
    run = python(before + SILENT)
    assert (run.stdout, run.stderr) == ("shown\n", heard)


# Settings.


def test_an_import_that_fails_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keras.json").touch()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with (
        pytest.raises(
            ImportError, match=r"fails to start \(AssertionError\); check .*keras\.json$"
        ),
        importing_frameworks(),
    ):
        raise AssertionError
    with (
        pytest.raises(ImportError, match=r"fails to start \(ValueError: one\); check [^\n]*$"),
        importing_frameworks(),
    ):
        raise ValueError("one\ntwo")
    with pytest.raises(ModuleNotFoundError, match=r"^lost$"), importing_frameworks():
        raise ModuleNotFoundError("lost", name="tensorflow")


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"KERAS_BACKEND": "nonsense"}, "tf: TensorFlow or Keras fails to start (ValueError: "),
        ({"KERAS_MAX_EPOCHS": "few"}, "tf: TensorFlow or Keras fails to start (ValueError: "),
        ({"KERAS_HOME": "{folder}"}, "tf: TensorFlow or Keras fails to start (AttributeError: "),
    ],
    ids=["backend", "number", "file"],
)
def test_wrong_settings(env: dict[str, str], message: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    (tmp_path / "keras.json").write_text("[]")
    env = {name: value.format(folder=tmp_path) for name, value in env.items()}
    run = threeways("compare", "mazur", env=env)
    assert run.returncode == 2, run.stderr
    assert run.stderr.startswith(f"Error: {message}")
    assert next(iter(env)) in run.stderr
    assert run.stderr.count("\n") == 1


def test_another_backend_is_refused_at_import(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    code = "import sys, types; sys.modules['keras'] = keras = types.ModuleType('keras')\n"
    code += "keras.config = types.SimpleNamespace(backend=lambda: 'jax')\n"
    code += "sys.modules['impl_keras.feedforward'] = types.SimpleNamespace(FeedForward=1)\n"
    code += "sys.modules['impl_keras.perceptron'] = types.SimpleNamespace(Perceptron=1)\n"
    run = python(code + "import impl_keras")
    assert run.stderr.splitlines()[-1] == (
        "ImportError: impl_keras needs Keras's TensorFlow backend, not 'jax'; "
        "set KERAS_BACKEND=tensorflow before Keras is imported"
    )


def fitted(package: ModuleType) -> Any:
    case = load_case("mazur")
    assert isinstance(case, Case)
    net = package.FeedForward(case.network, case.parameters)
    x, y = (np.repeat(values, 2, axis=0) for values in (case.dataset.x, case.dataset.y))
    return net.fit(Dataset("two", x, y), Training(learning_rate=0.5, epochs=5, batch_size=1)).loss


def test_fit_makes_all_epochs_and_steps(packages: dict[str, ModuleType]) -> None:
    """KERAS_MAX_EPOCHS and KERAS_MAX_STEPS_PER_EPOCH set these limits when Keras is imported."""
    import keras

    if not hasattr(keras.config, "set_max_epochs"):
        pytest.skip("this Keras has no such limits")
    expected = fitted(packages["keras"])
    keras.config.set_max_epochs(2)
    keras.config.set_max_steps_per_epoch(1)
    try:
        assert fitted(packages["keras"]) == expected
        assert len(expected) == 5
        assert (keras.config.max_epochs(), keras.config.max_steps_per_epoch()) == (2, 1)
    finally:
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)


@pytest.mark.parametrize("floatx", ["float16", "float64"])
def test_another_floatx_changes_no_number(floatx: str, packages: dict[str, ModuleType]) -> None:
    """Which keras.json can set."""
    import keras

    expected = fitted(packages["keras"])
    keras.config.set_floatx(floatx)
    try:
        assert fitted(packages["keras"]) == expected
        assert keras.config.floatx() == floatx
    finally:
        keras.config.set_floatx("float32")


# Limits.


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit it in another way")
@pytest.mark.parametrize("command", [["compare", "mazur"], ["compare"], ["train", "uio-1-or"]])
@pytest.mark.parametrize(
    ("megabytes", "problems"),
    [(100, ["needs "]), (400, ["needs "]), (2000, ["tf: needs ", "keras: needs "])],
)
def test_too_little_address_space(command: list[str], megabytes: int, problems: list[str]) -> None:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({megabytes} << 20,) * 2)"
    run = threeways(*command, before=limit)
    assert run.returncode == 2, run.stderr
    lines = run.stderr.splitlines()
    for line, problem in zip(lines, problems, strict=True):
        assert line.startswith(f"Error: {problem}")
        assert f"GiB of address space, but ulimit -v allows only {megabytes / 1024:.2f}" in line


# What is not installed.

LEFT_OUT = (
    " cases, such as blobs-rmsprop, are left out: they need scikit-learn; "
    "pip install scikit-learn\n"
)
WITHOUT_SKLEARN = "import sys; sys.modules.update(sklearn=None)"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("cases",),
        ("datasets",),
        ("compare", "mazur", "--implementations", "numpy"),
        ("train", "uio-1-or", "--implementations", "numpy"),
        ("diagnose", "mazur", "--value", "loss=0.29837"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_scikit_learn(arguments: tuple[str, ...]) -> None:
    """As well as without TensorFlow and Keras."""
    run = threeways(
        *arguments, before=f"{WITHOUT_SKLEARN}; sys.modules.update(tensorflow=None, keras=None)"
    )
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    if arguments == ("cases",):
        assert "mazur" in run.stdout
        assert "iris" not in run.stdout.split()
        assert run.stderr.count("\n") == 1
        assert run.stderr.endswith(LEFT_OUT)
    else:
        assert run.stderr == ""


@pytest.mark.parametrize(
    "name", ["digits", "iris", "wine", "breast_cancer", "diabetes", "moons", "circles", "blobs"]
)
def test_data_sets_without_scikit_learn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared import InputError, datasets

    for module in [module for module in sys.modules if module.partition(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    message = f"^data set '{name}': needs scikit-learn; pip install scikit-learn$"
    with pytest.raises(InputError, match=message):
        datasets._load.__wrapped__(name)


def test_all_cases_without_scikit_learn() -> None:
    """Those that need it are left out, and a line says so; one that is named is an error."""
    run = threeways(
        *("compare", "--implementations", "numpy", "--dtype", "float32"), before=WITHOUT_SKLEARN
    )
    assert run.returncode == 0
    assert run.stderr.endswith(LEFT_OUT)
    assert run.stderr.count("\n") == 1
    run = threeways("compare", "iris", "--implementations", "numpy", before=WITHOUT_SKLEARN)
    assert run.returncode == 2
    assert run.stderr.endswith(
        "iris.toml: data set 'iris': needs scikit-learn; pip install scikit-learn\n"
    )
