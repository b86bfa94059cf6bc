"""Damaged and hostile files: cases, CSV tables, ``.npz`` files and records, changed at random.

What they are changed to is the nastiest there is; some are changed so little that they can be used.
"""

from __future__ import annotations

import copy
import io
import json
import math
import random
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.good_files import DATA, ROWS, checkpoint_arrays, tables_of_cases, tables_of_records
from shared import ACTIVATIONS, LOSSES, OPTIMIZERS, SCHEDULES, SCHEMES


class Raw(str):
    """A value written into a file as it is, without quotes."""


class Table(list[Any]):
    """A table as a list of its keys and values, ``[[key, value], …]``: a key may be in it twice."""


# What values are swapped for: in cases and records, in tables, and in .npz files.
NUMBERS: list[float] = [
    *(0, 1, -1, 2, 7, 20, 1000, 2**31, 2**63, -(2**70), 10**30, 10**400),
    *(0.5, -0.0, 1.0, 0.999_999_999_999_999_9, 5e-324, 1e-300, -1e-30, 1e17, 1e39, 1e300, -1.7e308),
]  # fmt: skip
NAMES = [*ACTIVATIONS, *LOSSES, *OPTIMIZERS, *SCHEDULES, *SCHEMES, "xor", "iris", "buildings"]
NASTY: list[Any] = [
    *(*NUMBERS, None, True, False, math.nan, math.inf, -math.inf),
    *(Raw("9" * 5000), Raw("0x" + "f" * 5000), Raw("1e999999999"), Raw("1979-05-27T07:32:00Z")),
    *("", " ", "a", "0.5", "relu", "sigmoid", "softmax", "adam", "cosine", "xor", "mazur"),
    *("\x1b[2K\rforged", "two\nlines", "\u202eeman", "\u200b", "\ud800", "\0", "\x7f\x85\u2028"),
    *("x" * 100_000, "é", "😀", "../..", "/dev/zero", "/dev/full", "/", ".", "mine.toml"),
    *("0x1p-1", "0x1p99999", "inf", "1" * 400, "z[0]", "dW[1][0,0]", "loss"),
    f"db[0][{'1' * 5000}]",
    *([], [[]], [1], [[1]], [1, 2], [[1, 2], [3]], [[[1]]], [None], ["a"], [0] * 1000),
    *(Raw("[" * 60 + "]" * 60), Raw("[" * 900 + "]" * 900), Raw("[" * 50_000)),
    *(Table(), Table([["a", 1]]), Table([["W", [[1]]], ["b", [1]]]), Table([["copies", 100_000]])),
]  # fmt: skip
CELLS = [
    *("", " ", "nan", "inf", "-inf", "1e999", "1_000", "1,5", "x", "#1", '"1"', '"', '"1', "'1'"),
    *("0x10", "1;2", "1\t2", "\0", "\x1b[2K", "\u202e", "½", "１", "1e-400", "9" * 5000, "-"),
]  # fmt: skip
ARRAYS: list[Any] = [
    *(np.zeros(()), np.zeros(3), np.zeros((0, 2)), np.zeros((2, 0)), np.zeros((2, 2, 2))),
    *(np.full((2, 2), np.nan), np.array([[np.inf, 1]]), np.array([["a", "b"]])),
    *(np.array([[{}, []]], dtype=object), np.ones((2, 2), complex), np.ones((2, 2), ">f2")),
    *(np.full((2, 2), np.finfo(np.longdouble).max), np.ones((2, 2), bool)),
    *(np.array([["2020"]], "M8[s]"), np.zeros(2, [("a", "f8")]), np.full((2, 2), 2**64 - 1, "u8")),
    *(np.asfortranarray(np.ones((3, 2))), np.array([[1e300, -1e308]]), np.array("{}"), np.zeros(9)),
]  # fmt: skip
HEADERS = [
    *("(300000000,)", "(10**9, 10**9)", "(-1, 2)", "(True, 2)", "(2, 1.5)", "(1e9,)", "2", "()"),
    *("(0, 1000000000000000000)", "(" + "1, " * 40 + ")", "(" * 500, "None", "[2, 2]"),
]  # fmt: skip
DESCRIPTIONS = [
    *("'<f8'", "'|O'", "'<U100000'", "'|V0'", "'<c16'", "[('a', '<f8')]", "'x'", "None"),
    *("('<f8', (1000000,))", "__import__('os')", "'|S0'", "'>i4'"),
]  # fmt: skip


