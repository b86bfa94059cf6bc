"""Silence on the terminal while C++ libraries are imported, which write to it as they please."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# How many blocks are silent now, in all threads, and where stderr goes after the last one ends.
_lock = threading.Lock()
_n_blocks = 0
_terminal: int | None = None


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard all that is written to stderr, even by C++ code, while the block runs.

    Blocks may overlap, in one thread or several: stderr comes back when the last one ends.
    """
    global _n_blocks, _terminal
    with _lock:
        if _n_blocks == 0:
            _terminal = _redirect()
        _n_blocks += 1
    try:
        yield
    finally:
        with _lock:
            _n_blocks -= 1
            if _n_blocks == 0 and _terminal is not None:
                _flush()
                os.dup2(_terminal, 2)
                os.close(_terminal)


def _redirect() -> int | None:
    """Send stderr to the null device; the descriptor of where it went, None if it was closed.

    A closed one stays with the null device: the next file opened would get what is written to it.
    """
    _flush()
    try:
        terminal = os.dup(2)
    except OSError:
        terminal = None
    null = os.open(os.devnull, os.O_WRONLY)
    if null != 2:
        os.dup2(null, 2)
        os.close(null)
    return terminal


def _flush() -> None:
    with suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
        sys.stderr.flush()
