"""The quantities in what somebody's implementation returns, and what is wrong with their form."""

from __future__ import annotations

import inspect
import numbers
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from shared import Array, Case, Trace, shapes
from shared.quantities import unknown_quantity
from threeways.conformance.layouts import PLAIN, InLayout, Layout, declaration, mean

Quantities = dict[str, Array]

# Characters of somebody else's message that are shown.
LONGEST = 100


class FormError(Exception):
    """What is wrong with a value that should be an array."""


class Numbers(NamedTuple):
    """An array, and the name of its dtype; "" if any dtype will do, as for Python's numbers."""

    array: Array
    dtype: str


def expected_shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """The shape of every quantity of a case's first step, by name."""
    n_rows = len(case.first_batch()[0])
    return shapes(case.network, n_rows, case.training.slots)


def quantities_of(answer: object, case: Case) -> tuple[Quantities, list[str]]:
    """The arrays in an implementation's answer that have the right form, and one line per problem.

    Args:
        answer: what it returned for the case's first step; what it returned for each row, or in a
            layout of its own, comes as :class:`InLayout`.
        case: which.

    Returns:
        Arrays of the case's dtype and of the right shapes, their numbers as they are (NaN and
        infinity too); and a line for each type, dtype, shape or name that is wrong.
    """
    known = expected_shapes(case)
    if not isinstance(answer, InLayout):
        return _in_layout(answer, PLAIN, known, case.dtype)
    layout = answer.layout
    if not layout.by_row:
        return _in_layout(answer.answers[0], layout, known, case.dtype)
    known = shapes(case.network, 1, case.training.slots)
    of_rows = [_in_layout(each, layout, known, case.dtype) for each in answer.answers]
    quantities, problems = mean([each for each, _ in of_rows], case.dtype)
    return quantities, [*dict.fromkeys(line for _, lines in of_rows for line in lines), *problems]


def _in_layout(
    answer: object, layout: Layout, known: Mapping[str, tuple[int, ...]], dtype: str
) -> tuple[Quantities, list[str]]:
    """The quantities of one answer, its layout undone, and one line per problem."""
    if isinstance(answer, Trace):
        try:
            answer = answer.quantities()
        except Exception as error:
            return {}, [f"its Trace is incomplete ({_described(error)})"]
    if not isinstance(answer, Mapping):
        return {}, [
            f"it returned {_a(answer)}{_why(answer)}, expected {{quantity: array}} or a Trace"
        ]
    if not answer:
        return {}, ["it returned an empty dict, expected quantities such as 'z[0]' and 'dW[0]'"]
    wrong: dict[str, list[str]] = {}
    problems: list[str] = []
    quantities: Quantities = {}
    found: dict[str, tuple[int, ...]] = {}  # the shapes that were given
    kinds: set[str] = set()
    for name, value in _by_layer(answer, known, layout, problems):
        if name not in known:
            problems.append(_unknown(name, known))
        elif line := layout.refusal(name):
            wrong.setdefault(line, []).append(name)
        elif name in quantities:
            problems.append(f"{name}: given twice")
        else:
            try:
                array, kind = numbers_in(value)
                found[name] = array.shape
                kinds |= {kind} - {""}
                check_form(array, kind, layout.shape(name, known[name]), dtype)
                with np.errstate(over="ignore"):
                    quantities[name] = np.array(array, dtype=dtype)  # whose owner may go on with it
            except FormError as error:
                wrong.setdefault(str(error), []).append(name)
    for line, names in wrong.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        problems.append(f"{', '.join(names[:3])}{more}: {line}")
    if kinds == {"float32"} and dtype == "float64":
        problems.append(
            'this is a float32 program: check it with --dtype float32 (dtype="float32")'
        )
    if declared := declaration(found, known) if layout is PLAIN else "":
        problems.append(f"this is a layout: declare {declared}, from threeways.testing")
    undone = layout.undo(quantities)
    return {name: array for name, array in undone.items() if name in known}, problems


def _by_layer(
    answer: Mapping[Any, Any],
    known: Mapping[str, tuple[int, ...]],
    layout: Layout,
    problems: list[str],
) -> Iterator[tuple[Any, Any]]:
    """Each quantity's name and value; ``"dW": [dW0, dW1]`` is dW[0] and dW[1].

    A list ``a`` may begin with the input. Lines about lists that are too long or too short are
    appended to ``problems``.
    """
    n_layers = sum(name.startswith("z[") for name in known)
    for name, value in answer.items():
        first = int(name == "a")
        names = [f"{name}[{l}]" for l in range(first, n_layers + first)]
        of_name = [each for each in names if each in known]
        if not of_name:
            yield name, value
            continue
        values = _layers(value, layout.shape(of_name[0], known[of_name[0]]), n_layers)
        if name == "a" and len(values) == n_layers + 1:
            values = values[1:]
        if len(values) == n_layers:  # None stands for the b of a layer without biases
            given = zip(names, values, strict=True)
            yield from (each for each in given if each[0] in known or each[1] is not None)
        elif len(values) == len(of_name):
            yield from zip(of_name, values, strict=True)
        else:
            found = f"{len(values)} arrays" if len(values) != 1 else "1 array"
            problems.append(f"{name}: {found}, expected {n_layers}, one for each layer")


