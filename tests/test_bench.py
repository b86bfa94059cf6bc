"""The times are of the same work, and what is said of them is what was measured."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import impl_numpy
from shared import Case, Training
from tests.problems import Problem
from threeways.bench import growth, limits, memory, timing, workloads
from threeways.bench.baselines import BASELINES
from threeways.bench.baselines.base import LeftOut
from threeways.bench.growth import Axis, Growth
from threeways.bench.limits import MEMORY_LIMITS, TIME_LIMITS, MemoryLimit, TimeLimit
from threeways.bench.process import THREADS, TrainingProcess
from threeways.bench.runner import seconds_per_step
from threeways.bench.timing import Timings, time_in_turns
from threeways.bench.workloads import Size, of_many_batches, steps_per_epoch
from threeways.cli import main

ROOT = Path(__file__).parent.parent
MODULES = {"keras.fit": "tensorflow", "JAX": "jax", "PyTorch": "torch", "scikit-learn": "sklearn"}
TINY = Size((2, 2, 2), 1, 2)
MINE = """
title = "A network of my own"
loss = "mean_squared_error"
layers = [{ units = 2, activation = "tanh" }, { units = 1 }]

[data]
x = [[0, 1], [1, 2], [1, 0]]
y = [[1], [0], [1]]

[training]
learning_rate = 0.1
batch_size = 2
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, arguments)])


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """As little to measure as there can be."""
    monkeypatch.setattr(timing, "ROUNDS", 1)
    monkeypatch.setattr(timing, "RUNS_ALONE", 1)
    monkeypatch.setattr(timing, "DISTURBED", 1e9)  # so short a time is seldom twice the same
    monkeypatch.setattr(growth, "RUNS", 1)


def trained(case: Case, **numbers: Any) -> Case:
    training = Training(learning_rate=0.1, epochs=2, batch_size=3, **numbers)
    return dataclasses.replace(case, training=training)


RUNS = [
    (Problem("relu", "softmax-cce", (4, 5, 3), 7, "float32"), {}),
    (Problem("tanh", "sigmoid-bce", (4, 5, 1), 7, "float64"), {}),
    (Problem("leaky_relu", "linear-mse", (4, 5, 3), 7, "float64"), {"optimizer": "nesterov"}),
    (Problem("elu", "sigmoid-half", (4, 5, 3), 7, "float64"), {"seed": 1}),
]


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(
    ("baseline", "run"),
    [
        *(("keras.fit", run) for run in RUNS[:3]),  # which draws an order of its own
        *(("JAX", RUNS[i]) for i in (0, 1, 3)),
        *(("PyTorch", run) for run in RUNS),
        *(("scikit-learn", run) for run in RUNS[:2]),
    ],
    ids=lambda each: each if isinstance(each, str) else str(each[0]),
)
def test_baselines_make_the_same_run(baseline: str, run: tuple[Problem, dict[str, Any]]) -> None:
    pytest.importorskip(MODULES[baseline])
    problem, numbers = run
    case = trained(problem.case(), **numbers)
    ours, theirs = impl_numpy.FeedForward(case.network, case.parameters), BASELINES[baseline](case)
    epochs: list[object] = []
    losses = theirs.fit(lambda *given: epochs.append(given))
    assert len(epochs) == 2
    # Keras has the learning rate in float32.
    off = 1e-6 if baseline == "keras.fit" or problem.dtype == "float32" else 1e-13
    assert losses == pytest.approx(ours.fit(case.dataset, case.training).loss, rel=off)
    for mine, found in zip(ours.parameters, theirs.parameters, strict=True):
        for a, b in zip(mine, found, strict=True):
            assert b.dtype == problem.dtype
            assert b == pytest.approx(a, abs=off)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"fixed_bias": True}, "fixed_bias"),
        ({"l2": 0.1}, "l2"),
        ({"activation": "scaled_tanh"}, "the activation scaled_tanh"),
    ],
)
def test_baselines_are_left_out_of_other_networks(change: dict[str, Any], why: str) -> None:
    case = Problem("relu", "softmax-cce", (4, 5, 3), 7, "float64").case()
    first, *more = case.network.layers
    layers = (dataclasses.replace(first, **change), *more)
    other = dataclasses.replace(case, network=dataclasses.replace(case.network, layers=layers))
    for name in MODULES:
        with pytest.raises(LeftOut, match=f"^{name} is not measured with {why}: left out$"):
            BASELINES[name](other)


def test_two_classes_are_not_scikit_learns_softmax() -> None:
    with pytest.raises(LeftOut, match="2 outputs"):
        BASELINES["scikit-learn"](Size((3, 2, 2), 4, 1).case())


