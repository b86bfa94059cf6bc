"""The contract of somebody's own implementation: how it is called, and what it has to return.

It is a function

    step(network, parameters, x, y, learning_rate) -> {quantity: array}

that returns any of the quantities of ``shared.shapes``; or a class ``NAME(network, parameters)``
with a method ``step(x, y, training)``, or only ``backward(x, y)``, or only ``forward(x)``, which
returns a ``Trace`` or such a dict.

Only ``step(x, y, training)`` gets the optimizer and the dropout masks, which are
``training.masks(network, t, len(x))`` in step t, from 0. Others are not asked for steps that need
them. An object of a class makes several steps, one after the other; a function is called for each
with the parameters that it is to start from.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from shared import Array, Case, InputError, Weights
from shared.optimizers import CLIPS
from threeways.conformance.answers import Quantities, quantities_of
from threeways.conformance.layouts import in_layout
from threeways.conformance.supports import DECLARED, Supports, from_declared

FUNCTION = ("network", "parameters", "x", "y", "learning_rate")
CLASS = ("network", "parameters")
# Whichever of these comes first is called.
METHODS = {"step": ("x", "y", "training"), "backward": ("x", "y"), "forward": ("x",)}
# A function, or a class of which this method is called.
KINDS = ("function", *METHODS)

# What a training may have that changes plain gradient descent.
CHANGES_OF_SGD = ("weight_decay", *CLIPS)

WHY_LEFT_OUT = "only a class's step(x, y, training) gets dropout masks and an optimizer"


Implementation = Callable[..., object]


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

    def problems(self, kind: str, quantities: Quantities) -> list[str]:
        """One line that names the arrays that have been written to, if any.

        An update may be made in place: an object's parameters are its own, and a function's may
        become the W_next and b_next that it gives.

        Args:
            kind: of the implementation, one of :data:`KINDS`.
            quantities: that it gave.
        """

        def is_updated(name: str) -> bool:
            after = re.sub(r"parameters(\[\d+\])\.([Wb])", r"\2_next\1", name)
            return after != name and (
                kind == "step"
                or (after in quantities and np.array_equal(self.arrays()[name], quantities[after]))
            )

        changed = [
            name
            for name, array in self.arrays().items()
            if not np.array_equal(array, self.before[name]) and not is_updated(name)
        ]
        if not changed:
            return []
        return [f"it writes to its input{'s' * (len(changed) > 1)} {', '.join(changed)}"]


class Maker:
    """Makes the steps of one case after another with somebody's implementation.

    Args:
        implementation: a function or a class.
        name: the name by which its author knows it.

    Raises:
        InputError: it cannot be called as the contract says.
    """

    def __init__(self, implementation: Implementation, name: str) -> None:
        check_signature(implementation, name)
        self.kind = kind_of(implementation)
        self.implementation = in_layout(implementation, self.kind, name)
        self.net: Any = None

    def step(self, case: Case, is_first: bool = True) -> tuple[Quantities, list[str]]:
        """The quantities of a step, and one line for each problem.

        What has the right form is there, whatever else has not, or if it writes to its inputs.

        Args:
            case: whose first step it is.
            is_first: whether to make a new object of a class. Otherwise the one that made the last
                step makes this one as well, from wherever it is.
        """
        inputs = Inputs(case)
        answer = self._call(inputs, is_first)
        quantities, problems = quantities_of(answer, case)
        return quantities, problems + inputs.problems(self.kind, quantities)

    def _call(self, inputs: Inputs, is_first: bool) -> object:
        if self.kind == "function":
            rate = inputs.training.learning_rate
            return self.implementation(inputs.network, inputs.parameters, inputs.x, inputs.y, rate)
        if is_first:
            self.net = self.implementation(inputs.network, inputs.parameters)
        values = {"x": inputs.x, "y": inputs.y, "training": inputs.training}
        return getattr(self.net, self.kind)(*(values[name] for name in METHODS[self.kind]))


def stepper(
    implementation: Implementation, name: str
) -> tuple[str, Callable[[tuple[Case, bool]], tuple[Quantities, list[str]]], dict[str, Any]]:
    """The sandbox's handler: an implementation's kind, its steps, and what it declares.

    The steps are those of :meth:`Maker.step`, whose arguments come as a pair.
    """
    maker = Maker(implementation, name)
    declared = _declared(implementation)
    return maker.kind, lambda request: maker.step(*request), declared


def declared_by(implementation: Implementation) -> Supports:
    """What an implementation declares that it is for."""
    return from_declared(_declared(implementation).get("supports"))


def _declared(implementation: Implementation) -> dict[str, Any]:
    """What an implementation declares, at a class or at the method of it that is called."""
    method = getattr(implementation, kind_of(implementation), None)
    declared: dict[str, Any] = getattr(implementation, DECLARED, getattr(method, DECLARED, {}))
    return declared


def checked_step(implementation: Implementation, case: Case) -> tuple[Quantities, list[str]]:
    """The quantities of a case's first step, and one line for each problem."""
    return Maker(implementation, getattr(implementation, "__name__", "step")).step(case)


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
    training = case.training
    plain = training.optimizer == "sgd" and not any(
        getattr(training, name, None) for name in CHANGES_OF_SGD
    )
    return not case.network.dropping and (kind != "function" or plain)


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
