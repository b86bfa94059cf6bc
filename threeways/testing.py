"""For tests of networks of one's own: is every number of a training step right?

>>> import pytest
>>> from threeways.testing import assert_step_parity, cases
>>> @pytest.mark.parametrize("case", cases("mazur", "iris"))
... def test_step(case):
...     assert_step_parity(my_step, case)
"""

from __future__ import annotations

from unittest import SkipTest

from shared import Case, InputError, case_names, load_case
from threeways.conformance.check import judged
from threeways.conformance.contract import TOLD, Implementation, checked_step
from threeways.report.explanations import explain_check, explain_diagnosis

__all__ = ["assert_step_parity", "cases"]


def cases(*names: str, dtype: str = "float64") -> list[Case]:
    """The cases of these names, or of these TOML files; all that are networks unless named.

    Args:
        names: as ``threeways cases`` lists them, or paths.
        dtype: ``"float64"`` or ``"float32"``, which the steps are to be computed in.

    Raises:
        InputError: there is no such case, or it is a chain of functions.
    """
    loaded = [load_case(name).with_dtype(dtype) for name in names or case_names()]
    networks = [case for case in loaded if isinstance(case, Case)]
    if names and len(networks) < len(loaded):
        chain = next(case.name for case in loaded if not isinstance(case, Case))
        raise InputError(f"{chain}: a chain of functions, not a network")
    return networks


def assert_step_parity(implementation: Implementation, case: Case) -> None:
    """Pass if every number that an implementation gives for a case's first step is right.

    Args:
        implementation: ``step(network, parameters, x, y, learning_rate) -> {quantity: array}``,
            with any of the quantities z[l], a[l], loss, dz[l], dW[l], db[l], dx, W_next[l] and
            b_next[l] as NumPy arrays of the case's dtype; or a class with the methods of
            ``impl_numpy.FeedForward``.
        case: which.

    Raises:
        AssertionError: a number is further from the exact one than rounding explains. It says
            which departs first, by how much, and which known mistake makes such numbers.
        InputError: the implementation cannot be called as above.
        SkipTest: it is not told which units dropout keeps, or which optimizer there is; only the
            ``step`` of a class is.
    """
    __tracebackhide__ = True
    case = case.alone()
    quantities, problems = checked_step(implementation, case)
    checked = judged(case, quantities, problems)
    if checked.left_out:
        raise SkipTest(TOLD)
    if not checked.ok:
        lines = list(explain_check(checked, case))
        lines += explain_diagnosis(checked.diagnosis) if checked.diagnosis else []
        raise AssertionError("\n".join(lines))
