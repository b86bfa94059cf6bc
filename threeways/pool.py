"""Processes that make the first steps of many cases, one for each core."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from types import ModuleType

from shared import Case, ChainRuleCase, InputError
from threeways.implementations import PACKAGES, TimedSteps, load, timed_steps
from threeways.sandbox.process import END_LIMIT, SupervisedProcess, how_it_ended
from threeways.sandbox.supervisor import end_as

# On other systems, a process that has imported TensorFlow cannot be forked safely.
IS_POSSIBLE = sys.platform == "linux"

# More processes would make steps faster than their parent can judge them.
MAX_PROCESSES = 8


class StepPool:
    """Processes forked from a server that imports the frameworks once for all of them.

    The server starts at once, so that its imports take no time from what its parent does meanwhile.
    Python's own process pools need more of the system: semaphores in ``/dev/shm``, a socket with a
    short path, and a current folder without a ``random.py``.

    Args:
        names: the names of the implementations.

    Raises:
        InputError: the server cannot be started.
    """

    def __init__(self, names: Iterable[str]) -> None:
        n_processes = min(len(os.sched_getaffinity(0)), MAX_PROCESSES)
        self.server = SupervisedProcess("threeways.pool", ",".join(names), n_sockets=n_processes)
        weakref.finalize(self, self.server.end)
        self.connections = [Connection(socket.detach()) for socket in self.server.sockets]

    def timed_steps(self, cases: Iterable[Case | ChainRuleCase]) -> Iterator[TimedSteps]:
        """The first step of each case, in each implementation, in the order of the cases.

        Raises:
            InputError: as :func:`threeways.implementations.load`, or a process ended unexpectedly.
        """
        cases = list(cases)
        n_processes = len(self.connections)
        try:
            for case, connection in zip(cases, self.connections, strict=False):
                connection.send(case)
            for k in range(len(cases)):
                connection = self.connections[k % n_processes]
                answer = connection.recv()
                if isinstance(answer, Exception):
                    raise answer
                if k + n_processes < len(cases):
                    connection.send(cases[k + n_processes])
                yield answer
        except (EOFError, ConnectionError):
            code = self.server.wait(END_LIMIT)
            how = f" ({how_it_ended(code)})" if code else ""
            raise InputError(
                f"a process ended unexpectedly{how}; is there enough memory?"
            ) from None
        finally:
            self.server.end()
            for connection in self.connections:
                connection.close()


def main() -> None:
    """Import the frameworks, fork a process for each socket, and end as soon as one fails."""
    names, *numbers = sys.argv[1:]
    connections = [Connection(int(number)) for number in numbers]
    preload(names.split(","))
    for connection in connections:
        if not os.fork():
            for other in connections:
                if other is not connection:
                    other.close()
            serve(connection, names.split(","))
            os._exit(0)
    for connection in connections:
        connection.close()
    for _ in connections:
        _, status = os.wait()
        if status:
            end_as(status)


def preload(names: Iterable[str]) -> None:
    """Import implementations; what fails is reported by the process that loads it."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    gc.disable()  # see threeways.implementations.load
    for name in names:
        with suppress(Exception):
            importlib.import_module(PACKAGES[name])
    gc.freeze()


def serve(connection: Connection, names: Iterable[str]) -> None:
    """Answer each case with the step of all implementations, or with the exception it raised."""
    packages: dict[str, ModuleType] = {}
    with suppress(EOFError, ConnectionError):
        while True:
            case = connection.recv()
            try:
                packages = packages or load(names)
                (answer,) = timed_steps([case], packages)
                connection.send(answer)
            except InputError as error:
                connection.send(error)
            except Exception as error:
                error.add_note(traceback.format_exc())
                connection.send(error)
