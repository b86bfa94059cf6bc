"""Silence on the terminal while C++ libraries are imported, which write to it as they please."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard all that is written to stderr, even by C++ code, while the block runs.

    TensorFlow reports the devices it looks for; ``TF_CPP_MIN_LOG_LEVEL`` does not stop all of it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    terminal = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
