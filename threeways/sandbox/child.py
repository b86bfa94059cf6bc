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
import subprocess
import time
from collections.abc import Collection, Mapping
from typing import IO, Any, Self

import numpy as np

from shared import Array, InputError
from threeways.sandbox.process import SupervisedProcess, how_it_ended
from threeways.sandbox.worker import LENGTH, MOST_PROBLEMS, NOT_SUPPORTED, REFUSED

START_LIMIT = 60.0  # seconds

LONGEST_HEADER = 1 << 20  # bytes
LONGEST_PROBLEM = 500  # characters
LONGEST_PRINT = 80  # characters


class NoAnswerError(Exception):
    """The child has not answered, and never will; the message says why."""


class TooLateError(NoAnswerError):
    """The time was up."""


class NotSupportedError(Exception):
    """The target says that what it is asked for is not what it is for; the message is its own."""


class Child:
    """A child process; leaving the ``with`` block kills it and every process that it started.

    Args:
        handler: our function, ``module:function``, that makes answers of a target
            (:mod:`threeways.sandbox.worker`).
        time_limit: seconds that the target's import and each answer may take.

    Attributes:
        declared: what the target says about itself, once it is loaded; any JSON.
    """

    def __init__(self, handler: str, time_limit: float) -> None:
        self.handler = handler
        self.time_limit = time_limit
        self.declared: dict[str, Any] = {}
        self.output_summary = OutputSummary()

    def __enter__(self) -> Self:
        self.process = SupervisedProcess(
            "threeways.sandbox.worker", self.handler, stdout=subprocess.PIPE
        )
        (self.connection,) = self.process.sockets
        assert self.process.process.stdout
        self.output: IO[bytes] = self.process.process.stdout
        os.set_blocking(self.output.fileno(), False)
        self.selector = selectors.DefaultSelector()
        for each in (self.connection, self.output, self.process.lifeline):
            self.selector.register(each, selectors.EVENT_READ)
        return self

    def __exit__(self, *error: object) -> None:
        self.selector.close()
        self.process.end()
        self.output.close()

    def load(self, target: str, kinds: Collection[str]) -> str:
        """Import a target, ``MODULE:NAME`` or ``FILE.py:NAME``, in the child.

        Args:
            target: the target.
            kinds: of targets, that the handler knows.

        Returns:
            Its kind, one of them.

        Raises:
            InputError: it cannot be imported or used.
        """
        try:
            self._header(time.monotonic() + START_LIMIT)
        except NoAnswerError as error:
            printed = f"; {line}" if (line := self.printed()) else ""
            raise InputError(f"no process to run {target} in: {error}{printed}") from None
        try:
            self._send(target)
            kind, _, problems = self._header(time.monotonic() + self.time_limit)
            if not problems and kind not in kinds:
                raise self._garbled()
        except NoAnswerError as error:
            more = "; --time-limit allows more" * isinstance(error, TooLateError)
            raise InputError(f"{target} cannot be imported: {error}{more}") from None
        if problems:
            raise InputError(*problems)
        return kind

    def ask(
        self, request: object, shapes: Mapping[str, tuple[int, ...]], dtype: str
    ) -> tuple[dict[str, Array], list[str]]:
        """The arrays of an answer, and one line for each problem.

        Args:
            request: what the handler's ``answer`` is called with; it is pickled.
            shapes: of the arrays that may come, by name; any other is an error.
            dtype: of all of them.

        Raises:
            InputError: the target cannot be used, as shows only now.
            NoAnswerError: the time is up, or the process has ended.
            NotSupportedError: the target says that this is not what it is for.
        """
        self._send(request)
        deadline = time.monotonic() + self.time_limit
        kind, names, problems = self._header(deadline)
        if kind == REFUSED and problems:
            raise InputError(*problems)
        if kind == NOT_SUPPORTED and problems:
            raise NotSupportedError(problems[0])
        if not shapes.keys() >= {*names}:
            raise self._garbled()
        item = np.dtype(dtype)
        return {
            name: np.frombuffer(
                self._receive(math.prod(shapes[name]) * item.itemsize, deadline), item
            ).reshape(shapes[name])
            for name in dict.fromkeys(names)
        }, problems

    def printed(self) -> str | None:
        """One line about what the child printed since the last call; None if nothing."""
        summary, self.output_summary = self.output_summary, OutputSummary()
        return summary.line()

    def _send(self, request: object) -> None:
        try:
            self.connection.settimeout(self.time_limit)
            self.connection.sendall(pickle.dumps(request))
        except TimeoutError:
            raise self._too_late() from None
        except OSError:
            raise self._ended(time.monotonic() + self.time_limit) from None

    def _header(self, deadline: float) -> tuple[str, list[str], list[str]]:
        """The target's kind, the names of arrays and the problems that an answer begins with."""
        (length,) = LENGTH.unpack(self._receive(LENGTH.size, deadline))
        if length > LONGEST_HEADER:
            raise self._garbled()
        text = self._receive(length, deadline)
        try:
            header = json.loads(text)
            names, problems = strings(header["arrays"]), strings(header["problems"])
            lines = [one_line(line, LONGEST_PROBLEM) for line in problems[: MOST_PROBLEMS + 1]]
            if declared := header.get("declared"):
                self.declared = dict(declared)
            return str(header["kind"]), names, lines
        except (LookupError, TypeError, ValueError, RecursionError):
            raise self._garbled() from None

    def _receive(self, size: int, deadline: float) -> bytes:
        """The next ``size`` bytes of an answer; what is printed meanwhile is read as well."""
        received = bytearray()
        while len(received) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._too_late()
            ready = {key.fileobj for key, _ in self.selector.select(left)}
            if self.output in ready:
                self._read_output()
            if self.connection in ready:
                part = self._received(size - len(received))
                if not part:
                    raise self._ended(deadline)
                received += part
            elif self.process.lifeline in ready:
                raise self._ended(deadline)
        return bytes(received)

    def _received(self, most: int) -> bytes:
        """Bytes of an answer; none if there will be no more."""
        try:
            return self.connection.recv(min(most, 1 << 20))
        except OSError:
            return b""

    def _read_output(self) -> None:
        try:
            part = os.read(self.output.fileno(), 1 << 20)
        except BlockingIOError:
            return
        self.output_summary.add(part)
        if not part:
            self.selector.unregister(self.output)

    def _too_late(self) -> NoAnswerError:
        self.process.end()
        return TooLateError(f"no answer within {self.time_limit:g} s: an endless loop?")

    def _garbled(self) -> NoAnswerError:
        self.process.end()
        return NoAnswerError("its answer is garbled: does it write to file descriptors of others?")

    def _ended(self, deadline: float) -> NoAnswerError:
        code = self.process.wait(max(deadline - time.monotonic(), 1))
        self.process.end()
        if code is None:
            return NoAnswerError("no answer: does it close file descriptors of others?")
        if code < 0:
            return NoAnswerError(f"ended by {how_it_ended(code)}")
        return NoAnswerError(f"ended with {how_it_ended(code)}: os._exit?")


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


def strings(value: object) -> list[str]:
    """The value, if it is a list of strings.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError
    return value


def one_line(text: str, longest: int) -> str:
    """The first line of a text, at most ``longest`` characters, without terminal controls."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    line = "".join(each if each.isprintable() else "?" for each in first)
    return line if len(line) <= longest else line[: longest - 1] + "…"