def numpy_file(random: random.Random) -> bytes:
    """The bytes of an array whose header says anything."""
    shape, dtype = random.choice(HEADERS), random.choice(DESCRIPTIONS)
    header = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}}}".encode()
    version = random.choice([b"\1\0", b"\1\0", b"\2\0", b"\3\0", b"\7\0"])
    size = len(header).to_bytes(2 if version[0] == 1 else 4, "little")
    return b"\x93NUMPY" + version + size + header + b"\0" * random.choice([0, 8, 32, 1000])


def changed_bytes(content: bytes, other: bytes, random: random.Random) -> bytes:
    """The bytes with some of them flipped, lost or doubled, or with a part of another file."""
    for _ in range(random.randint(1, 3)):
        a, b = sorted(random.randrange(len(content) + 1) for _ in "ab")
        b = min(b, a + random.choice([1, 1, 10, 10_000]))
        match random.randrange(6):
            case 0 if content:
                at = random.randrange(len(content))
                flipped = content[at] ^ (1 << random.randrange(8))
                content = content[:at] + bytes([flipped]) + content[at + 1 :]
            case 1:
                content = content[:a] + content[b:]
            case 2:
                content = content[:b] + content[a:b] * random.choice([1, 1, 1, 500]) + content[b:]
            case 3:
                start = random.randrange(len(other) + 1)
                content = content[:a] + other[start : start + random.choice([1, 30, 10_000])]
            case 4:
                nasty = ["\0", "\ufeff", "\u202e", "\x1b[2K", '"', "'''", "[[", "{", "#", "\r", "é"]
                content = content[:a] + random.choice(nasty).encode() + content[a:]
            case _:
                content = content[:a]
    return content


def as_tables(value: Any) -> Any:
    """The value with each of its dicts as a :class:`Table`."""
    if isinstance(value, dict):
        return Table([key, as_tables(each)] for key, each in value.items())
    return [as_tables(each) for each in value] if isinstance(value, list) else value


def lists_in(value: Any) -> Iterator[list[Any]]:
    """Every list and table in a value, itself included."""
    if isinstance(value, list):
        yield value
        for each in value:
            yield from lists_in(each[1] if isinstance(value, Table) else each)


def change_tables(value: Any, random: random.Random) -> None:
    """Swap, lose, double or rename some of what is in a value, which is changed itself."""
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        places = [each for each in lists_in(value) if each]
        if not places:
            return
        place = random.choice(places)
        i = random.randrange(len(place))
        item = place[i] if isinstance(place, Table) else place
        at = 1 if isinstance(place, Table) else i
        match random.randrange(8):
            case 0:
                del place[i]
            case 1:
                place.insert(i, copy.deepcopy(place[i]))
            case 2:
                names = [pair[0] for each in places if isinstance(each, Table) for pair in each]
                nasty = [each for each in NASTY if type(each) is str]
                if isinstance(place, Table):
                    item[0] = random.choice([random.choice(nasty), random.choice(names), "unit"])
            case 3:
                other = random.choice(places)
                taken = random.choice(other)
                item[at] = copy.deepcopy(taken[1] if isinstance(other, Table) else taken)
            case 4 | 5 if isinstance(item[at], int | float):
                item[at] = random.choice(NUMBERS)
            case _:
                item[at] = copy.deepcopy(random.choice(NASTY))


def change_a_little(value: Any, random: random.Random) -> None:
    """Swap some numbers for others, and names for other names."""
    for _ in range(random.randint(1, 3)):
        place = random.choice([each for each in lists_in(value) if each])
        i = random.randrange(len(place))
        item, at = (place[i], 1) if isinstance(place, Table) else (place, i)
        if isinstance(item[at], str):
            item[at] = random.choice(NAMES)
        elif isinstance(item[at], int | float):
            item[at] = random.choice([*NUMBERS, *(item[at] * each for each in (2, -1, 10, 100))])


def text_of(value: Any, equals: str) -> str:
    """A value in JSON, or in TOML, where ``equals`` is " = "."""
    match value:
        case Raw():
            return value
        case Table():
            pairs = [f"{json.dumps(k)}{equals}{text_of(v, equals)}" for k, v in value]
            return "{" + ", ".join(pairs) + "}"
        case list():
            return "[" + ", ".join(text_of(each, equals) for each in value) + "]"
        case float() if equals == " = ":
            return repr(value)
    return json.dumps(value)


