"""Training in lockstep: whose turn it is, what is compared, how runs end, and what is printed."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from shared import Case, Checkpoint, Goal, History, Parameters, Training, accuracy, load_case
from tests.processes import started
from threeways.cli import main
from threeways.implementations import load
from threeways.report.training import stopped
from threeways.training.lockstep import Lockstep, Pause
from threeways.training.outcome import Outcome
from threeways.training.stages import Stage
from threeways.training.train import TrainingRun, finish_runs, prepare_runs

NUMPY = ("--implementations", "numpy")
XOR = """
loss = "perceptron"
[[layers]]
units = 1
activation = "step"
[data]
dataset = "xor"
[training]
learning_rate = 0.1
batch_size = 1
epochs = 30
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def case_of(name: str, **training: Any) -> Case:
    case = load_case(name)
    assert isinstance(case, Case)
    return dataclasses.replace(case, training=dataclasses.replace(case.training, **training))


def train(case: Case, packages: dict[str, ModuleType]) -> Outcome:
    runs = prepare_runs(Stage(case), packages)
    assert Lockstep(runs).run()
    return finish_runs(case, runs)


class Counter:
    """A run that notes each of its epochs in a common log."""

    def __init__(self, name: str, epochs_done: int, epochs: int, log: list[str]) -> None:
        self.name, self.epochs_done, self.epochs, self.log = name, epochs_done, epochs, log

    def run(self, pause: Pause) -> None:
        while self.epochs_done < self.epochs:
            self.log.append(self.name)
            self.epochs_done += 1
            pause()


def test_the_run_that_is_furthest_behind_goes_next() -> None:
    log: list[str] = []
    runs = [Counter("a", 2, 4, log), Counter("b", 0, 4, log), Counter("c", 1, 2, log)]
    assert Lockstep(runs).run()
    assert "".join(log) == "bbcabab"


def test_an_error_ends_all_runs_and_is_raised() -> None:
    class Failing(Counter):
        def run(self, pause: Pause) -> None:
            def fail() -> None:
                pause()
                if self.epochs_done == 2:
                    raise ZeroDivisionError

            super().run(fail)

    log: list[str] = []
    with pytest.raises(ZeroDivisionError):
        Lockstep([Counter("a", 0, 99, log), Failing("b", 0, 99, log)]).run()
    assert "".join(log) == "ababa"


def test_every_epoch_of_every_pair_is_compared(packages: dict[str, ModuleType]) -> None:
    case = case_of("moons-momentum", epochs=4)
    checkpoints: dict[str, list[Checkpoint]] = {name: [] for name in packages}
    for name, package in packages.items():
        net = package.FeedForward(case.network, case.parameters)
        net.fit(case.dataset, case.training, checkpoints[name].append)
    outcome = train(case, packages)
    assert [(each.a, each.b) for each in outcome.distances] == [
        ("numpy", "tf"),
        ("numpy", "keras"),
        ("tf", "keras"),
    ]
    for each in outcome.distances:
        assert each.epochs.tolist() == [1, 2, 3, 4]
        for row, (a, b) in enumerate(zip(checkpoints[each.a], checkpoints[each.b], strict=True)):
            for column, name in enumerate(each.parameters):
                l, letter = int(name[2]), name[0]
                first, second = (getattr(x.parameters[l], letter) for x in (a, b))
                difference = np.abs(first - second).max()
                assert each.distances[row, column] == difference
                scale = max(np.abs(first).max(), np.abs(second).max())
                assert each.distances_eps[row, column] == pytest.approx(difference / scale / 2**-52)
        assert each.worst
        assert each.worst.distance_eps == each.distances_eps.max() > 0
    for result in outcome.results:
        assert result.history.loss == checkpoints[result.name][-1].history.loss


def test_a_run_that_ends_early_does_not_hold_up_the_other() -> None:
    packages = load(["numpy"])
    case = case_of("uio-1-and")
    long, short = (
        TrainingRun(name, packages["numpy"], each, 4)
        for name, each in (("long", case_of("lums-4-xor")), ("short", case))
    )
    assert Lockstep([long, short]).run()
    assert short.epochs_done < long.epochs_done


def test_early_stopping_ends_with_the_best_epoch() -> None:
    case = case_of("iris", learning_rate=0.5, epochs=60, validation=0.3, patience=3, batch_size=8)
    (result,) = train(case, load(["numpy"])).results
    assert result.epoch == result.history.best_epoch == len(result.history.loss) - 1 - 3
    assert result.loss == result.history.loss[result.epoch]
    rows, _ = case.training.prepare(case.dataset)
    net = load(["numpy"])["numpy"].FeedForward(case.network, result.parameters)
    assert result.accuracy == accuracy(rows.y, net.predict(rows.x))


@pytest.mark.parametrize(
    ("goal", "missed"),
    [
        (Goal(loss=10), []),
        (Goal(loss=1e-9), ["loss"]),
        (Goal(loss=1e-9, accuracy=0.5), ["loss"]),
        (Goal(accuracy=1), ["accuracy"]),
        (Goal(test_accuracy=0.1), ["test_accuracy"]),  # of no rows
    ],
)
def test_goals(goal: Goal, missed: list[str]) -> None:
    case = dataclasses.replace(case_of("iris", epochs=2), goal=goal)
    outcome = train(case, load(["numpy"]))
    assert [each.figure for each in outcome.goals if each.missed] == missed
    assert outcome.ok == (not missed)