def test_bare_products_are_those_of_each_batch() -> None:
    """The batches are the run's own, in its order, and the products those of a step."""
    made: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = []
    batches: list[Any] = []

    class Spy(np.ndarray[Any, Any]):
        def __matmul__(self, other: Any) -> Any:
            made.append(("@", self.shape, other.shape))
            if self.shape[1] == 4:
                batches.append(np.asarray(self))
            return np.matmul(np.asarray(self), np.asarray(other)).view(Spy)

    case = trained(Problem("relu", "softmax-cce", (4, 5, 3), 7, "float64").case(), seed=1)
    products = BASELINES["bare products"](case)
    products.x = products.x.view(Spy)
    epochs: list[object] = []
    products.fit(lambda *given: epochs.append(given))
    assert len(epochs) == 2
    orders = [rows for epoch in range(2) for rows in case.training.batches(epoch, 7)]
    assert len(batches) == len(orders) == 6
    for batch, rows in zip(batches, orders, strict=True):
        assert np.array_equal(batch, case.dataset.x[rows])
    shapes = [(a, b) for _, a, b in made[:5]]
    assert shapes == [
        ((3, 4), (4, 5)),
        ((3, 5), (5, 3)),
        ((5, 3), (3, 3)),
        ((3, 3), (3, 5)),
        ((4, 3), (3, 5)),
    ]


@pytest.mark.usefixtures("short")
def test_a_baseline_that_diverges_is_left_out() -> None:
    case = trained(Problem("linear", "softmax-cce", (4, 5, 3), 7, "float32").case())
    wild = dataclasses.replace(case, training=Training(learning_rate=1e30, epochs=2))
    timings = time_in_turns(wild.prepared, ["scikit-learn"], lambda *_: None)
    assert timings.rounds == {}
    assert "non-finite" in timings.left_out[0]


def test_a_process_that_ends_is_left_out() -> None:
    timings = time_in_turns(partial(os._exit, 3), ["numpy"], lambda *_: None)
    assert timings.rounds == {}
    assert timings.left_out == ["numpy: left out; its process ended with exit code 3"]
    with TrainingProcess("numpy") as process:
        process.wait_until_ready()
        process.process.kill()
        with pytest.raises(LeftOut, match=r"ended with signal 9 \(killed\)$"):
            process.run()


def test_processes_use_as_many_threads_as_they_may() -> None:
    pools = "[each['num_threads'] for each in __import__('threadpoolctl').threadpool_info()]"
    variables = [f"__import__('os').environ[{name!r}]" for name in THREADS]
    with TrainingProcess("numpy", cores=1) as process:
        for number in (pools, *variables):
            tell: Any = partial(exec, f"raise ValueError({number})")
            with pytest.raises(LeftOut, match=r"ValueError: \[?1(, 1)*\]?$"):
                process.build(tell)


BUSY = """
import signal
from threeways.bench import limits
from threeways.bench.process import TrainingProcess
from threeways.cli import main

def run(self):
    self.connection.send(("run",))
    print("busy", flush=True)
    self.connection.recv()

TrainingProcess.run = run
long = limits.Size((2, 2, 2), 1, 1_000_000)
limits.TIME_LIMITS = [limits.TimeLimit("numpy", "bare products", long, 1)]
signal.signal(signal.SIGINT, signal.default_int_handler)
main(["bench", "--implementations", "numpy"])
"""