def _unknown(name: object, known: Mapping[str, tuple[int, ...]]) -> str:
    """One line about a name that is no quantity of the step."""
    match = re.fullmatch(r"(?:db|b_next|\w+_b)(\[\d+\])", name) if isinstance(name, str) else None
    if match and f"z{match[1]}" in known:
        return f"{name}: this layer has no biases, leave it out"
    return unknown_quantity(name, known)


def _layers(value: Any, shape: tuple[int, ...], n_layers: int) -> list[Any]:
    """The values for the layers; a value for one layer alone needs no list."""
    if n_layers == 1:
        try:
            if numbers_in(value).array.shape == shape:
                return [value]
        except FormError:
            pass
    if isinstance(value, list | tuple):
        return list(value)
    try:
        array = numbers_in(value).array
    except FormError:
        return [value]
    return list(array) if array.ndim > len(shape) else [array]


def numbers_in(value: Any) -> Numbers:
    """The array that a value is or holds: an array or tensor, a number, or lists of these.

    Python's numbers and whole numbers have no dtype. A tensor is read by ``__array__`` or DLPack,
    and is detached first if it can be.

    Raises:
        FormError: it holds something else, its rows are of different lengths, or reading it fails.
    """
    try:
        return _numbers_in(value)
    except FormError:
        raise
    except Exception as error:  # the code of other people's tensors
        raise FormError(f"cannot be read as an array ({_described(error)})") from None


def _numbers_in(value: Any) -> Numbers:
    if isinstance(value, list | tuple):
        if all(type(each) in (float, int) for each in value):
            return Numbers(np.array(value, dtype=np.float64), "")
        parts = [_numbers_in(each) for each in value]
        if len({part.array.shape for part in parts}) > 1:
            raise FormError("its rows are of different lengths")
        typed = {part.dtype for part in parts} - {""}
        array = np.stack([part.array for part in parts])
        return Numbers(array, min(typed, default="", key=lambda name: np.dtype(name).itemsize))
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
    elif isinstance(value, numbers.Real | Decimal):
        return Numbers(np.array(float(value)), "")
    else:
        array = _of_tensor(value)
    return Numbers(array, "" if array.dtype.kind in "biu" else array.dtype.name)


def _of_tensor(tensor: Any) -> Array:
    """The array of a framework's tensor, which is read as the framework itself offers it."""
    for name in ("detach", "cpu"):  # PyTorch's, with a gradient or on a GPU
        if callable(method := getattr(tensor, name, None)):
            tensor = method()
    if hasattr(tensor, "__array__"):
        return np.asarray(tensor)
    if hasattr(tensor, "__dlpack__"):
        return np.from_dlpack(tensor)
    raise FormError(f"{_a(tensor)}, expected real numbers")


def check_form(array: Array, kind: str, shape: tuple[int, ...], dtype: str) -> None:
    """Raise :class:`FormError` unless an array has this shape, and this dtype or none of its own.

    Args:
        array: the array.
        kind: the name of its dtype, or "".
        shape, dtype: expected.
    """
    wrong = []
    if kind not in ("", dtype):
        wrong.append(f"expected {dtype}, got {kind}")
    if array.shape != shape:
        hint = ", is it transposed?" if len(shape) == 2 and array.shape == shape[::-1] else ""
        wrong.append(f"expected shape {shape}, got {array.shape}{hint}")
    if wrong:
        raise FormError("; ".join(wrong))


def _why(answer: object) -> str:
    """How somebody came to return what is no answer, in brackets, or ""."""
    if answer is None:
        return " (is there a return?)"
    if inspect.isgenerator(answer):
        return " (yield in place of return?)"
    if inspect.iscoroutine(answer):
        answer.close()  # or Python warns that nobody has awaited it
        return " (async def in place of def?)"
    return ""


def _described(error: Exception) -> str:
    """One line about somebody else's exception."""
    try:
        first = str(error).strip().partition("\n")[0][:LONGEST]
    except Exception:  # its __str__ may fail as well
        first = ""
    return f"{type(error).__name__}{': ' * bool(first)}{first}"


def _a(value: object) -> str:
    """The type of a value with its article: ``a list``, ``an int``, ``None``."""
    name = type(value).__name__
    return "None" if value is None else f"a{'n' * (name[0].lower() in 'aeiou')} {name}"
