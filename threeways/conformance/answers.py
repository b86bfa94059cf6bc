"""The quantities in what somebody's implementation returns, and what is wrong with their form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shared import Array, Case, Trace, shapes
from shared.quantities import unknown_quantity

Quantities = dict[str, Array]


def expected_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """The shape of every quantity of a case's first step, by name."""
    n_rows = len(case.first_batch()[0])
    return shapes(case.network, n_rows, case.training.slots)


def quantities_of(answer: object, case: Case) -> tuple[Quantities, list[str]]:
    """The arrays in an implementation's answer that have the right form, and one line per problem.

    Args:
        answer: what it returned for the case's first step.
        case: which.

    Returns:
        Arrays of the case's dtype and of the right shapes, their numbers as they are (NaN and
        infinity too); and a line for each type, dtype, shape or name that is wrong.
    """
    if isinstance(answer, Trace):
        try:
            answer = answer.quantities()
        except Exception as error:
            return {}, [f"its Trace is incomplete ({type(error).__name__}: {error})"]
    if not isinstance(answer, Mapping):
        hint = " (is there a return?)" if answer is None else ""
        return {}, [f"it returned {_a(answer)}{hint}, expected {{quantity: array}} or a Trace"]
    if not answer:
        return {}, ["it returned an empty dict, expected quantities such as 'z[0]' and 'dW[0]'"]
    known = expected_shapes(case)
    wrong: dict[str, list[str]] = {}
    problems, quantities = [], {}
    for name, value in answer.items():
        if name not in known:
            problems.append(unknown_quantity(name, known))
        elif problem := _wrong_form(name, value, known[name], case.dtype):
            wrong.setdefault(problem, []).append(name)
        else:
            with np.errstate(over="ignore"):
                quantities[name] = np.asarray(value, dtype=case.dtype)
    for problem, names in wrong.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        problems.append(f"{', '.join(names[:3])}{more}: {problem}")
    return quantities, problems


def _wrong_form(name: str, value: Any, shape: tuple[int, ...], dtype: str) -> str:
    """Message about a quantity's type, dtype and shape; "" if they are right."""
    if not isinstance(value, np.ndarray | np.generic):
        if name == "loss" and isinstance(value, float):
            return ""
        number = "a float or " if name == "loss" else ""
        return f"{_a(value)}, expected {number}a NumPy array of {dtype}"
    wrong = []
    if value.dtype.name != dtype:
        wrong.append(f"expected {dtype}, got {value.dtype.name}")
    if value.shape != shape:
        transposed = len(shape) == 2 and value.shape == shape[::-1]
        hint = ", is it transposed?" if transposed else ""
        wrong.append(f"expected shape {shape}, got {value.shape}{hint}")
    return "; ".join(wrong)


def _a(value: object) -> str:
    """The type of a value with its article: ``a list``, ``an int``, ``None``."""
    name = type(value).__name__
    return "None" if value is None else f"a{'n' * (name[0].lower() in 'aeiou')} {name}"
