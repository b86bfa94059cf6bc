"""Text as a terminal can show it: no control characters, and none that its encoding lacks."""

from __future__ import annotations

import codecs
import re
import unicodedata

# Control characters, lone surrogates, and what breaks a line or turns the direction of writing.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

# What an encoding like ASCII shows in place of a character, where its name does not say.
_PLAIN = {
    "λ": "lambda",
    "µ": "u",
    "Δ": "d",
    "∂": "d",
    "×": "x",
    "·": "*",
    "−": "-",
    "±": "+-",
    "√": "sqrt ",
    "←": "<-",
    "≠": "!=",
    "≤": "<=",
    "≥": ">=",
    "∞": "inf",
    "¬": "not ",
    "⌊": "[",
    "⌋": "]",
}


def visible(text: str, keep: str = "") -> str:
    """The text with each control character written as an escape, such as ``\\x1b``.

    Args:
        text: any text, such as a file's name.
        keep: control characters to leave as they are.
    """

    def escaped(match: re.Match[str]) -> str:
        character = match[0]
        return character if character in keep else ascii(character)[1:-1]

    return _INVISIBLE.sub(escaped, text)


def encodable(text: str, encoding: str) -> str:
    """The text with all that an encoding lacks spelled out: ``sigma`` for ``σ``, else ``?``."""
    return text.encode(encoding, _SPELL).decode(encoding)


def _spelled(character: str) -> str:
    if plain := _PLAIN.get(character):
        return plain
    kind, *codes = unicodedata.decomposition(character).split() or [""]
    if not kind.startswith("<"):  # a letter with an accent, if it has any
        codes = [kind] if kind else []
    parts = "".join(chr(int(code, 16)) for code in codes).replace("\u2044", "/")
    before = {"<super>": "^", "<sub>": "_"}.get(kind, "")
    if parts.isascii() and parts:
        return before + parts
    match unicodedata.name(character, "").split():
        case ["GREEK", "SMALL", "LETTER", letter]:
            return letter.lower()
        case ["GREEK", "CAPITAL", "LETTER", letter]:
            return letter.capitalize()
    return "" if unicodedata.combining(character) else "?"


def _spell(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    return "".join(map(_spelled, missing)), error.end


_SPELL = "threeways.spell"
codecs.register_error(_SPELL, _spell)
