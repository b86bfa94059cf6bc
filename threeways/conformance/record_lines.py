"""A file of recorded steps as JSON or as JSON Lines, which a training loop can append to.

The first of the lines is a group without its tests, with ``schema`` and whatever else is the
file's; each further line is one test, or the next group::

    {"schema": "threeways/vectors/v1", "network": {…}, "learning_rate": 0.1, "chained": true, …}
    {"quantities": {"loss": 0.29837, "W_next[0]": [[…]], …}}
    {"quantities": {"loss": 0.29103, "W_next[0]": [[…]], …}}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared import InputError
from shared.errors import Findings, short
from shared.reading import parse_json, read_text
from threeways.conformance.record_tables import FileTable


@dataclass(frozen=True)
class Content:
    """What a file holds, whichever form it has.

    Args:
        tables: as of one JSON file.
        lines: the line of each group, by its path; and of each test, if they are JSON Lines.
    """

    tables: Any
    lines: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def placed(self) -> Iterator[None]:
        """Say the line instead of the path of a group or test in an :class:`InputError`."""
        try:
            yield
        except InputError as error:
            if not self.lines:
                raise
            problems = (_PLACE.sub(self._line, problem, count=1) for problem in error.problems)
            raise InputError(*problems, more=error.more) from None

    def _line(self, place: re.Match[str]) -> str:
        line = self.lines.get(place[1])
        if line is None:
            return place[0]
        return f"line {line}: " + place[2].removeprefix(".").removeprefix(": ")


_PLACE = re.compile(r"^(groups\[\d+\](?:\.tests\[\d+\])?)(\.|: |)")


def read_content(path: Path) -> Content:
    """The content of a file of recorded steps.

    Raises:
        InputError: it cannot be read, or is neither JSON nor JSON Lines.
    """
    text = read_text(path)
    first, _, rest = text.lstrip().partition("\n")
    try:
        header = parse_json(first)
    except InputError:
        return Content(parse_json(text))
    if (
        isinstance(header, dict)
        and "groups" not in header
        and ("network" in header or rest.strip())
    ):
        return _content_of_lines(text)
    return Content(parse_json(text))


def _content_of_lines(text: str) -> Content:
    """The content of JSON Lines, the first of which is a table."""
    findings = Findings()
    lines: dict[str, int] = {}
    groups: list[dict[str, Any]] = []
    file: dict[str, Any] = {"groups": groups}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        with findings:
            table = _table(line, number)
            if not lines:
                of_file = {*FileTable.__dataclass_fields__} - {"groups", "digits"}
                file |= {key: table.pop(key) for key in of_file & table.keys()}
            if "tests" in table:
                raise InputError(f"line {number}: tests: each has a line of its own")
            if not lines or "network" in table:
                lines[f"groups[{len(groups)}]"] = number
                groups.append(table | {"tests": []})
            else:
                tests = groups[-1]["tests"]
                lines[f"groups[{len(groups) - 1}].tests[{len(tests)}]"] = number
                tests.append(table)
    findings.raise_any()
    return Content(file, lines)


def _table(line: str, number: int) -> dict[str, Any]:
    """The table in a line of a file."""
    try:
        table = parse_json(line)
    except InputError as error:
        problems = (problem.replace("at line 1, ", "at ") for problem in error.problems)
        raise InputError(*problems).within(f"line {number}: ") from None
    if not isinstance(table, dict):
        raise InputError(f"line {number}: should be a table, not {short(table)}")
    return table
