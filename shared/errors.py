"""InputError, which wrong input raises, and its wording: a line for each thing that is wrong."""

from __future__ import annotations

import difflib
import functools
import itertools
import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar, dataclass_transform

from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass

from shared.other_names import OTHER_NAMES

T = TypeVar("T")

# How many problems an error names, and how many characters each of these lines may have.
MOST_PROBLEMS = 20
MOST_CHARACTERS = 500
# Of more names than so many, a message gives only the nearest ones.
MOST_NAMES, NEAREST_NAMES = 12, 3
# The characters of a value that a problem shows, and the bits of an integer shown as it is.
MOST_OF_VALUE, MOST_BITS = 40, 4096


class InputError(ValueError):
    """Wrong input; ``problems`` holds a line for each thing that is wrong with it.

    Each is safe to print, whatever the input: one line, of bounded length, without control
    characters. Of more than ``MOST_PROBLEMS``, only the number is kept.

    Args:
        problems: what is wrong.
        more: how many more problems there are.
    """

    def __init__(self, *problems: str, more: int = 0) -> None:
        self.problems = tuple(map(printable, problems[:MOST_PROBLEMS]))
        self.more = more + len(problems[MOST_PROBLEMS:])
        super().__init__(*self.problems)

    @property
    def lines(self) -> list[str]:
        """The problems and, if there are more than these, how many."""
        return [*self.problems, *([f"and {self.more:,} more problems"] if self.more else [])]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def within(self, place: str) -> InputError:
        """The same problems with the place where they are, such as ``"data: "``, before each."""
        return InputError(*(place + problem for problem in self.problems), more=self.more)


