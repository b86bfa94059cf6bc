"""The numbers of a step, as a table for a terminal and as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.cells import cell_len

from shared import Array, Case, ChainRuleCase, InputError
from shared.own_names import resolve
from shared.quantities import element, is_inside, parse_element, unknown_quantity
from threeways.report.console import plural

SCHEMA = "threeways/show/v1"
# The rows and columns that are shown of an array that has more, half of them from its end.
MOST_ROWS, MOST_COLUMNS = 6, 12
GAP = "  "


@dataclass(frozen=True, eq=False)
class Part:
    """An array of the step, or one element of it.

    Args:
        name: as the step calls it, ``"dW[1]"`` or ``"dW[1][0,1]"``.
        values: its numbers; () if it is one.
        quantity: the array that it is, or belongs to.
        index: the index of the element; empty for a whole array.
    """

    name: str
    values: Array
    quantity: str
    index: tuple[int, ...] = ()


def parts(
    numbers: Mapping[str, Array], wanted: Sequence[str], names: Mapping[str, str]
) -> list[Part]:
    """The arrays and elements that are wanted; all arrays if none is.

    Args:
        numbers: the numbers of the step by name.
        wanted: quantities, elements, or names of the lecture; ``"dW"`` is every layer's.
        names: the lecture's names.

    Raises:
        InputError: the step has no such quantity or index.
    """
    if not wanted:
        return [Part(name, values, name) for name, values in numbers.items()]
    found = []
    problems = []
    for name in dict.fromkeys(wanted):
        text = "x" if name == "a[0]" and "x" in numbers else resolve(name, names)
        quantity, index = parse_element(text)
        of_layers = [each for each in numbers if each.partition("[")[0] == text]
        if of_layers:
            found += [Part(each, numbers[each], each) for each in of_layers]
        elif quantity not in numbers:
            problems.append(unknown_quantity(name, {*numbers, *names}))
        elif not index:
            found.append(Part(quantity, numbers[quantity], quantity))
        elif is_inside(index, numbers[quantity].shape):
            found.append(Part(text, numbers[quantity][index], quantity, index))
        else:
            problems.append(
                f"{name}: outside of {quantity}, whose shape is {numbers[quantity].shape}"
            )
    if problems:
        raise InputError(*problems)
    return found


def explain_step(
    case: Case | ChainRuleCase,
    step: int,
    parts: Sequence[Part],
    names: Mapping[str, str],
    digits: int,
    width: int,
    whole: bool,
) -> Iterator[str]:
    """The lines of the table: each array with its shape and its rows.

    Args:
        case: the case.
        step: the number of the step, from 1.
        parts: the arrays and elements to show.
        names: the lecture's names, each with what it stands for.
        digits: how many significant digits.
        width: the width of the terminal, in columns.
        whole: whether all numbers are shown; else large arrays are abridged.
    """
    lectures = f" ({', '.join(case.lectures)})" if case.lectures else ""
    yield f"{case.name}: {case.title}{lectures}"
    start = "" if step == 1 else f" from where NumPy in {case.dtype} is after {step - 1:,}"
    yield f"step {step:,}, exact{start}, rounded to {plural(digits, 'digit')}"
    yield ""
    own = {text: name for name, text in names.items()}
    heads = [
        f"{part.name} = {own[part.name]}" if part.name in own and part.values.ndim else part.name
        for part in parts
    ]
    shapes = [str(part.values.shape) for part in parts]
    head_width, shape_width = (max(map(cell_len, texts)) for texts in (heads, shapes))
    indent = head_width + shape_width + 2 * len(GAP)
    abridged = []
    for part, head, shape in zip(parts, heads, shapes, strict=True):
        rows, left_out = _rows(part, own, digits, width - indent, whole)
        if left_out:
            abridged.append(part.name)
        beside = GAP.join([_padded(head, head_width), shape.ljust(shape_width)])
        for line in rows:
            yield f"{beside}{GAP}{line}".rstrip()
            beside = " " * (indent - len(GAP))
    if abridged:
        example = next((name for name in abridged if name.startswith("dW")), abridged[0])
        yield ""
        yield f"large arrays are abridged: --quantity '{example}' shows one whole, --json all"


def _rows(
    part: Part, own: Mapping[str, str], digits: int, width: int, whole: bool
) -> tuple[list[str], bool]:
    """The lines of an array's rows, and whether some of its numbers are left out."""
    matrix = np.atleast_2d(part.values)
    n_rows, n_columns = matrix.shape
    sign = " " if (matrix < 0).any() else ""

    def cell(i: int | None, j: int | None) -> tuple[str, str]:
        """The lecture's name of a number, or none, and its digits."""
        if i is None or j is None:
            return "", "…"
        index = part.index or (i, j)[2 - part.values.ndim :]
        number = f"{matrix[i, j] + 0.0:{sign}.{digits}g}"  # + 0.0, so that there is no -0
        return own.get(element(part.quantity, index), ""), number

    rows = _ends(n_rows, n_rows if whole else MOST_ROWS)
    most = n_columns if whole else min(n_columns, MOST_COLUMNS)
    is_named = any(text.startswith(f"{part.quantity}[") for text in own)
    layouts = [_beside, _above] if is_named else [_beside]
    for n in [most] if whole or is_named else range(most, 0, -1):
        columns = _ends(n_columns, n)
        cells = [[cell(i, j) for j in columns] for i in rows]
        for layout in layouts:
            lines = layout(cells)
            if max(map(cell_len, lines)) <= width:
                return lines, None in rows or None in columns
    wrapped = [part for line in _beside(cells) for part in _wrapped(line, width)]
    return wrapped, None in rows or None in columns


