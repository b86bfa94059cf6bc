"""How long work tells of its progress."""

from __future__ import annotations

from collections.abc import Callable

# Called with how much is done, and of how much.
OnProgress = Callable[[int, int], None]
