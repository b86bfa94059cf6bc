"""A process pool that makes the first steps of many cases, with a process for each core."""

from __future__ import annotations

import functools
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from types import ModuleType

from shared import Case, ChainRuleCase, InputError
from shared.quiet import silent_stderr
from threeways.implementations import PACKAGES, TimedSteps, load, timed_steps

# On other systems, a process that has imported TensorFlow cannot be forked safely.
IS_POSSIBLE = sys.platform == "linux"

# More processes would make steps faster than their parent can judge them.
MAX_PROCESSES = 8


class StepPool:
    """A pool of processes, forked from a server that imports the frameworks once for all of them.

    The server starts at once, so that its imports take no time from what its parent does meanwhile.

    Args:
        names: the names of the implementations.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([PACKAGES[name] for name in self.names])
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        with silent_stderr():
            forkserver.ensure_running()

    def timed_steps(self, cases: Iterable[Case | ChainRuleCase]) -> Iterator[TimedSteps]:
        """The first step of each case, in each implementation, in the order of the cases.

        Raises:
            InputError: as :func:`threeways.implementations.load`, or a process ended unexpectedly.
        """
        n_processes = min(len(os.sched_getaffinity(0)), MAX_PROCESSES)
        with ProcessPoolExecutor(n_processes, self.context, _end_with_parent) as pool:
            try:
                steps = [pool.submit(_timed_steps, case, self.names) for case in cases]
                for each in steps:
                    yield each.result()
            except BrokenProcessPool:
                raise InputError("a process ended unexpectedly; is there enough memory?") from None
            finally:
                pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Make this process end when its parent does, even if that is killed."""
    parent = multiprocessing.parent_process()
    assert parent

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@functools.cache
def _packages(names: tuple[str, ...]) -> dict[str, ModuleType]:
    return load(names)


def _timed_steps(case: Case | ChainRuleCase, names: tuple[str, ...]) -> TimedSteps:
    (steps,) = timed_steps([case], _packages(names))
    return steps
