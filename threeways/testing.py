"""For tests of your own network: is every number of its training steps right?

>>> import pytest
>>> from threeways.testing import assert_step_parity, cases
>>> @pytest.mark.parametrize("case", cases("mazur", "iris"))
... def test_step(case):
...     assert_step_parity(my_step, case)

An import of this module loads nothing but NumPy, so that the module of a network may have it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from unittest import SkipTest

from threeways.conformance.layouts import layout
from threeways.conformance.supports import supports

if TYPE_CHECKING:
    from shared import Case

__all__ = ["assert_step_parity", "cases", "cases_for", "layout", "supports"]


def cases(*names: str, dtype: str = "float64") -> list[Case]:
    """The cases of these names or TOML files; if none is named, all networks, and some made.

    Those that are made are small networks of each kind, in which mistakes show that others hide:
    no bias is 0, widths differ, and there are single rows.

    Args:
        names: names that ``threeways cases`` lists, or paths of TOML files.
        dtype: ``"float64"`` or ``"float32"``, the dtype to compute in.

    Raises:
        InputError: there is no such case, or it is a chain of functions.
    """
    from shared import Case, InputError, case_names, load_case
    from threeways.conformance.made_cases import for_everything

    loaded = [load_case(name).with_dtype(dtype) for name in names or case_names()]
    networks = [case for case in loaded if isinstance(case, Case)]
    if names and len(networks) < len(loaded):
        chain = next(case.name for case in loaded if not isinstance(case, Case))
        raise InputError(f"{chain}: a chain of functions, not a network")
    return networks if names else [*networks, *for_everything(networks)]


def cases_for(implementation: Callable[..., object], dtype: str = "float64") -> list[Case]:
    """The cases that an implementation is for, as ``@supports`` declares; made where none fits.

    Args:
        implementation: as in :func:`assert_step_parity`.
        dtype: ``"float64"`` or ``"float32"``, the dtype to compute in.
    """
    from shared import Case, case_names, load_case
    from threeways.conformance.contract import can_step, declared_by, kind_of
    from threeways.conformance.plan import cases_that_fit

    loaded = (load_case(name).with_dtype(dtype) for name in case_names())
    networks = [case for case in loaded if isinstance(case, Case)]
    kind = kind_of(implementation)
    fitting = cases_that_fit(networks, declared_by(implementation), kind)
    return [case for case in fitting if can_step(kind, case)]


def assert_step_parity(
    implementation: Callable[..., object],
    case: Case,
    require: Collection[str] = (),
    steps: int = 2,
    scale: float | str = 1.0,
) -> None:
    """Pass if every number that an implementation gives for a case's first steps is right.

    A function is called for each step, with the parameters that it gave as W_next and b_next, or
    the right ones where it gives none. Of a class one object makes all of them.

    Args:
        implementation: ``step(network, parameters, x, y, learning_rate) -> {quantity: array}``,
            with any of the quantities z[l], a[l], loss, dz[l], dW[l], db[l], dx, W_next[l] and
            b_next[l] as arrays or tensors of the case's dtype, or lists of numbers, and
            ``"dW": [dW0, dW1]`` for all layers; or a class with the methods of
            ``impl_numpy.FeedForward``.
        case: whose steps it makes.
        require: the quantities that it has to give, for all layers, if a step has them:
            ``("dW", "db")``. Whatever else it leaves out is not judged.
        steps: how many; with a schedule at least three.
        scale: how many times the case's loss and its gradients theirs are: a number, or ``"sum"``
            if their loss is a sum over the rows, with ½ or without.

    Raises:
        AssertionError: a number is further from the exact one than rounding explains, or a required
            one is missing. It says in which step, which departs first, by how much, and which known
            mistake makes such numbers.
        InputError: the implementation cannot be called as above, or what is required is not a
            quantity.
        SkipTest: the implementation raises ``NotImplementedError`` or does not declare to support
            the case; or the step has dropout or an optimizer other than sgd, which only the
            ``step`` of a class is given.
    """
    __tracebackhide__ = True
    # Here, so that a network that only declares something need not load the oracle.
    from threeways.conformance.contract import WHY_LEFT_OUT, Maker, can_step, declared_by
    from threeways.conformance.conventions import check_scale
    from threeways.conformance.coverage import check_required
    from threeways.conformance.results import check_steps, result_of_run
    from threeways.report.checks import explain_check
    from threeways.report.diagnoses import explain_diagnosis
    from threeways.sandbox.target import says_not_supported

    check_required(require)
    check_steps(steps)
    maker = Maker(implementation, getattr(implementation, "__name__", "step"))
    if not can_step(maker.kind, case):
        raise SkipTest(WHY_LEFT_OUT)
    if not (wanted := declared_by(implementation)).fits(case):
        raise SkipTest(f"it is for {wanted}")
    try:
        result = result_of_run(case, maker.kind, maker.step, require, steps, check_scale(scale))
    except NotImplementedError as error:
        if says_not_supported(error):
            raise SkipTest(f"not supported: {error}") from error
        raise
    if not result.ok:
        lines = list(explain_check(result, case))
        lines += explain_diagnosis(result.diagnosis) if result.diagnosis else []
        raise AssertionError("\n".join(lines))
