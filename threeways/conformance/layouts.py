"""Layouts: somebody's W, b and samples may lie otherwise than the project's, if they say how.

>>> from threeways.testing import layout
>>> @layout(W="out, in", b="column", samples="columns")
... def step(network, parameters, x, y, learning_rate): ...

What is handed over is then turned into that layout, and what comes back is turned round again.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from shared import Array, InputError, Parameters, Weights
from shared.errors import unknown

Shape = tuple[int, ...]
T = TypeVar("T", bound=Callable[..., Any])

# What may be said of each, the project's own first.
CHOICES = {
    "W": ("in, out", "out, in"),
    "b": (
        *("vector", "row", "column"),
        *("first row of W", "last row of W", "first column of W", "last column of W"),
    ),
    "samples": ("rows", "columns", "one", "one row", "one column"),
}
# The attribute of a function or class that keeps its layout.
DECLARED = "__threeways_layout__"


def _choice(name: str, given: object) -> str:
    """The choice that is meant, whatever its commas and brackets.

    Raises:
        InputError: there is no such choice.
    """
    words = re.findall(r"\w+", given.lower()) if isinstance(given, str) else None
    for choice in CHOICES[name]:
        if re.findall(r"\w+", choice.lower()) == words:
            return choice
    raise InputError(f"layout: {name}: {unknown(given, 'a choice', CHOICES[name])}")


@dataclass(frozen=True)
class Layout:
    """How parameters and samples lie; :func:`layout` explains the choices."""

    W: str = "in, out"
    b: str = "vector"
    samples: str = "rows"

    @property
    def stacked(self) -> bool:
        """Whether each b is a row or a column of its W."""
        return self.b.endswith("of W")

    @property
    def by_row(self) -> bool:
        """Whether a step takes one sample, and is made for each in turn."""
        return self.samples.startswith("one")

    def parameters(self, parameters: Parameters) -> tuple[Any, ...]:
        """The parameters in this layout: views of them as Weights(W, b) or, stacked, copies W."""
        return tuple(self._weights(W, b) for W, b in parameters)

    def _weights(self, W: Array, b: Array) -> Any:
        if self.stacked:
            both = [b[np.newaxis], W] if self.b.startswith("first") else [W, b[np.newaxis]]
            W = np.concatenate(both)
        W = W.T if self.W == "out, in" else W
        return W if self.stacked else Weights(W, b.reshape(self._shape_of_b(b.shape)))

    def take_back(self, handed: Sequence[Any], parameters: Parameters) -> None:
        """Write to the parameters what was written to stacked copies of them."""
        for l in range(len(parameters) if self.stacked else 0):
            parameters[l].W[:], parameters[l].b[:] = self._split(handed[l])

    def _split(self, W: Array) -> tuple[Array, Array]:
        W = W.T if self.W == "out, in" else W
        return (W[1:], W[0]) if self.b.startswith("first") else (W[:-1], W[-1])

    def batches(self, *arrays: Array) -> Iterator[list[Array]]:
        """Views of x, or of x and y, in this layout: once, or for each row in turn."""
        for i in range(len(arrays[0]) if self.by_row else 1):
            rows = [array[i : i + 1] if self.by_row else array for array in arrays]
            yield [self._samples(each) for each in rows]

    def _samples(self, array: Array) -> Array:
        if self.samples == "columns":
            return array.T
        return array.reshape(self._shape_of_samples(array.shape))

    def _shape_of_b(self, shape: Shape) -> Shape:
        return {"row": (1, *shape), "column": (*shape, 1)}.get(self.b, shape)

    def _shape_of_samples(self, shape: Shape) -> Shape:
        same = {"one": shape[1:], "columns": shape[::-1], "one column": shape[::-1]}
        return same.get(self.samples, shape)

    def shape(self, name: str, shape: Shape) -> Shape:
        """The shape that a quantity has in this layout.

        Args:
            name: of the quantity.
            shape: the project's.
        """
        match kind(name):
            case "W":
                shape = (shape[0] + self.stacked, shape[1])
                return shape[::-1] if self.W == "out, in" else shape
            case "b":
                return self._shape_of_b(shape)
            case "samples":
                return self._shape_of_samples(shape)
            case _:
                return shape

    def refusal(self, name: str) -> str:
        """Why a quantity cannot be given in this layout; "" if it can."""
        if self.stacked and kind(name) == "b":
            line, W = self.b.removesuffix(" of W"), name.replace("b", "W", 1)
            return f"is the {line} of {W} here, leave it out"
        if self.by_row and "_" in name:
            return "one row's step cannot give it, only that of all rows; leave it out"
        return ""

    def undo(self, quantities: Mapping[str, Array]) -> dict[str, Array]:
        """The quantities, which have the shapes of this layout, in the project's."""
        undone: dict[str, Array] = {}
        for name, array in quantities.items():
            if self.stacked and kind(name) == "W":
                undone[name], undone[_of_bias(name)] = self._split(array)
            elif kind(name) == "W" and self.W == "out, in":
                undone[name] = array.T
            elif kind(name) == "b":
                undone[name] = array.ravel()
            elif kind(name) == "samples" and self.by_row:
                undone[name] = array.reshape(1, -1)
            elif kind(name) == "samples" and self.samples == "columns":
                undone[name] = array.T
            else:
                undone[name] = array
        return undone


PLAIN = Layout()


