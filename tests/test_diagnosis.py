"""Diagnosis: mistakes are recognised from whole arrays and from a few printed digits."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

import threeways
from benchmarks.chance import DIGITS, Draws
from impl_numpy import FeedForward
from shared import Array, Case, InputError, Trace, load_case
from tests.problems import regularised
from threeways.exact.judge import judge
from threeways.exact.oracle import exact_step
from threeways.mistakes import MISTAKES, pair
from threeways.mistakes.diagnosis import diagnose, recognise
from threeways.mistakes.late_steps import LateStep
from threeways.mistakes.steps import numbers_of, scaled
from threeways.report.diagnoses import explain_diagnosis


def network(name: str) -> Case:
    case = load_case(name)
    assert isinstance(case, Case)
    return case


@pytest.mark.parametrize("name", ["mazur", "kth-8-linear", "iris"])
def test_every_mistake_that_departs_is_recognised(name: str) -> None:
    case = network(name)
    exact = exact_step(case)
    for mistake, kind in MISTAKES.items():
        numbers = numbers_of(kind, case)
        if not judge(case, numbers, exact).ok:
            matches = recognise(case, numbers, exact).matches
            # One in a single layer goes by the name of the one in all, where they are the same.
            names = {(mistake,), (kind.variant_of,)}
            assert names & {match.mistakes for match in matches}
            for match in matches:  # those that make other numbers are no matches
                assert all(
                    np.allclose(match.numbers[q], numbers[q], equal_nan=True) for q in numbers
                )


def test_two_mistakes_together() -> None:
    case = network("mazur")
    numbers = numbers_of(pair("half-missing", "sigmoids-derivative-plus"), case)
    found = recognise(case, numbers)
    assert found.verdict == "known"
    assert set(found.matches[0].mistakes) == {"half-missing", "sigmoids-derivative-plus"}


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("uio-9-buildings", ("mean-taken-twice", "weight-gradient-transposed")),
        ("softmax-squared-error", ("every-layer-penalised", "decay-without-rate")),
        ("mazur", ("last-layer-not-updated", "fixed-bias-updated")),
        ("kinks", ("weight-for-input", "gradients-recorded-after-reset")),
        ("blobs-rmsprop", ("bias-frozen", "root-forgotten")),
    ],
)
def test_a_pair_that_was_made_is_not_ruled_out_untried(name: str, made: tuple[str, str]) -> None:
    """Though one of the two undoes what the other does, or rounds what comes before it."""
    case = network(name).alone()
    assert made in [
        match.mistakes for match in recognise(case, numbers_of(pair(*made), case)).matches
    ]


def test_printed_digits() -> None:
    assert diagnose("mazur", {"W_next[1][0,0]": "0.358916480"}).verdict == "correct"
    assert diagnose("mazur", {"W_next[1][0,0]": "0.35891"}).verdict == "correct"  # cut off
    assert diagnose("mazur", {"W_next[1][0,0]": "0.35893"}).verdict == "none known"
    doubled = diagnose("mazur", {"dW[1][0,0]": "0.16433", "loss": 0.29837})
    assert (doubled.verdict, doubled.matches[0].mistakes) == ("known", ("half-missing",))
    assert 5 <= doubled.matches[0].digits < 6


@pytest.fixture(scope="module")
def draws() -> Draws:
    return Draws("mazur")


@pytest.mark.parametrize("digits", DIGITS)
def test_random_numbers_are_not_taken_for_a_known_mistake(digits: int, draws: Draws) -> None:
    """Most of those with 3 digits match some mistake or pair, but that is said to be chance."""
    given = draws.verdicts("loss", digits, 30) + draws.verdicts("W_next[1][0,0]", digits, 30)
    assert given["known"] + given["not unique"] <= 1
    assert given["possible"] > 10 or digits > 3


def test_what_chance_may_have_made_is_only_possible() -> None:
    """The number is arbitrary; that many of 3 digits match was counted in draws."""
    found = diagnose("mazur", {"W_next[1][0,0]": "0.354"})
    assert found.verdict == "possible"
    assert 0.3 < found.chance < 0.8
    lines = list(explain_diagnosis(found))
    assert lines[0].startswith("possible, but not certain")
    (chance,) = (line for line in lines if "by chance" in line)
    assert re.match(
        "  two mistakes from one number: by chance, (most|1 in 2) numbers of 3 digits would", chance
    )


def test_several_numbers_are_less_likely_to_match_by_chance() -> None:
    one: dict[str, str | float] = {"dW[1][0,0]": "0.164"}
    both = one | {"dW[1][0,1]": "-0.0452"}
    right_too = one | {"loss": "0.29837"}
    alone, together, with_right = (diagnose("mazur", each) for each in (one, both, right_too))
    assert alone.verdict == "possible"
    assert together.verdict == "known"
    assert alone.chance > 100 * together.chance
    assert alone.chance > with_right.chance  # fewer mistakes leave the loss as it is
    for found in (alone, together, with_right):
        assert [match.mistakes for match in found.matches] == [("half-missing",)]


def test_a_match_to_no_digit_is_none() -> None:
    values: dict[str, str | float] = {"dW[0][0,0]": "0.", "dW[1][0,0]": "1."}
    assert all(match.digits >= 1 for match in diagnose("mazur", values).matches)
    zero_to_four: dict[str, str | float] = {"dW[1][0,0]": "0.0000", "dW[1][1,0]": "0.0000"}
    assert diagnose("mazur", zero_to_four).matches  # of an array of about 0.08


def test_runners_up_come_closer_than_the_correct_step() -> None:
    found = diagnose("mazur", {"dW[1][0,0]": "0.1644", "loss": "0.29837"})
    assert found.verdict == "none known"
    assert found.runners_up[0].mistakes == ("half-missing",)
    for each in found.runners_up:
        assert each.digits >= 2
        assert (each.agreed, each.digits) > (found.correct.agreed, found.correct.digits)
    assert not diagnose("mazur", {"W_next[1][0,0]": "0.35893"}).runners_up  # right is closest


def test_of_a_run_only_the_last_steps_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of any length costs little more than its last step alone."""
    case = network("mazur").alone()
    numbers = numbers_of(FeedForward, case)
    numbers["dW[1]"] = numbers["dW[1]"] * 1.01
    made: list[FeedForward] = []
    right_step = FeedForward.step

    def step(net: FeedForward, *arguments: Any) -> Trace:
        made.append(net)
        return right_step(net, *arguments)

    monkeypatch.setattr(FeedForward, "step", step)
    recognise(case, numbers)
    alone = len(made)
    recognise(case, numbers, before=[case] * 1000)
    assert len(made) - alone < 2 * alone


