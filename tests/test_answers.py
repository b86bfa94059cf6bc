"""What an implementation may return: lists, numbers and tensors, and what is not taken."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from impl_numpy import FeedForward
from shared import Array
from tests.problems import Problem
from threeways.conformance.answers import quantities_of
from threeways.conformance.contract import checked_step
from threeways.conformance.results import result_of

# No two of its widths are alike.
CASE = Problem("tanh", "linear-mse", (3, 2, 1), 4, "float64").case()
STEP = FeedForward(CASE.network, CASE.parameters).step(*CASE.first_batch(), CASE.training)
RIGHT: dict[str, Array] = STEP.quantities()
W, W_1 = RIGHT["dW[0]"], RIGHT["dW[1]"]


class Tensor:
    """As PyTorch's: it can be read only once it is detached."""

    def __init__(self, array: Array, needs_gradient: bool = True) -> None:
        self.array = array
        self.needs_gradient = needs_gradient

    def detach(self) -> Tensor:
        return Tensor(self.array, needs_gradient=False)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.needs_gradient:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.array


class Packed:
    """A tensor that only offers DLPack."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


TAKEN: dict[str, dict[str, Any]] = {
    "layers": {"dW": [W, W_1], "z": (RIGHT["z[0]"], RIGHT["z[1]"])},
    "activations": {"a": [RIGHT["a[1]"], RIGHT["a[2]"]]},
    "activations-with-input": {"a": [CASE.dataset.x, RIGHT["a[1]"], RIGHT["a[2]"]]},
    "lists": {"dW": [W.tolist(), W_1.tolist()], "loss": float(RIGHT["loss"])},
    "lists-of-arrays": {"dW[0]": list(W), "db[0]": [np.float64(each) for each in RIGHT["db[0]"]]},
    "lists-of-tensors": {"db[0]": [Tensor(np.array(each)) for each in RIGHT["db[0]"]]},
    "fractions": {"db[0]": [Fraction(each) for each in RIGHT["db[0]"].tolist()]},
    "tensors": {"dW": [Tensor(W), Tensor(W_1)], "loss": Tensor(np.asarray(RIGHT["loss"]))},
    "packed": {"dW[0]": Packed(W)},
}


@pytest.mark.parametrize("answer", TAKEN.values(), ids=TAKEN)
def test_what_is_taken(answer: dict[str, Any]) -> None:
    quantities, problems = quantities_of(answer, CASE)
    assert problems == []
    assert quantities
    for name, array in quantities.items():
        assert type(array) is np.ndarray
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, RIGHT[name], strict=True)


def test_pythons_numbers_and_whole_numbers_have_no_dtype() -> None:
    half = CASE.with_dtype("float32")
    answer = {
        "dW": [W.tolist(), W_1.tolist()],
        "loss": 1,
        "db[0]": np.array([1, -2]),
        "b_next": [[0, 1], [True]],
    }
    quantities, problems = quantities_of(answer, half)
    assert problems == []
    assert {array.dtype for array in quantities.values()} == {np.dtype("float32")}
    np.testing.assert_array_equal(quantities["db[0]"], [1, -2])
    np.testing.assert_array_equal(quantities["dW[1]"], W_1.astype(np.float32))


@pytest.mark.parametrize("of_one_layer", [[[[1.0], [2.0]]], [[1.0], [2.0]], np.ones((2, 1))])
def test_one_layer_needs_no_list(of_one_layer: Any) -> None:
    case = Problem("tanh", "linear-mse", (2, 1), 3, "float64").case()
    quantities, problems = quantities_of({"dW": of_one_layer}, case)
    assert problems == []
    assert quantities["dW[0]"].shape == (2, 1)


class Hostile:
    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def __array__(self, *_: Any, **__: Any) -> Any:
        if self.error:
            raise self.error


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise ValueError


REFUSED: dict[str, tuple[str, Any, str]] = {
    "too-few": ("dW", [W], "dW: 1 array, expected 2, one for each layer"),
    "too-many": ("db", [W, W, W], "db: 3 arrays, expected 2, one for each layer"),
    "no-list": ("dW", W, "dW: 1 array, expected 2, one for each layer"),
    "missing": ("dW", [None, W_1], "dW[0]: None, expected real numbers"),
    "ragged": ("dW[0]", [[1.0], [2.0, 3.0], []], "dW[0]: its rows are of different lengths"),
    "none-inside": ("db[0]", [1.0, None], "db[0]: None, expected real numbers"),
    "complex": ("loss", 1j, "loss: a complex, expected real numbers"),
    "float32-inside": ("db[0]", [np.float32(1)] * 2, "db[0]: expected float64, got float32"),
    "too-large": ("loss", 10**400, "loss: cannot be read as an array (OverflowError: int too "),
    "hostile": (
        "loss",
        Hostile(RuntimeError("no\nmore")),
        "loss: cannot be read as an array (RuntimeError: no)",
    ),
    "unprintable": ("loss", Hostile(UnprintableError()), "loss: cannot be read as an "),
    "no-array": ("loss", Hostile(None), "loss: cannot be read as an array (ValueError: object "),
}


@pytest.mark.parametrize(("name", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_taken_hides_nothing(name: str, value: Any, message: str) -> None:
    quantities, problems = quantities_of({"z[0]": RIGHT["z[0]"], name: value}, CASE)
    (problem,) = problems
    assert problem.startswith(message)
    assert "\n" not in problem
    assert "z[0]" in quantities


def test_a_float32_program_is_told_how_to_be_checked() -> None:
    given = {name: RIGHT[name].astype(np.float32) for name in ("z[0]", "dW[0]")}
    line = 'this is a float32 program: check it with --dtype float32 (dtype="float32")'
    assert quantities_of(given, CASE)[1][1:] == [line]
    assert line not in quantities_of({**given, "loss": RIGHT["loss"]}, CASE)[1]


def test_given_twice() -> None:
    _, problems = quantities_of({"dW[0]": W, "dW": [W, W_1]}, CASE)
    assert problems == ["dW[0]: given twice"]


def test_a_wrong_shape_hides_no_wrong_number() -> None:
    """And the other way round."""

    def step(network: Any, parameters: Any, x: Array, y: Array, learning_rate: float) -> Any:
        return {"z[0]": x @ parameters[0].W, "db[0]": np.zeros((1, 2))}

    result = result_of(CASE, *checked_step(step, CASE))
    assert result.problems[0] == "db[0]: expected shape (2,), got (1, 2)"
    assert result.judgement
    assert [worst.quantity for worst in result.judgement.departures] == ["z[0]"]


@pytest.mark.parametrize("first", [None, []])
def test_lists_where_a_layer_has_no_biases(first: Any) -> None:
    """They may have a None there, or leave that layer out."""
    layers = (dataclasses.replace(CASE.network.layers[0], use_bias=False), CASE.network.layers[1])
    network = dataclasses.replace(CASE.network, layers=layers)
    case = dataclasses.replace(CASE, network=network)
    db = [first, RIGHT["db[1]"]] if first is None else [RIGHT["db[1]"]]
    quantities, problems = quantities_of({"db": db, "dW": [W, W_1]}, case)
    assert problems == []
    assert set(quantities) == {"dW[0]", "dW[1]", "db[1]"}
    _, problems = quantities_of({"db": [RIGHT["db[0]"], RIGHT["db[1]"]]}, case)
    assert problems == ["db[0]: this layer has no biases, leave it out"]
