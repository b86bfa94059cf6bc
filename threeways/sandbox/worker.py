"""The child process that somebody's own implementation runs in, as it sees itself.

It is told the implementation's MODULE:NAME, then one case after another, and answers each with what
is wrong and with what was computed. Requests and answers go through a socket of their own, so that
the implementation may print and read what it likes. Requests are pickled; answers are JSON and the
bytes of arrays, for the implementation could have written them.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import json
import os
import pickle
import socket
import struct
import sys
import sysconfig
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import shared
from shared import Array, InputError
from shared.errors import unknown
from threeways.conformance.contract import Implementation, check_signature, checked_step, split

# Before each answer, the length of its header.
LENGTH = struct.Struct(">I")

MOST_PROBLEMS = 20

# Where an error is none of the implementation's own: as the names of files begin.
BENEATH = (
    "<frozen",
    *(str(Path(file).parent) + os.sep for file in (__file__, str(shared.__file__), np.__file__)),
)
INSTALLED = tuple(sysconfig.get_path(kind) + os.sep for kind in ("purelib", "platlib"))
LIBRARIES = (sysconfig.get_path("stdlib") + os.sep, *INSTALLED)


def main() -> None:
    """Answer the requests that come through the socket whose number is the only argument."""
    connection = socket.socket(fileno=int(sys.argv.pop()))
    connection.set_inheritable(False)
    sys.path.insert(0, os.getcwd())
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    serve(connection)


def serve(connection: socket.socket) -> None:
    """Answer that this is ready, then a target, then its cases, as long as there are any."""
    process = os.getpid()
    requests = connection.makefile("rb")

    def answer(problems: Sequence[str], quantities: Mapping[str, Array] | None = None) -> None:
        if os.getpid() != process:  # a copy that the implementation made and did not end
            os._exit(0)
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        connection.sendall(packed(problems, quantities or {}))

    answer([])
    try:
        implementation = load(pickle.load(requests))
    except InputError as error:
        answer(error.problems)
        return
    answer([])
    with suppress(EOFError):
        while True:
            case = pickle.load(requests)
            try:
                quantities, problems = checked_step(implementation, case)
            except BaseException as error:
                quantities, problems = {}, [told(error)]
            answer(problems, quantities)


def packed(problems: Sequence[str], quantities: Mapping[str, Array]) -> bytes:
    """An answer: the length of its header, the header, and one array after the other.

    The header has the problems and the names of the quantities; their shapes are known.
    """
    lines = list(problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        lines.append(f"and {len(problems) - MOST_PROBLEMS} more")
    header = json.dumps({"problems": lines, "quantities": list(quantities)}).encode()
    arrays = (array.tobytes() for array in quantities.values())
    return LENGTH.pack(len(header)) + header + b"".join(arrays)


def load(target: str) -> Implementation:
    """The function or class that a target names.

    Raises:
        InputError: there is no such module or name, its module fails, it cannot be called as the
            contract says.
    """
    path, name = split(target)
    if path.endswith(".py") and not Path(path).is_file():
        raise InputError(f"there is no file {path}")
    try:
        module = _file(Path(path)) if path.endswith(".py") else importlib.import_module(path)
    except BaseException as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{path}.".startswith(f"{missing}."):
            raise InputError(_no_module(missing)) from None
        raise InputError(f"{path} cannot be imported: {told(error)}") from None
    if not hasattr(module, name):
        raise InputError(_no_name(name, path, module))
    implementation = getattr(module, name)
    if not callable(implementation):
        kind = type(implementation).__name__
        raise InputError(f"{target} is not a function or a class but of type {kind}")
    check_signature(implementation, target)
    return implementation


def _file(path: Path) -> ModuleType:
    """The module in a file, which may import what lies beside it."""
    sys.path.insert(0, str(path.parent.absolute()))
    spec: Any = importlib.util.spec_from_file_location(path.stem, path.absolute())
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _no_module(name: str) -> str:
    here = [path.stem for path in Path.cwd().glob("*.py")]
    near = difflib.get_close_matches(name, here, n=1)
    return f"there is no module {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _no_name(name: str, path: str, module: ModuleType) -> str:
    public = {
        each: thing
        for each, thing in vars(module).items()
        if callable(thing) and not each.startswith("_")
    }
    own = [each for each in public if getattr(public[each], "__module__", "") == module.__name__]
    known = own or list(public)
    if not known:
        return f"there are no functions or classes in {path}"
    return unknown(name, f"a function or class of {path}", known)


def told(error: BaseException) -> str:
    """An exception in a line, like ``ValueError: x is not y (line 12 of net.py)``."""
    file, line = _place(error)
    where = f" (line {line} of {os.path.basename(file)})" if file else ""
    if isinstance(error, SystemExit):
        return f"it calls sys.exit{where}"
    message = ""
    with suppress(Exception):
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    first = message.strip().partition("\n")[0][:200]
    return f"{type(error).__name__}{': ' * bool(first)}{first}{where}"


def _place(error: BaseException) -> tuple[str, int]:
    """The file and line of an error: the innermost of the implementation's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 0
    places = [
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    places = [place for place in places if not place[0].startswith(BENEATH)]
    own = [place for place in places if not place[0].startswith(LIBRARIES)]
    # Unless the implementation is itself an installed package.
    own = own or [place for place in places if place[0].startswith(INSTALLED)]
    return own[-1] if own else ("", 0)


if __name__ == "__main__":
    main()