def layout(
    *nothing: object, W: str = "in, out", b: str = "vector", samples: str = "rows"
) -> Callable[[T], T]:
    """A decorator that says how a function or class has its arrays; it returns that unchanged.

    Args:
        W: ``"in, out"``, (D[l], D[l+1]), as the project has it; or ``"out, in"``.
        b: ``"vector"``, (D[l+1],), as the project has it; ``"row"``, (1, D[l+1]); ``"column"``,
            (D[l+1], 1); or stacked, ``"first row of W"`` or ``"last row of W"`` (with
            ``W="out, in"``: ``"… column of W"``). Then ``parameters`` are the W[l] alone, with one
            row more, as are dW[l] and W_next[l], and there are no db[l] and b_next[l].
        samples: ``"rows"``, (N, D[l]), as the project has it; ``"columns"``; or for a step of one
            sample, which is made for each row, ``"one"``, (D[l],), ``"one row"``, (1, D[l]), or
            ``"one column"``, (D[l], 1). The loss and its gradients are then those of this sample,
            and their mean is taken. Such a step cannot give W_next.

    Raises:
        InputError: there is no such choice, two contradict each other, or it is used bare.
    """
    if nothing:
        raise InputError('layout: expected @layout(W="out, in") or the like, with what differs')
    declared = Layout(_choice("W", W), _choice("b", b), _choice("samples", samples))
    line = "row" if declared.W == "in, out" else "column"
    if declared.stacked and line not in declared.b:
        raise InputError(
            f"layout: b: W is ({declared.W}), so b is its first or last {line}, not {declared.b!r}"
        )

    def declare(implementation: T) -> T:
        setattr(implementation, DECLARED, declared)
        return implementation

    return declare


class InLayout(NamedTuple):
    """What a function or method has returned, in a layout of its own.

    Args:
        layout: which.
        answers: one, or one for each row.
    """

    layout: Layout
    answers: list[object]


def in_layout(implementation: T, method: str, name: str) -> T | Callable[..., Any]:
    """The same function or class as one that takes the project's layout, if it has another.

    Args:
        implementation: a function or class; what it returns comes back as :class:`InLayout`.
        method: the method of the class that is called.
        name: the name by which its author knows it.

    Raises:
        InputError: it is a class whose ``step`` takes one row, which is no step of the batch.
    """
    of_method = getattr(getattr(implementation, method, None), DECLARED, PLAIN)
    declared = getattr(implementation, DECLARED, of_method)
    if declared == PLAIN:
        return implementation
    if not inspect.isclass(implementation):

        def step(network: Any, parameters: Any, x: Array, y: Array, learning_rate: float) -> object:
            handed = declared.parameters(parameters)
            rows = declared.batches(x, y)
            answers = [implementation(network, handed, *each, learning_rate) for each in rows]
            declared.take_back(handed, parameters)
            return InLayout(declared, answers)

        return step
    if declared.by_row and method == "step":
        raise InputError(
            f"{name}: its step updates after one row, which is no step of the batch; "
            "for one row, give a function, or a class with backward alone"
        )
    return _class_in_layout(implementation, method, declared)


def _class_in_layout(their_class: type, method: str, declared: Layout) -> type:
    class Net:
        def __init__(self, network: Any, parameters: Any) -> None:
            self.parameters = parameters
            self.handed = declared.parameters(parameters)
            self.theirs = their_class(network, self.handed)

        def call(self, x: Array, *others: Any) -> object:
            y, training = others[:1], others[1:]
            theirs = getattr(self.theirs, method)
            answers = [theirs(*each, *training) for each in declared.batches(x, *y)]
            declared.take_back(self.handed, self.parameters)
            return InLayout(declared, answers)

    setattr(Net, method, Net.call)
    return Net


def mean(of_rows: Sequence[Mapping[str, Array]], dtype: str) -> tuple[dict[str, Array], list[str]]:
    """The quantities of a batch from those of each of its rows, and one line per problem.

    The loss, dW and db are means, and dz and dx are divided by N, as the loss is.

    Args:
        of_rows: the quantities of a step of each row alone, in the project's layout.
        dtype: of the arrays.
    """
    N = len(of_rows)
    quantities, problems = {}, []
    for name in dict.fromkeys(name for each in of_rows for name in each):
        given = [each[name].astype(np.float64) for each in of_rows if name in each]
        if len(given) < N:
            problems.append(f"{name}: given for {len(given)} of {N} rows")
            continue
        if kind(name) == "samples":
            array = np.concatenate(given) / (N if name.startswith("d") else 1)
        else:
            array = np.sum(given, axis=0) / N
        quantities[name] = np.asarray(array, dtype=dtype)
    return quantities, problems


def declaration(found: Mapping[str, Shape], known: Mapping[str, Shape]) -> str:
    """The decorator that explains all shapes of some kind, such as ``@layout(b="row")``, or "".

    Args:
        found: the shapes of the quantities that were given.
        known: those of the project.
    """
    said = []
    for of, choices in CHOICES.items():
        shapes = {name: shape for name, shape in found.items() if kind(name) == of}
        if any(shape != known[name] for name, shape in shapes.items()):
            said += [
                f'{of}="{choice}"'
                for choice in choices[1:3]
                if all(
                    Layout(**{of: choice}).shape(name, known[name]) == shape
                    for name, shape in shapes.items()
                )
            ][:1]
    return f"@layout({', '.join(said)})" if said else ""


def kind(name: str) -> str:
    """What a quantity is laid out like: ``"W"``, ``"b"``, ``"samples"``, or "" for the loss."""
    bare = name.partition("[")[0]
    if bare in ("z", "a", "dz", "dx"):
        return "samples"
    if bare == "loss":
        return ""
    return "W" if "W" in bare else "b"


def _of_bias(name: str) -> str:
    """The quantity of b that goes with one of W: db[0] with dW[0]."""
    return name.replace("W", "b", 1)
