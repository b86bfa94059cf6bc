"""The files that training leaves in a folder, and resuming from them, whatever happened before."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from shared import (
    Array,
    Augmentation,
    Case,
    Dataset,
    InputError,
    Layer,
    Network,
    Training,
    initialise,
    load_case,
)
from tests.processes import LIMIT, started
from threeways.cli import main
from threeways.training.checkpoints import RunFiles, SavedRun
from threeways.training.lockstep import Lockstep
from threeways.training.stages import plan
from threeways.training.train import finish_runs, prepare_runs

NUMPY = ("--implementations", "numpy")
KERAS_WARNS = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # as it saves
# Everything that a checkpoint has to hold: slots, a schedule, a best epoch, dropout's masks.
MINE = """
loss = "categorical_crossentropy"

[[layers]]
units = 16
activation = "relu"
dropout = 0.2

[[layers]]
units = 10
activation = "softmax"

[data]
dataset = "digits"

[training]
learning_rate = 0.01
optimizer = "adam"
schedule = "exponential"
decay_rate = 0.9
decay_steps = 50
epochs = 12
batch_size = 64
seed = 0
validation = 0.2
patience = 99
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def same_arrays(a: Path, b: Path) -> bool:
    with np.load(a) as first, np.load(b) as second:
        return first.files == second.files and all(
            np.array_equal(first[name], second[name]) for name in first.files
        )


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return path


@pytest.fixture
def run(mine: Path) -> Path:
    """A folder that holds a whole run of two epochs."""
    mine.write_text(MINE.replace("epochs = 12", "epochs = 2"))
    folder = mine.parent / "run"
    assert call(mine, *NUMPY, "--save", folder).exit_code == 0
    return folder


