"""The check that an argument of a call is of the right kind."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from types import NoneType
from typing import Any

from shared.errors import InputError

# What kinds are called where their own names say less.
_NAMES = {NoneType: "None", Integral: "an integer", Mapping: "a dict", str: "a string"}


def check_type(name: str, value: Any, *kinds: type) -> None:
    """Refuse a value of another kind.

    Raises:
        InputError: ``value`` is not an instance of any of ``kinds``.
    """
    if not isinstance(value, kinds):
        expected = " or ".join(_NAMES.get(kind, kind.__name__) for kind in kinds)
        raise InputError(f"{name}: expected {expected}, got {kind_of(value)}")


def kind_of(value: Any) -> str:
    """The name of a value's type, or None."""
    return "None" if value is None else type(value).__name__
