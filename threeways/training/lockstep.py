"""Runs that go on side by side: each in a thread of its own, of which only one works at a time.

So they can be compared as they go, and none is slowed down by another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

PassOn = Callable[[], None]


class Stopped(Exception):  # noqa: N818  (no error)
    """Ends a run that is to go no further."""


class Run(Protocol):
    """What takes turns."""

    @property
    def made(self) -> int:
        """How many epochs it has made; whichever has made the fewest is next."""

    def run(self, pass_on: PassOn) -> None:
        """All of it, with a call of ``pass_on`` between two epochs."""


class Turns:
    """The runs of which one works at a time.

    Args:
        runs: in the order in which they begin.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.active = list(runs)
        self.turns = {run: threading.Semaphore(0) for run in runs}
        self.ended = threading.Event()
        self.stopping = False
        self.was_stopped = False
        self.error: BaseException | None = None

    def take(self) -> bool:
        """Let all runs come to their ends; after Ctrl-C, each to the end of the epoch it is in.

        Returns:
            Whether they came to their ends.

        Raises:
            BaseException: what a run has raised, the others having been stopped.
        """
        for run in self.turns:
            threading.Thread(target=self._work, args=[run], daemon=True).start()
        self._hand_on()
        try:
            self.ended.wait()
        except KeyboardInterrupt:
            self.stopping = True
            self.ended.wait()
        if self.error:
            raise self.error
        return not self.was_stopped

    def _next(self) -> Run:
        return min(self.active, key=lambda run: run.made)

    def _hand_on(self) -> None:
        if self.active:
            self.turns[self._next()].release()
        else:
            self.ended.set()

    def _work(self, run: Run) -> None:
        self.turns[run].acquire()
        try:
            if self.stopping:
                raise Stopped
            run.run(partial(self._pass_on, run))
        except Stopped:
            self.was_stopped = True
        except BaseException as error:
            self.error = self.error or error
            self.stopping = True
        self.active.remove(run)
        self._hand_on()

    def _pass_on(self, run: Run) -> None:
        """Give the turn away; returns when it is this run's again."""
        if not self.stopping and self._next() is not run:
            self._hand_on()
            self.turns[run].acquire()
        if self.stopping:
            raise Stopped
