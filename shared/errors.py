"""InputError, which wrong input raises, and its wording: a line for each thing that is wrong."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar, dataclass_transform

from pydantic import ConfigDict, ValidationError
from pydantic.dataclasses import dataclass

T = TypeVar("T")


class InputError(ValueError):
    """Wrong input; ``problems`` holds a line for each thing that is wrong with it."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class Findings:
    """Collects the problems of several checks, each in a ``with`` block, to raise them at once."""

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self.problems: list[str] = []

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if isinstance(error, InputError):
            self.problems += [self.prefix + problem for problem in error.problems]
            return True
        return False

    def raise_any(self) -> None:
        """Raise :class:`InputError` with all problems, if there are any."""
        if self.problems:
            raise InputError(*self.problems)


def unknown(name: object, kind: str, known: Iterable[str]) -> str:
    """The line that says that ``name`` is not one of ``known``, with the nearest one that is.

    >>> unknown("sigmod", "an activation", ["relu", "sigmoid"])
    "'sigmod' is not an activation; did you mean 'sigmoid'?"
    """
    by_lower_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(str(name).lower(), by_lower_case, n=1)
    there_are = "there are " + ", ".join(by_lower_case.values())
    hint = f"did you mean {by_lower_case[near[0]]!r}?" if near else there_are
    return f"{name!r} is not {kind}; {hint}"


def problems_of(error: ValidationError, keys: Mapping[str, Collection[str]]) -> list[str]:
    """Pydantic's findings as lines like ``layers[1].units: should be greater than 0, not 0``.

    Args:
        error: the error that pydantic raised.
        keys: the known keys of each table, one of which is suggested in place of an unknown key.
    """
    return [_problem(finding, keys) for finding in error.errors(include_url=False)]


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
        case "dataclass_type":
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
    """The ``repr`` of a value, cut to at most 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


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
            raise InputError(*problems_of(error, {"": validated.__dataclass_fields__})) from None

    validated.__init__ = init
    return validated
