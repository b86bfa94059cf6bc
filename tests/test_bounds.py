"""A comparison must fail where something is wrong, however little."""

from __future__ import annotations

import dataclasses
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

import impl_numpy
import impl_numpy.chain_rule
from benchmarks.mistakes_caught import networks, verdicts
from benchmarks.random_networks import random_case
from shared import (
    DTYPES,
    LOSSES,
    Array,
    Case,
    ChainRule,
    ChainRuleCase,
    Dataset,
    Layer,
    Weights,
    case_names,
    initialise,
    load_case,
)
from threeways.compare import compare, worst_difference
from threeways.exact.judge import judge
from threeways.exact.oracle import exact_step

# The factor, less 1, by which a gradient may not be wrong unnoticed.
SMALLEST = {"float32": 1e-4, "float64": 1e-10}


def planted(factor: float) -> ModuleType:
    """An implementation whose gradients are wrong by a factor."""

    class Planted(impl_numpy.FeedForward):
        def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
            return super().weight_gradient(l, a, dz) * factor

        def bias_gradient(self, dz: Array) -> Array:
            return super().bias_gradient(dz) * factor

    return cast(ModuleType, SimpleNamespace(FeedForward=Planted, Perceptron=Planted))


def learns(name: str) -> bool:
    """Whether a case's first step has a gradient that a factor can change."""
    case = load_case(name)
    if not isinstance(case, Case):
        return False
    trace = impl_numpy.FeedForward(case.network, case.parameters).backward(*case.first_batch())
    return any(np.any(gradient) for gradient in (*trace.dW, *trace.db))


LEARNING = [name for name in case_names() if learns(name)]


def test_few_cases_have_no_gradient() -> None:
    still = {name for name in case_names() if isinstance(load_case(name), Case)} - set(LEARNING)
    assert still == {"kth-4-minimum", "kth-5-xor-step", "lums-5-xor", "uio-2-xor"}


@pytest.mark.parametrize("seed", range(100))
def test_a_random_network_raises_no_false_alarm(seed: int) -> None:
    case = random_case(seed)
    with np.errstate(over="ignore"):
        step = impl_numpy.FeedForward(case.network, case.parameters).step(
            *case.first_batch(), case.training
        )
    judgement = judge(case, step.quantities())
    assert judgement.ok, judgement.departures


def moved(case: Case, share: float, seed: int) -> tuple[Case, dict[str, Array]]:
    """A case with all its inputs moved by up to a share of themselves, and by how much at most."""
    random = np.random.default_rng(seed)
    errors: dict[str, Array] = {}

    def move(name: str, values: Array) -> Array:
        error = share * np.abs(values) * random.random(values.shape)
        there = values + 0.999 * error * random.choice([-1, 1], values.shape)
        errors[name] = np.maximum(error, 1.001 * np.abs(there - values))
        return there

    layers = range(len(case.parameters))
    x, y = case.first_batch()
    if LOSSES[case.network.loss].targets is None:
        y = move("y", y)
    parameters = tuple(
        Weights(move(f"W[{l}]", W), move(f"b[{l}]", b)) for l, (W, b) in enumerate(case.parameters)
    )
    slots = {
        name: tuple(move(f"{name}[{l}]", arrays[l]) for l in layers)
        for name, arrays in case.slots.items()
    }
    dataset = Dataset("moved", move("x", x), y)
    return dataclasses.replace(case, parameters=parameters, dataset=dataset, slots=slots), errors


def with_slots(case: Case, seed: int) -> Case:
    """The second step of a case in float64, with random slots of its optimizer."""
    random = np.random.default_rng(seed)
    slots = {
        f"{slot}_{letter}": tuple(random.random(getattr(each, letter).shape) for each in layers)
        for layers in [case.parameters]
        for slot in case.training.slots
        for letter in "Wb"
    }
    return dataclasses.replace(case.with_dtype("float64").alone(), slots=slots, steps_before=1)


@pytest.mark.parametrize("share", [1e-10, 1e-3])
@pytest.mark.parametrize("seed", range(0, 24, 3))
def test_errors_of_the_inputs_are_carried_through_the_step(seed: int, share: float) -> None:
    case = with_slots(random_case(seed), seed)
    other, errors = moved(case, share, seed)
    exact, off = exact_step(case, scale=3), exact_step(other, scale=3)
    judgement = judge(case, off.values, exact, input_errors=errors)
    assert judgement.ok, judgement.departures
    assert judgement.worst_overall.ratio > 0.3
    assert not judge(case, off.values, exact).ok