@pytest.mark.parametrize(("kill", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_processes_end_with_their_parent(kill: signal.Signals, code: int) -> None:
    """Whether they are at work or idle, and whether it is killed or stopped by Ctrl-C."""
    command = [sys.executable, "-c", BUSY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"busy\n"
        parent.send_signal(kill)
        # They have inherited its stderr, which is at its end when all of them have ended.
        _, printed = parent.communicate(timeout=10)
        assert parent.returncode == code
        assert printed.strip() == (b"Stopped." if kill == signal.SIGINT else b"")


def test_ratio_is_the_median_of_the_rounds() -> None:
    timings = Timings({}, {"a": [1, 8, 3], "b": [1, 2, 2]}, [])
    assert timings.ratio("a", "b") == 1.5
    assert timings.seconds("a") == 3


def test_disturbed_is_far_slower_than_alone() -> None:
    """As PyTorch was, in one process with the others: 16.9 ms a step, and 0.25 ms alone."""
    alone = {"numpy": 5e-5, "PyTorch": 2.5e-4}
    timings = Timings(alone, {"numpy": [4e-5, 9e-5, 9e-5], "PyTorch": [2e-4, 0.0169, 0.0169]}, [])
    assert not timings.is_disturbed("numpy")
    assert timings.is_disturbed("PyTorch")
    assert not Timings(alone, {"PyTorch": [0.0169, 3e-4, 3e-4]}, []).is_disturbed("PyTorch")


def test_first_epoch_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 100, 103, 106])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    case = Size((2, 2, 2), 2, 3).case()
    assert seconds_per_step(case, lambda after: [after() for _ in range(3)]) == 1


def test_exponent_of_a_power_law() -> None:
    sizes = (2, 4, 16)
    axis = Axis("width", "a step", sizes, lambda n: TINY.case)
    grown = Growth(axis, {"numpy": [3e-6 * size**1.7 for size in sizes]})
    assert grown.exponent("numpy") == pytest.approx(1.7)


def test_of_many_batches() -> None:
    case = trained(Problem("relu", "softmax-cce", (4, 5, 3), 7, "float64").case(), validation=0.3)
    many = of_many_batches(case)
    assert many.training.batch_size == 3
    assert many.training.validation is None
    assert steps_per_epoch(many) >= workloads.STEPS
    assert len(np.unique(many.dataset.x, axis=0)) == 5
    assert of_many_batches(case, 100).training.batch_size == 5


def test_memory_is_of_a_process_of_its_own() -> None:
    """Not what this process has, and all of what that one has."""
    ballast = np.ones(2**26)
    limit = MemoryLimit("numpy", Size((100, 2, 2), 1000, 100), 1)
    counts: list[tuple[int, int]] = []
    (found,), left_out = memory.memory([limit], lambda *count: counts.append(count))
    assert not left_out
    assert found.peak < ballast.nbytes
    data = 4 * 100_000 * (100 + 2)
    assert data < found.run < found.peak
    assert limit.allowed == data + 4 * 4 * ((100 * 2 + 2) + (2 * 2 + 2) + 1000 * (100 + 2 + 2))
    assert counts == [(1, 1)]


def test_readme_says_the_limits() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## What training costs\n(.*?)^## ", readme, re.MULTILINE | re.DOTALL)
    said = re.findall(r"^\* (.*)$", section.replace("`", ""), re.MULTILINE)
    assert said == list(map(str, (*TIME_LIMITS, *MEMORY_LIMITS)))


@pytest.mark.usefixtures("short")
def test_bench_of_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("jax", "torch", "keras", "tensorflow"):
        absent = f"raise ModuleNotFoundError('no module', name={module!r})"
        (tmp_path / f"{module}.py").write_text(absent)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    result = call(path, "--implementations", "numpy")
    assert result.exit_code == 0, result.output
    for module in ("jax", "torch", "keras"):
        assert f"{module} is not installed: left out; pip install {module}" in result.output
    assert "scikit-learn is not measured with the loss mean_squared_error" in result.output
    assert re.findall(r"^(\w+) .* µs", result.output, re.MULTILINE) == ["numpy", "bare"]
    result = call(path, "--implementations", "tf")
    assert result.exit_code == 2
    assert "tf: tensorflow is not installed; pip install tensorflow keras" in result.output


@pytest.fixture
def few_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of which numpy keeps two and cannot keep a third."""
    of_time = (
        TimeLimit("numpy", "bare products", TINY, 0),
        TimeLimit("numpy", "bare products", TINY, 1e9, cores=1),
        TimeLimit("tf", "bare products", TINY, 1e9),  # it is not among those to measure
    )
    monkeypatch.setattr(limits, "TIME_LIMITS", of_time)
    monkeypatch.setattr(limits, "MEMORY_LIMITS", [MemoryLimit("numpy", TINY, 1e9)])
    axis = Axis("width", "a step", (1, 2), lambda n: Size((n, 2), 1, 2).case)
    monkeypatch.setattr(growth, "AXES", [axis])


@pytest.mark.usefixtures("short", "few_limits")
def test_bench_of_everything() -> None:
    result = call("--implementations", "numpy")
    assert result.exit_code == 0, result.output
    verdicts = re.findall(r"^(\w+) .*row.* (ok|over|disturbed) *$", result.output, re.MULTILINE)
    assert verdicts == [("numpy", "over"), ("numpy", "ok"), ("numpy", "ok")]
    for text in ("1 row, one core", "MB", "as width grows", "exponent"):
        assert text in result.output
    *_, kept, missed = result.output.splitlines()
    assert kept == "2 of 3 limits are kept. The others:"
    of = re.escape("a step of numpy takes at most 0 as long as one of bare products (2-2-2, 1 row)")
    assert re.fullmatch(rf"missed: {of}; measured: [\d.]+", missed)


@pytest.mark.usefixtures("short", "few_limits")
def test_disturbed_figures_are_neither_kept_nor_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted figures are of a baseline that takes sixty times as long beside the others."""
    monkeypatch.setattr(timing, "DISTURBED", 2)
    planted = {"numpy": iter([5e-5, 5e-5] * 2), "bare products": iter([2.5e-4, 0.0169] * 2)}
    run = TrainingProcess.run
    monkeypatch.setattr(
        TrainingProcess, "run", lambda self: next(planted.get(self.name, iter([])), run(self))
    )
    result = call("--implementations", "numpy")
    assert result.exit_code == 0, result.output
    assert len(re.findall(r"^numpy .* disturbed *$", result.output, re.MULTILINE)) == 2
    assert (
        "disturbed: in the rounds a step took more than 2 times as long as alone" in result.output
    )
    kept, *lines = result.output.splitlines()[-3:]
    assert kept == "1 of 3 limits are kept. The others:"
    assert all(line.startswith("disturbed: a step of numpy takes at most") for line in lines)


def test_bench_of_a_chain() -> None:
    result = call("csumb-2-chain", "--implementations", "numpy")
    assert result.exit_code == 2
    assert "Error: csumb-2-chain: a chain of functions has no training" in result.output