def test_a_run_goes_on_from_what_was_recorded() -> None:
    """The gradients that pile up are those of the recorded steps."""
    case = network("mazur").alone()
    net = MISTAKES["gradients-not-reset"](case.network, case.parameters)
    run = []
    for _ in range(2):
        run.append(dataclasses.replace(case, parameters=net.parameters))
        numbers = net.step(*case.first_batch(), case.training).quantities()
    (found,) = recognise(run[-1], numbers, before=run[:-1]).matches
    assert found.mistakes == ("gradients-not-reset",)


def test_without_a_match_each_number_is_set_beside_the_right_one() -> None:
    """One z is wrong, and the activation, the loss and dW are what follows from it."""
    values: dict[str, str | float] = {
        "loss": "0.3116",
        "a[2][0,0]": "0.7690",
        "z[1][0,0]": "1.2024",
        "z[1][0,1]": "1.2249",
        "dW[1][1,0]": "0.2",
        "db[1][1]": "-0.0381",
    }
    found = diagnose("mazur", values)
    assert found.verdict == "none known"
    assert [(each.element, each.state) for each in found.given] == [
        ("z[1][0,0]", "first"),
        ("z[1][0,1]", "right"),
        ("a[2][0,0]", "follows"),
        ("loss", "follows"),
        ("dW[1][1,0]", "departs"),
        ("db[1][1]", "right"),
    ]
    _, first, second, *_ = explain_diagnosis(found)
    assert first == "  z[1][0,0]   yours 1.2024   should be 1.10591     departs first"
    assert second.endswith(" right")


