"""The process that one implementation or baseline is measured in, as it sees itself.

Its parent, see :mod:`threeways.bench.process`, sends the name of a method of :class:`Runner` with
its arguments, and is sent what it returns, or the LeftOut or InputError that it raises.
"""

from __future__ import annotations

import logging
import os
import re
import select
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from shared import Case, InputError
from threeways.bench.baselines import BASELINES
from threeways.bench.baselines.base import AfterEpoch, LeftOut
from threeways.bench.workloads import steps_per_epoch
from threeways.implementations import PACKAGES, load, model

Fit = Callable[[AfterEpoch], object]

# In seconds: how often to see whether the process is idle, what it may compute in that time, and
# how long to wait for it.
LOOK_EVERY = 0.02
IDLE = 0.001
IDLE_LIMIT = 1.0


class Runner:
    """The training of one case after another in one implementation or baseline.

    Args:
        name: of the implementation or the baseline.
        threads: that matrix products may use.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.threads = threads
        # TensorFlow takes networks of different sizes for one that is traced again and again.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)

    def do_nothing(self) -> None:
        """Answer as soon as everything is imported."""

    def build(self, make_case: Callable[[], Case]) -> int:
        """The number of steps in an epoch of a case, which is made here, and trained from now on.

        Raises:
            LeftOut: there is no such baseline for this case.
            InputError: the implementation's framework is not installed, or the case is wrong.
        """
        self.case = make_case()
        if self.name in PACKAGES:
            (package,) = load([self.name]).values()
            self.fit = our_fit(package, self.case)
        else:
            self.fit = BASELINES[self.name](self.case).fit
        threadpool_limits(self.threads)  # for a library that no variable of the environment reaches
        return steps_per_epoch(self.case)

    def run(self) -> float:
        """Seconds per step of a run; only when it has returned is the process idle."""
        seconds = seconds_per_step(self.case, self.fit)
        wait_until_idle()
        return seconds

    def peak_memory(self) -> int:
        """The most bytes that this process has held at once.

        Linux counts for ``getrusage`` what the parent held before this process was its own.
        """
        status = Path("/proc/self/status")
        if status.exists():
            (kilobytes,) = re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())
            return 1024 * int(kilobytes)
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most


def our_fit(package: ModuleType, case: Case) -> Fit:
    """An implementation's ``fit``, each time from the case's own start."""
    net = model(package, case)

    def fit(after_epoch: AfterEpoch) -> object:
        net.load(case.parameters)
        return net.fit(case.dataset, case.training, after_epoch)

    return fit


def seconds_per_step(case: Case, fit: Fit) -> float:
    """Seconds per step of one run, in its epochs after the first, unless it ends there."""
    stamps = [time.perf_counter()]
    with np.errstate(all="ignore"):  # a run that diverges takes as long
        fit(lambda *_: stamps.append(time.perf_counter()))
    counted = stamps[1:] if len(stamps) > 2 else stamps
    steps = (len(counted) - 1) * steps_per_epoch(case)
    return (counted[-1] - counted[0]) / steps


def wait_until_idle() -> None:
    """Return when no thread of this process computes any more.

    For some milliseconds after their last product the threads of OpenBLAS and OpenMP spin, and
    would slow down whatever runs next. OMP_WAIT_POLICY=PASSIVE would forbid that, and make a small
    step of PyTorch take twice as long.
    """
    deadline = time.monotonic() + IDLE_LIMIT
    while time.monotonic() < deadline:
        start = time.process_time()
        time.sleep(LOOK_EVERY)
        if time.process_time() - start < IDLE:
            return


def main() -> None:
    """Answer requests through the socket that is named on the command line, until it is closed."""
    socket, name, threads = sys.argv[1:]
    os.set_inheritable(int(socket), False)
    connection = Connection(int(socket))
    exit_when_closed(connection)
    runner = Runner(name, int(threads))
    with suppress(EOFError, ConnectionError):
        while True:
            method, *arguments = connection.recv()
            connection.send(answer(runner, method, arguments))


def answer(runner: Runner, method: str, arguments: list[Any]) -> object:
    """The result of a method of the runner, or the reason why there is none."""
    try:
        return getattr(runner, method)(*arguments)
    except (LeftOut, InputError) as error:
        return error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        return LeftOut(f"{runner.name}: left out; {reason}")


def exit_when_closed(connection: Connection) -> None:
    """End this process, busy or not, when the other end is closed: the parent may be killed."""
    poll = select.poll()
    poll.register(connection.fileno(), 0)  # 0: only that it is closed, which is always told

    def wait() -> None:
        poll.poll()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main()
