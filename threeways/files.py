"""Atomic writing: a file takes its place only when it is complete. Locks on folders."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from shared import InputError

# The file in a folder that is locked.
LOCK = ".threeways.lock"

_DESCRIPTOR = re.compile(r"/dev/(?:fd/(\d+)|stdout|stderr)|/proc/self/fd/(\d+)")


def descriptor(path: Path) -> int | None:
    """The number of the open file that a path like ``/dev/stdout`` or ``/dev/fd/3`` stands for.

    ``-`` stands for stdout. None if the path is that of a file.
    """
    if str(path) in ("-", "/dev/stdout"):
        return 1
    if not (match := _DESCRIPTOR.fullmatch(str(path))):
        return None
    return int(match[1] or match[2] or 2)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, as :func:`write_whole` does, or into a file that is open already.

    Raises:
        InputError: it cannot be written.
    """
    number = descriptor(path)
    if number is None:
        # A file's name can have bytes that are no text; JSON has the same escapes for them.
        content = text.encode("utf-8", "backslashreplace")
        write_whole(path, lambda part: part.write_bytes(content))
    elif number == 1:
        sys.stdout.write(text)
    else:
        try:
            with open(os.dup(number), "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise _unwritable(path, error) from None


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
        path = _real(path)
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
        number = descriptor(path)
        if number is not None:
            os.write(number, b"")
            return
        if path.is_dir():
            raise IsADirectoryError(21, "is a folder")
        if not _exists(path) or path.is_file():
            part = _part(_real(path))
            part.touch()
            part.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def is_folder(path: Path) -> bool:
    """Whether there is such a folder.

    Raises:
        InputError: it is a file, or cannot be looked at.
    """
    try:
        if _exists(path) and not path.is_dir():
            raise InputError(f"{path}: is a file, not a folder")
        return path.is_dir()
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


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Keep other processes that call this from doing the same in a folder, while the block runs.

    The operating system holds the lock, and lets go of it when the process ends, however it does.

    Args:
        folder: the folder; it has to exist.
        doing: what the other process does if this one has to give up: ``"trains into it"``.

    Raises:
        InputError: another process is in such a block, or the folder cannot be written.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"{folder}: another process {doing}") from None
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes it when it is released
            (folder / LOCK).unlink()
        lock.release()


def reason(error: OSError) -> str:
    """Why the operating system could not do something, in its own words."""
    try:
        os.getcwd()
    except OSError:
        return "the current folder no longer exists"
    return error.strerror or str(error)


def _real(path: Path) -> Path:
    """The file itself if ``path`` is a link to it, so that a link stays one."""
    return Path(os.path.realpath(path))  # Path.resolve raises a RuntimeError for a loop of links


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed have left of a file that no other process writes.

    Raises:
        InputError: it cannot be removed.
    """
    try:
        for leftover in path.parent.glob(f".part-*-{path.name}"):
            leftover.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def _part(path: Path) -> Path:
    """The temporary file that is written first, beside ``path``; each process has its own."""
    return path.with_name(f".part-{os.getpid()}-{path.stem[:40]}{path.suffix[:20]}")


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({reason(error)})")
