"""Reading files that somebody else wrote: regular files alone, of a bounded size, each key once.

Every function raises :class:`InputError` without the file's path, which its callers put in front.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from shared.errors import InputError, short

# The most bytes of text that are read from a file, 256 MiB; MNIST as a CSV file has 110.
MOST_BYTES = 2**28

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def opened(path: Path, most: int = MOST_BYTES) -> Iterator[BinaryIO]:
    """A file, open for reading its bytes.

    Args:
        path: the file; a pipe only as ``/dev/stdin`` or, from a shell's ``<(…)``, ``/dev/fd/63``.
        most: how many bytes it may have.

    Raises:
        InputError: it cannot be read, is something else than a regular file, or is larger.
    """
    _check(path, most)
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise InputError(error.strerror or str(error)) from None


def _check(path: Path, most: int) -> None:
    """Raise :class:`InputError` if a path leads to nothing, to no regular file or to a large one.

    That is found out without opening it, which can take for ever.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(error.strerror or str(error)) from None
    except ValueError as error:  # a null character, or half of a surrogate pair
        raise InputError(f"not the path of a file ({error})") from None
    kind = stat.S_IFMT(status.st_mode)
    is_given = path == Path("/dev/stdin") or path.parent == Path("/dev/fd")
    if kind in _KINDS and not (kind == stat.S_IFIFO and is_given):
        raise InputError(f"is {_KINDS[kind]}, not a file")
    if kind == stat.S_IFDIR:
        raise InputError(os.strerror(errno.EISDIR))
    if status.st_size > most:
        raise _too_large(most)


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a file of at most so many bytes.

    Raises:
        InputError: as :func:`opened`.
    """
    content = bytearray()
    with opened(path, most) as file:
        while part := file.read(2**20):
            content += part
            if len(content) > most:
                raise _too_large(most)
    return bytes(content)


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The text in a file of at most so many bytes, with ``"\\n"`` at the end of each line.

    Raises:
        InputError: as :func:`opened`, or it is not UTF-8 text.
    """
    content = read_bytes(path, most)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        in_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        hint = "; it seems to be UTF-16" if in_utf_16 else ""
        raise InputError(f"not UTF-8 text (byte {error.start}){hint}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_json(text: str) -> Any:
    """What a text in JSON stands for.

    Raises:
        InputError: it is not JSON, or a key is twice in one table.
    """
    try:
        return json.loads(text, object_pairs_hook=_table)
    except json.JSONDecodeError as error:
        at = f"at line {error.lineno}, column {error.colno}"
        raise InputError(f"not JSON: {error.msg} ({at})") from None
    except RecursionError:
        raise InputError("not JSON: nested too deeply") from None
    except InputError:
        raise
    except ValueError:
        raise InputError("not JSON: a number of thousands of digits") from None


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, times in counts.items() if times > 1)
        raise InputError(f"{short(twice)} is given {counts[twice]} times in the same table")
    return table


def _too_large(most: int) -> InputError:
    return InputError(f"is too large: more than {most / 2**20:,.4g} MiB")
