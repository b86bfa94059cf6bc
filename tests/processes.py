"""Processes that tests start: none of them is left behind, and none is waited for without end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# In seconds; longer than anything takes on a busy machine.
LIMIT = 120.0


@contextmanager
def started(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that is killed when the block ends, if it has not ended."""
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def marked(mark: str) -> list[int]:
    """The processes that have inherited the variable MARK with this value."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit():
                variables = (folder / "environ").read_bytes().split(b"\0")
                found += [int(folder.name)] * (f"MARK={mark}".encode() in variables)
    return [each for each in found if each != os.getpid()]


def wait_until(condition: Any, what: str) -> None:
    """Return as soon as a condition holds; fail if it does not in a long time."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def wait_until_gone(mark: str) -> None:
    """Return as soon as no process has a mark; if some stay, kill them and fail."""
    try:
        wait_until(lambda: not marked(mark), "processes are left behind")
    finally:
        for each in marked(mark):
            with suppress(ProcessLookupError):
                os.kill(each, 9)
