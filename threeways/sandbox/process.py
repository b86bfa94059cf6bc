"""A process that runs a module of ours, as its parent sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

from shared import InputError
from threeways.sandbox import supervisor

END_LIMIT = 10.0  # seconds


class SupervisedProcess:
    """A process that ends with this one, with all that it has started.

    It runs ``main()`` of a module, see :mod:`threeways.sandbox.supervisor`. Nothing in the current
    folder is taken for a module of Python's or of ours; Ctrl-C is for the parent alone.

    Args:
        module: the name of the module.
        arguments: its first arguments; file descriptors of its ends of the sockets follow.
        n_sockets: the number of sockets between the two; ours are ``sockets``.
        stdout: a file descriptor for what it prints; it is discarded unless given.

    Raises:
        InputError: it cannot be started.
    """

    def __init__(
        self, module: str, *arguments: str, n_sockets: int = 1, stdout: int = subprocess.DEVNULL
    ) -> None:
        with ExitStack() as stack:
            try:
                pairs = [socket.socketpair() for _ in range(n_sockets + 1)]
                ends = [stack.enter_context(theirs) for _, theirs in pairs]
                # The lifeline: when one process ends, the other can read that this is closed.
                (self.lifeline, *self.sockets) = [ours for ours, _ in pairs]
                numbers = [end.fileno() for end in ends[1:]]
                command = [sys.executable, "-P", "-B", str(supervisor.__file__), module, *arguments]
                self.process = subprocess.Popen(
                    [*command, *map(str, numbers)],
                    stdin=ends[0].fileno(),
                    stdout=stdout,
                    stderr=subprocess.STDOUT,
                    pass_fds=numbers,
                    start_new_session=True,
                )
            except OSError as error:
                raise InputError(f"cannot start a process ({error.strerror or error})") from None

    def wait(self, limit: float) -> int | None:
        """Its exit code, or minus the signal that ended it; None if it still runs.

        Args:
            limit: for how many seconds to wait until it ends.
        """
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(limit)
        return None

    def end(self) -> None:
        """End the process and all that it has started, if it has not ended."""
        with suppress(OSError):
            self.lifeline.shutdown(socket.SHUT_RDWR)
        self._signal(signal.SIGCONT)  # whatever it has started may have stopped it
        if self.wait(END_LIMIT) is None:
            self._signal(signal.SIGKILL)
            self.process.wait()
        for each in (self.lifeline, *self.sockets):
            each.close()

    def _signal(self, number: int) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)


def how_it_ended(code: int) -> str:
    """How a process has ended: ``signal 9 (killed)`` or ``exit code 3``.

    Args:
        code: as :meth:`SupervisedProcess.wait` returns it.
    """
    if code < 0:
        return f"signal {-code} ({(signal.strsignal(-code) or 'unknown').lower()})"
    return f"exit code {code}"
