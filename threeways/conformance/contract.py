"""The contract of somebody's own implementation: how it is called, and what it has to return.

It is a function

    step(network, parameters, x, y, learning_rate) -> {quantity: array}

that returns any of the quantities of ``shared.shapes``; or a class ``NAME(network, parameters)``
with a method ``step(x, y, training)``, or only ``backward(x, y)``, or only ``forward(x)``, which
returns a ``Trace`` or such a dict.

Only ``step(x, y, training)`` gets the optimizer and the dropout masks, which are
``training.masks(network, 0, len(x))``. Others are not asked for steps that need them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shared import Array, Case, InputError, Trace, Weights, shapes
from shared.quantities import unknown_quantity

FUNCTION = ("network", "parameters", "x", "y", "learning_rate")
CLASS = ("network", "parameters")
# Whichever of these comes first is called.
METHODS = {"step": ("x", "y", "training"), "backward": ("x", "y"), "forward": ("x",)}
# A function, or a class of which this method is called.
KINDS = ("function", *METHODS)

WHY_LEFT_OUT = "only a class's step(x, y, training) gets dropout masks and an optimizer"

Implementation = Callable[..., object]
Quantities = dict[str, Array]


def expected_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """The shape of every quantity of a case's first step, by name."""
    n_rows = len(case.first_batch()[0])
    return shapes(case.network, n_rows, case.training.slots)


class Inputs:
    """A copy of what a case's first step starts from, in its dtype, and whether it was changed."""

    def __init__(self, case: Case) -> None:
        self.network = case.network
        self.training = case.training
        self.x, self.y = (self.network.array(values) for values in case.first_batch())
        self.parameters = tuple(
            Weights(self.network.array(W), self.network.array(b)) for W, b in case.parameters
        )
        self.before = {name: array.copy() for name, array in self.arrays().items()}

    def arrays(self) -> dict[str, Array]:
        """The arrays by name: x, y, and W and b of each layer."""
        named = {"x": self.x, "y": self.y}
        for l, (W, b) in enumerate(self.parameters):
            named |= {f"parameters[{l}].W": W, f"parameters[{l}].b": b}
        return named

    def problems(self) -> list[str]:
        """One line that names the arrays that have been written to, if any."""
        changed = [
            name
            for name, array in self.arrays().items()
            if not np.array_equal(array, self.before[name])
        ]
        if not changed:
            return []
        return [f"it writes to its input{'s' * (len(changed) > 1)} {', '.join(changed)}"]


def stepper(
    implementation: Implementation, name: str
) -> tuple[str, Callable[[Case], tuple[Quantities, list[str]]]]:
    """An implementation's kind, and its :func:`checked_step`; also the sandbox's handler.

    Args:
        implementation: a function or a class.
        name: the name by which its author knows it.

    Raises:
        InputError: it cannot be called as the contract says.
    """
    check_signature(implementation, name)
    return kind_of(implementation), functools.partial(checked_step, implementation)


def checked_step(implementation: Implementation, case: Case) -> tuple[Quantities, list[str]]:
    """The quantities of a case's first step, and one line for each problem.

    If it writes to its inputs, that is a problem, but its quantities are there.
    """
    inputs = Inputs(case)
    answer = _call(implementation, inputs)
    quantities, problems = quantities_of(answer, case)
    return ({} if problems else quantities), problems + inputs.problems()


def kind_of(implementation: Implementation) -> str:
    """Which of :data:`KINDS` an implementation is; "" for a class that has none of the methods."""
    if not inspect.isclass(implementation):
        return "function"
    return next((name for name in METHODS if callable(getattr(implementation, name, None))), "")


def can_step(kind: str, case: Case) -> bool:
    """True if an implementation of this kind is given all that a case's step needs.

    Dropout needs a class's ``step``, which gets the training; so does an optimizer other than sgd,
    unless the implementation is a class that only has ``backward`` or ``forward``.
    """
    if kind == "step":
        return True
    return not case.network.dropping and (kind != "function" or case.training.optimizer == "sgd")


def _call(implementation: Implementation, inputs: Inputs) -> object:
    if not inspect.isclass(implementation):
        rate = inputs.training.learning_rate
        return implementation(inputs.network, inputs.parameters, inputs.x, inputs.y, rate)
    make: Callable[..., Any] = implementation
    net = make(inputs.network, inputs.parameters)
    values = {"x": inputs.x, "y": inputs.y, "training": inputs.training}
    method = kind_of(implementation)
    return getattr(net, method)(*(values[name] for name in METHODS[method]))


def check_signature(implementation: Implementation, name: str) -> None:
    """Raise :class:`InputError` if an implementation cannot be called as the contract says.

    Args:
        implementation: a function or a class.
        name: the name that the message calls it by.

    Raises:
        InputError: it takes other arguments, or is a class that has none of the methods.
    """
    if not inspect.isclass(implementation):
        _check_arguments(implementation, name, "step", FUNCTION)
        return
    method = kind_of(implementation)
    if not method:
        raise InputError(f"{name} has none of the methods {', '.join(METHODS)}")
    _check_arguments(implementation, name, name.rpartition(":")[2], CLASS)
    unbound = not isinstance(
        inspect.getattr_static(implementation, method), staticmethod | classmethod
    )
    _check_arguments(
        getattr(implementation, method),
        f"{name}.{method}",
        method,
        METHODS[method],
        n_bound=int(unbound),
    )


def _check_arguments(
    function: Implementation, name: str, called: str, expected: tuple[str, ...], n_bound: int = 0
) -> None:
    """Raise :class:`InputError` unless ``function`` takes ``expected``, after ``n_bound`` others.

    ``n_bound`` is 1 where there is a self.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some functions written in C have none
        return
    try:
        signature.bind(*range(n_bound), *expected)
    except TypeError:
        names = [str(each).partition(":")[0] for each in signature.parameters.values()][n_bound:]
        count = f"{len(names) or 'no'} argument{'s' * (len(names) != 1)}"
        given = f" ({', '.join(names)})" if names else ""
        raise InputError(
            f"{name} takes {count}{given}, expected {called}({', '.join(expected)})"
        ) from None


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
