"""What somebody's own implementation takes, what it gives back, and what may be wrong with that.

It is a function

    step(network, parameters, x, y, learning_rate) -> {quantity: array}

that gives any of the quantities of ``shared.shapes``; or a class with the implementations' methods,
``NAME(network, parameters)`` and ``step(x, y, training)``, or only ``backward(x, y)``, or only
``forward(x)``, each of which gives a ``Trace`` or such a dict.

Which units dropout keeps, ``step`` is told by ``training.masks(network, 0, len(x))``. Who has none
is not asked for steps with dropout, nor a function for those of other optimizers than sgd.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shared import Array, Case, InputError, Trace, Weights, shapes
from shared.quantities import unknown_quantity

FUNCTION = ("network", "parameters", "x", "y", "learning_rate")
CLASS = ("network", "parameters")
# The richest first.
METHODS = {"step": ("x", "y", "training"), "backward": ("x", "y"), "forward": ("x",)}

TOLD = "only a class's step(x, y, training) is told of dropout and of optimizers"

Implementation = Callable[..., object]


def split(target: str) -> tuple[str, str]:
    """The module, or the path of its file, and the name in ``MODULE:NAME`` or ``FILE.py:NAME``.

    Raises:
        InputError: it is neither.
    """
    module, _, name = target.rpartition(":")
    is_module = all(part.isidentifier() for part in module.split("."))
    if not name.isidentifier() or not (is_module or module.endswith(".py")):
        raise InputError(
            f"{target!r}: expected MODULE:NAME or FILE.py:NAME, such as net:step, or FILE.json"
        )
    return module, name


class Inputs:
    """Arrays of a case's own, in its dtype, for one step that may or may not leave them alone."""

    def __init__(self, case: Case) -> None:
        self.network = case.network
        self.training = case.training
        self.x, self.y = (self.network.array(values) for values in case.first_batch())
        self.parameters = tuple(
            Weights(self.network.array(W), self.network.array(b)) for W, b in case.parameters
        )
        self.before = {name: array.copy() for name, array in self.arrays().items()}

    def arrays(self) -> dict[str, Array]:
        """All of them, by name."""
        named = {"x": self.x, "y": self.y}
        for l, (W, b) in enumerate(self.parameters):
            named |= {f"parameters[{l}].W": W, f"parameters[{l}].b": b}
        return named

    def problems(self) -> list[str]:
        """The line that says which of them are no longer what they were, if any."""
        changed = [
            name
            for name, array in self.arrays().items()
            if not np.array_equal(array, self.before[name])
        ]
        if not changed:
            return []
        return [f"it writes to its input{'s' * (len(changed) > 1)} {', '.join(changed)}"]


def run_step(implementation: Implementation, case: Case) -> object:
    """What an implementation gives for a case's first step, whatever that is.

    Raises:
        InputError: it cannot be called as the contract says.
    """
    return _call(implementation, Inputs(case))


def checked_step(implementation: Implementation, case: Case) -> tuple[dict[str, Array], list[str]]:
    """The quantities of a case's first step, and a line for each thing that is wrong with it.

    There are quantities unless something is wrong with their form; that an implementation writes
    to its inputs is a problem that leaves them. There is neither where it is not told enough.

    Raises:
        InputError: it cannot be called as the contract says.
    """
    if not is_told_enough(implementation, case):
        return {}, []
    inputs = Inputs(case)
    answer = _call(implementation, inputs)
    quantities, problems = quantities_of(answer, case)
    return ({} if problems else quantities), problems + inputs.problems()


def is_told_enough(implementation: Implementation, case: Case) -> bool:
    """Whether an implementation can know which units are dropped, and which optimizer there is.

    Only a class's ``step`` is told, by the training that it takes; one that only has ``backward``
    or ``forward`` needs no optimizer.
    """
    if inspect.isclass(implementation) and _richest(implementation) == "step":
        return True
    is_plain = inspect.isclass(implementation) or case.training.optimizer == "sgd"
    return is_plain and not case.network.dropping


def _call(implementation: Implementation, inputs: Inputs) -> object:
    check_signature(implementation, getattr(implementation, "__name__", "step"))
    if not inspect.isclass(implementation):
        rate = inputs.training.learning_rate
        return implementation(inputs.network, inputs.parameters, inputs.x, inputs.y, rate)
    make: Callable[..., Any] = implementation
    net = make(inputs.network, inputs.parameters)
    values = {"x": inputs.x, "y": inputs.y, "training": inputs.training}
    method = _richest(implementation)
    return getattr(net, method)(*(values[name] for name in METHODS[method]))


def check_signature(implementation: Implementation, name: str) -> None:
    """Nothing, if an implementation can be called as the contract says.

    Args:
        implementation: a function or a class.
        name: what the caller knows it as.

    Raises:
        InputError: it takes other arguments, or is a class that has none of the methods.
    """
    if not inspect.isclass(implementation):
        _check_arguments(implementation, name, "step", FUNCTION)
        return
    method = _richest(implementation)
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


def _richest(implementation: Implementation) -> str:
    """The first of METHODS that a class has; "" if none."""
    return next((name for name in METHODS if callable(getattr(implementation, name, None))), "")


def _check_arguments(
    function: Implementation, name: str, called: str, expected: tuple[str, ...], n_bound: int = 0
) -> None:
    """``n_bound``: how many arguments come before the expected ones, 1 where there is a self."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some of what is written in C has none
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


def quantities_of(answer: object, case: Case) -> tuple[dict[str, Array], list[str]]:
    """What an implementation gave for a case's first step: the arrays that have the right form.

    Returns:
        The arrays, of the case's dtype and of their right shapes, their numbers as they are (NaN
        and infinity too); and a line for each thing that is wrong with the form of the answer.
    """
    if isinstance(answer, Trace):
        try:
            answer = answer.quantities()
        except Exception as error:
            return {}, [f"its Trace is not whole ({type(error).__name__}: {error})"]
    if not isinstance(answer, Mapping):
        hint = " (is there a return?)" if answer is None else ""
        return {}, [f"it returned {_a(answer)}{hint}, expected {{quantity: array}} or a Trace"]
    if not answer:
        return {}, ["it returned an empty dict, expected quantities such as 'z[0]' and 'dW[0]'"]
    slots = case.training.slots
    known = shapes(case.network, len(case.first_batch()[0]), slots)
    wrong: dict[str, list[str]] = {}
    problems, quantities = [], {}
    for name, value in answer.items():
        if name not in known:
            problems.append(unknown_quantity(name, known))
        elif problem := _form(name, value, known[name], case.dtype):
            wrong.setdefault(problem, []).append(name)
        else:
            with np.errstate(over="ignore"):
                quantities[name] = np.asarray(value, dtype=case.dtype)
    for problem, names in wrong.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        problems.append(f"{', '.join(names[:3])}{more}: {problem}")
    return quantities, problems


def _form(name: str, value: Any, shape: tuple[int, ...], dtype: str) -> str:
    """What is wrong with a quantity's type, dtype and shape; "" if nothing."""
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
    """``a list``, ``an int``, ``None``."""
    name = type(value).__name__
    return "None" if value is None else f"a{'n' * (name[0].lower() in 'aeiou')} {name}"