def test_a_later_step_with_dropout_and_without_the_rows_held_back() -> None:
    case = regularised()
    rows, held_back = case.training.prepare(case.dataset)
    assert held_back
    net = FeedForward(case.network, case.parameters)
    for batch in case.training.batches(0, len(rows)):
        step = net.step(rows.x[batch], rows.y[batch], case.training)
    numbers = {"loss": float(step.quantities()["loss"]), "dW[1][0,0]": step.dW[1][0, 0]}
    assert diagnose(case, numbers, steps=2).verdict == "correct"


def test_not_unique_says_what_would_tell() -> None:
    """With η = ½, twice the gradient and a forgotten η come to the same weights."""
    found = diagnose("mazur", {"W_next[1][0,0]": "0.317832959"})
    mistakes = {match.mistakes for match in found.matches}
    assert found.verdict == "not unique"
    assert mistakes >= {("half-missing",), ("learning-rate-forgotten",)}
    assert found.telling
    assert found.telling[0] == "dz[1][0,0]"


def test_digits_are_rounded_or_cut_off() -> None:
    """The loss is 0.298371…: 0.29837 is both, 0.29838 and 0.29836 are neither."""
    for text, right in (("0.29837", True), ("0.29838", False), ("0.29836", False), ("1", False)):
        assert (diagnose("mazur", {"loss": text}).verdict == "correct") is right
    assert diagnose("mazur", {"loss": "0.2983711087600027"}).matches[0].digits == 16


def test_zeros_are_no_digits_but_may_be_wrong() -> None:
    assert diagnose("mazur", {"dW[0][0,0]": "0.00"}).matches[0].digits < 1
    zeros: dict[str, str | float] = {
        "dW[0][0,0]": 0.0,
        "dW[1][0,0]": "0.00",
        "W_next[1][0,0]": "0.4",
    }
    assert diagnose("mazur", zeros).matches[0].mistakes == ("zero-gradients",)


def test_a_float32_computation_is_recognised_as_one() -> None:
    case = network("uio-9-buildings")
    numbers = numbers_of(FeedForward, case.with_dtype("float32"))
    in_doubles = {name: array.astype(float) for name, array in numbers.items()}
    assert recognise(case, in_doubles).matches[0].mistakes == ("float32-inside",)


@pytest.mark.parametrize("made", [(), ("half-missing",), ("half-missing", "bias-frozen")])
def test_digits_that_a_float32_program_prints_count_as_seven(made: tuple[str, ...]) -> None:
    case = network("uio-9-buildings")
    kind = pair(*made) if len(made) == 2 else MISTAKES[made[0]] if made else FeedForward
    numbers = numbers_of(kind, case.with_dtype("float32"))
    found = diagnose(case, first_elements(numbers))
    assert found.of_float32
    assert made in [match.mistakes for match in found.matches]
    assert any("digits of float32" in line for line in explain_diagnosis(found))
    assert not diagnose(case, first_elements(numbers_of(kind, case))).of_float32


def first_elements(numbers: dict[str, Array]) -> dict[str, str | float]:
    return {"dW[0][0,0]": float(numbers["dW[0]"][0, 0]), "b_next[0][0]": numbers["b_next[0]"][0]}


def test_a_wrong_digit_is_no_rounding_of_float32() -> None:
    assert diagnose("mazur", {"loss": "0.298371109"}).verdict == "correct"
    assert diagnose("mazur", {"loss": "0.298372109"}).verdict == "none known"


def test_mistakes_in_a_step_whose_loss_is_a_sum() -> None:
    case = network("uio-9-buildings")
    n_rows = len(case.first_batch()[0])
    numbers = numbers_of(scaled(MISTAKES["step-uphill"], n_rows), case)
    exact = exact_step(case, scale=n_rows)
    assert [match.mistakes for match in recognise(case, numbers, exact).matches] == [
        ("step-uphill",)
    ]


