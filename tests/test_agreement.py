"""Three implementations over whole runs, held to what rounding may become of in them."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from shared import Case, Checkpoint, Training, case_names, load_case
from threeways.agreement import Agreement
from threeways.implementations import model

# More show nothing new, and Keras needs some milliseconds for each.
MOST_EPOCHS = 100


def run_case(name: str) -> Case | None:
    """A case of several steps, in float64."""
    case = load_case(name)
    if not isinstance(case, Case) or case.training.epochs == 1:
        return None
    epochs = min(case.training.epochs, MOST_EPOCHS)
    training = dataclasses.replace(case.training, epochs=epochs)
    return dataclasses.replace(case.with_dtype("float64"), training=training)


RUNS = {name: case for name in case_names() if (case := run_case(name))}


def followed(case: Case, nets: dict[str, Any], trainings: dict[str, Training]) -> Agreement:
    """Train each, and compare them after every epoch that all have made."""
    epochs: dict[str, list[Checkpoint]] = {}
    for name, net in nets.items():
        seen = epochs.setdefault(name, [])

        def take(checkpoint: Checkpoint, seen: list[Checkpoint] = seen) -> None:
            history = dataclasses.replace(checkpoint.history, loss=checkpoint.history.loss[-1:])
            seen.append(dataclasses.replace(checkpoint, history=history))

        with np.errstate(all="ignore"):
            net.fit(case.dataset, trainings[name], take)
    agreement = Agreement(case)
    assert len({len(seen) for seen in epochs.values()}) == 1  # they end after the same epoch
    for checkpoints in zip(*epochs.values(), strict=True):
        agreement.compare(dict(zip(epochs, checkpoints, strict=True)))
    return agreement


@pytest.mark.parametrize("name", RUNS)
def test_runs_agree(name: str, packages: dict[str, ModuleType]) -> None:
    case = RUNS[name]
    nets = {each: model(package, case) for each, package in packages.items()}
    agreement = followed(case, nets, dict.fromkeys(nets, case.training))
    assert agreement.ok, agreement.furthest


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("digits", {"learning_rate": float(np.float32(0.1))}),
        ("moons-momentum", {"momentum": float(np.float32(0.9))}),
        ("digits-adam", {"beta_2": float(np.float32(0.999))}),
    ],
)
def test_a_number_that_passed_through_float32_shows(
    name: str, wrong: dict[str, Any], packages: dict[str, ModuleType]
) -> None:
    case = RUNS[name]
    case = dataclasses.replace(case, training=dataclasses.replace(case.training, epochs=5))
    nets = {each: model(packages["numpy"], case) for each in ("right", "wrong")}
    mistaken = dataclasses.replace(case.training, **wrong)
    agreement = followed(case, nets, {"right": case.training, "wrong": mistaken})
    assert not agreement.ok
    assert agreement.chaotic_from is None