def test_what_is_left(run: Path, mine: Path) -> None:
    assert set(contents(run)) == {
        "numpy-checkpoint.npz",
        "numpy-history.csv",
        "numpy-history.json",
        "numpy-weights.npz",
    }
    history = json.loads((run / "numpy-history.json").read_text())
    with (run / "numpy-history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == history["loss"]
    assert [float(row["validation_loss"]) for row in rows] == history["validation_loss"]
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert history["best_epoch"] == 2
    case = load_case(mine)
    assert isinstance(case, Case)
    from impl_numpy import FeedForward

    net = FeedForward(case.network, case.parameters)
    net.fit(case.dataset, case.training)
    with np.load(run / "numpy-weights.npz") as weights:
        assert weights.files == ["W[0]", "b[0]", "W[1]", "b[1]"]
        np.testing.assert_array_equal(weights["W[1]"], net.parameters[1].W)


@KERAS_WARNS
def test_resuming_after_an_interruption_changes_nothing(
    mine: Path, packages: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = load_case(mine)
    assert isinstance(case, Case)

    def go(folder: Path, resume: bool) -> None:
        (stage,) = plan(case, list(packages), folder, resume)
        runs = prepare_runs(stage, packages)
        assert Lockstep(runs).run()
        finish_runs(case, runs)

    whole, parts = mine.parent / "whole", mine.parent / "parts"
    go(whole, resume=False)
    write = RunFiles.write_checkpoint
    for after in (1, 7, 20):  # so that they have not all made as many epochs
        left = iter(range(after))

        def write_some(self: RunFiles, saved: SavedRun, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise InputError("killed")
            write(self, saved)

        monkeypatch.setattr(RunFiles, "write_checkpoint", write_some)
        with pytest.raises(InputError, match="killed"):
            go(parts, resume=after > 1)
    monkeypatch.undo()
    go(parts, resume=True)
    for name in packages:
        assert same_arrays(whole / f"{name}-weights.npz", parts / f"{name}-weights.npz")
        saved = f"{name}-checkpoint.npz"
        with np.load(whole / saved) as a, np.load(parts / saved) as b:
            assert a.files == b.files
            others = list(packages)[: list(packages).index(name)]
            assert [array for array in a.files if array.startswith("apart_")] == [
                f"apart_{other}" for other in others
            ]
            for array in set(a.files) - {"seconds"}:
                np.testing.assert_array_equal(a[array], b[array], err_msg=array)


def test_a_killed_run_resumes(mine: Path) -> None:
    mine.write_text(MINE.replace("epochs = 12", "epochs = 60"))
    folder, whole = mine.parent / "run", mine.parent / "whole"
    command = [sys.executable, "-m", "threeways", "train", str(mine), *NUMPY, f"--save={folder}"]
    path, written = folder / "numpy-checkpoint.npz", None
    for milliseconds in (1, 20, 40):
        with started(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and (not path.exists() or path.stat() == written):
                time.sleep(0.001)
            time.sleep(milliseconds / 1000)
            process.send_signal(signal.SIGKILL)
        written = path.stat()
        command = [*command[:-1], "--resume", command[-1]]
    assert "numpy-weights.npz" not in contents(folder)  # it was killed in its midst
    (folder / ".part-1-numpy-checkpoint.npz").touch()  # as if while it wrote
    result = call(mine, *NUMPY, "--save", folder, "--resume")
    assert result.exit_code == 0, result.output
    assert "numpy resumes after epoch " in result.output
    assert call(mine, *NUMPY, "--save", whole).exit_code == 0
    assert same_arrays(folder / "numpy-weights.npz", whole / "numpy-weights.npz")
    assert set(contents(folder)) == set(contents(whole))  # and nothing half-written


def test_a_run_that_is_complete(run: Path, mine: Path) -> None:
    before = contents(run)
    result = call(mine, *NUMPY, "--save", run, "--resume")
    assert result.exit_code == 0, result.output
    assert "numpy is complete after epoch 2 of 2" in result.output
    assert "best epoch 2 of 2" in result.output
    assert contents(run) == before


@pytest.mark.parametrize(
    ("validation", "copies", "batch_size"),
    [(None, 0, None), (0.25, 0, 3), (0.4, 2, 4), (None, 1, 5)],
)
def test_the_steps_of_an_epoch(
    validation: float | None, copies: int, batch_size: int | None
) -> None:
    augmentation = Augmentation(copies=copies, shift=1) if copies else None
    training = Training(
        learning_rate=0.1,
        validation=validation,
        batch_size=batch_size,
        augmentation=augmentation,
    )
    rows = Dataset("rows", np.eye(10), np.eye(10), image_shape=(2, 5))
    prepared, _ = training.prepare(rows)
    assert training.steps_per_epoch(10) == len(training.sizes(len(prepared)))


def test_more_epochs_than_before(run: Path, mine: Path) -> None:
    mine.write_text(MINE.replace("epochs = 12", "epochs = 4"))
    assert (
        "numpy resumes after epoch 2 of 4" in call(mine, *NUMPY, "--save", run, "--resume").output
    )
    other = mine.parent / "other"
    call(mine, *NUMPY, "--save", other)
    assert same_arrays(run / "numpy-weights.npz", other / "numpy-weights.npz")


FOREIGN = {
    "rate": (
        "learning_rate = 0.01",
        "learning_rate = 0.02",
        "training.learning_rate is 0.01 there",
    ),
    "seed": ("seed = 0", "seed = 1", "training.seed is 0 there, 1 here"),
    "layer": ('"relu"', '"tanh"', "network.layers[0].activation is relu there, tanh here"),
    "layers": ("[data]", "[initialise]\nseed = 1\n[data]", "different starting parameters"),
    "data": ('dataset = "digits"', 'dataset = "digits"\ntest = 0.1', "different data"),
    "dtype": (
        "loss =",
        'dtype = "float32"\nloss =',
        "network.dtype is float64 there, float32 here",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("option", [[], ["--resume"]], ids=["start", "resume"])
def test_another_run(
    option: list[str], old: str, new: str, message: str, run: Path, mine: Path
) -> None:
    before = contents(run)
    mine.write_text(mine.read_text().replace(old, new, 1))
    result = call(mine, *NUMPY, "--save", run, *option)
    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"Error: {run / 'numpy-checkpoint.npz'}: belongs to another run: "
    )
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert contents(run) == before


def test_another_case_and_another_implementation(run: Path, mine: Path) -> None:
    result = call("iris", *NUMPY, "--save", run)
    assert result.exit_code == 2
    assert "belongs to another run: case is mine there, iris here" in result.stderr
    (run / "numpy-checkpoint.npz").rename(run / "tf-checkpoint.npz")
    result = call(mine, "--implementations", "tf", "--save", run, "--resume")
    assert result.exit_code == 2
    assert "belongs to another run: implementation is numpy there, tf here" in result.stderr


def test_a_folder_in_use(run: Path, mine: Path) -> None:
    before = contents(run)
    result = call(mine, *NUMPY, "--save", run)
    assert result.exit_code == 2
    assert result.stderr == (
        f"Error: {run}: holds a run of this case, 2 of 2 epochs; --resume continues it\n"
    )
    assert contents(run) == before
    (run / "numpy-checkpoint.npz").unlink()
    result = call(mine, *NUMPY, "--save", run)
    assert result.stderr.endswith("numpy-weights.npz: already exists; choose another folder\n")


def damaged(content: bytes) -> dict[str, bytes]:
    """The content of a checkpoint, damaged in many ways."""
    chance = random.Random(0)
    states = {"empty": b"", "text": b"epoch 12", "pickle": b"\x80\x04N.", "npy": content[300:]}
    states |= {f"cut at {at}": content[:at] for at in (1, 100, len(content) // 2, len(content) - 1)}
    for _ in range(200):
        at, bit = chance.randrange(len(content)), 1 << chance.randrange(8)
        states[f"bit {bit} of {at}"] = content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :]
    return states


def test_a_damaged_checkpoint_is_found_out(run: Path, mine: Path) -> None:
    case = load_case(mine)
    assert isinstance(case, Case)
    path = run / "numpy-checkpoint.npz"
    content = path.read_bytes()
    with np.load(path) as file:
        right = {name: file[name] for name in file.files}
    found_out = 0
    for state, changed in damaged(content).items():
        path.write_bytes(changed)
        message = ""
        try:
            plan(case, ["numpy"], run, resume=True)
        except InputError as error:
            message = str(error)
            found_out += 1
        assert message in ("", f"{path}: is damaged, or not a checkpoint"), state
        if not message:  # a bit without a meaning, such as one in a time stamp
            with np.load(path) as file:
                for name in right:
                    np.testing.assert_array_equal(file[name], right[name], err_msg=state)
    assert found_out > 150


def test_a_newer_checkpoint_and_one_that_lacks_something(run: Path, mine: Path) -> None:
    path = run / "numpy-checkpoint.npz"
    with np.load(path) as file:
        right = {name: file[name] for name in file.files}
    newer = np.array(right["about"].item().replace("checkpoint/v1", "checkpoint/v2"))
    without = {name: array for name, array in right.items() if name != "best_W[1]"}
    misshapen = right | {"loss": right["loss"][:1]}
    for arrays, message in (
        (
            right | {"about": newer},
            "was written by another version of threeways, as threeways/checkpoint/v2",
        ),
        (without, "is damaged, or not a checkpoint"),
        (misshapen, "is damaged, or not a checkpoint"),
    ):
        np.savez(path, **arrays)
        before = contents(run)
        result = call(mine, *NUMPY, "--save", run, "--resume")
        assert result.exit_code == 2
        assert f"{path}: {message}" in result.stderr
        assert contents(run) == before


def header(about: Array, **changes: Any) -> Array:
    """The header of a checkpoint with other values in it."""
    return np.array(json.dumps(json.loads(about.item()) | changes))


IMPOSSIBLE: dict[str, Callable[[dict[str, Array]], dict[str, Any]]] = {
    "steps-negative": lambda right: {"about": header(right["about"], steps=-5)},
    "steps-float": lambda right: {"about": header(right["about"], steps=1e30)},
    "steps-huge": lambda right: {"about": header(right["about"], steps=10**30)},
    "steps-of-other-epochs": lambda right: {"about": header(right["about"], steps=3)},
    "steps-true": lambda right: {"about": header(right["about"], steps=True)},
    "key-twice": lambda right: {
        "about": np.array(right["about"].item().replace('"steps"', '"steps": 1, "steps"'))
    },
    "no-table": lambda right: {"about": np.array("[1]")},
    "version": lambda right: {"about": header(right["about"], schema="threeways/checkpoint/v" * 2)},
    "loss-nan": lambda right: {"loss": right["loss"] * np.nan},
    "no-epochs": lambda right: {name: right[name][:0] for name in ("loss", "seconds")},
    "seconds-negative": lambda right: {"seconds": -right["seconds"]},
    "seconds-infinite": lambda right: {"seconds": right["seconds"] * np.inf},
    "seconds-few": lambda right: {"seconds": right["seconds"][:1]},
    "validation-few": lambda right: {"validation_loss": right["validation_loss"][:1]},
    "W-infinite": lambda right: {"W[0]": right["W[0]"] + np.inf},
    "W-dtype": lambda right: {"W[0]": right["W[0]"].astype(np.float32)},
    "W-shape": lambda right: {"W[0]": right["W[0]"].T},
    "W-objects": lambda right: {"W[0]": np.array([None])},
    "best-nan": lambda right: {"best_b[1]": right["best_b[1]"] * np.nan},
    "velocity-negative": lambda right: {"velocity_W[0]": -1 - right["velocity_W[0]"]},
    "distances-negative": lambda right: {"apart_tf": np.full((1, 9), -1.0)},
    "distances-of-no-epoch": lambda right: {"apart_tf": np.zeros((1, 9))},
    "distances-out-of-order": lambda right: {"apart_tf": np.array([[2.0] * 9, [1.0] * 9])},
}


@pytest.mark.parametrize("changes", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_numbers_that_no_run_leaves(
    changes: Callable[[dict[str, Array]], dict[str, Any]], run: Path, mine: Path
) -> None:
    path = run / "numpy-checkpoint.npz"
    with np.load(path) as file:
        right = {name: file[name] for name in file.files}
    np.savez(path, **(right | changes(right)))
    for options in ([], ["--resume"]):
        result = call(mine, *NUMPY, "--save", run, *options)
        assert result.exit_code == 2, result.output
        assert result.stderr == f"Error: {path}: is damaged, or not a checkpoint\n"


def test_a_checkpoint_of_something_strange(run: Path, mine: Path) -> None:
    path = run / "numpy-checkpoint.npz"
    with np.load(path) as file:
        right = {name: file[name] for name in file.files}
    nested = '{"case": ' + "[" * 400 + "]" * 400 + ', "x": "\\u001b[2K"}'
    about = f'{{"schema": "threeways/checkpoint/v1", "steps": 1, "run": {nested}}}'
    np.savez(path, **(right | {"about": np.array(about)}))
    result = call(mine, *NUMPY, "--save", run, "--resume")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"Error: {path}: belongs to another run: ")
    assert "case is [[[[" in result.stderr
    assert len(result.stderr) < 600


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("pipe", "cannot be read (is a pipe, not a file)"),
        ("folder", "cannot be read (Is a directory)"),
        ("device", "cannot be read (is a device, not a file)"),
        ("circle", "cannot be written (Too many levels of symbolic links)"),
    ],
)
def test_a_checkpoint_that_is_no_file(kind: str, message: str, mine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    path = folder / "numpy-checkpoint.npz"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case "circle":
            path.symlink_to(path.name)
    result = call(mine, *NUMPY, "--save", folder)
    assert result.exit_code == 2
    assert f"{path}: {message}" in result.stderr
    assert result.stderr.count("\n") == 1


def test_wrong_folders(mine: Path) -> None:
    def fails(*options: object) -> str:
        result = call(mine, *NUMPY, *options)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.count("\n") == 1
        return result.stderr

    file, folder = mine.parent / "file", mine.parent / "folder"
    file.touch()
    (folder / "numpy-weights.npz").mkdir(parents=True)
    assert "--resume: needs --save DIR" in fails("--resume")
    assert f"{file}: is a file, not a folder" in fails("--save", file)
    assert "cannot be written (Not a directory)" in fails("--save", file / "folder")
    assert "already exists" in fails("--save", folder)
    assert "no checkpoint of numpy to resume from" in fails("--save", folder, "--resume")
    assert "no checkpoint of numpy" in fails("--save", mine.parent / "none", "--resume")
    assert not (mine.parent / "none").exists()


def test_a_write_that_fails(mine: Path) -> None:
    """As on a full disk: a file may have only so many bytes, and checkpoints grow."""
    folder = mine.parent / "run"
    mine.write_text(MINE.replace("epochs = 12", "epochs = 1"))
    assert call(mine, *NUMPY, "--save", folder).exit_code == 0
    limit = (folder / "numpy-checkpoint.npz").stat().st_size + 200
    mine.write_text(MINE.replace("= 12", "= 200"))
    options = [str(mine), *NUMPY, "--save", str(folder), "--resume"]
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        f"from threeways.cli import main; main(['train', *{options!r}])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=LIMIT
    )
    assert run.returncode == 2, run.stderr
    path = folder / "numpy-checkpoint.npz"
    assert run.stderr.startswith(f"Error: {path}: cannot be written (File too large); epoch ")
    assert run.stderr.endswith(" is the last one saved\n")
    with np.load(path) as file:
        last = len(file["loss"])
    assert f"epoch {last} is the last one saved" in run.stderr
    assert not any(".part" in name for name in contents(folder))
    mine.write_text(MINE.replace("epochs = 12", f"epochs = {last + 1}"))
    assert call(mine, *NUMPY, "--save", folder, "--resume").exit_code == 0


def test_divergence_leaves_the_last_finite_checkpoint(tmp_path: Path) -> None:
    path, folder = tmp_path / "mine.toml", tmp_path / "run"
    path.write_text(
        'loss = "mean_squared_error"\n[[layers]]\nunits = 1\n[data]\ndataset = "and"\n'
        "[training]\nlearning_rate = 1e30\nepochs = 50\nbatch_size = 2\n"
    )
    result = call(path, *NUMPY, "--save", folder)
    assert result.exit_code == 1
    history = json.loads((folder / "numpy-history.json").read_text())
    step = history["diverged_at"]
    assert f"diverged at step {step + 1} (epoch {step // 2 + 1})" in result.output
    assert history["loss"][-1] is None
    assert len(history["loss"]) == step // 2 + 1
    assert not (folder / "numpy-weights.npz").exists()
    with np.load(folder / "numpy-checkpoint.npz") as file:
        assert len(file["loss"]) < len(history["loss"])
        assert all(np.isfinite(file[name]).all() for name in ("W[0]", "b[0]", "loss"))
    assert call(path, *NUMPY, "--save", folder, "--resume").output.count("diverged at step") == 1


def test_stages_are_saved_and_resumed(tmp_path: Path) -> None:
    source, path, folder = tmp_path / "first.toml", tmp_path / "second.toml", tmp_path / "run"
    source.write_text(MINE.replace("= 12", "= 2"))
    path.write_text(MINE.replace("= 12", "= 2") + '[transfer]\ncase = "first.toml"\nlayers = 1\n')
    result = call(path, *NUMPY, "--save", folder)
    assert result.exit_code == 0, result.output
    assert "first first: 1 layer is copied from it" in result.output
    before = contents(folder)
    assert {"numpy-weights.npz", "first/numpy-weights.npz"} <= set(before)
    for name in before:
        if not name.startswith("first/"):  # as if it had been killed between the two
            (folder / name).unlink()
    result = call(path, *NUMPY, "--save", folder, "--resume")
    assert "numpy is complete after epoch 2 of 2" in result.output
    after = contents(folder)
    assert after["numpy-weights.npz"] == before["numpy-weights.npz"]
    source.write_text(MINE.replace("= 12", "= 3"))
    result = call(path, *NUMPY, "--save", folder, "--resume")
    assert result.exit_code == 2
    assert "transfer.source" in result.stderr


@KERAS_WARNS
def test_keras_opens_the_model_without_this_project(
    tmp_path: Path, packages: dict[str, ModuleType]
) -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    for own in (False, True):
        layers = [
            Layer(units=4, activation="leaky_relu", alpha=0.25, dropout=0.2, l1=0.1),
            Layer(units=4, activation="elu", alpha=0.5, trainable=False),
            Layer(units=4, activation="selu", alpha_dropout=0.1, l2=0.1),
            Layer(units=4, activation="scaled_tanh" if own else "tanh"),
            Layer(units=2, activation="softmax"),
        ]
        network = Network(n_features=3, layers=tuple(layers), loss="categorical_crossentropy")
        net = packages["keras"].FeedForward(network, initialise(network, "glorot_normal"))
        net.save(tmp_path / f"{own}.keras")
        np.savez(tmp_path / f"{own}.npz", x=x, y=net.predict(x))
    network = Network(
        n_features=3, layers=(Layer(units=2, activation="sign"),), loss="bipolar_perceptron"
    )
    net = packages["keras"].Perceptron(network, initialise(network))
    net.save(tmp_path / "True-sign.keras")
    np.savez(tmp_path / "True-sign.npz", x=x, y=net.predict(x))
    code = """
import sys, keras, numpy as np
for name in ("False", "True", "True-sign"):
    if name == "True":
        assert not {"threeways", "shared", "impl_keras"} & sys.modules.keys()
        import impl_keras
    model = keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
    with np.load(f"{sys.argv[1]}/{name}.npz") as file:
        y = keras.ops.convert_to_numpy(model(file["x"]))
        np.testing.assert_allclose(y, file["y"], rtol=1e-14)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