def test_arrays_as_they_were_printed() -> None:
    """With the digits that are left, no more is known than the digits say."""
    case = network("mazur")
    numbers = numbers_of(MISTAKES["half-missing"], case)
    rounded = {name: array.round(6) for name, array in numbers.items()}
    errors = {name: 0.5e-6 for name in numbers}
    assert recognise(case, rounded).verdict == "none known"
    found = recognise(case, rounded, output_errors=errors)
    assert (found.verdict, found.matches[0].mistakes) == ("known", ("half-missing",))
    loss = {"loss": numbers_of(MISTAKES["half-missing-in-loss"], case)["loss"].round(2)}
    found = recognise(case, loss, output_errors={"loss": 0.5e-2})
    assert found.verdict == "possible"
    assert found.chance > 0.05


def test_what_is_unknown_in_one_branch_hides_nothing_in_another() -> None:
    case = network("uio-9-buildings")
    numbers = numbers_of(FeedForward, case)
    wrong = numbers_of(MISTAKES["bias-gradient-averaged"], case)
    numbers |= {name: wrong[name] for name in numbers if name.startswith("b_next")}
    numbers |= {name: wrong[name] for name in numbers if name.startswith("db")}
    numbers["dW[1]"] = 1.01 * numbers["dW[1]"]
    found = recognise(case, numbers)
    assert (found.verdict, found.matches) == ("partly known", ())
    named = {branch.firsts: branch.diagnosis for branch in found.branches}
    unknown, known = named
    if len(known) == 1:
        unknown, known = known, unknown
    assert {*known} == {"db[0]", "db[1]"}
    assert [match.mistakes for match in named[known].matches] == [("bias-gradient-averaged",)]
    assert named[unknown].verdict == "none known"
    text = "\n".join(explain_diagnosis(found))
    assert "db[1], db[0]: known mistake" in text or "db[0], db[1]: known mistake" in text


def test_two_branches_may_have_a_mistake_each_with_values_of_their_own() -> None:
    case = network("iris")
    numbers = numbers_of(FeedForward, case)
    numbers["loss"] = numbers_of(MISTAKES["epsilon-in-log-1e-5"], case)["loss"]
    wrong = numbers_of(MISTAKES["bias-gradient-averaged"], case)
    numbers |= {name: wrong[name] for name in numbers if name.startswith(("db", "b_next"))}
    found = recognise(case, numbers)
    by_first = {first: each.diagnosis for each in found.branches for first in each.firsts}
    assert ("epsilon-in-log-1e-5",) in [match.mistakes for match in by_first["loss"].matches]
    assert ("bias-gradient-averaged",) in [match.mistakes for match in by_first["db[0]"].matches]


def test_a_few_units_in_the_last_place_are_no_known_mistake() -> None:
    case = network("mazur")
    numbers = numbers_of(FeedForward, case)
    numbers["W_next[0]"] = numbers["W_next[0]"] * (1 + 8 * 2.0**-52)
    assert not judge(case, numbers).ok
    assert recognise(case, numbers).verdict == "none known"


def test_after_several_steps() -> None:
    case = network("mazur")
    numbers = numbers_of(MISTAKES["gradients-not-reset"], case, steps=5)
    net = FeedForward(case.network, case.parameters)
    for _ in range(5):
        right = net.step(*case.first_batch(), case.training)
    values = {"W_next[0][0,1]": repr(float(numbers["W_next[0]"][0, 1]))}
    assert diagnose(case, values, steps=1).verdict != "known"
    assert diagnose(case, values, steps=5).matches[0].mistakes == ("gradients-not-reset",)
    assert diagnose(case, {"loss": float(np.asarray(right.loss))}, steps=5).verdict == "correct"


@pytest.mark.parametrize(
    "mistake",
    [
        "half-missing",
        "half-missing-in-loss",
        "gradients-not-reset",
        "loss-of-step-before",
        "learning-rate-forgotten",
        "weights-taken-transposed",
    ],
)
def test_late_steps_are_what_training_up_to_them_makes(mistake: str) -> None:
    case = network("mazur").prepared()
    make = LateStep(case, 50)
    make(MISTAKES["half-missing"])  # which trains as learning-rate-forgotten does, where η is ½
    late = make(MISTAKES[mistake])
    for name, array in numbers_of(MISTAKES[mistake], case, 50).items():
        np.testing.assert_allclose(late[name], array, rtol=1e-12, err_msg=name)


