"""Somebody's function or class, ``MODULE:NAME`` or ``FILE.py:NAME``: loading it, and its errors.

This runs in the child process.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import shared
from shared import InputError
from shared.errors import unknown
from threeways.sandbox import clashes
from threeways.sandbox.clashes import INSTALLED, LIBRARIES, ClashError

# How the paths of files begin where an error is never the target's own.
PACKAGES = (Path(__file__).parents[1], *(Path(str(each.__file__)).parent for each in (shared, np)))
FOREIGN = ("<frozen", *(str(package) + os.sep for package in PACKAGES))


def load(target: str) -> Callable[..., Any]:
    """The function or class that a target names.

    Args:
        target: ``MODULE:NAME``, or ``FILE.py:NAME`` with the path of a file.

    Raises:
        InputError: it is neither, there is no such module or name, its module fails, or its name is
            taken (:mod:`threeways.sandbox.clashes`).
    """
    path, _, name = target.rpartition(":")
    is_file = path.endswith(".py")
    is_module = all(part.isidentifier() for part in path.split("."))
    if not name.isidentifier() or not (is_file or is_module):
        raise InputError(f"{target!r}: expected MODULE:NAME or FILE.py:NAME, such as net:step")
    if is_file and not Path(path).is_file():
        raise InputError(f"there is no file {path}")
    try:
        module = _file(os.path.abspath(path)) if is_file else _module(path, name)
    except ClashError:
        raise
    except BaseException as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{path}.".startswith(f"{missing}."):
            raise InputError(_no_module(missing)) from None
        if isinstance(error, InputError):  # such as of a decorator of ours
            raise InputError(*(f"{path}: {problem}" for problem in error.problems)) from None
        raise InputError(f"{path} cannot be imported: {described(error)}") from None
    if not hasattr(module, name):
        raise InputError(_no_name(name, path, module))
    loaded = getattr(module, name)
    if not callable(loaded):
        kind = type(loaded).__name__
        raise InputError(f"{target} is not a function or a class but of type {kind}")
    return loaded


def _file(path: str) -> ModuleType:
    """The module in a file, which may import what lies beside it."""
    clashes.look_in(os.path.dirname(path))
    name = Path(path).stem
    if clashes.is_taken(name, path):
        name = f"<{name}.py>"  # for Python to keep its own, and dataclasses to find this one
    spec: Any = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _module(path: str, name: str) -> ModuleType:
    """The module of a name, unless another has the same."""
    top = path.partition(".")[0]
    own = clashes.beside(top)
    if own and clashes.is_taken(top, own):
        file = f"{path.replace('.', '/')}.py"
        instead = f", or name the file, {file}:{name}" if os.path.isfile(file) else ""
        raise ClashError(
            f"{path}:{name}: {top!r} is {clashes.owner(top)}; "
            f"rename your {os.path.basename(own)!r}{instead}"
        )
    return importlib.import_module(path)


def _no_module(name: str) -> str:
    """Message for a module that does not exist, with the nearest file in the current folder."""
    here = [path.stem for path in Path().glob("*.py")]
    near = difflib.get_close_matches(name, here, n=1)
    return f"there is no module {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _no_name(name: str, path: str, module: ModuleType) -> str:
    """Message for a name that its module lacks, with the nearest function or class that it has."""
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


def described(error: BaseException) -> str:
    """One line about an exception, such as ``ValueError: x is not y (line 12 of net.py)``."""
    file, line = _place(error)
    where = f" (line {line} of {os.path.basename(file)})" if file else ""
    if isinstance(error, SystemExit):
        return f"it calls sys.exit{where}"
    message = ""
    with suppress(Exception):  # its __str__ may fail as well
        message = error.msg if isinstance(error, SyntaxError) else str(error)
    first = message.strip().partition("\n")[0][:200]
    return f"{type(error).__name__}{': ' * bool(first)}{first}{where}{clashes.hint(error)}"


def says_not_supported(error: BaseException) -> bool:
    """Whether an error says that what was asked for is not what the target is for.

    That is a ``NotImplementedError`` which its own code raises, and a test that it skips.
    """
    skips = (("unittest.case", "SkipTest"), ("_pytest.outcomes", "Skipped"))
    for module, name in skips:
        skipped = getattr(sys.modules.get(module), name, None)
        if isinstance(skipped, type) and isinstance(error, skipped):
            return True
    frames = [*traceback.walk_tb(error.__traceback__)]
    return isinstance(error, NotImplementedError) and bool(
        frames and (frames[-1][0].f_code.co_filename, frames[-1][1]) == _place(error)
    )


def _place(error: BaseException) -> tuple[str, int]:
    """File and line of an error: the innermost frame of the target's own code, or ("", 0)."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 0
    places = [
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    places = [place for place in places if not place[0].startswith(FOREIGN)]
    own = [place for place in places if not place[0].startswith(LIBRARIES)]
    # Unless the target is itself an installed package.
    own = own or [place for place in places if place[0].startswith(INSTALLED)]
    return own[-1] if own else ("", 0)
