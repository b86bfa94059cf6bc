"""The tables in a TOML text; nothing in it may be so deep or so long that it only costs time."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from shared.errors import MOST_BITS, InputError, short

# How deep tables and lists may lie in one another. A case needs 5: parameters[0].W[0][0].
MOST_NESTED = 50

# So many dots in one key, which tomllib takes long for: a time that grows with their square.
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+"""
_DEEP_KEY = re.compile(rf"(?<![\w-])(?:{_PART}\.[ \t]*+){{{MOST_NESTED}}}")


def parse_toml(text: str) -> dict[str, Any]:
    """The tables that a text in TOML stands for.

    Raises:
        InputError: it is not TOML, is nested too deeply, or has an integer of hundreds of digits.
    """
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise InputError(f"line {line}: a key of more than {MOST_NESTED} parts")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        end = f"at line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}"
        raise InputError("not TOML: " + str(error).replace("at end of document", end)) from None
    except RecursionError:
        raise InputError("not TOML: nested too deeply") from None
    except ValueError as error:
        digits = "an integer of thousands of digits" if "digits" in str(error) else str(error)
        raise InputError(f"not TOML: {digits}") from None
    _check(table)
    return table


def _check(table: dict[str, Any]) -> None:
    """Raise :class:`InputError` if the tables are too deep, or an integer has too many digits."""
    level: list[tuple[str, Any]] = [("", table)]
    for _ in range(MOST_NESTED):
        below: list[tuple[str, Any]] = []
        for at, value in level:
            if isinstance(value, int) and value.bit_length() > MOST_BITS:
                raise InputError(f"{at}: should be a smaller number, not {short(value)}")
            if isinstance(value, dict):
                below += ((f"{at}.{key}" if at else key, each) for key, each in value.items())
            elif isinstance(value, list):
                tried = ((i, each) for i, each in enumerate(value) if not isinstance(each, float))
                below += ((f"{at}[{i}]", each) for i, each in tried)
        level = below
    if level:
        raise InputError("not TOML: nested too deeply")
