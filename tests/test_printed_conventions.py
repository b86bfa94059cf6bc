"""Printed numbers by another convention than the case's are no mistake, and told so."""

from __future__ import annotations

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any

import pytest

from impl_numpy import FeedForward
from shared import Case, Training, load_case
from tests.test_cli import call
from threeways.conformance.printed_conventions import printed_convention
from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, diagnose
from threeways.mistakes.steps import numbers_of, scaled


def network(name: str, **training: Any) -> Case:
    case = load_case(name)
    assert isinstance(case, Case)
    return dataclasses.replace(case, training=Training(**training)) if training else case


def found_for(
    case: Case, kind: type[FeedForward], names: str, theirs: Case, step: int
) -> Diagnosis:
    """The diagnosis of numbers of 8 digits that this kind of network makes of their case."""
    made = numbers_of(kind, theirs, step)
    values: dict[str, str | float] = {}
    for name in names.split():
        index = (0,) * made[name].ndim
        whole = f"{name}[{','.join(map(str, index))}]" if index else name
        values[whole] = f"{made[name][index]:.8g}"
    tell = functools.partial(printed_convention, case, step)
    return diagnose(case, values, step, convention=tell)


BUILDINGS = network("uio-9-buildings")  # N = 5, K = 1, mean squared error
ADAM = network("uio-9-buildings", learning_rate=0.1, optimizer="adam")
PYTORCHS = network(
    "uio-9-buildings", learning_rate=0.1, optimizer="adam", epsilon_placement="corrected_root"
)
MOMENTUM = network("uio-9-buildings", learning_rate=0.1, optimizer="momentum", momentum=0.5)
DAMPENED = network(
    "uio-9-buildings",
    learning_rate=0.1,
    optimizer="pytorch_momentum",
    momentum=0.5,
    dampening=0.5,
)
DECAYED = network("uio-9-buildings", learning_rate=0.1, optimizer="adam", weight_decay=0.1)
COUPLED = MISTAKES["weight-decay-in-gradient"]

TOLD: dict[str, tuple[Case, type[FeedForward], str, Case, int, str]] = {
    "sum": (
        BUILDINGS,
        scaled(FeedForward, 5),
        "loss dW[1] db[0]",
        BUILDINGS,
        1,
        "your loss and gradients are 5 times this case's (N = 5: a sum over the rows, not their",
    ),
    "half of a sum, later": (
        BUILDINGS,
        scaled(FeedForward, 2.5),
        "loss dW[1] W_next[1]",
        BUILDINGS,
        3,
        "your loss and gradients are 5/2 times this case's",
    ),
    "Adam": (ADAM, FeedForward, "W_next[1] W_next[0]", PYTORCHS, 3, "this is PyTorch's and the p"),
    "dampening": (
        MOMENTUM, FeedForward, "W_next[1]", DAMPENED, 3, "this is PyTorch's momentum with damp"
    ),
    "coupled": (
        DECAYED, COUPLED, "W_next[1] W_next[0]", DECAYED, 3, "this is weight decay inside the grad"
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "kind", "names", "theirs", "step", "line"), TOLD.values(), ids=TOLD
)
def test_a_convention_is_no_mistake(
    case: Case, kind: type[FeedForward], names: str, theirs: Case, step: int, line: str
) -> None:
    found = found_for(case, kind, names, theirs, step)
    assert found.verdict == "convention"
    assert not found.matches
    assert found.convention
    assert found.convention.startswith(line)


@pytest.mark.parametrize(("names", "other"), [("loss", "gradients are"), ("dW[1]", "loss is")])
def test_where_only_part_is_given_it_may_be_a_mistake(names: str, other: str) -> None:
    found = found_for(BUILDINGS, scaled(FeedForward, 5), names, BUILDINGS, 1)
    assert found.matches
    assert found.verdict != "convention"
    assert found.convention
    assert f"if your {other}, too" in found.convention


def test_a_factor_of_the_gradients_alone_is_a_mistake() -> None:
    found = found_for(BUILDINGS, MISTAKES["mean-forgotten"], "loss dW[1] db[1]", BUILDINGS, 1)
    assert found.convention is None
    assert ("mean-forgotten",) in [match.mistakes for match in found.matches]


def test_pytorchs_smooth_l1_by_its_name() -> None:
    case = network("huber")
    case = dataclasses.replace(case, network=dataclasses.replace(case.network, delta=0.25))
    found = found_for(case, scaled(FeedForward, 4), "loss dW[0]", case, 1)
    assert found.convention
    assert "(1/δ, δ = 0.25: PyTorch's smooth L1)" in found.convention


def test_diagnose_tells_conventions_first_and_in_json(tmp_path: Path) -> None:
    made = numbers_of(scaled(FeedForward, 5), BUILDINGS)
    values = (f"loss={made['loss']:.6g}", f"dW[1][0,0]={made['dW[1]'][0, 0]:.6g}")
    asked = ("--value", values[0], "--value", values[1])
    printed = call("diagnose", "uio-9-buildings", *asked)
    assert printed.exit_code == 1
    assert printed.output.startswith("your loss and gradients are 5 times this case's")
    assert printed.output.endswith("; all else agrees\n")
    # --json takes no file if it is followed by the case alone.
    for arguments in (("--json", "uio-9-buildings", *asked), ("uio-9-buildings", *asked, "--json")):
        answer = json.loads(call("diagnose", *arguments).stdout)
        assert (answer["verdict"], answer["matches"]) == ("convention", [])
        assert answer["convention"] in printed.output
    missing = call("diagnose", *asked, "--json")
    assert missing.exit_code == 2
    assert "Missing argument" in missing.output
