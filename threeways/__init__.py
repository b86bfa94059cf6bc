"""The same neural networks three ways, compared number by number; from Python, ``diagnose``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threeways.mistakes.diagnosis import diagnose

__all__ = ["diagnose"]


def __getattr__(name: str) -> object:
    if name != "diagnose":  # loaded only when asked for: it needs more than most commands do
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from threeways.mistakes.diagnosis import diagnose

    return diagnose
