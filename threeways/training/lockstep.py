"""Runs side by side in one process: each has a thread of its own, and only one works at a time.

So runs can be compared epoch by epoch, and none slows another down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

# Called by a run between two epochs; returns when the run may go on.
Pause = Callable[[], None]


class Stopped(Exception):  # noqa: N818  (not an error)
    """Raised inside a run that is to go no further."""


class PausableRun(Protocol):
    """A run that pauses after each epoch."""

    @property
    def epochs_done(self) -> int:
        """The number of epochs so far; the run with the fewest goes next."""

    def run(self, pause: Pause) -> None:
        """Train to the end, with a call of ``pause`` between two epochs."""


class Lockstep:
    """Several runs in lockstep: the one that is furthest behind makes the next epoch.

    Args:
        runs: in the order in which they begin.
    """

    def __init__(self, runs: Sequence[PausableRun]) -> None:
        self.active = list(runs)
        self.may_go = {run: threading.Semaphore(0) for run in runs}
        self.all_ended = threading.Event()
        self.stopping = False
        self.was_stopped = False
        self.error: BaseException | None = None

    def run(self) -> bool:
        """Whether all runs came to their end; Ctrl-C stops each at the end of its current epoch.

        Raises:
            BaseException: whatever a run raised, once the others have stopped.
        """
        for run in self.may_go:
            threading.Thread(target=self._work, args=[run], daemon=True).start()
        self._start_next()
        try:
            self.all_ended.wait()
        except KeyboardInterrupt:
            self.stopping = True
            self.all_ended.wait()
        if self.error:
            raise self.error
        return not self.was_stopped

    def _next(self) -> PausableRun:
        return min(self.active, key=lambda run: run.epochs_done)

    def _start_next(self) -> None:
        if self.active:
            self.may_go[self._next()].release()
        else:
            self.all_ended.set()

    def _work(self, run: PausableRun) -> None:
        self.may_go[run].acquire()
        try:
            if self.stopping:
                raise Stopped
            run.run(partial(self._pause, run))
        except Stopped:
            self.was_stopped = True
        except BaseException as error:
            self.error = self.error or error
            self.stopping = True
        self.active.remove(run)
        self._start_next()

    def _pause(self, run: PausableRun) -> None:
        """Let another run go if one is behind; return when it is this run's turn again."""
        if not self.stopping and self._next() is not run:
            self._start_next()
            self.may_go[run].acquire()
        if self.stopping:
            raise Stopped