Cells = Sequence[Sequence[tuple[str, str]]]


def _beside(cells: Cells) -> list[str]:
    """A line for each row, with the names beside the numbers: ``w1 = 0.15  w3 = 0.25``."""
    return _aligned(
        [
            [f"{name} = {number.strip()}" if name else number for name, number in row]
            for row in cells
        ]
    )


def _above(cells: Cells) -> list[str]:
    """Two lines for each row, with the names above the numbers."""
    return _aligned([list(line) for row in cells for line in zip(*row, strict=True)])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return [GAP.join(map(_padded, row, widths)).rstrip() for row in rows]


def _ends(n: int, most: int) -> list[int | None]:
    """The indices 0 .. n-1, or only ``most`` of them, first and last ones around a None."""
    if n <= most:
        return [*range(n)]
    return [*range(most - most // 2), None, *range(n - most // 2, n)]


def _wrapped(line: str, width: int) -> list[str]:
    """The line or, if it is too long, several, broken at gaps and indented from the second on."""
    lines = [""]
    for text in re.split(rf"(?<=\S){GAP}", line):
        joined = f"{lines[-1]}{GAP}{text}" if lines[-1].strip() else lines[-1] + text
        if lines[-1].strip() and cell_len(joined) > width:
            joined = GAP + text.lstrip()
            lines.append(joined)
        lines[-1] = joined.rstrip()
    return lines


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def step_json(
    case: Case | ChainRuleCase, step: int, parts: Sequence[Part], names: Mapping[str, str]
) -> dict[str, Any]:
    """The numbers as JSON holds them, with all digits of a double."""
    return {
        "schema": SCHEMA,
        "case": case.name,
        "dtype": case.dtype,
        "step": step,
        "numbers": {part.name: _finite(part.values.tolist()) for part in parts},
        "names": dict(names),
    }


def _finite(values: Any) -> Any:
    """The numbers, ``"inf"``, ``"-inf"`` and ``"nan"`` as texts, which JSON has no numbers for."""
    if isinstance(values, list):
        return [_finite(each) for each in values]
    return values if math.isfinite(values) else str(values)