def test_errors_of_the_outputs_are_allowed_for() -> None:
    case = load_case("mazur")
    exact = exact_step(case)
    rounded = {name: values.round(9) for name, values in exact.values.items()}
    assert not judge(case, rounded, exact).ok
    assert judge(case, rounded, exact, output_errors=dict.fromkeys(rounded, 0.5e-9)).ok


def test_a_network_of_500_layers_is_judged() -> None:
    mazur = load_case("mazur")
    assert isinstance(mazur, Case)
    layers = (Layer(units=2, activation="tanh"),) * 500
    network = dataclasses.replace(mazur.network, layers=layers)
    case = dataclasses.replace(mazur, network=network, parameters=initialise(network))
    net = impl_numpy.FeedForward(network, case.parameters)
    numbers = net.step(*case.first_batch(), case.training).quantities()
    assert judge(case, numbers).ok
    numbers["z[250]"] = numbers["z[250]"] + 1
    numbers["W_next[3]"] = numbers["W_next[3]"] + 1
    assert [each.quantity for each in judge(case, numbers).departures] == ["z[250]"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("x", [0.3, 7.1, 1e3])
def test_the_bound_of_a_chain_allows_for_cancellation(x: float, dtype: str) -> None:
    rate = x / (2 * (x + 1))  # which leaves almost nothing of x
    chain = ChainRule(example="square", inputs={"x": x}, learning_rate=rate)
    case = ChainRuleCase(name="square", title="", lectures=(), figures=(), chain_rule=chain)
    numbers = impl_numpy.chain_rule.differentiate(chain, dtype)
    assert judge(case.with_dtype(dtype), numbers).ok
    numbers["dy/dx"] *= 1 + SMALLEST[dtype]
    assert not judge(case.with_dtype(dtype), numbers).ok


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LEARNING)
def test_a_gradient_wrong_by_a_small_factor_fails(name: str, dtype: str) -> None:
    wrong = planted(1 + SMALLEST[dtype])
    result = compare(load_case(name), dtype, {"numpy": impl_numpy, "planted": wrong})
    assert not result.ok
    assert result.pairs[0].worst.quantity.startswith(("dW", "db"))


def test_a_planted_factor_of_one_passes() -> None:
    result = compare(load_case("digits"), "float32", {"numpy": impl_numpy, "planted": planted(1)})
    assert result.ok
    assert result.pairs[0].worst.difference_eps == 0


@pytest.mark.parametrize(
    "other",
    [
        np.array([1.0, np.nan]),
        np.array([1.0, np.inf]),
        np.array([1.0]),
        np.array([[1.0, 2.0]]),
        np.array([1.0, 2.0], dtype=np.float32),
        np.array([1.0, 2.0 + 1e-12]),
    ],
    ids=["nan", "infinity", "fewer", "another-shape", "another-dtype", "another-value"],
)
def test_worst_difference_sees(other: Any) -> None:
    values = {"z[0]": np.array([1.0, 2.0])}
    allowed = {"z[0]": np.full(2, 1e-15)}
    assert worst_difference(values, values, allowed, "float64").ratio == 0
    assert worst_difference(values, {"z[0]": other}, allowed, "float64").ratio > 1
    assert worst_difference({"z[0]": other}, values, allowed, "float64").ratio > 1


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_never_agrees(number: float) -> None:
    values = {"z[0]": np.array([1.0, number]), "loss": np.array(1.0)}
    allowed = {"z[0]": np.array([1e-15, number]), "loss": np.array(1e-15)}
    worst = worst_difference(values, values, allowed, "float64")
    assert (worst.quantity, worst.index) == ("z[0]", (1,))
    assert not worst.ratio <= 1


def test_worst_difference_names_the_element() -> None:
    a, b = np.zeros((2, 3)), np.zeros((2, 3))
    b[1, 2] = 1
    worst = worst_difference({"dx": a}, {"dx": b}, {"dx": np.full((2, 3), 1e-15)}, "float64")
    assert (worst.quantity, worst.index, worst.a, worst.b) == ("dx", (1, 2), 0, 1)
    assert worst.difference_eps == 2.0**52


# ``python -m benchmarks.mistakes_caught`` tries all mistakes on all networks; and each is caught on
# some network in test_mistakes.py.
SOME = {"mazur", "kinks", "iris", "moons-momentum", "softmax-squared-error", "uio-9-buildings"}


@pytest.mark.parametrize("case", [case for case in networks() if case.name in SOME])
def test_every_mistake_that_changes_a_bit_is_caught(case: Case) -> None:
    assert "missed" not in dict(verdicts(case)).values()
