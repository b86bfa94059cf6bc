"""The exact step: right by its loss alone, known to more digits than any dtype has, and rounded."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from shared import (
    ACTIVATIONS,
    DTYPES,
    OPTIMIZERS,
    Case,
    Dataset,
    Layer,
    Network,
    Training,
    Weights,
    case_names,
    load_case,
)
from tests.problems import OUTPUTS, Problem, regularised
from threeways.exact.arithmetic import PRECISIONS, matrix
from threeways.exact.oracle import Oracle, exact_step, rounded_step


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_gradients_are_central_differences_to_forty_digits(hidden: str, output: str) -> None:
    assert_central_differences(Problem(hidden, output, (2, 3, 3), 3, "float64").case())


def test_gradients_with_dropout_and_penalties_are_central_differences() -> None:
    assert_central_differences(regularised())


def assert_central_differences(case: Case) -> None:
    """That the first of each column of W and b has the derivative of the oracle's own loss."""
    x, y = case.first_batch()
    with ctx.workprec(512):
        oracle = Oracle(case)
        step: Any = oracle.step()
        h = arb(2) ** -150

        def loss() -> arb:
            z, a = oracle.propagate(matrix(x))
            return oracle.loss(matrix(y), z[-1], a[-1]) + oracle.penalty()

        for l in range(len(oracle.W)):
            for parameters, name in ((oracle.W[l], f"dW[{l}]"), (oracle.b[l], f"db[{l}]")):
                for i in range(parameters.nrows()):
                    value = parameters[i, 0]
                    parameters[i, 0] = value + h
                    above = loss()
                    parameters[i, 0] = value - h
                    difference = (above - loss()) / (2 * h)
                    parameters[i, 0] = value
                    assert abs(difference - step[name][i, 0]) < 1e-40


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", case_names())
def test_a_case_is_known_to_well_below_eps(name: str, dtype: str) -> None:
    exact = exact_step(load_case(name).with_dtype(dtype))
    for quantity, values in exact.values.items():
        scale = np.abs(values).max()
        assert exact.radius[quantity].max() <= 2.0**-75 * scale, quantity
        assert (np.abs(exact.low[quantity]) <= np.spacing(np.abs(values)) / 2).all(), quantity


def linear_case(dtype: str) -> Case:
    """A linear network of tenths, so that every number of a step is a fraction."""
    network = Network(
        n_features=2, layers=(Layer(units=1),), loss="half_squared_error", dtype=dtype
    )
    return Case(
        name="linear",
        network=network,
        parameters=(Weights(network.array([[0.1], [0.7]]), network.array([0.3])),),
        dataset=Dataset("", np.array([[0.1, 0.9], [1.3, -0.2]]), np.array([[0.5], [0.4]])),
        training=Training(learning_rate=0.1),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounding_is_correct(dtype: str) -> None:
    case = linear_case(dtype)
    ((W, b),) = case.parameters
    to_fractions = np.vectorize(lambda number: Fraction(float(number)), otypes=[object])
    x, y = (to_fractions(np.asarray(each, dtype)) for each in case.first_batch())
    dz = (x @ to_fractions(W) + to_fractions(b) - y) / 2
    rounded = rounded_step(case)
    for name, exact in {"dz[0]": dz, "dW[0]": x.T @ dz, "db[0]": dz.sum(axis=0)}.items():
        for number, fraction in zip(rounded[name].ravel(), exact.ravel(), strict=True):
            off = abs(Fraction(float(number)) - fraction)
            for neighbour in np.nextafter(number, np.array([-np.inf, np.inf], dtype)):
                assert off <= abs(Fraction(float(neighbour)) - fraction)
        assert rounded[name].dtype == dtype


def test_a_double_does_not_round_twice() -> None:
    """z is just below halfway between two float32 numbers, and its nearest double is halfway."""
    case = linear_case("float32")
    x = np.array([[1 + 2.0**-23, 2.0**-24 + 2.0**-40]])
    W = case.network.array([[1.0], [1 - 2.0**-16]])  # their product is 2⁻²⁴ - 2⁻⁵⁶
    case = dataclasses.replace(
        case,
        parameters=(Weights(W, case.network.array([0.0])),),
        dataset=Dataset("", x, np.array([[0.0]])),
    )
    z = rounded_step(case)["z[0]"][0, 0]
    assert z == 1 + 2.0**-23
    assert np.float32(exact_step(case).values["z[0]"][0, 0]) == 1 + 2.0**-22


def cancelling_case(output: str, loss: str, optimizer: str) -> Case:
    """Two sigmoid units that are alike cancel in the output's z."""
    network = Network(
        n_features=1,
        layers=(Layer(units=2, activation="sigmoid"), Layer(units=1, activation=output)),
        loss=loss,
    )
    parameters = (
        Weights(network.array([[0.3, 0.3]]), network.array([0.1, 0.1])),
        Weights(network.array([[1], [-1]]), network.array([0])),
    )
    return dataclasses.replace(
        linear_case("float64"),
        network=network,
        parameters=parameters,
        dataset=Dataset("", np.array([[1.0]]), np.array([[0.0]])),
        training=Training(learning_rate=0.1, optimizer=optimizer),
    )


def test_what_no_precision_decides_is_zero() -> None:
    """Ever smaller balls around 0 do not say that z is 0."""
    exact = exact_step(cancelling_case("step", "perceptron", "sgd"))
    assert exact.bits == PRECISIONS[-1]
    assert exact.values["a[2]"] == 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_cancels_is_a_number(optimizer: str) -> None:
    """Squares and roots of balls around 0."""
    exact = exact_step(cancelling_case("linear", "half_squared_error", optimizer))
    for quantity, values in exact.values.items():
        assert np.isfinite(values).all(), quantity
    assert abs(exact.values["loss"]) < 1e-60


def test_a_scaled_loss_has_scaled_gradients_but_not_scaled_penalties() -> None:
    case = load_case("breast-cancer-l2")
    exact, scaled = exact_step(case).values, exact_step(case, scale=3).values
    assert isinstance(case, Case)
    l2, W = case.network.layers[0].l2, case.parameters[0].W
    penalty = l2 * sum((each.W**2).sum() for each in case.parameters)
    assert scaled["loss"] == pytest.approx(3 * exact["loss"] - 2 * penalty, rel=1e-14)
    assert scaled["dz[0]"] == pytest.approx(3 * exact["dz[0]"], rel=1e-14)
    assert scaled["dW[0]"] == pytest.approx(3 * exact["dW[0]"] - 4 * l2 * W, rel=1e-12)