class Findings:
    """Collects the problems of several checks, each in a ``with`` block, to raise them at once.

    A problem that several checks find is kept once.
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.problems: dict[str, None] = {}
        self.more = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, InputError):
            self.problems |= dict.fromkeys(self.prefix + problem for problem in error.problems)
            self.more += error.more
            return True
        return False

    def raise_any(self) -> None:
        """Raise :class:`InputError` with all problems, if there are any."""
        if self.problems:
            raise InputError(*self.problems, more=self.more)


def printable(text: str) -> str:
    """``text`` as one line that a terminal shows as it is: safe to print, whatever is in it.

    Control characters, line ends, invisible characters and those that change the direction of
    writing become escapes; of a long text, the middle is left out.

    >>> printable("name\\x1b[2K")
    'name\\\\x1b[2K'
    """
    half = MOST_CHARACTERS // 2
    if len(text) > MOST_CHARACTERS:
        text = text[:half] + "…" + text[-half:]
    if not text.isprintable():
        text = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
        )
        if len(text) > MOST_CHARACTERS:
            text = text[:half] + "…" + text[-half:]
    return text


def unknown(name: object, kind: str, known: Iterable[str], listed_by: str = "") -> str:
    """The line that says that ``name`` is not one of ``known``, with the nearest one that is.

    Args:
        name: what was given.
        kind: what it should be, such as ``"an activation"``.
        known: the names that there are.
        listed_by: the command that lists them, if one does.

    >>> unknown("sigmod", "an activation", ["relu", "sigmoid"])
    "'sigmod' is not an activation; did you mean 'sigmoid'?"
    >>> unknown("xavier", "a scheme", ["glorot_uniform", "zeros"])
    "'xavier' is not a scheme; did you mean 'glorot_uniform'?"
    """
    text = (name if isinstance(name, str) else short(name))[:MOST_CHARACTERS].lower()
    by_lower_case = {each.lower(): each for each in known}
    others = OTHER_NAMES.get(re.sub(r"\W+", "_", text))
    near = [each for each in others or () if each in by_lower_case]
    if not near and others != ():
        near = difflib.get_close_matches(text, by_lower_case, n=1)
    if near:
        hint = f"did you mean {by_lower_case[near[0]]!r}?"
    elif len(by_lower_case) <= MOST_NAMES:
        hint = "there are " + ", ".join(by_lower_case.values())
    else:
        near = difflib.get_close_matches(text, by_lower_case, n=NEAREST_NAMES, cutoff=0)
        nearest = ", ".join(by_lower_case[each] for each in near)
        hint = f"there are {len(by_lower_case)}, such as {nearest}"
        hint += f"; {listed_by} lists them" if listed_by else ""
    return f"{short(name)} is not {kind}; {hint}"


def input_error(error: ValidationError, keys: Mapping[str, Collection[str]]) -> InputError:
    """Pydantic's findings as lines like ``layers[1].units: should be greater than 0, not 0``.

    Args:
        error: the error that pydantic raised.
        keys: the known keys of each table, one of which is suggested in place of an unknown key.
    """
    findings = error.errors(include_url=False)
    lines = [_problem(finding, keys) for finding in findings[:MOST_PROBLEMS]]
    return InputError(*lines, more=len(findings) - len(lines))


def _problem(finding: Any, keys: Mapping[str, Collection[str]]) -> str:
    *parents, key = finding["loc"] or ("",)
    match finding["type"]:
        case "unexpected_keyword_argument":
            table = next((part for part in reversed(parents) if isinstance(part, str)), "")
            return _at(parents) + unknown(key, "a key here", keys[table])
        case "missing" if isinstance(key, int):
            return _at(finding["loc"]) + "is missing"
        case "missing":
            return _at(parents) + f"{key!r} is missing"
        case "too_long":
            most, given = finding["ctx"]["max_length"], short(finding["input"])
            return _at(finding["loc"]) + f"should be a list of {most}, not {given}"
        case "tuple_type":
            given = short(finding["input"])
            return _at(finding["loc"]) + f"should be a list such as [{given}], not {given}"
        case "dataclass_type" | "dict_type":
            return _at(finding["loc"]) + f"should be a table, not {short(finding['input'])}"
        case "value_error":
            return _at(finding["loc"]) + str(finding["ctx"]["error"])
        case _:
            wrong = finding["msg"].removeprefix("Input ")
            return _at(finding["loc"]) + f"{wrong}, not {short(finding['input'])}"


def _at(path: Iterable[object]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{text.lstrip('.')}: " if text else ""


def short(value: object) -> str:
    """The ``repr`` of a value, cut to at most 40 characters; it costs little for a huge one."""
    text = repr(_cut(value))
    return text if len(text) <= MOST_OF_VALUE else text[: MOST_OF_VALUE - 3] + "..."


def _cut(value: object, depth: int = 0) -> object:
    """The part of a value that matters to :func:`short`: the start of texts and lists."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return _Words(f"an integer of about {round(value.bit_length() * math.log10(2))} digits")
    if isinstance(value, str | bytes):
        return value[:MOST_OF_VALUE]
    if depth > MOST_OF_VALUE and isinstance(value, list | tuple | dict):
        return ...
    match value:
        case list():
            return [_cut(each, depth + 1) for each in value[:MOST_OF_VALUE]]
        case tuple():
            return tuple(_cut(each, depth + 1) for each in value[:MOST_OF_VALUE])
        case dict():
            first = itertools.islice(value.items(), MOST_OF_VALUE)
            return {_cut(key, depth + 1): _cut(each, depth + 1) for key, each in first}
    return value


class _Words:
    """Words that stand for a value in a ``repr``."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __repr__(self) -> str:
        return self.words


@dataclass_transform(frozen_default=True, kw_only_default=True)
def checked(cls: type[T]) -> type[T]:
    """``cls`` as a frozen dataclass; pydantic checks its fields and raises all problems at once."""
    validated: Any = dataclass(config=ConfigDict(extra="forbid"), frozen=True, kw_only=True)(cls)
    validate = validated.__init__

    @functools.wraps(validate)
    def init(self: T, **fields: Any) -> None:
        try:
            validate(self, **fields)
        except ValidationError as error:
            raise input_error(error, {"": validated.__dataclass_fields__}) from None

    validated.__init__ = init
    return validated