@pytest.mark.parametrize(
    ("change", "code", "line"),
    [
        ((), 0, "numpy: still errors after all 30 epochs: the classes are not linearly separable"),
        (('"xor"', '"or"'), 0, "numpy: no errors after epoch "),
        (
            ("[training]", "[goal]\naccuracy = 1\n[training]"),
            1,
            "at least 100%: missed by numpy",
        ),
    ],
)
def test_how_the_perceptron_rule_ended(
    change: tuple[str, str], code: int, line: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(XOR.replace(*change) if change else XOR)
    result = call(path, *NUMPY)
    assert result.exit_code == code, result.output
    assert line in result.output


@pytest.mark.usefixtures("packages")
def test_a_last_step_that_overflows(tmp_path: Path) -> None:
    """Its loss, from before the update, is finite still; its weights are not."""
    path, folder = tmp_path / "mine.toml", tmp_path / "run"
    path.write_text(
        'loss = "mean_squared_error"\n[[layers]]\nunits = 1\n[data]\ndataset = "diabetes"\n'
        "[training]\nlearning_rate = 1e308\n"
    )
    result = call(path, "--save", folder)
    assert result.exit_code == 1, result.output
    assert "numpy, tf, keras: diverged in the last epoch: try a smaller" in result.output
    assert not list(folder.glob("*.npz"))
    assert not list(folder.glob("*.keras"))


def test_transfer_trains_the_source_first() -> None:
    case = case_of("digits-high-frozen", epochs=2)
    assert case.transfer
    source = dataclasses.replace(
        case.transfer.source, training=Training(learning_rate=0.1, epochs=2, batch_size=32)
    )
    packages = load(["numpy"])
    before = train(source, packages)
    transfer = dataclasses.replace(case.transfer, source=source)
    case = dataclasses.replace(case, transfer=transfer)
    (run,) = prepare_runs(Stage(case), packages, before)
    learned, own = before.results[0].parameters, case.parameters
    for l, weights in enumerate(run.net.parameters):
        expected = learned if l < transfer.layers else own
        np.testing.assert_array_equal(weights.W, expected[l].W)
    assert Lockstep([run]).run()
    np.testing.assert_array_equal(run.net.parameters[0].W, learned[0].W)  # it is frozen


def test_ctrl_c_says_how_to_continue(tmp_path: Path) -> None:
    path, folder = tmp_path / "mine.toml", tmp_path / "run"
    path.write_text(XOR.replace("= 30", "= 100000000"))
    options = ["train", str(path), *NUMPY, "--save", str(folder)]
    with started(
        [sys.executable, "-m", "threeways", *options], stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and not (folder / "numpy-checkpoint.npz").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    with np.load(folder / "numpy-checkpoint.npz") as file:
        epochs_done = len(file["loss"])
    again = " ".join(["threeways", *options, "--resume"])
    assert stderr == f"Stopped after epoch {epochs_done} of 100000000; continue with: {again}\n"


@pytest.mark.parametrize(
    ("done", "copied", "line"),
    [
        ({"numpy": 3, "tf": 3}, 0, "Stopped after epoch 3 of 100"),
        (
            {"numpy": 3, "tf": 2, "keras": 2},
            0,
            "Stopped after epoch 3 (numpy) and 2 (tf, keras) of",
        ),
        ({"numpy": 3}, 2, "Stopped after epoch 3 of 100 of iris"),
    ],
)
def test_after_which_epoch_it_stopped(done: dict[str, int], copied: int, line: str) -> None:
    runs: list[Any] = [Counter(name, epochs, 100, []) for name, epochs in done.items()]
    assert stopped(Stage(case_of("iris"), copied), runs).startswith(line)


def test_ctrl_c_says_that_nothing_was_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lockstep, "run", lambda self: False)
    result = call("iris", *NUMPY)
    assert result.exit_code == 130
    assert result.stdout == ""
    assert "; nothing was saved; use --save DIR\n" in result.stderr


@pytest.mark.parametrize("steps_worth_xla", [10**9, 0], ids=["graph", "xla"])
def test_a_run_in_chunks_is_the_same_run(
    steps_worth_xla: int, packages: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of a single batch, the last of them not a whole one."""
    case = load_case("digits-dropout")
    assert isinstance(case, Case)
    training = dataclasses.replace(case.training, epochs=2)
    assert training.sizes(len(training.prepare(case.dataset)[0]))[-1] < training.sizes(1000)[0]

    def run(package: ModuleType) -> tuple[History, Parameters]:
        net = package.FeedForward(case.network, case.parameters)
        return net.fit(case.dataset, training), net.parameters

    history, end = run(packages["numpy"])
    monkeypatch.setattr("impl_tf_lowlevel.compiled_steps.STEPS_WORTH_XLA", steps_worth_xla)
    monkeypatch.setattr("impl_tf_lowlevel.model.CHUNK_BYTES", 1)
    monkeypatch.setattr("shared.run.CHUNK_BYTES", 1)
    monkeypatch.setattr("impl_numpy.deferred_losses.WAITING_BYTES", 1)
    for package in packages.values():
        losses, parameters = run(package)
        np.testing.assert_allclose(losses.loss, history.loss, rtol=0, atol=1e-14)
        for weights, right in zip(parameters, end, strict=True):
            np.testing.assert_allclose(weights.W, right.W, rtol=0, atol=1e-14)
            np.testing.assert_allclose(weights.b, right.b, rtol=0, atol=1e-14)