def toml_of(table: Table) -> str:
    return "\n".join(f"{json.dumps(key)} = {text_of(value, ' = ')}" for key, value in table) + "\n"


def make_case(random: random.Random) -> bytes:
    """A case, changed."""
    first, second = (as_tables(random.choice(tables_of_cases())) for _ in "ab")
    if random.random() < 0.3:
        return changed_bytes(toml_of(first).encode(), toml_of(second).encode(), random)
    change = random.choice([change_tables, change_a_little])
    change(first, random)
    return toml_of(first).encode(errors="replace")


def make_record(random: random.Random) -> bytes:
    """A file of recorded steps, changed."""
    first, second = (as_tables(random.choice(tables_of_records())) for _ in "ab")
    if random.random() < 0.3:
        return changed_bytes(text_of(first, ": ").encode(), text_of(second, ": ").encode(), random)
    change = random.choice([change_tables, change_a_little])
    change(first, random)
    return text_of(first, ": ").encode()


def make_csv(random: random.Random) -> bytes:
    """A CSV table, changed."""
    rows = [line.split(",") for line in ROWS.splitlines()]
    separator, end = ",", "\n"
    for _ in range(random.randint(0, 3)):
        row = random.choice(rows)
        at = random.randrange(len(row))
        match random.randrange(6):
            case 0:
                row.pop(at) if len(row) > 1 else rows.append(["1"])
            case 1:
                row.insert(at, row[at])
            case 2:
                rows.insert(
                    random.randrange(len(rows)), random.choice([[], [""], [" "], row, ["#"]])
                )
            case _:
                row[at] = random.choice(CELLS)
        rows = [list(each) or [""] for each in rows]
    if random.random() < 0.2:
        separator = random.choice(";\t|  ")
    if random.random() < 0.2:
        end = random.choice(["\r\n", "\r", "\n\n", ",\n", "\x85"])
    text = end.join(separator.join(row) for row in rows)
    encoding = random.choice(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
    content = text.encode(encoding, errors="replace")
    return changed_bytes(content, ROWS.encode(), random) if random.random() < 0.3 else content


def make_npz(random: random.Random) -> bytes:
    """An ``.npz`` file of data, changed."""
    return changed_archive(DATA, random)


def make_checkpoint(random: random.Random) -> bytes:
    """A checkpoint, changed."""
    return changed_archive(checkpoint_arrays(), random)


def changed_archive(right: dict[str, Any], random: random.Random) -> bytes:
    """An ``.npz`` file with some of these arrays, and with others."""
    arrays = dict(right)
    raw: dict[str, bytes] = {}
    for _ in range(random.randint(0, 2)):
        name = random.choice(list(arrays))
        match random.randrange(5):
            case 0:
                del arrays[name]
                arrays = arrays or dict(right)
            case 1:
                raw[name] = numpy_file(random)
            case 2 if name == "about":
                header = as_tables(json.loads(arrays[name].item()))
                change_tables(header, random)
                arrays[name] = np.array(text_of(header, ": "))
            case 2 if arrays[name].dtype.kind == "f":
                with np.errstate(all="ignore"):
                    arrays[name] = arrays[name] * random.choice([-1, 0.5, math.nan, math.inf])
            case _:
                arrays[name] = random.choice(ARRAYS)
    file = io.BytesIO()
    kind = random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    with zipfile.ZipFile(file, "w", kind) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's, that a name is there twice
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, array, allow_pickle=True)
            archive.writestr(f"{name}.npy", raw.get(name, content.getvalue()))
            if random.random() < 0.02:
                archive.writestr(f"{name}{random.choice(['.npy', '', '.txt'])}", b"again")
    content_of_file = file.getvalue()
    if random.random() < 0.4:
        return changed_bytes(content_of_file, content_of_file, random)
    return content_of_file


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "cases": make_case,
    "csv": make_csv,
    "npz": make_npz,
    "checkpoints": make_checkpoint,
    "records": make_record,
}


def bad_file(kind: str, seed: int, index: int) -> bytes:
    """The content of a file; the same for the same numbers.

    Args:
        kind: one of ``MAKERS``.
        seed, index: the seed of a whole run, and the file's number in it.
    """
    return MAKERS[kind](random.Random(f"{kind} {seed} {index}"))
