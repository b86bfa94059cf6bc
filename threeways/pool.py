"""Processes that make the first steps of many cases, a core each."""

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

# Elsewhere a process cannot be split safely, once it has imported TensorFlow.
IS_POSSIBLE = sys.platform == "linux"

# How many processes: by then the one that judges their steps has enough to do.
MOST = 8


class Crew:
    """As many processes as there are cores, split off from one that imports the frameworks.

    That one begins at once, so that meanwhile other things can be done.

    Args:
        names: the implementations.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([PACKAGES[name] for name in self.names])
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        with silent_stderr():
            forkserver.ensure_running()

    def timed_steps(self, cases: Iterable[Case | ChainRuleCase]) -> Iterator[TimedSteps]:
        """The first step of each case, in each implementation.

        Raises:
            InputError: as :func:`threeways.implementations.load`, or a process ended by itself.
        """
        n_processes = min(len(os.sched_getaffinity(0)), MOST)
        with ProcessPoolExecutor(n_processes, self.context, _end_with_parent) as pool:
            try:
                steps = [pool.submit(_timed_steps, case, self.names) for case in cases]
                for each in steps:
                    yield each.result()
            except BrokenProcessPool:
                raise InputError("a process ended by itself; was there enough memory?") from None
            finally:
                pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """See to it that this process ends when the one that it works for is killed."""
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
