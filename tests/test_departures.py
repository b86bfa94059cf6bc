"""Departures in words: how a wrong array relates to the right one."""

from __future__ import annotations

import numpy as np
import pytest

from impl_numpy import FeedForward
from shared import Array, Case, load_case
from threeways.conformance.hints import look_at
from threeways.exact.judge import judge
from threeways.exact.oracle import exact_step
from threeways.mistakes.steps import numbers_of
from threeways.report.departures import explain_departures, in_words


def network(name: str) -> Case:
    case = load_case(name)
    assert isinstance(case, Case)
    return case


def changed(array: Array, how: str) -> Array:
    """The array as somebody may have got it wrong."""
    match how:
        case "zeros":
            return np.zeros_like(array)
        case "row":
            array = array.copy()
            array[1] = 0
            return array
        case "one row":
            return np.where(np.arange(len(array))[:, None] == 0, array, 0)
        case "order":
            return array[::-1].copy()
        case "constant":
            return array + 0.25
        case unknown:
            return array * float(unknown)


@pytest.mark.parametrize(
    ("case", "quantity", "how", "words"),
    [
        ("iris", "dW[0]", "30", "30 times too large (N = 30)"),
        ("iris", "db[0]", "0.03333333333333333", "30 times too small (N = 30)"),
        ("iris", "dW[0]", "90", "90 times too large (N K = 90)"),
        ("iris", "dW[0]", "-1", "its sign is flipped"),
        ("iris", "dW[0]", "-3", "3 times too large (K = 3), and its sign is flipped"),
        ("iris", "dW[0]", "2", "2 times too large (½)"),
        ("iris", "dW[0]", "4", "4 times too large (D[0] = 4)"),
        ("iris", "dW[0]", "1.01", "1.01 times what it should be"),
        ("iris", "dW[0]", "zeros", "all zeros"),
        ("iris", "dW[0]", "1e-19", "all zeros, but for rounding"),
        ("iris", "dW[0]", "row", "row 1 is missing (zero)"),
        ("iris", "dW[0]", "one row", "only row 0 is there, the others are zero"),
        ("iris", "dW[0]", "order", "its rows are in another order"),
        ("iris", "dW[0]", "constant", "right up to a constant: +0.25 everywhere"),
        ("iris", "loss", "30", "30 times too large (N = 30)"),
        ("iris", "loss", "1.01", None),
    ],
)
def test_how_an_array_relates_to_the_right_one(
    case: str, quantity: str, how: str, words: str | None
) -> None:
    loaded = network(case)
    right = numbers_of(FeedForward, loaded)
    judgement = judge(loaded, {quantity: changed(right[quantity], how)})
    assert in_words(judgement, quantity, loaded) == words


def test_transposed_and_a_forgotten_rate() -> None:
    case = network("mazur")
    right = exact_step(case).values
    judgement = judge(case, {"dW[1]": right["dW[1]"].T})
    assert in_words(judgement, "dW[1]", case) == "it is the transpose of what it should be"
    judgement = judge(case, {"dW[1]": right["dW[1]"] * case.training.learning_rate})
    assert "η = 0.5" in str(in_words(judgement, "dW[1]", case))


def test_a_penalty_and_a_mean_over_features() -> None:
    case = network("iris")
    right, W = numbers_of(FeedForward, case), case.parameters[1].W
    judgement = judge(case, {"dW[1]": right["dW[1]"] + 0.1 * W, "db[1]": right["db[1]"] * 30 / 4})
    assert in_words(judgement, "dW[1]", case) == (
        "right but for +0.1 W[1], as of a penalty or weight decay"
    )
    assert in_words(judgement, "db[1]", case) == "7.5 times too large (N/D[0] = 30/4)"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("dW[0] db[0] dW[1] db[1]", "or earlier, in what is not given: dz[0] = (dz[1] @ W[1].T)"),
        (
            "dW[0] db[0] a[1]",
            "the error may lie earlier, in what is not given: z[1], a[2], dz[1], ",
        ),
        ("dW[0]", "the error may lie earlier, in what is not given: z[0], a[1], z[1], a[2], dz[1]"),
    ],
)
def test_what_is_right_was_computed_from_what_is_right(given: str, line: str) -> None:
    case = network("iris")
    right = numbers_of(FeedForward, case)
    quantities = {name: right[name] * (1 + name.endswith("[0]")) for name in given.split()}
    lines = list(explain_departures(judge(case, quantities), case, ""))
    assert lines[2].strip().startswith(line)


def test_words_come_first_and_eps_are_for_those_who_ask() -> None:
    case = network("iris")
    right = numbers_of(FeedForward, case)
    judgement = judge(case, {"dW[0]": 30 * right["dW[0]"], "loss": right["loss"] * (1 + 1e-6)})
    first, *_ = explain_departures(judgement, case, "iris: ")
    assert "eps" not in first
    assert "dW[0]: 30 times too large (N = 30)" in "\n".join(
        explain_departures(judgement, case, "iris: ")
    )
    assert "digits agree)" in "\n".join(
        explain_departures(judge(case, {"loss": right["loss"] * (1 + 1e-6)}), case, "")
    )
    first, *_ = explain_departures(judgement, case, "iris: ", verbose=True)
    assert "eps apart; rounding explains" in first


def test_updates_are_set_beside_the_right_ones() -> None:
    case = network("uio-9-buildings")
    rate = case.training.learning_rate
    exact = exact_step(case).values

    def words_of(factor: float) -> str | None:
        W = case.parameters[1].W
        moved = {"W_next[1]": W + factor * (exact["W_next[1]"] - W)}
        return in_words(judge(case, moved, exact_step(case)), "W_next[1]", case)

    assert words_of(0) == "it is not updated"
    assert words_of(-1) == "its update has its sign flipped"
    assert words_of(7) == (
        f"its update is 7 times too large, as with a learning rate of {7 * rate:g}"
    )
    said = words_of(1.25)
    assert said
    assert said.endswith(
        f"1.25 times what it should be, as with a learning rate of {1.25 * rate:g}"
    )


@pytest.mark.parametrize(
    ("name", "asked", "unasked"),
    [
        ("absolute-error", "is it the sign of a - y", "difference"),
        ("huber", "±δ where that is further from 0", "difference"),
        ("hinge", "is it -y where y a < 1", "a - y"),
        ("uio-9-buildings", "is its difference a - y", "sign"),
    ],
)
def test_what_to_ask_of_the_output_s_delta(name: str, asked: str, unasked: str) -> None:
    case = network(name)
    line = look_at(f"dz[{len(case.network.layers) - 1}]", case)
    assert asked in line
    assert unasked not in line


def test_no_bias_is_asked_for_where_there_is_none() -> None:
    case = network("without-biases")
    assert "b[0]" not in look_at("z[0]", case)
    assert "b[1]" in look_at("z[1]", case)
