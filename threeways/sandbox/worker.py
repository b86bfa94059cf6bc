"""The child process, seen from inside: it loads a target and answers requests with it.

Its arguments are HANDLER SOCKET (:mod:`threeways.sandbox.supervisor` calls ``main``). The handler,
``module:function``, is ours. It is called with the loaded target and the name by which its author
knows it, and returns the kind of the target, the function ``answer(request) -> (arrays, problems)``
and what the target declares about itself; it raises :class:`InputError` if the target cannot be
used. Requests and answers go through a socket of their own, so that the target may print and read
what it likes. Requests are pickled; answers are JSON and the bytes of arrays, since the target
could have written them.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import socket
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from shared import Array, InputError
from threeways.sandbox import clashes
from threeways.sandbox.clashes import ClashError
from threeways.sandbox.target import described, load, says_not_supported

# The length of an answer's header, which precedes it.
LENGTH = struct.Struct(">I")

MOST_PROBLEMS = 20

# Instead of a target's kind: it cannot be used, as shows only now; it is not for what it is asked.
REFUSED, NOT_SUPPORTED = "refused", "not supported"

Answer = Callable[[Any], tuple[Mapping[str, Array], Sequence[str]]]


def main() -> None:
    """Serve the handler and the socket's file descriptor that are the arguments."""
    _, handler, number = sys.argv
    del sys.argv[1:]
    connection = socket.socket(fileno=int(number))
    connection.set_inheritable(False)
    module, _, function = handler.partition(":")
    make_answer = getattr(importlib.import_module(module), function)
    with suppress(OSError):  # the current folder may have been deleted
        clashes.look_in(os.getcwd())
    clashes.watch()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    serve(connection, make_answer)


def serve(
    connection: socket.socket,
    make_answer: Callable[[Callable[..., Any], str], tuple[str, Answer, Mapping[str, Any]]],
) -> None:
    """Report ready, load the target that is asked for, then answer requests until they end."""
    process = os.getpid()
    requests = connection.makefile("rb")

    def reply(
        arrays: Mapping[str, Array],
        problems: Sequence[str],
        kind: str = "",
        declared: Mapping[str, Any] | None = None,
    ) -> None:
        if os.getpid() != process:  # a copy that the target made and did not end
            os._exit(0)
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        connection.sendall(packed(arrays, problems, kind, declared or {}))

    reply({}, [])
    target = pickle.load(requests)
    try:
        kind, answer, declared = make_answer(load(target), target)
    except InputError as error:
        reply({}, error.lines)
        return
    reply({}, [], kind, declared)
    with suppress(EOFError):
        while True:
            request = pickle.load(requests)
            try:
                arrays, problems = answer(request)
            except ClashError as error:
                reply({}, error.problems, REFUSED)
            except BaseException as error:
                reply({}, [described(error)], NOT_SUPPORTED if says_not_supported(error) else "")
            else:
                reply(arrays, problems)


def packed(
    arrays: Mapping[str, Array], problems: Sequence[str], kind: str, declared: Mapping[str, Any]
) -> bytes:
    """An answer: the length of its header, the header, and the arrays one after another.

    The header has the names of the arrays, the problems and, once it is loaded, the target's kind
    and what it declares. The parent knows the arrays' shapes.
    """
    lines = list(problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        lines.append(f"and {len(problems) - MOST_PROBLEMS} more")
    about = {"kind": kind, "declared": dict(declared), "arrays": list(arrays), "problems": lines}
    header = json.dumps(about).encode()
    contents = (array.tobytes() for array in arrays.values())
    return LENGTH.pack(len(header)) + header + b"".join(contents)
