"""Files that take their place only once they are whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from shared import InputError


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file that takes its place only once it is whole.

    A device or a pipe is written as it is.

    Args:
        path: the file; its folder has to be there.
        write: writes it to the path that it is given, which has the same ending.

    Raises:
        InputError: it cannot be written; what was at ``path`` is as it was.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            write(path)
            return
        path = path.resolve()
        part = _part(path)
        try:
            write(part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def check_writable(path: Path) -> None:
    """Nothing, if a file can be written; to find that out before there is anything to write.

    Raises:
        InputError: it cannot.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "is a folder")
        if not path.exists() or path.is_file():
            part = _part(path.resolve())
            part.touch()
            part.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def make_folder(path: Path) -> None:
    """Make a folder, and those that it is in, where they are not there yet.

    Raises:
        InputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _part(path: Path) -> Path:
    """The file beside a file that is written first; another process has another."""
    return path.with_name(f".part-{os.getpid()}-{path.name}")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({error.strerror or error})")
