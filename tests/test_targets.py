"""Targets: labels of classes, distributions over them, and what is said where they do not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from shared import Array, Case, Dataset, InputError, Layer, Network, accuracy, load_case
from shared.arrays import check_targets
from shared.labels import targets_of
from tests.problems import Problem
from threeways.compare import compare
from threeways.exact.bounds import bounds
from threeways.exact.oracle import exact_step

CASE = """
loss = "{loss}"
[[layers]]
units = {units}
activation = "{activation}"
[data]
{data}
[training]
learning_rate = 0.1
epochs = 1
"""
X = "x = [[0.5, 1], [1, 2], [2, -1]]\n"
SOFTMAX = ("categorical_crossentropy", "softmax", 3)
LABELLED = [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def read(folder: Path, output: tuple[str, str, int], data: str) -> Case:
    loss, activation, units = output
    (folder / "mine.toml").write_text(
        CASE.format(loss=loss, activation=activation, units=units, data=data), "utf-8"
    )
    case = load_case(folder / "mine.toml")
    assert isinstance(case, Case)
    return case


@pytest.mark.parametrize(
    ("output", "data", "y"),
    [
        (SOFTMAX, X + "labels = [0, 2, 1]", LABELLED),
        (("mean_squared_error", "sigmoid", 3), X + "labels = [0, 2, 1]", LABELLED),
        (("binary_crossentropy", "sigmoid", 1), X + "labels = [0, 1, 1]", [[0], [1], [1]]),
        (("hinge", "linear", 1), X + "labels = [0, 1, 1]", [[-1], [1], [1]]),
        (("hinge", "linear", 2), X + "labels = [0, 1, 1]", [[1, -1], [-1, 1], [-1, 1]]),
        (("bipolar_perceptron", "sign", 1), X + "labels = [0, 1, 1]", [[-1], [1], [1]]),
        (SOFTMAX, 'file = "rows.csv"\nlabels = true', LABELLED),
        (SOFTMAX, 'file = "rows.npz"\nlabels = true', LABELLED),
        (("hinge", "linear", 1), 'file = "binary.csv"\nlabels = true', [[-1], [1], [1]]),
    ],
)
def test_targets_are_made_of_labels(
    output: tuple[str, str, int], data: str, y: list[list[int]], tmp_path: Path
) -> None:
    x = np.array([[0.5, 1], [1, 2], [2, -1]])
    np.savez(tmp_path / "rows.npz", x=x, y=np.array([0, 2, 1]))
    (tmp_path / "rows.csv").write_text("a,b,class\n0.5,1,0\n1,2,2\n2,-1,1\n")
    (tmp_path / "binary.csv").write_text("a,b,class\n0.5,1,0\n1,2,1\n2,-1,1\n")
    case = read(tmp_path, output, data)
    assert case.dataset.y.tolist() == y
    assert case.dataset.x.tolist() == x.tolist()


@pytest.mark.parametrize(
    ("output", "data", "message"),
    [
        (SOFTMAX, X + "y = [0, 2, 1]", "data.y[1]: should be a list such as [2], not 2; if these"),
        (SOFTMAX, X + "y = [[0], [2], [1]]", "got (3, 1); if these are labels of classes, make"),
        (SOFTMAX, X + "labels = [0, 3, 1]", "data: labels[1]: 3 is not a label, a whole number f"),
        (SOFTMAX, X + "labels = [0, -1, 1]", "data: labels[1]: -1 is not a label, a whole number"),
        (SOFTMAX, X + "labels = [0, 1.5, 1]", "data.labels: should be a list of whole numbers"),
        (SOFTMAX, X + "labels = true", "data: needs labels = true and file, or a list of labels"),
        (SOFTMAX, 'dataset = "iris"\nlabels = true', "data: needs labels = true and file, or a"),
        (SOFTMAX, 'file = "rows.csv"', "is not one-hot, or shares that sum to 1, as categorical"),
        (SOFTMAX, 'file = "rows.csv"', "say labels = true in [data]"),
        (SOFTMAX, 'file = "few.csv"', "beside 3 targets; if the last one holds labels, say label"),
        (SOFTMAX, 'file = "rows.npz"', "got (3, 1); if these are labels of classes, make"),
        (SOFTMAX, X + "y = [[0.5, 0.5, 0.1], [1, 0, 0], [1, 0, 0]]", "y[0]: [0.5, 0.5, 0.1] is n"),
        (SOFTMAX, X + "y = [[1, 0, 0], [-0.5, 1, 0.5], [1, 0, 0]]", "y[1]: [-0.5, 1.0, 0.5] is n"),
        (("hinge", "linear", 1), X + "y = [[1], [0], [1]]", "as hinge needs; write -1 in place of"),
    ],
)
def test_targets_that_do_not_fit(
    output: tuple[str, str, int], data: str, message: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "rows.npz", x=np.ones((3, 2)), y=np.array([0, 2, 1]))
    (tmp_path / "rows.csv").write_text("a,b,c,class\n0.5,1,2,0\n1,2,3,2\n2,-1,5,1\n")
    (tmp_path / "few.csv").write_text("a,b,class\n0.5,1,0\n1,2,2\n2,-1,1\n")
    with pytest.raises(InputError) as error:
        read(tmp_path, output, data)
    assert message in str(error.value)


@pytest.mark.parametrize("y", [[0, 2, 1], [[0], [2], [1]]])
def test_labels_for_targets_are_recognised(y: list[object]) -> None:
    network = Network(n_features=1, layers=(Layer(units=3, activation="softmax"),), loss=SOFTMAX[0])
    with pytest.raises(InputError, match=r"if these are labels.*np.eye\(3\)\[labels\]"):
        check_targets(network, y, 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [[[0.9, 0.05, 0.05]], [[0.333333] * 3], [[1 / 3] * 3]])
def test_shares_that_sum_to_1_only_roughly(
    rows: list[list[float]], dtype: str, packages: dict[str, ModuleType]
) -> None:
    """a - y is not quite the derivative, aΣy - y; the bound allows for both, and for no more."""
    case = Problem("tanh", "softmax-soft", (4, 5, 3), 1, dtype).case()
    case = dataclasses.replace(case, dataset=Dataset("", case.dataset.x, np.array(rows)))
    assert compare(case, dtype, packages).ok
    values = exact_step(case).values
    allowed = bounds(case, values)["dz[1]"]
    a, y = values["a[2]"], case.network.array(rows).astype(float)
    assert (abs(a - y - values["dz[1]"]) <= allowed).all()
    assert (allowed <= 1.1 * abs(y.sum() - 1) * a + 40 * np.finfo(dtype).eps).all()


@pytest.mark.parametrize(
    ("y", "share"),
    [
        ([[0.9, 0.05, 0.05], [0.1, 0.1, 0.8]], 0.5),
        ([[1, 0, 0], [0, 0, 1]], 0.5),
        ([[0.9, 0.05, 0.05], [0.5, 0.5, 0]], None),
        ([[0.9, 0.5, 0.5], [0.1, 0.1, 0.8]], None),
    ],
)
def test_accuracy_is_of_each_rows_largest_share(y: list[list[float]], share: float | None) -> None:
    a: Array = np.array([[0.5, 0.3, 0.2], [-0.2, 0.6, 0.4]])
    assert accuracy(np.array(y, float), a) == share


def test_labels_of_one_output() -> None:
    assert targets_of(np.array([0, 1]), 1, low=-1).tolist() == [[-1], [1]]
