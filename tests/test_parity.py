"""Every number of one step is the same three ways, up to rounding."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import numpy as np
import pytest

from shared import ACTIVATIONS, DTYPES, Case, Dataset, Weights, case_names, load_case
from tests.problems import OUTPUTS, Problem
from threeways.compare import Result, compare

PROBLEMS = [
    *(
        Problem(hidden, output, (4, 5, 3), 7, dtype)
        for hidden in ACTIVATIONS
        for output in OUTPUTS
        for dtype in DTYPES
    ),
    *(
        Problem(hidden, "softmax-cce", widths, rows, dtype)
        for hidden in ("relu", "tanh")
        for widths in ((4, 3), (64, 32, 10), (5, 6, 6, 6, 3))
        for rows in (1, 32)
        for dtype in DTYPES
    ),
    *(Problem("-", output, (3, 2), 5, dtype) for output in OUTPUTS for dtype in DTYPES),
]


def assert_agree(result: Result) -> None:
    assert len(result.pairs) == 3
    for pair in result.pairs:
        assert pair.ok, pair


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", case_names())
def test_case(name: str, dtype: str, packages: dict[str, ModuleType]) -> None:
    assert_agree(compare(load_case(name), dtype, packages))


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_problem(problem: Problem, packages: dict[str, ModuleType]) -> None:
    assert_agree(compare(problem.case(), problem.dtype, packages))


@pytest.mark.parametrize("seed", range(60))
def test_random_network(seed: int, packages: dict[str, ModuleType]) -> None:
    """Inputs and weights of sizes 1e-3 to 1e2, saturated and dead units included."""
    random = np.random.default_rng(seed)
    widths = tuple(int(width) for width in random.integers(2, 20, size=random.integers(2, 6)))
    problem = Problem(
        hidden=str(random.choice(list(ACTIVATIONS))),
        output=str(random.choice(list(OUTPUTS))),
        widths=widths,
        rows=int(random.integers(1, 33)),
        dtype=DTYPES[seed % 2],
        seed=seed,
    )
    case = problem.case()
    size_x, size_W = 10 ** random.uniform(-3, 2, size=2)
    resized = dataclasses.replace(
        case,
        parameters=tuple(Weights(W * size_W, b * size_W) for W, b in case.parameters),
        dataset=Dataset("random", case.dataset.x * size_x, case.dataset.y),
    )
    assert_agree(compare(resized, problem.dtype, packages))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["kth-1-ltu", "kth-2-perceptron", "epita-1-perceptron-rule", "lums-4-or"]
)
def test_perceptron_is_a_feedforward_network_of_one_layer(
    name: str, dtype: str, packages: dict[str, ModuleType]
) -> None:
    case = load_case(name).with_dtype(dtype)
    assert isinstance(case, Case)
    for package in packages.values():
        steps = [
            kind(case.network, case.parameters).step(*case.first_batch(), case.training)
            for kind in (package.Perceptron, package.FeedForward)
        ]
        flat, general = (step.quantities() for step in steps)
        for quantity in general:
            assert flat[quantity] == pytest.approx(general[quantity], rel=1e-6), quantity
