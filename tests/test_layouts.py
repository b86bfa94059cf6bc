"""Layouts: a right network in any layout is right, once it is declared; and is told to, if not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from impl_numpy import FeedForward
from shared import DTYPES, Array, InputError, Training
from tests.problems import Problem
from threeways.conformance.answers import quantities_of
from threeways.conformance.contract import Maker
from threeways.testing import assert_step_parity, layout

# No two of its widths are alike, nor is one of them N.
CASE = Problem("tanh", "sigmoid-half", (3, 2, 5), 4, "float64").case()


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


@layout(W="out, in", b="column", samples="columns")
def columns(network: Any, parameters: Any, X: Array, Y: Array, learning_rate: float) -> Any:
    """The layout of many courses: a sample is a column."""
    (W1, b1), (W2, b2) = parameters
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    m = X.shape[1]
    dZ2 = (A2 - Y) * A2 * (1 - A2) / m
    dZ1 = (W2.T @ dZ2) * (1 - A1**2)
    dW = [dZ1 @ X.T, dZ2 @ A1.T]
    db = [dZ1.sum(axis=1, keepdims=True), dZ2.sum(axis=1, keepdims=True)]
    return {
        "z": [Z1, Z2],
        "a": [X, A1, A2],
        "loss": ((A2 - Y) ** 2).sum() / (2 * m),
        "dz": [dZ1, dZ2],
        "dW": dW,
        "db": db,
        "dx": W1.T @ dZ1,
        "W_next": [W1 - learning_rate * dW[0], W2 - learning_rate * dW[1]],
        "b_next": [b1 - learning_rate * db[0], b2 - learning_rate * db[1]],
    }


@layout(W="(out,in)", b="column", samples="one column")
def one_column(network: Any, parameters: Any, x: Array, y: Array, learning_rate: float) -> Any:
    """As in Nielsen's book: one sample, a column, and its gradients."""
    (W1, b1), (W2, b2) = parameters
    a1 = np.tanh(W1 @ x + b1)
    a2 = sigmoid(W2 @ a1 + b2)
    delta2 = (a2 - y) * a2 * (1 - a2)
    delta1 = W2.T @ delta2 * (1 - a1**2)
    return {
        "loss": 0.5 * np.linalg.norm(a2 - y) ** 2,
        "a": [a1, a2],
        "dz": [delta1, delta2],
        "dW": [delta1 @ x.T, delta2 @ a1.T],
        "db": [delta1, delta2],
    }