def test_a_mistake_that_does_not_change_the_training_is_not_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = network("mazur").prepared()
    make = LateStep(case, 50)
    monkeypatch.setattr(make, "train", None)
    for mistake in ("half-missing-in-loss", "adam-uncorrected", "gradients-recorded-after-reset"):
        assert make(MISTAKES[mistake])["loss"] > 0


def test_mistakes_that_train_alike_are_trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make = LateStep(network("mazur").prepared(), 50)
    make(MISTAKES["delta-sign-flipped"])
    monkeypatch.setattr(make, "train", None)
    for mistake in ("weight-gradient-sign-flipped", "weights-uphill", "step-uphill"):
        assert make(MISTAKES[mistake])["loss"] > 0


def test_wrong_numbers_are_not_correct_because_numpy_makes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first step is held to the exact one; here impl_numpy gets the loss wrong."""
    right = FeedForward.loss
    monkeypatch.setattr(FeedForward, "loss", lambda *arguments: 2 * right(*arguments))
    assert diagnose("mazur", {"loss": "0.298371109"}).verdict == "correct"
    assert diagnose("mazur", {"loss": "0.596742218"}).verdict != "correct"


def test_the_last_bits_of_float32_are_rounding() -> None:
    case = network("mazur").with_dtype("float32")
    value = numbers_of(FeedForward, case)["W_next[0]"][0, 1]
    for other in (value, np.nextafter(value, np.float32(1)), np.nextafter(value, np.float32(0))):
        assert diagnose(case, {"W_next[0][0,1]": other}).verdict == "correct"
    assert diagnose(case, {"W_next[0][0,1]": value * np.float32(1.00001)}).verdict != "correct"


def test_from_the_package() -> None:
    assert threeways.diagnose("mazur", {"loss": np.float64(0.29837)}).verdict == "correct"
    assert threeways.diagnose("mazur", {"loss": "0.298371109"}).verdict == "correct"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "no value given"),
        ({"dW[1][0,0]": "0,08"}, "'0,08' is not a number"),
        ({"dW[1][0,0]": "nan"}, "'nan' is not a number"),
        ({"dW[2][0,0]": "1"}, "'dW[2]' is not a quantity of this step; did you mean 'dW["),
        ({"dw[1]": "1"}, "'dw[1]' is not a quantity of this step; did you mean 'dW[1]'?"),
        ({"dW1[0,0]": "1"}, "'dW1' is not a quantity of this step; did you mean 'dW[1]'?"),
        ({"loss": "1e400"}, "'1e400' is not a number"),
        ({"dW[1]": "1"}, "has shape (2, 2); which number, as dW[1][0,0]?"),
        ({"dW[1][0]": "1"}, "outside of dW[1], whose shape is (2, 2)"),
        ({"dW[1][0,2]": "1"}, "outside of dW[1], whose shape is (2, 2)"),
        ({"dW[1][0,-1]": "1"}, "outside of dW[1], whose shape is (2, 2)"),
        ({"dW[1][a,b]": "1"}, "[a,b] is not an index"),
    ],
)
def test_values_that_are_wrong(values: dict[str, str], line: str) -> None:
    with pytest.raises(InputError) as error:
        diagnose("mazur", values)
    assert line in str(error.value)


def test_all_that_is_wrong_at_once() -> None:
    with pytest.raises(InputError) as error:
        diagnose("mazur", {"dW[9][0,0]": "1", "loss": "x"})
    assert len(error.value.problems) == 2
    with pytest.raises(InputError, match="steps: should be a whole number from 1 to"):
        diagnose("mazur", {"loss": "1"}, steps=0)
    with pytest.raises(InputError, match="a chain of functions"):
        diagnose("csumb-2-chain", {"y": "1"})
