"""For tests of your own network: is every number of a training step right?

>>> import pytest
>>> from threeways.testing import assert_step_parity, cases
>>> @pytest.mark.parametrize("case", cases("mazur", "iris"))
... def test_step(case):
...     assert_step_parity(my_step, case)
"""

from __future__ import annotations

from collections.abc import Collection
from unittest import SkipTest

from shared import Case, InputError, case_names, load_case
from threeways.conformance.contract import WHY_LEFT_OUT, Implementation, Maker, can_step
from threeways.conformance.coverage import check_required
from threeways.conformance.layouts import layout

__all__ = ["assert_step_parity", "cases", "layout"]


def cases(*names: str, dtype: str = "float64") -> list[Case]:
    """The cases of these names or TOML files, or all that are networks if none is named.

    Args:
        names: names that ``threeways cases`` lists, or paths of TOML files.
        dtype: ``"float64"`` or ``"float32"``, the dtype to compute in.

    Raises:
        InputError: there is no such case, or it is a chain of functions.
    """
    loaded = [load_case(name).with_dtype(dtype) for name in names or case_names()]
    networks = [case for case in loaded if isinstance(case, Case)]
    if names and len(networks) < len(loaded):
        chain = next(case.name for case in loaded if not isinstance(case, Case))
        raise InputError(f"{chain}: a chain of functions, not a network")
    return networks


def assert_step_parity(
    implementation: Implementation,
    case: Case,
    require: Collection[str] = (),
    steps: int = 2,
    scale: float | str = 1.0,
) -> None:
    """Pass if every number that an implementation gives for a case's first step is right.

    Args:
        implementation: ``step(network, parameters, x, y, learning_rate) -> {quantity: array}``,
            with any of the quantities z[l], a[l], loss, dz[l], dW[l], db[l], dx, W_next[l] and
            b_next[l] as NumPy arrays of the case's dtype; or a class with the methods of
            ``impl_numpy.FeedForward``.
        case: whose first step it makes.
        require: the quantities that it has to give, for all layers, if the step has them:
            ``("dW", "db")``. Whatever else it leaves out is not judged.
        scale: how many times the case's loss and its gradients theirs are: a number, or ``"sum"``
            if their loss is a sum over the rows, with ½ or without.

    Raises:
        AssertionError: a number is further from the exact one than rounding explains, or a required
            one is missing. It says which departs first, by how much, and which known mistake makes
            such numbers.
        InputError: the implementation cannot be called as above, or what is required is not a
            quantity.
        SkipTest: the step has dropout or an optimizer other than sgd, which only the ``step`` of a
            class is given.
    """
    __tracebackhide__ = True
    # Here, so that a network that only declares its layout need not load the oracle.
    from threeways.conformance.check import result_of_run
    from threeways.conformance.conventions import check_scale
    from threeways.report.checks import explain_check
    from threeways.report.diagnoses import explain_diagnosis

    check_required(require)
    maker = Maker(implementation, getattr(implementation, "__name__", "step"))
    if not can_step(maker.kind, case):
        raise SkipTest(WHY_LEFT_OUT)
    result = result_of_run(case, maker.kind, maker.step, require, steps, check_scale(scale))
    if not result.ok:
        lines = list(explain_check(result, case))
        lines += explain_diagnosis(result.diagnosis) if result.diagnosis else []
        raise AssertionError("\n".join(lines))
