"""Arrays in ``.npz`` files, which are judged by their headers before any of them is read."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections import Counter
from collections.abc import Collection
from typing import IO, Any, BinaryIO

import numpy as np

from shared.arrays import Array
from shared.errors import InputError

# The memory that the arrays of a file may take, 1 GiB; MNIST takes 0.35.
MOST_MEMORY = 2**30
# The bytes that the header of an array may have.
MOST_HEADER = 2**14


def read_npz(
    file: BinaryIO, most: int = MOST_MEMORY, names: Collection[str] | None = None
) -> dict[str, Array]:
    """The arrays in an ``.npz`` file, by name.

    Args:
        file: the file, open for reading.
        most: bytes of memory that the arrays may take, at 8 or more for each number.
        names: the arrays to read; all unless given.

    Raises:
        InputError: it holds too much or Python objects, or is not such a file.
    """
    try:
        with zipfile.ZipFile(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy's, about headers
            members = _members(archive, names)
            size = sum(_size(archive, member) for member in members.values())
            if size > most:
                raise InputError(f"its arrays take {_gib(size)} of memory, {_gib(most)} at most")
            return {name: _read(archive, each) for name, each in members.items()}
    except (InputError, MemoryError):
        raise
    except Exception:  # many kinds: a damaged archive, a damaged array, not an archive at all
        what = "arrays " + " and ".join(names) if names else "arrays in it"
        raise InputError(f"not an .npz file with {what}") from None


def _members(archive: zipfile.ZipFile, names: Collection[str] | None) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive that hold these arrays; all of them unless there are names."""
    members = archive.infolist()
    counts = Counter(member.filename.removesuffix(".npy") for member in members)
    for name in names or counts:
        if counts[name] > 1:
            raise InputError(f"holds {name} {counts[name]} times")
    named = {member.filename.removesuffix(".npy"): member for member in members}
    return named if names is None else {name: named[name] for name in names}


def _size(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """The bytes of memory that the array in a member takes, by its header alone."""
    with archive.open(member) as file:
        start = io.BytesIO(file.read(MOST_HEADER))
        shape, dtype = _header(start)
        if dtype.hasobject:
            name = member.filename.removesuffix(".npy")
            raise InputError(f"{name} holds Python objects instead of numbers")
        count = math.prod(shape)
        if min(shape, default=0) < 0 or start.tell() + count * dtype.itemsize != member.file_size:
            raise ValueError(member.filename)
    return count * max(dtype.itemsize, 8)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the dtype of an array, from the header of its file."""
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, _, dtype = read[np.lib.format.read_magic(file)](file)
    return shape, dtype


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.3g} GiB"
