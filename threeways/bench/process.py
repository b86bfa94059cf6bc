"""The processes that implementations and baselines are measured in, as their parent sees them.

In one process their thread pools would get in each other's way: PyTorch was seen to take sixty
times as long for a step beside TensorFlow, JAX and OpenBLAS as alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Pipe
from typing import Any, Self, TypeVar

from shared import Case
from threeways.bench.baselines.base import LeftOut

T = TypeVar("T")

# The variables that say how many threads a library uses; some read them only while imported.
THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    "NPROC",  # XLA in JAX
)


class TrainingProcess:
    """A process that trains one implementation or baseline; leaving the ``with`` block ends it.

    Args:
        name: of the implementation or the baseline.
        cores: how many threads it may use; as many as there are cores unless given.
    """

    def __init__(self, name: str, cores: int | None = None) -> None:
        self.name = name
        self.threads = str(cores or usable_cores())

    def __enter__(self) -> Self:
        self.connection, theirs = Pipe()
        with theirs:
            # -P: nothing in the current folder is taken for a module of Python's or of ours.
            command = [sys.executable, "-P", "-m", "threeways.bench.runner", str(theirs.fileno())]
            self.process = subprocess.Popen(
                [*command, self.name, self.threads],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | dict.fromkeys(THREADS, self.threads),
                start_new_session=True,  # Ctrl-C is for the parent alone, which ends this one
            )
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.connection.close()

    def build(self, make_case: Callable[[], Case]) -> int:
        """The number of steps in an epoch of a case, which it makes, and trains from now on.

        Args:
            make_case: is pickled; so what is large, such as data, is best made by it.

        Raises:
            LeftOut: the library is not installed, cannot do the same, or the process has ended.
            InputError: an implementation's framework is not installed, or the case is wrong.
        """
        return self._ask("build", make_case)

    def run(self) -> float:
        """Seconds per step of one run of all epochs.

        Raises:
            LeftOut: it cannot go on, or the process has ended.
        """
        return self._ask("run")

    def peak_memory(self) -> int:
        """The most bytes that the process has held at once.

        Raises:
            LeftOut: the process has ended.
        """
        return self._ask("peak_memory")

    def wait_until_ready(self) -> None:
        """Return when it has started, and does nothing.

        Raises:
            LeftOut: the process has ended.
        """
        self._ask("do_nothing")

    def _ask(self, method: str, *arguments: object) -> Any:
        """The result of a method of the runner in the process."""
        try:
            self.connection.send((method, *arguments))
            answer = self.connection.recv()
        except (EOFError, ConnectionError):
            how = _ended(self.process.wait())
            raise LeftOut(f"{self.name}: left out; its process ended with {how}") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


class Processes:
    """Running processes; one that fails takes part no longer.

    Args:
        running: by the name of the implementation or the baseline.
    """

    def __init__(self, running: dict[str, TrainingProcess]) -> None:
        self.running = running
        self.left_out: list[str] = []

    def ask_each(self, ask: Callable[[TrainingProcess], T]) -> dict[str, T]:
        """The answers of all, asked one after the other; those that fail give none."""
        answers = {}
        for name, process in list(self.running.items()):
            try:
                answers[name] = ask(process)
            except LeftOut as reason:
                self.left_out.append(str(reason))
                del self.running[name]
        return answers


@contextmanager
def started(names: Iterable[str], cores: int | None = None) -> Iterator[Processes]:
    """A process for each name, all of them idle; they end with the ``with`` block."""
    with ExitStack() as stack:
        processes = Processes(
            {name: stack.enter_context(TrainingProcess(name, cores)) for name in names}
        )
        processes.ask_each(TrainingProcess.wait_until_ready)
        yield processes


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ended(code: int) -> str:
    """How a process has ended, by its exit code."""
    if code < 0:
        return f"signal {-code} ({(signal.strsignal(-code) or 'unknown').lower()})"
    return f"exit code {code}"
