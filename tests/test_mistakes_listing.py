"""``threeways mistakes``: the catalogue, and on which cases each mistake shows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner, Result

from impl_numpy import FeedForward
from shared import Array, Case, load_case
from threeways.cli import main
from threeways.mistakes import MISTAKES
from threeways.mistakes.departures import RightSteps
from threeways.report.mistakes import explain_mistake, list_mistakes, part_of


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["mistakes", *arguments])


def right_steps(name: str) -> RightSteps:
    case = load_case(name)
    assert isinstance(case, Case)
    return RightSteps(case)


class SummedRowByRow(FeedForward):
    """A right network whose rounding errors are others."""

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        dW = np.zeros_like(self.W[l])
        for row, delta in zip(a, dz, strict=True):
            dW += np.outer(row, delta)
        return dW


class SlightlyWrong(FeedForward):
    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().weight_gradient(l, a, dz) * (1 + 1e-9)


@pytest.mark.parametrize("case", ["mazur", "iris", "moons-momentum", "digits-adam", "saturated"])
def test_a_mistake_shows_beyond_rounding_only(case: str) -> None:
    right = right_steps(case)
    assert right.departure(SummedRowByRow) is None
    found = right.departure(SlightlyWrong)
    assert found
    assert (found.step, found.quantity[:2]) == (1, "dW")


@pytest.mark.parametrize(
    ("mistake", "case", "step", "quantity"),
    [
        ("half-missing", "mazur", 1, "dz[1]"),
        ("half-missing-in-loss", "mazur", 1, "loss"),
        ("correction-without-power", "digits-adam", 2, "W_next[0]"),
        ("momentum-subtracted", "moons-momentum", 2, "momentum_W[0]"),
    ],
)
def test_the_first_departure(mistake: str, case: str, step: int, quantity: str) -> None:
    found = right_steps(case).departure(MISTAKES[mistake])
    assert found
    assert (found.step, found.quantity) == (step, quantity)


def test_the_list_has_every_mistake_and_fits_a_terminal() -> None:
    lines = list(list_mistakes(None, None, width=80))
    assert [line.split()[0] for line in lines if line[2:3].strip() and line[:2] == "  "] == [
        *MISTAKES
    ]
    assert max(map(len, lines)) <= 80
    text = " ".join(lines)
    assert all(part in text for part in map(part_of, MISTAKES))


def test_a_mistake_is_explained() -> None:
    result = call("half-missing")
    assert result.exit_code == 0, result.output
    mistake = MISTAKES["half-missing"]
    for text in (mistake.title, mistake.did, mistake.why, mistake.fix):
        assert text in result.output
    assert "csumb-6-eight-weights" in result.output


def test_a_mistake_on_one_case() -> None:
    shows, does_not = (call("half-missing", "--case", case) for case in ("mazur", "iris"))
    number = "dz[1][0,0] is 0.276997123, should be 0.138498562"
    assert f"On mazur it shows first: {number}." in shows.output
    assert "It does not show in the first 3 steps of iris." in does_not.output


def test_the_mistakes_that_show_on_a_case() -> None:
    result = call("--case", "mazur", "--json")
    tables = json.loads(result.stdout)["mistakes"]
    names = {table["name"] for table in tables}
    assert "half-missing" in names
    assert "mean-forgotten" not in names  # it has one row
    assert all(table["shows"][0]["case"] == "mazur" for table in tables)
    listed = call("--case", "mazur").output
    assert all(name in listed for name in names)
    assert f"{len(names)} of {len(MISTAKES)} known mistakes show" in listed


def test_a_mistake_that_shows_nowhere_says_so() -> None:
    lines = list(explain_mistake("half-missing", {}, ["mazur", "iris"], width=80))
    assert lines[-1] == "It shows on none of this project's 2 networks."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["half-mising"], "'half-mising' is not a known mistake; did you mean 'half-missing'?"),
        (
            ["--case", "csumb-1-square"],
            "csumb-1-square: a chain of functions, known mistakes are of networks",
        ),
    ],
)
def test_wrong_calls(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert (result.exit_code, result.stderr) == (2, f"Error: {message}\n")
