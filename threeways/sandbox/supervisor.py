"""A process that ends with its parent, however that ends, and takes along all that it has started.

``python -P supervisor.py MODULE ARGUMENT…`` forks. The copy, the worker, calls ``main()`` of one of
our modules. The original, the supervisor, waits until the worker ends or the other end of stdin is
closed. The parent holds it, so that happens even if the parent is killed. Then the supervisor kills
whatever is left and ends as the worker did.

On Linux, a process whose parent has ended becomes a child of the nearest *subreaper* above it. The
supervisor is one, so descendants escape it neither by a session of their own nor by forking twice.
On other systems, those that leave the worker's process group do. All of this comes before NumPy is
imported, so only what is quick is imported here.
"""

from __future__ import annotations

import _thread
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

# Options of prctl, from <linux/prctl.h>.
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main() -> None:
    """Fork; supervise in the original, and go on with the module in the copy."""
    # A background job of a shell, or a service, may have started us with these ignored or blocked.
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    set_option = process_control()
    set_option(PR_SET_CHILD_SUBREAPER, 1)
    supervisor = os.getpid()
    worker = os.fork()
    if worker:
        end_as(supervise(worker))
    os.setpgid(0, 0)
    set_option(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:  # it ended before that
        os._exit(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    replace_by_null(0)
    _, module, *arguments = sys.argv
    sys.argv[1:] = arguments
    find_our_packages()
    importlib.import_module(module).main()


def process_control() -> Callable[[int, int], object]:
    """Linux's ``prctl(option, value)``; on other systems a function that does nothing."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import ctypes

            prctl, number = ctypes.CDLL(None).prctl, ctypes.c_ulong
            return lambda option, value: prctl(option, number(value), number(), number(), number())
    return lambda option, value: None


def find_our_packages() -> None:
    """Make sure that ``threeways`` is the package that this file is in."""
    spec = importlib.util.find_spec("threeways")
    if spec is None or spec.origin != os.path.join(ROOT, "threeways", "__init__.py"):
        sys.path.insert(0, ROOT)


def replace_by_null(*descriptors: int) -> None:
    """Make file descriptors read nothing and write to nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for each in descriptors:
        os.dup2(null, each)
    os.close(null)


def supervise(worker: int) -> int:
    """The wait status of the worker, when it and all that it has started are gone."""
    with suppress(OSError):
        os.setpgid(worker, worker)  # both do this, since either may be first
    replace_by_null(1, 2)
    for number in map(int, os.listdir("/dev/fd")):  # what only the worker should hold open
        if number > 2:
            with suppress(OSError):
                os.close(number)

    def end_with_parent() -> None:
        os.read(0, 1)  # nothing is ever written to it
        kill(os.kill, worker)

    _thread.start_new_thread(end_with_parent, ())
    ended = status = 0
    while ended != worker:
        ended, status = os.waitpid(-1, 0)
    kill(os.killpg, worker)
    kill_children()
    return status


def kill(send: Callable[[int, int], None], number: int) -> None:
    """Kill a process (``send`` is ``os.kill``) or a process group (``os.killpg``), if it exists."""
    with suppress(ProcessLookupError, PermissionError):
        send(number, signal.SIGKILL)


def kill_children() -> None:
    """Kill the children of this process until there are none; those of a killed one become ours."""
    with suppress(ChildProcessError):  # there are none
        while True:
            if os.waitpid(-1, os.WNOHANG)[0]:
                continue
            if not (found := children()):
                return
            for child in found:
                kill(os.kill, child)
            os.waitpid(-1, 0)


def children() -> list[int]:
    """The children of this process that Linux lists in ``/proc``."""
    found = []
    with suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:
                # "12 (name) S 11 …": process, state, parent; a name may have any characters
                _, parent = stat.read().rpartition(b")")[2].split()[:2]
                if int(parent) == os.getpid():
                    found.append(int(name))
    return found


def end_as(status: int) -> NoReturn:
    """End as another process did, whose wait status this is."""
    if os.WIFSIGNALED(status):
        process_control()(PR_SET_DUMPABLE, 0)  # its core file is enough
        with suppress(OSError):  # SIGKILL has no handler
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
