"""stdout and stderr as the commands write to them: any text can be written, no failure is lost.

A character that the encoding lacks is spelled out, or replaced. When stdout cannot be written,
:class:`OutputError` says so; when stderr cannot, nobody is left to be told.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from threeways.characters import encodable


class OutputError(Exception):
    """stdout cannot be written: its reader has gone, its disk is full, or it is closed."""

    def __init__(self, error: OSError) -> None:
        self.reader_has_gone = isinstance(error, BrokenPipeError)
        super().__init__(f"cannot write the output ({error.strerror or error})")


class _Stream:
    """A text stream that can write all characters.

    Args:
        stream: the stream that it writes to; None if that was closed from the start.
        must_work: whether :class:`OutputError` is raised when it cannot be written, each time.
    """

    def __init__(self, stream: Any, must_work: bool) -> None:
        self._stream = stream or io.StringIO()
        self._must_work = must_work
        self._error = None if stream else OSError(errno.EBADF, "stdout is closed")

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # click would write its bytes there
            raise AttributeError(name)
        return getattr(self._stream, name)

    def write(self, text: str | bytes) -> int:
        if isinstance(text, bytes):
            if not text:  # click's test of whether a stream takes bytes alone
                raise TypeError("expected a text")
            text = text.decode()  # what it completes in a shell, it writes as bytes
        plain = encodable(text, self._stream.encoding or "utf-8")
        self._attempt(lambda: self._stream.write(plain))
        return len(text)

    def flush(self) -> None:
        self._attempt(self._stream.flush)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            if not self._error:
                action()
        except OSError as error:
            self._error = error
            self._silence()
        if self._error and self._must_work:
            raise OutputError(self._error)

    def _silence(self) -> None:
        """Let what is still in the stream's buffer go nowhere, when Python flushes it at exit."""
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        except (OSError, ValueError):
            return


@contextmanager
def safe_streams() -> Iterator[None]:
    """Replace stdout and stderr by streams that can write all characters, while the block runs."""
    _occupy_closed_descriptors()
    before = sys.stdout, sys.stderr
    streams: Any = _Stream(sys.stdout, must_work=True), _Stream(sys.stderr, must_work=False)
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _occupy_closed_descriptors() -> None:
    """Open /dev/null as stdin, stdout or stderr if closed, so that no file gets its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
