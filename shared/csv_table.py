"""The table of numbers in a CSV text; whatever is not a number is reported by line and column."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections import Counter

import numpy as np

from shared.arrays import Array
from shared.errors import InputError, short

# What people separate columns by, other than commas.
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "spaces"}


def parse_csv(text: str) -> Array:
    """The numbers (N, D) under D headings, separated by commas, a row a line; blank lines are none.

    Raises:
        InputError: a line has more or fewer columns than the headings, or something else in it than
            finite numbers; the headings are numbers, missing or alike; or there are no rows.
    """
    if not text.strip():
        raise InputError("no rows in it")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"line {line}: a null character in it, so this is not text")
    lines = csv.reader(io.StringIO(text), strict=True, skipinitialspace=True)
    numbers = array("d")
    problems: list[str] = []
    try:
        headings = [heading.strip() for heading in next(lines, [])]
        _check_headings(headings)
        first = lines.line_num
        for row in lines:
            if len(row) < 2 and not "".join(row).strip():
                continue
            if (values := _finite(row)) and len(row) == len(headings):
                numbers.extend(values)
            elif not problems and (separator := _separator(text, first, lines.line_num)):
                raise InputError(
                    f"the columns seem to be separated by {separator}; expected commas"
                )
            else:
                problems.append(f"line {lines.line_num}{_problem(row, headings)}")
    except csv.Error as error:
        raise InputError(f"line {lines.line_num}: {error}") from None
    if problems:
        raise InputError(*problems)
    if not numbers:
        raise InputError("no rows in it")
    return np.array(numbers).reshape(-1, len(headings))


def _check_headings(headings: list[str]) -> None:
    if not any(headings):
        raise InputError("line 1: no headings")
    if all(_is_number(heading) for heading in headings):
        raise InputError("the first line should be headings, not numbers")
    for column, heading in enumerate(headings, start=1):
        if not heading:
            raise InputError(f"line 1, column {column}: no heading")
    for heading, times in Counter(headings).items():
        if times > 1:
            raise InputError(f"line 1: {times} columns are headed {short(heading)}")


def _finite(row: list[str]) -> list[float]:
    """The numbers in a row; none if any of them is not a finite number."""
    try:
        values = list(map(float, row))
    except ValueError:
        return []
    is_finite = math.isfinite(sum(values)) or all(map(math.isfinite, values))
    return values if is_finite and "_" not in "".join(row) else []  # Python takes 1_000


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _problem(row: list[str], headings: list[str]) -> str:
    """What is wrong with a row, from the column on."""
    if len(row) != len(headings):
        return f": {_count(row, 'column')}, but {_count(headings, 'heading')}"
    column = next(column for column, cell in enumerate(row) if not _finite([cell]))
    at, cell = f", column {column + 1} ({short(headings[column])}): ", row[column].strip()
    if not cell:
        return f"{at}is empty; expected a number"
    if _is_number(cell) and "_" not in cell:
        return f"{at}{float(cell)} is not a finite number"
    return f"{at}could not convert string {short(cell)} to a number"


def _count(items: list[str], what: str) -> str:
    return f"{len(items)} {what}{'s' * (len(items) != 1)}"


def _separator(text: str, first: int, wrong: int) -> str | None:
    """What seems to separate the columns in the lines of these numbers, if it is not commas."""
    lines = text.split("\n")
    headings, row = lines[first - 1], lines[wrong - 1]
    for separator, name in _SEPARATORS.items():
        if headings.count(",") < headings.count(separator) == row.count(separator):
            return name
    return None
