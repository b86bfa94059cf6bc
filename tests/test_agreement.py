"""Whole runs of three implementations differ by no more than rounding explains."""

from __future__ import annotations

import dataclasses
import io
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import impl_numpy
from shared import (
    Array,
    Case,
    InputError,
    Layer,
    Network,
    Run,
    Training,
    case_names,
    initialise,
    load_case,
    load_dataset,
)
from threeways.mistakes import MISTAKES
from threeways.report.training import print_agreement
from threeways.training.agreement import Agreement, agreements
from threeways.training.lockstep import Lockstep
from threeways.training.stages import Stage
from threeways.training.train import finish_runs, prepare_runs

# More show nothing new, and Keras needs some milliseconds for each one.
MOST_EPOCHS = 30


def run_case(name: str) -> Case | None:
    """A case that trains for several epochs, in float64, cut short; None for any other."""
    case = load_case(name)
    if not isinstance(case, Case) or case.training.epochs == 1:
        return None
    epochs = min(case.training.epochs, MOST_EPOCHS)
    training = dataclasses.replace(case.training, epochs=epochs)
    return dataclasses.replace(case.with_dtype("float64"), training=training)


RUNS = {name: case for name in case_names() if (case := run_case(name))}


def trained(case: Case, packages: dict[str, Any]) -> list[Agreement]:
    """The agreement of implementations that train a case in lockstep."""
    runs = prepare_runs(Stage(case), packages)
    assert Lockstep(runs).run()
    assert len({run.epochs_done for run in runs}) == 1  # they end after the same epoch
    starts = [run.case.parameters for run in runs]
    return agreements(case, starts, finish_runs(case, runs), lambda done, total: None)


@pytest.mark.parametrize("name", RUNS)
def test_runs_agree(name: str, packages: dict[str, ModuleType]) -> None:
    found = trained(RUNS[name], packages)
    assert len(found) == 3
    assert max(each.ratio for each in found) <= 1, found


FLOAT32 = ("mazur", "iris", "kth-9-relu", "moons-momentum", "digits-adam", "wine-alpha-dropout")


@pytest.mark.parametrize("name", FLOAT32)
def test_runs_in_float32_agree(name: str, packages: dict[str, ModuleType]) -> None:
    found = trained(RUNS[name].with_dtype("float32"), packages)
    assert len(found) == 3
    assert max(each.ratio for each in found) <= 1, found


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        ("mazur", "half-missing"),
        ("iris", "mean-forgotten"),
        ("iris", "learning-rate-tenth"),
        ("moons-momentum", "momentum-subtracted"),
        ("digits-adam", "correction-without-power"),
    ],
)
def test_a_mistake_in_float32_shows(name: str, mistake: str) -> None:
    case = RUNS[name].with_dtype("float32")
    case = dataclasses.replace(case, training=dataclasses.replace(case.training, epochs=3))
    wrong = SimpleNamespace(FeedForward=MISTAKES[mistake])
    (found,) = trained(case, {"right": impl_numpy, "wrong": wrong})
    assert found.ratio > 1


def test_runs_in_float32_that_drift_apart_agree() -> None:
    """After 150 epochs of ReLU the weights are 20 eps apart."""

    class SummedInFloat64(impl_numpy.FeedForward):
        def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
            return (a.T.astype(float) @ dz).astype(a.dtype)

    iris = load_dataset("iris")
    dataset = dataclasses.replace(iris, x=2 * iris.x + 5, y=iris.y[:, 1:2])
    hidden = [Layer(units=units, activation="relu") for units in (20, 10)]
    layers = (*hidden, Layer(units=1, activation="sigmoid"))
    network = Network(n_features=4, layers=layers, loss="binary_crossentropy", dtype="float32")
    case = Case(
        network=network,
        parameters=initialise(network, "he_normal", 1),
        dataset=dataset,
        training=Training(learning_rate=0.2, epochs=150),
    )
    (found,) = trained(case, {"a": impl_numpy, "b": SimpleNamespace(FeedForward=SummedInFloat64)})
    assert found.ratio <= 1


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("digits", {"learning_rate": float(np.float32(0.1))}),
        ("moons-momentum", {"momentum": float(np.float32(0.9))}),
        ("digits-adam", {"beta_2": float(np.float32(0.999))}),
    ],
)
def test_a_hyperparameter_rounded_to_float32_shows(name: str, wrong: dict[str, Any]) -> None:
    case = RUNS[name]
    case = dataclasses.replace(case, training=dataclasses.replace(case.training, epochs=5))

    class Mistaken(impl_numpy.FeedForward):
        def optimizer_for(self, training: Training) -> Any:
            return super().optimizer_for(dataclasses.replace(training, **wrong))

    (found,) = trained(case, {"right": impl_numpy, "wrong": SimpleNamespace(FeedForward=Mistaken)})
    assert found.chaotic_from is None
    assert found.ratio > 1


def test_a_run_that_ends_before_its_time_is_an_error() -> None:
    class Short(impl_numpy.FeedForward):
        def train(self, run: Run) -> None:
            epochs = run.training.epochs
            run.training = dataclasses.replace(run.training, epochs=3)
            super().train(run)
            run.training = dataclasses.replace(run.training, epochs=epochs)

    case = RUNS["moons-momentum"]
    with pytest.raises(InputError, match=f"after 3 of {case.training.epochs} epochs"):
        Short(case.network, case.parameters).fit(case.dataset, case.training)


def test_runs_of_different_lengths_are_called_so() -> None:
    case = RUNS["moons-momentum"]
    long, short = prepare_runs(Stage(case), {"long": impl_numpy, "short": impl_numpy})
    short.case = dataclasses.replace(case, training=dataclasses.replace(case.training, epochs=2))
    Lockstep([long, short]).run()
    outcome = finish_runs(case, [long, short])
    starts = [case.parameters, case.parameters]
    found = agreements(case, starts, outcome, lambda done, total: None)
    printed = io.StringIO()
    print_agreement(found, outcome, Console(file=printed, width=160))
    assert f"long {case.training.epochs} epochs, short 2 epochs" in printed.getvalue()


def test_runs_that_never_made_the_same_epoch_are_not_compared() -> None:
    """As when one is complete and the other, resumed, stops earlier."""
    case = RUNS["moons-momentum"]
    long, short = prepare_runs(Stage(case), {"long": impl_numpy, "short": impl_numpy})
    long.run(lambda: None)
    short.case = dataclasses.replace(case, training=dataclasses.replace(case.training, epochs=5))
    short.run(lambda: None)
    outcome = finish_runs(case, [long, short])
    (pair,) = outcome.distances
    assert pair.worst is None
    found = agreements(case, [], outcome, lambda done, total: None)
    assert found == []
    printed = io.StringIO()
    print_agreement(found, outcome, Console(file=printed))
    assert printed.getvalue() == ""
