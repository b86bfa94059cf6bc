"""The child process, seen from its parent.

Nothing that comes from it is trusted: it may print, hang, crash or never end, and its answers are
read as JSON and as arrays whose sizes are known beforehand.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, Self

import numpy as np

from shared import Array, InputError
from threeways.sandbox.worker import LENGTH

START_LIMIT = 60.0  # seconds
POLL_INTERVAL = 0.05  # seconds between checks that the child still runs

LONGEST_HEADER = 1 << 20  # bytes
LONGEST_PROBLEM = 300  # characters
LONGEST_PRINT = 80  # characters


class NoAnswerError(Exception):
    """The child has not answered, and never will; the message says why."""


class Child:
    """A child process; leaving the ``with`` block kills it and every process that it started.

    Args:
        handler: our function, ``module:function``, that makes answers of a target
            (:mod:`threeways.sandbox.worker`).
        time_limit: seconds that the target's import and each answer may take.
    """

    def __init__(self, handler: str, time_limit: float) -> None:
        self.handler = handler
        self.time_limit = time_limit
        self.output_summary = OutputSummary()

    def __enter__(self) -> Self:
        self.connection, theirs = socket.socketpair()
        with theirs:
            # -P: nothing in the current folder is taken for a module of Python's or of ours.
            worker = [sys.executable, "-P", "-B", "-m", "threeways.sandbox.worker"]
            self.process = subprocess.Popen(
                [*worker, self.handler, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        assert self.process.stdout
        self.output: IO[bytes] = self.process.stdout
        os.set_blocking(self.output.fileno(), False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.connection, selectors.EVENT_READ)
        self.selector.register(self.output, selectors.EVENT_READ)
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        for each in (self.selector, self.connection, self.output):
            each.close()

    def kill(self) -> None:
        """End the process and those that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def load(self, target: str) -> None:
        """Import a target, ``MODULE:NAME`` or ``FILE.py:NAME``, in the child.

        Raises:
            InputError: it cannot be imported or used.
        """
        try:
            self._answer(START_LIMIT, {}, np.dtype(float))
        except NoAnswerError as error:
            raise RuntimeError(f"no child process: {error}; {self.printed()}") from None
        try:
            _, problems = self.ask(target, {}, "float64")
        except NoAnswerError as error:
            raise InputError(f"{target} cannot be imported: {error}") from None
        if problems:
            raise InputError(*problems)

    def ask(
        self, request: object, shapes: Mapping[str, tuple[int, ...]], dtype: str
    ) -> tuple[dict[str, Array], list[str]]:
        """The arrays of an answer, and one line for each problem.

        Args:
            request: what the handler's ``answer`` is called with; it is pickled.
            shapes: of the arrays that may come, by name; any other is an error.
            dtype: of all of them.

        Raises:
            NoAnswerError: the time is up, or the process has ended.
        """
        self.connection.settimeout(self.time_limit)
        try:
            self.connection.sendall(pickle.dumps(request))
        except TimeoutError:
            raise self._too_late() from None
        except OSError:
            raise self._ended() from None
        return self._answer(self.time_limit, shapes, np.dtype(dtype))

    def printed(self) -> str | None:
        """One line about what the child printed since the last call; None if nothing."""
        summary, self.output_summary = self.output_summary, OutputSummary()
        return summary.line()

    def _answer(
        self, limit: float, shapes: Mapping[str, tuple[int, ...]], dtype: np.dtype[Any]
    ) -> tuple[dict[str, Array], list[str]]:
        """The next answer, as ``worker.packed`` writes it."""
        deadline = time.monotonic() + limit
        (length,) = LENGTH.unpack(self._receive(LENGTH.size, deadline))
        try:
            if length > LONGEST_HEADER:
                raise ValueError
            header = json.loads(self._receive(length, deadline))
            sizes = {name: math.prod(shapes[name]) * dtype.itemsize for name in header["arrays"]}
            problems = [one_line(problem, LONGEST_PROBLEM) for problem in header["problems"]]
        except (LookupError, TypeError, ValueError, RecursionError):
            self.kill()
            raise NoAnswerError(
                "its answer is garbled: does it write to file descriptors of others?"
            ) from None
        return {
            name: np.frombuffer(self._receive(size, deadline), dtype).reshape(shapes[name])
            for name, size in sizes.items()
        }, problems

    def _receive(self, size: int, deadline: float) -> bytes:
        """The next ``size`` bytes of an answer; what is printed meanwhile is read as well."""
        received = bytearray()
        while len(received) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._too_late()
            # Copies of the process may keep its end of the socket open when it has ended.
            has_ended = self.process.poll() is not None
            ready = {key.fileobj for key, _ in self.selector.select(min(left, POLL_INTERVAL))}
            if self.output in ready:
                self._read_output()
            if self.connection in ready:
                received += self._received(size - len(received))
            elif has_ended:
                raise self._ended()
        return bytes(received)

    def _received(self, most: int) -> bytes:
        try:
            part = self.connection.recv(min(most, 1 << 20))
        except OSError:
            part = b""
        if not part:
            raise self._ended()
        return part

    def _read_output(self) -> None:
        try:
            part = os.read(self.output.fileno(), 1 << 20)
        except BlockingIOError:
            return
        self.output_summary.add(part)
        if not part and self.output in self.selector.get_map():
            self.selector.unregister(self.output)

    def _too_late(self) -> NoAnswerError:
        self.kill()
        return NoAnswerError(f"no answer within {self.time_limit:g} s: an endless loop?")

    def _ended(self) -> NoAnswerError:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)
        code = self.process.returncode
        self.kill()
        if code is None:
            return NoAnswerError("no answer: does it close file descriptors of others?")
        if code < 0:
            name = (signal.strsignal(-code) or "unknown").lower()
            return NoAnswerError(f"ended by signal {-code} ({name})")
        return NoAnswerError(f"ended with exit code {code}: os._exit?")


class OutputSummary:
    """How many lines were printed, and the first of them."""

    def __init__(self) -> None:
        self.n_lines = 0
        self.open_line = False  # printed, but not ended
        self.head = b""

    def add(self, part: bytes) -> None:
        """Count what was printed next."""
        if part:
            self.n_lines += part.count(b"\n")
            self.open_line = not part.endswith(b"\n")
            self.head = (self.head + part).lstrip()[:1000]

    def line(self) -> str | None:
        """``it printed 3 lines, the first: …``; None if nothing was printed."""
        count = self.n_lines + self.open_line
        if not count:
            return None
        first = one_line(self.head.decode(errors="replace"), LONGEST_PRINT)
        which = ", the first" if count > 1 else ""
        lines = f"it printed {count} line{'s' * (count > 1)}"
        return f"{lines}{which}: {first}" if first else lines


def one_line(text: str, longest: int) -> str:
    """The first line of a text, at most ``longest`` characters, without terminal controls."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    line = "".join(each if each.isprintable() else "?" for each in first)
    return line if len(line) <= longest else line[: longest - 1] + "…"
