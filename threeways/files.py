"""Atomic writing: a file takes its place only when it is complete."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from shared import InputError


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file that takes its place only when it is complete; a device or a pipe directly.

    Args:
        path: the file; its folder has to exist.
        write: called with the path to write to, which has the same suffix.

    Raises:
        InputError: it cannot be written; what was at ``path`` is unchanged.
    """
    try:
        if _exists(path) and not path.is_file() and not path.is_dir():
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
    """Raise :class:`InputError` if a file cannot be written, before there is anything to write."""
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "is a folder")
        if not _exists(path) or path.is_file():
            part = _part(path.resolve())
            part.touch()
            part.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def _exists(path: Path) -> bool:
    """Whether there is something at a path; raises OSError for links that lead in a circle."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def make_folder(path: Path) -> None:
    """Make a folder and its parents, unless they exist.

    Raises:
        InputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _part(path: Path) -> Path:
    """The temporary file that is written first, beside ``path``; each process has its own."""
    return path.with_name(f".part-{os.getpid()}-{path.name}")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({error.strerror or error})")
