"""Modules beside somebody's code whose names are taken: by Python, an installed package, or us.

What lies beside the code is looked for last, so ``random`` is Python's and ``shared`` is ours
whatever else is there: NumPy and we depend on them. Code that imports ``shared`` and has a
``shared`` beside it would silently get the wrong one; it is refused.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import ModuleType

from shared import InputError
from threeways.sandbox.supervisor import ROOT

OURS = ("impl_keras", "impl_numpy", "impl_tf_lowlevel", "shared", "threeways")

# How the paths of installed files begin.
INSTALLED = tuple(sysconfig.get_path(kind) + os.sep for kind in ("purelib", "platlib"))
LIBRARIES = (sysconfig.get_path("stdlib") + os.sep, *INSTALLED)
NOT_THEIRS = (*LIBRARIES, *(os.path.join(ROOT, name) + os.sep for name in OURS))

folders: list[str] = []  # where their own modules are
hidden: dict[str, str] = {}  # for each taken name that they import, the path of their own module


class ClashError(InputError):
    """Somebody's code imports one of our names, and has a module of that name beside it."""


def look_in(folder: str) -> None:
    """Look for modules in a folder of theirs, after all that are not theirs."""
    sys.path.insert(len(sys.path) - len(folders), folder)
    folders.insert(0, folder)


def beside(name: str) -> str:
    """The path of somebody's own module or package of this name; "" if there is none."""
    for folder in folders:
        path = os.path.join(folder, name)
        if name in OURS and all(os.path.isdir(os.path.join(folder, each)) for each in OURS):
            continue  # a clone of this project
        if os.path.isfile(f"{path}.py"):
            return f"{path}.py"
        with suppress(OSError):  # there is none, or it cannot be read
            if any(file.endswith(".py") for file in os.listdir(path)):
                return path
    return ""


def is_taken(name: str, path: str) -> bool:
    """Whether the module of this name is another than the one at a path."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return name in sys.modules
    return spec is not None and path not in (spec.origin, *(spec.submodule_search_locations or ()))


def owner(name: str) -> str:
    """What a taken name is: ``a package of threeways``, ``a module of Python`` and so on."""
    if name in OURS:
        return "a package of threeways"
    return "a module of Python" if name in sys.stdlib_module_names else "an installed package"


def watch() -> None:
    """From now on refuse imports that clash with our names, and note those that clash with others.

    A finder in ``sys.meta_path`` would not do: it is not asked for what is already imported.
    """
    statement, function = builtins.__import__, importlib.import_module

    def import_statement(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        if level == 0:
            note(name, sys._getframe(1).f_globals)
        return statement(name, globals, locals, fromlist, level)

    def import_module(name: str, package: str | None = None) -> ModuleType:
        note(name, sys._getframe(1).f_globals)
        return function(name, package)

    builtins.__import__ = import_statement
    importlib.import_module = import_module


def is_theirs(file: str) -> bool:
    """Whether a file is somebody's own."""
    ours = file.startswith(NOT_THEIRS)
    return not ours and file.startswith(tuple(os.path.join(folder, "") for folder in folders))


def note(module: str, importer: Mapping[str, object]) -> None:
    """Note what the import of a module hides, if code of theirs imports it.

    Args:
        module: its name.
        importer: the globals of the code.

    Raises:
        ClashError: the name is one of ours.
    """
    file = importer.get("__file__")
    name = module.partition(".")[0]
    if not name or not isinstance(file, str) or not is_theirs(file):
        return
    path = beside(name)
    if not path or not is_taken(name, path):
        return
    if name in OURS:
        folder = os.path.dirname(path)
        where = "beside it" if folder == os.path.dirname(file) else f"in {folder}"
        raise ClashError(
            f"{os.path.basename(file)}: imports {name!r}, but that is {owner(name)}; "
            f"rename the {name!r} {where}"
        )
    hidden[name] = path


def hint(error: BaseException) -> str:
    """What to add to an error's message if it may come from a name that is taken, or ""."""
    if not isinstance(error, ImportError | AttributeError | NameError):
        return ""
    return "".join(
        f"; {name!r} is {owner(name)}, not your {os.path.basename(path)!r}; rename that"
        for name, path in hidden.items()
    )
