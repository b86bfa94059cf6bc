"""Parity tests in somebody else's test suite: ``threeways.testing`` and the pytest plugin."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

import impl_numpy
from shared import InputError, Training
from tests.problems import regularised
from threeways.mistakes import MISTAKES
from threeways.testing import assert_step_parity, cases, supports

pytest_plugins = ["pytester"]

PARITY = Path(__file__).parent.parent / "docs" / "parity.md"
_EXAMPLES = re.findall(r"```python\n(.*?)```", PARITY.read_text(), re.S)
EXAMPLES = dict(zip(("torch", "jax"), _EXAMPLES, strict=True))


def test_failure_names_the_first_departure_and_the_mistake() -> None:
    (case,) = cases("mazur")
    assert_step_parity(impl_numpy.FeedForward, case)
    with pytest.raises(AssertionError) as failure:
        assert_step_parity(MISTAKES["half-missing"], case)
    lines = str(failure.value).splitlines()
    assert re.match(
        r"mazur float64: dz\[1\]: 2 times too large \(K = 2, ½, .*\); dz\[1\]\[0,\d\] is ", lines[0]
    )
    assert "dz[1] = " in lines[1]
    assert "[half-missing]" in lines[2]


def test_form_is_a_failure_too() -> None:
    (case,) = cases("mazur", dtype="float32")
    with pytest.raises(AssertionError, match=r"loss: expected float32, got float64"):
        assert_step_parity(lambda network, parameters, x, y, learning_rate: {
            "loss": np.float64(0.3)
        }, case)  # fmt: skip


def test_what_a_function_does_not_get_is_skipped() -> None:
    with pytest.raises(SkipTest, match="gets dropout masks and an optimizer"):
        assert_step_parity(lambda network, parameters, x, y, learning_rate: {}, regularised())
    assert_step_parity(impl_numpy.FeedForward, regularised())


def test_what_is_required() -> None:
    (case,) = cases("mazur")

    def some(
        network: Any, parameters: Any, x: object, y: object, learning_rate: float
    ) -> dict[str, object]:
        net = impl_numpy.FeedForward(network, parameters)
        right = net.step(x, y, case.training).quantities()
        return {name: right[name] for name in ("loss", "dW[0]")}

    assert_step_parity(some, case, require=["loss", "momentum_W"])
    with pytest.raises(
        AssertionError, match=r"required, but not given: dW\[1\], db\[0\], db\[1\]$"
    ):
        assert_step_parity(some, case, require=("dW", "db"))
    with pytest.raises(InputError, match="did you mean 'dW'"):
        assert_step_parity(some, case, require=["dw"])


def test_an_answer_without_quantities_fails_if_the_case_is_not_left_out() -> None:
    class Hollow(dict[str, float]):
        def items(self) -> Any:
            return iter(())

    (case,) = cases("mazur")
    nothing: dict[str, float]
    for nothing in ({}, Hollow(loss=1)):
        with pytest.raises(AssertionError, match="it returned "):
            assert_step_parity(
                lambda network, parameters, x, y, learning_rate, nothing=nothing: nothing, case
            )


def test_what_it_is_not_for_is_skipped() -> None:
    @supports(layers="sigmoid-sigmoid", loss="half_squared_error")
    def step(network: Any, parameters: Any, x: Any, y: Any, learning_rate: float) -> Any:
        if len(x) > 1:
            raise NotImplementedError("one row only")
        net = impl_numpy.FeedForward(network, parameters)
        return net.step(x, y, Training(learning_rate=learning_rate))

    mazur, buildings, iris = cases("mazur", "uio-9-buildings", "iris")
    assert_step_parity(step, mazur)
    with pytest.raises(SkipTest, match="not supported: one row only"):
        assert_step_parity(step, buildings)
    with pytest.raises(SkipTest, match="it is for sigmoid-sigmoid, half_squared_error"):
        assert_step_parity(step, iris)


def test_cases() -> None:
    names = {case.name for case in cases()}
    assert names >= {"mazur", "digits", "relu-softmax, 3-5-4, N = 1"}
    assert [case.dtype for case in cases("iris", dtype="float32")] == ["float32"]
    with pytest.raises(InputError, match="a chain of functions"):
        cases("csumb-2-chain")
    with pytest.raises(InputError, match="did you mean 'mazur'"):
        cases("mazurr")


def test_header_and_names(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from impl_numpy import FeedForward
        from threeways.testing import assert_step_parity, cases

        @pytest.mark.parametrize("case", cases("mazur", "iris"))
        def test_step(case):
            assert_step_parity(FeedForward, case)
        """
    )
    result = pytester.runpytest_subprocess("-v")
    result.stdout.fnmatch_lines(
        ["threeways: *numpy *python-flint *", "*test_step?mazur-float64? PASSED*", "*2 passed*"]
    )


def test_a_run_that_does_not_use_it_loads_nothing_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing():
            assert not {"numpy", "flint", "tensorflow", "keras", "shared"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize("framework", EXAMPLES)
def test_documented_example(framework: str, pytester: pytest.Pytester) -> None:
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    right = EXAMPLES[framework]
    pytester.makepyfile(test_right=right, test_wrong=right.replace("2 * len(", "len("))
    result = pytester.runpytest_subprocess("-v")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines_random(["test_right.py::* PASSED*", "test_wrong.py::* FAILED*"])
    result.stdout.no_fnmatch_line("test_right.py::* FAILED*")
    result.stdout.fnmatch_lines(["*your loss and gradients are 2 times this case's*scale=2*"])