@layout(samples="one")
def plain_python(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any:
    """One sample, in lists."""
    (W1, b1), (W2, b2) = ((W.tolist(), b.tolist()) for W, b in parameters)
    x, y = x.tolist(), y.tolist()
    a1 = [np.tanh(sum(x[i] * W1[i][j] for i in range(3)) + b1[j]).item() for j in range(2)]
    z2 = [sum(a1[i] * W2[i][j] for i in range(2)) + b2[j] for j in range(5)]
    a2 = [sigmoid(z).item() for z in z2]
    d2 = [(a - t) * a * (1 - a) for a, t in zip(a2, y, strict=True)]
    d1 = [sum(d2[j] * W2[i][j] for j in range(5)) * (1 - a1[i] ** 2) for i in range(2)]
    return {
        "z[1]": z2,
        "loss": sum((a - t) ** 2 for a, t in zip(a2, y, strict=True)) / 2,
        "dW": [
            [[x[i] * d for d in d1] for i in range(3)],
            [[a1[i] * d for d in d2] for i in range(2)],
        ],
        "db": [d1, d2],
    }


@layout(W="out, in", b="last column of W", samples="columns")
def stacked(network: Any, parameters: Any, X: Array, Y: Array, learning_rate: float) -> Any:
    """[W b] @ [x; 1]: the bias is the weight of a unit that is always 1."""
    W1, W2 = parameters
    m = X.shape[1]
    A0 = np.vstack([X, np.ones((1, m), X.dtype)])
    A1 = np.vstack([np.tanh(W1 @ A0), np.ones((1, m), X.dtype)])
    A2 = sigmoid(W2 @ A1)
    dZ2 = (A2 - Y) * A2 * (1 - A2) / m
    dZ1 = (W2.T @ dZ2)[:-1] * (1 - A1[:-1] ** 2)
    dW = [dZ1 @ A0.T, dZ2 @ A1.T]
    return {"a[2]": A2, "dW": dW, "W_next[0]": W1 - learning_rate * dW[0]}


@layout(W="out, in", b="row")
class Linear:
    """Layers as PyTorch's: W is (out, in)."""

    def __init__(self, network: Any, parameters: Any) -> None:
        self.parameters = [(W.copy(), b.copy()) for W, b in parameters]

    def step(self, x: Array, y: Array, training: Training) -> Any:
        answer = self.backward(x, y)
        for (W, b), dW, db in zip(self.parameters, answer["dW"], answer["db"], strict=True):
            W -= training.learning_rate * dW
            b -= training.learning_rate * db
        return answer | {"b_next": [b for _, b in self.parameters]}

    def backward(self, x: Array, y: Array) -> Any:
        (W1, b1), (W2, b2) = self.parameters
        a1 = np.tanh(x @ W1.T + b1)
        a2 = sigmoid(a1 @ W2.T + b2)
        d2 = (a2 - y) * a2 * (1 - a2) / len(x)
        d1 = (d2 @ W2) * (1 - a1**2)
        db = [d1.sum(0, keepdims=True), d2.sum(0, keepdims=True)]
        return {"a": [a1, a2], "dW": [d1.T @ x, d2.T @ a1], "db": db}


@layout(samples="one row")
class OneRow:
    def __init__(self, network: Any, parameters: Any) -> None:
        self.net = FeedForward(network, parameters)

    def backward(self, x: Array, y: Array) -> Any:
        assert x.shape == (1, 3)
        return self.net.backward(x, y)


NETS = [columns, one_column, plain_python, stacked, Linear, OneRow]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("net", NETS)
def test_a_declared_layout_is_right(net: Any, dtype: str) -> None:
    assert_step_parity(net, CASE.with_dtype(dtype), require=["dW"])


WRITES = {
    "x": lambda parameters, x: x.fill(0),
    "parameters[1].b": lambda parameters, x: parameters[1].b.fill(0),
    "parameters[0].W": lambda parameters, x: parameters[0].W.fill(0),
}


@pytest.mark.parametrize(
    "declared",
    [
        {"W": "out, in", "b": "column", "samples": "columns"},
        {"b": "row", "samples": "one"},
        {"samples": "one column"},
    ],
)
@pytest.mark.parametrize(("name", "write"), WRITES.items())
def test_writing_to_inputs_is_said(name: str, write: Any, declared: dict[str, str]) -> None:
    @layout(**declared)
    def step(network: Any, parameters: Any, x: Array, y: Array, learning_rate: float) -> Any:
        write(parameters, x)
        return {}

    answer = Maker(step, "step").step
    assert answer(CASE)[1][-1] == f"it writes to its input {name}"


@pytest.mark.parametrize(
    ("W", "b"), [("in, out", "first row of W"), ("out, in", "last column of W")]
)
def test_writing_to_stacked_weights_is_said(W: str, b: str) -> None:
    @layout(W=W, b=b)
    def step(network: Any, parameters: Any, x: Array, y: Array, learning_rate: float) -> Any:
        assert parameters[0].shape == ((4, 2) if W == "in, out" else (2, 4))
        parameters[0][:] = 0
        return {"db": parameters}

    answer = Maker(step, "step").step
    quantities, problems = answer(CASE)
    assert quantities == {}
    line = b.removesuffix(" of W")
    assert problems[0] == f"db[0]: is the {line} of dW[0] here, leave it out"
    assert problems[-1] == "it writes to its inputs parameters[0].W, parameters[0].b"


def test_a_mistake_in_a_layout_is_found_where_it_is() -> None:
    @layout(W="out, in", b="column", samples="columns")
    def step(network: Any, parameters: Any, X: Array, Y: Array, learning_rate: float) -> Any:
        answer = columns(network, parameters, X, Y, learning_rate)
        answer["dW"][0][0, 2] *= 2
        return answer

    with pytest.raises(AssertionError, match=r"float64: dW\[0\]\[2,0\] is "):
        assert_step_parity(step, CASE)


def test_one_row_alone_cannot_give_everything() -> None:
    @layout(samples="one")
    def step(network: Any, parameters: Any, x: Array, y: Array, learning_rate: float) -> Any:
        is_first = (x == CASE.dataset.x[0]).all()
        return {"W_next[0]": parameters[0].W, "db[1]": y} | ({"loss": 1.0} if is_first else {})

    answer = Maker(step, "step").step
    quantities, problems = answer(CASE)
    assert problems == [
        "W_next[0]: one row's step cannot give it, only that of all rows; leave it out",
        "loss: given for 1 of 4 rows",
    ]
    np.testing.assert_allclose(quantities["db[1]"], CASE.dataset.y.mean(axis=0))


def test_the_step_of_a_class_takes_no_single_row() -> None:
    @layout(samples="one")
    class Online(FeedForward): ...

    with pytest.raises(InputError, match="Online: its step updates after one row, which is no"):
        Maker(Online, "Online")


# Shapes that are given without a word about them, and what to declare.
UNDECLARED: list[tuple[dict[str, tuple[int, ...]], str]] = [
    ({"db[0]": (1, 2)}, 'b="row"'),
    ({"db[0]": (2, 1), "b_next[1]": (5, 1)}, 'b="column"'),
    ({"dW[1]": (5, 2), "db[1]": (5,)}, 'W="out, in"'),
    (
        {"z[0]": (2, 4), "dW[0]": (2, 3), "db[1]": (5, 1)},
        'W="out, in", b="column", samples="columns"',
    ),
]


@pytest.mark.parametrize(("given", "declared"), UNDECLARED)
def test_a_layout_that_is_not_declared(given: dict[str, tuple[int, ...]], declared: str) -> None:
    answer = {name: np.zeros(shape) for name, shape in given.items()}
    _, problems = quantities_of(answer, CASE)
    expected = f"this is a layout: declare @layout({declared}), from threeways.testing"
    assert problems[-1] == expected


def test_shapes_that_no_layout_explains() -> None:
    answer = {"dW[0]": np.zeros((2, 3)), "dW[1]": np.zeros((2, 5))}
    assert quantities_of(answer, CASE)[1] == [
        "dW[0]: expected shape (3, 2), got (2, 3), is it transposed?"
    ]


def test_a_bare_decorator() -> None:
    with pytest.raises(InputError, match=r'layout: expected @layout\(W="out, in"\) or the like'):
        layout(columns)


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        ({"W": "in, in"}, "layout: W: 'in, in' is not a choice; did you mean 'out, in'?"),
        ({"b": "colum"}, "layout: b: 'colum' is not a choice; did you mean 'column'?"),
        ({"samples": ("rows", 1)}, "layout: samples: "),
        (
            {"b": "last column of W"},
            "layout: b: W is (in, out), so b is its first or last row, not 'last column of W'",
        ),
        (
            {"W": "out, in", "b": "first row of W"},
            "layout: b: W is (out, in), so b is its first or last column, not 'first row of W'",
        ),
    ],
)
def test_wrong_declarations(declared: Any, line: str) -> None:
    with pytest.raises(InputError) as error:
        layout(**declared)
    (problem,) = error.value.problems
    assert problem.startswith(line)
