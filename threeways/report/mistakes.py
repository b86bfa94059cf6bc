"""The catalogue of mistakes in words, line by line, and as JSON."""

from __future__ import annotations

import itertools
import math
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.quantities import element
from threeways.mistakes import MISTAKES
from threeways.mistakes.departures import STEPS, Departure
from threeways.report.console import plural

SCHEMA = "threeways/mistakes/v1"
GAP = "  "
# The least width of a text beside names.
LEAST_TEXT = 30

Departures = Mapping[str, Mapping[str, Departure]]


def list_mistakes(departures: Departures | None, case: str | None, width: int) -> Iterator[str]:
    """A line for each mistake, under the part of the step that it is made in.

    Args:
        departures: the cases in which each shows, if only those that show are wanted.
        case: the name of the only case that was tried, if so.
        width: the width of the terminal, in columns.
    """
    listed = [name for name in MISTAKES if departures is None or departures[name]]
    column = min(max(map(len, listed), default=0), width // 2 - 2 * len(GAP))
    for part, names in itertools.groupby(listed, part_of):
        yield from textwrap.wrap(part, width)
        for name in names:
            beside = f"{GAP}{name.ljust(column)}{GAP}"
            if len(name) > column:
                yield GAP + name
                beside = " " * (column + 2 * len(GAP))
            yield from _beside(beside, MISTAKES[name].title, width)
        yield ""
    if departures is None or case is None:
        yield f"{len(MISTAKES)} known mistakes; `threeways mistakes NAME` explains one"
    else:
        show = "shows" if len(listed) == 1 else "show"
        yield f"{len(listed)} of {len(MISTAKES)} known mistakes {show} in {_first_steps(case)}"


def explain_mistake(
    name: str, departures: Mapping[str, Departure], tried: Sequence[str], width: int
) -> Iterator[str]:
    """Lines about a mistake: what was done, why it is wrong, what to do, and where it shows.

    Args:
        name: the mistake.
        departures: its first departure in each case that it shows on, by the case's name.
        tried: the names of the cases that were tried.
        width: the width of the terminal, in columns.
    """
    mistake = MISTAKES[name]
    yield f"{name}: {mistake.title}"
    yield ""
    yield from _beside("what was done:   ", mistake.did, width)
    yield from _beside("why it is wrong: ", mistake.why, width)
    yield from _beside("what to do:      ", mistake.fix, width)
    yield ""
    if len(tried) == 1:
        yield from _in_one_case(tried[0], departures, width)
        return
    if not departures:
        yield f"It shows on none of this project's {plural(len(tried), 'network')}."
        return
    yield f"It shows on {len(departures)} of {plural(len(tried), 'network')}, first in"
    places: dict[tuple[int, str], list[str]] = {}
    for case, each in departures.items():
        places.setdefault((each.step, each.quantity.partition("[")[0]), []).append(case)
    for (step, array), cases in sorted(places.items(), key=lambda place: place[0][0]):
        later = f" of step {step}" if step > 1 else ""
        yield from _beside(f"{GAP}{array}{later}: ", ", ".join(cases), width)


def _in_one_case(case: str, departures: Mapping[str, Departure], width: int) -> Iterator[str]:
    if case not in departures:
        yield f"It does not show in {_first_steps(case)}."
        return
    each = departures[case]
    number = element(each.quantity, each.index)
    numbers = f"{number} is {each.wrong:.9g}, should be {each.right:.9g}"
    later = f" in step {each.step}" if each.step > 1 else ""
    yield from textwrap.wrap(f"On {case} it shows first{later}: {numbers}.", width)


def _first_steps(case: str) -> str:
    return f"the first {plural(STEPS, 'step')} of {case}"


def part_of(name: str) -> str:
    """The part of the step that a mistake is made in, as ``Mistakes in the forward pass``."""
    text = sys.modules[MISTAKES[name].__module__].__doc__ or ""
    return re.split(r"[.:](?:\s|$)", text, maxsplit=1)[0]


def _beside(head: str, text: str, width: int) -> list[str]:
    """A text beside its head, or under it if there is little room, wrapped to the width."""
    indent = " " * (len(head) if width - len(head) >= LEAST_TEXT else 4)
    lines = textwrap.wrap(
        text,
        max(width - len(indent), LEAST_TEXT),
        break_long_words=False,
        break_on_hyphens=False,
    )
    if len(indent) < len(head):
        return [head.rstrip(), *(indent + line for line in lines)]
    return [
        beside + line
        for beside, line in zip([head, *[indent] * (len(lines) - 1)], lines, strict=True)
    ]


def mistakes_json(names: Sequence[str], departures: Departures | None) -> dict[str, Any]:
    """The mistakes as JSON holds them.

    Args:
        names: the mistakes; of a catalogue with departures, only those that show.
        departures: the first departure of each in each case that it shows on, if they were looked
            for.
    """
    tables = []
    for name in names:
        mistake = MISTAKES[name]
        table: dict[str, Any] = {"name": name, "part": part_of(name), "title": mistake.title}
        table |= {"did": mistake.did, "why": mistake.why, "fix": mistake.fix}
        if departures is not None:
            if not departures[name] and len(names) > 1:
                continue
            table["shows"] = [
                {
                    "case": case,
                    "step": each.step,
                    "quantity": each.quantity,
                    "index": each.index,
                    "wrong": each.wrong if math.isfinite(each.wrong) else str(each.wrong),
                    "right": each.right,
                }
                for case, each in departures[name].items()
            ]
        tables.append(table)
    return {"schema": SCHEMA, "mistakes": tables}
