"""The child process that somebody's own implementation runs in, as its parent sees it.

Nothing that comes from it is taken on trust: it may print, hang, crash or never end, and its
answers are read as JSON and as arrays whose sizes are known beforehand.
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
from contextlib import suppress
from typing import IO, Self

import numpy as np

from shared import Array, Case, InputError, shapes
from threeways.sandbox.worker import LENGTH

# In seconds: how long a child may take to start, and how often to see whether it still runs.
START_LIMIT = 60.0
LOOK_EVERY = 0.05

LONGEST_HEADER = 1 << 20
LONGEST_PROBLEM = 300
LONGEST_PRINT = 80


class NoAnswerError(Exception):
    """Why there is no answer, and why there will be none."""


class Child:
    """The process; leaving the ``with`` block kills it with all the processes that it started.

    Args:
        time_limit: seconds that an import or a step may take.
    """

    def __init__(self, time_limit: float) -> None:
        self.time_limit = time_limit
        self.prints = Prints()

    def __enter__(self) -> Self:
        self.connection, theirs = socket.socketpair()
        with theirs:
            # -P: nothing in the current folder is taken for a module of Python's or of ours.
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-B",
                    "-m",
                    "threeways.sandbox.worker",
                    str(theirs.fileno()),
                ],
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
        """Have it import a target.

        Raises:
            InputError: it cannot.
        """
        try:
            self._answer(START_LIMIT)
        except NoAnswerError as error:
            raise RuntimeError(f"no child process: {error}; {self.printed()}") from None
        try:
            _, problems = self._ask(target)
        except NoAnswerError as error:
            raise InputError(f"{target} cannot be imported: {error}") from None
        if problems:
            raise InputError(*problems)

    def step(self, case: Case) -> tuple[dict[str, Array], list[str]]:
        """The quantities of the step of a case that is alone, and a line for each thing wrong.

        Raises:
            NoAnswerError: the time is up, or the process has ended.
        """
        return self._ask(case)

    def printed(self) -> str | None:
        """What was printed since this was last asked, in a line; None if nothing."""
        prints, self.prints = self.prints, Prints()
        return prints.told()

    def _ask(self, request: str | Case) -> tuple[dict[str, Array], list[str]]:
        self.connection.settimeout(self.time_limit)
        try:
            self.connection.sendall(pickle.dumps(request))
        except TimeoutError:
            raise self._too_late() from None
        except OSError:
            raise self._ended() from None
        return self._answer(self.time_limit, request if isinstance(request, Case) else None)

    def _answer(self, limit: float, case: Case | None = None) -> tuple[dict[str, Array], list[str]]:
        """The next answer, as ``worker.packed`` writes it; with quantities, if it is of a case."""
        deadline = time.monotonic() + limit
        (length,) = LENGTH.unpack(self._receive(LENGTH.size, deadline))
        known = {}
        if case:
            known = shapes(case.network, len(case.dataset), case.training.slots)
        dtype = np.dtype(case.dtype if case else None)
        try:
            if length > LONGEST_HEADER:
                raise ValueError
            header = json.loads(self._receive(length, deadline))
            names, problems = header["quantities"], header["problems"]
            sizes = {name: math.prod(known[name]) * dtype.itemsize for name in names}
            problems = [one_line(problem, LONGEST_PROBLEM) for problem in problems]
        except (LookupError, TypeError, ValueError, RecursionError):
            self.kill()
            raise NoAnswerError(
                "its answer is garbled: does it write to file descriptors of others?"
            ) from None
        return {
            name: np.frombuffer(self._receive(size, deadline), dtype).reshape(known[name])
            for name, size in sizes.items()
        }, problems

    def _receive(self, size: int, deadline: float) -> bytes:
        """So many bytes of an answer; what is printed meanwhile is counted."""
        received = bytearray()
        while len(received) < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._too_late()
            # Copies of the process may keep its end of the socket open when it has ended.
            has_ended = self.process.poll() is not None
            ready = {key.fileobj for key, _ in self.selector.select(min(left, LOOK_EVERY))}
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
        self.prints.add(part)
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


class Prints:
    """What was printed: how many lines, and the first of them."""

    def __init__(self) -> None:
        self.lines = 0
        self.begun = False  # a line without its end
        self.head = b""

    def add(self, part: bytes) -> None:
        """Count what was printed next."""
        if part:
            self.lines += part.count(b"\n")
            self.begun = not part.endswith(b"\n")
            self.head = (self.head + part).lstrip()[:1000]

    def told(self) -> str | None:
        """``it printed 3 lines, the first: …``; None if nothing was printed."""
        count = self.lines + self.begun
        if not count:
            return None
        first = one_line(self.head.decode(errors="replace"), LONGEST_PRINT)
        which = ", the first" if count > 1 else ""
        lines = f"it printed {count} line{'s' * (count > 1)}"
        return f"{lines}{which}: {first}" if first else lines


def one_line(text: str, longest: int) -> str:
    """The first line of a text, shortened, without characters that steer a terminal."""
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    line = "".join(each if each.isprintable() else "?" for each in first)
    return line if len(line) <= longest else line[: longest - 1] + "…"
