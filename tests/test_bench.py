"""What is measured is the same work, and what is said of it is what was measured."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import impl_numpy
from shared import Case, Training
from tests.problems import Problem
from threeways.bench import limits as bench
from threeways.bench import memory, timing
from threeways.bench.baselines import PEERS, LeftOut
from threeways.bench.limits import Axis, Growth, Limit
from threeways.bench.memory import TINY
from threeways.bench.timing import Contest, Size, of_many_batches, steps_per_epoch
from threeways.cli import main

MODULES = {"keras.fit": "tensorflow", "JAX": "jax", "PyTorch": "torch", "scikit-learn": "sklearn"}
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
    monkeypatch.setattr(timing, "STEPS", 4)
    monkeypatch.setattr(bench, "RUNS", 1)


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
    ("peer", "run"),
    [
        *(("keras.fit", run) for run in RUNS[:3]),  # which draws an order of its own
        *(("JAX", RUNS[i]) for i in (0, 1, 3)),
        *(("PyTorch", run) for run in RUNS),
        *(("scikit-learn", run) for run in RUNS[:2]),
    ],
    ids=lambda each: each if isinstance(each, str) else str(each[0]),
)
def test_peers_make_the_same_run(peer: str, run: tuple[Problem, dict[str, Any]]) -> None:
    pytest.importorskip(MODULES[peer])
    problem, numbers = run
    case = trained(problem.case(), **numbers)
    ours, theirs = impl_numpy.FeedForward(case.network, case.parameters), PEERS[peer](case)
    epochs: list[object] = []
    losses = theirs.fit(lambda *given: epochs.append(given))
    assert len(epochs) == 2
    # Keras has the learning rate in float32.
    off = 1e-6 if peer == "keras.fit" or problem.dtype == "float32" else 1e-13
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
def test_peers_are_left_out_of_other_networks(change: dict[str, Any], why: str) -> None:
    case = Problem("relu", "softmax-cce", (4, 5, 3), 7, "float64").case()
    first, *more = case.network.layers
    layers = (dataclasses.replace(first, **change), *more)
    other = dataclasses.replace(case, network=dataclasses.replace(case.network, layers=layers))
    for peer in MODULES:
        with pytest.raises(LeftOut, match=f"^{peer} is not measured with {why}: left out$"):
            PEERS[peer](other)


def test_two_classes_are_not_scikit_learns_softmax() -> None:
    with pytest.raises(LeftOut, match="2 outputs"):
        PEERS["scikit-learn"](Size((3, 2, 2), 4, 1).case())


@pytest.mark.usefixtures("short")
def test_a_peer_that_diverges_is_left_out() -> None:
    case = trained(Problem("linear", "softmax-cce", (4, 5, 3), 7, "float32").case())
    wild = dataclasses.replace(case, training=Training(learning_rate=1e30, epochs=2))
    held = timing.contest(wild, {}, ["scikit-learn"], lambda *_: None)
    assert held.rounds == {}
    assert "non-finite" in held.left_out[0]


def test_ratio_is_the_median_of_the_rounds() -> None:
    held = Contest({"a": [1, 8, 3], "b": [1, 2, 2]}, [])
    assert held.ratio("a", "b") == 1.5
    assert held.seconds("a") == 3


def test_first_epoch_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 100, 103, 106])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    case = Size((2, 2, 2), 2, 3).case()
    assert timing.seconds_per_step(case, lambda after: [after() for _ in range(3)]) == 1


def test_exponent_of_a_power_law() -> None:
    sizes = (2, 4, 16)
    axis = Axis("width", "a step", sizes, lambda n: TINY.case())
    grown = Growth(axis, {"numpy": [3e-6 * size**1.7 for size in sizes]})
    assert grown.exponent("numpy") == pytest.approx(1.7)


def test_of_many_batches() -> None:
    case = trained(Problem("relu", "softmax-cce", (4, 5, 3), 7, "float64").case(), validation=0.3)
    many = of_many_batches(case)
    assert many.training.batch_size == 3
    assert many.training.validation is None
    assert steps_per_epoch(many) >= timing.STEPS
    assert len(np.unique(many.dataset.x, axis=0)) == 5
    assert of_many_batches(case, 100).training.batch_size == 5


def test_memory_is_of_a_process_of_its_own() -> None:
    """Not what this process has, and all of what that one has."""
    ballast = np.ones(2**26)
    rows = Size((100, 2, 2), 1000, 100)
    counts: list[tuple[int, int]] = []
    found = memory.memory(rows, ["numpy"], lambda *count: counts.append(count))["numpy"]
    assert found.peak < ballast.nbytes
    data = 4 * 100_000 * (100 + 2)
    assert data < found.run < found.peak
    assert found.allowed == data + 4 * 4 * ((100 * 2 + 2) + (2 * 2 + 2) + 1000 * (100 + 2 + 2))
    assert counts == [(1, 1)]


@pytest.mark.usefixtures("short")
def test_bench_of_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("jax", "torch", "tensorflow"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "impl_keras.feedforward", raising=False)
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    result = call(path, "--implementations", "numpy")
    assert result.exit_code == 0, result.output
    for module in ("jax", "torch", "tensorflow"):
        assert f"{module} is not installed: left out; pip install {module}" in result.output
    assert "scikit-learn is not measured with the loss mean_squared_error" in result.output
    assert re.findall(r"^(\w+) .* µs", result.output, re.MULTILINE) == ["numpy", "bare"]


@pytest.mark.usefixtures("short")
def test_bench_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    size = Size((2, 2, 2), 1, 2)
    limits = (
        Limit("numpy", "bare products", size, 0),
        Limit("numpy", "bare products", size, 1e9, cores=1),
        Limit("tf", "bare products", size, 1e9),  # it is not among those to measure
    )
    monkeypatch.setattr(bench, "LIMITS", limits)
    axis = Axis("width", "a step", (1, 2), lambda n: Size((n, 2), 1, 2).case())
    monkeypatch.setattr(bench, "AXES", [axis])
    monkeypatch.setattr(memory, "LARGE", size)
    result = call("--implementations", "numpy")
    assert result.exit_code == 0, result.output
    verdicts = re.findall(r"^(\w+) .*row.* (ok|over) *$", result.output, re.MULTILINE)
    assert verdicts == [("numpy", "over"), ("numpy", "ok")]
    for text in ("1 row, one core", "MB", "as width grows", "exponent"):
        assert text in result.output


def test_bench_of_a_chain() -> None:
    result = call("csumb-2-chain", "--implementations", "numpy")
    assert result.exit_code == 2
    assert "Error: csumb-2-chain: a chain of functions has no training" in result.output
