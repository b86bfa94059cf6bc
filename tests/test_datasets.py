"""Data sets: which of them are images, their splits, and the targets of autoencoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shared import Dataset, InputError, datasets, load_dataset
from shared.datasets import read_data_file


def numbered(n_rows: int) -> Dataset:
    x = np.arange(4.0 * n_rows).reshape(n_rows, 4)
    return Dataset("numbered", x, x[:, :1], image_shape=(2, 2))


def test_images() -> None:
    digits = load_dataset("digits")
    assert digits.x.shape == (1797, 64)
    assert digits.image_shape == (8, 8)
    assert load_dataset("iris").image_shape is None
    with pytest.raises(InputError, match=r"'d': image_shape: \(2, 3\) does not fit 64 pixels"):
        Dataset("d", digits.x, digits.y, image_shape=(2, 3))


def test_images_through_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    keras = pytest.importorskip("keras")
    images = np.array([[[0, 51], [102, 255]]] * 2, dtype=np.uint8)
    data = (images, np.array([0, 1])), None
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: data)
    monkeypatch.setattr(datasets, "_load", datasets._load.__wrapped__)  # keeps nothing
    dataset = load_dataset("fashion_mnist")
    np.testing.assert_array_equal(dataset.x, [[0, 0.2, 0.4, 1]] * 2)
    assert dataset.image_shape == (2, 2)


def test_five_digits_and_the_other_five() -> None:
    digits = load_dataset("digits")
    halves = load_dataset("digits_0_to_4"), load_dataset("digits_5_to_9")
    classes = digits.y.argmax(axis=1)
    for first, half in zip((0, 5), halves, strict=True):
        rows = (classes >= first) & (classes < first + 5)
        np.testing.assert_array_equal(half.x, digits.x[rows])
        np.testing.assert_array_equal(half.y, digits.y[rows, first : first + 5])
        assert half.image_shape == (8, 8)


@pytest.mark.parametrize(("share", "n_part"), [(0.3, 3), (0.05, 1), (0.94, 10)])
def test_split_has_every_row_once(share: float, n_part: int) -> None:
    whole = numbered(11)
    rest, part = whole.split(share, seed=3)
    assert len(part) == n_part
    for each in (rest, part):
        np.testing.assert_array_equal(each.x[:, :1], each.y)
        assert (each.name, each.image_shape) == ("numbered", (2, 2))
    np.testing.assert_array_equal(np.sort(np.vstack([rest.x, part.x]), axis=0), whole.x)


def test_split_is_drawn_by_the_seed() -> None:
    whole = numbered(50)
    parts = [whole.split(0.2, seed)[1].x[:, 0].tolist() for seed in (1, 1, 2)]
    assert parts[0] == parts[1] != parts[2]
    assert sorted(parts[0]) == parts[0]


@pytest.mark.parametrize("share", [0, 0.1, 0.9, 1, -1, 2, float("nan"), float("inf")])
def test_split_that_leaves_no_data(share: float) -> None:
    with pytest.raises(InputError) as error:
        load_dataset("xor").split(share)
    assert str(error.value) == f"data set 'xor': a share of {share} of 4 rows leaves no data"


def test_autoencoder() -> None:
    whole = numbered(3)
    same = whole.as_autoencoder()
    np.testing.assert_array_equal(same.y, whole.x)
    np.testing.assert_array_equal(same.x, whole.x)
    assert same.image_shape == (2, 2)


def test_all_columns_of_an_autoencoders_file_are_features(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    rows = read_data_file(tmp_path / "rows.csv", 0)
    assert rows.x.tolist() == rows.y.tolist() == [[1, 2], [3, 4]]


TABLES = {
    "as-it-should-be": "a,b,c\n1,2,3\n4,5,6\n",
    "byte-order-mark": "\ufeffa,b,c\n1,2,3\n4,5,6\n",
    "windows": "a,b,c\r\n1,2,3\r\n4,5,6\r\n",
    "old-mac": "a,b,c\r1,2,3\r4,5,6",
    "blank-lines": "a,b,c\n\n1,2,3\n  \n4,5,6\n\n\n",
    "quotes": '"a","b, or so","c"\n"1",2,"3"\n4, "5",6\n',
    "spaces": "a, b, c\n 1 , 2 ,\t3\n4,5,6",
    "forms": "a,b,c\n1.,+2,3e0\n4e+0,0.5e1,06",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_a_table(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode())
    rows = read_data_file(path, 1)
    assert rows.x.tolist() == [[1, 2], [4, 5]]
    assert rows.y.tolist() == [[3], [6]]


NOT_A_NUMBER = "could not convert string {} to a number"
SEPARATED = "the columns seem to be separated by {}; expected commas"
WRONG_TABLES: dict[str, tuple[str | bytes, str]] = {
    "comment": ("a,b\n1,2\n#3,4\n", "line 3, column 1 ('a'): " + NOT_A_NUMBER.format("'#3'")),
    "semicolons": ("a;b\n1;2\n3;4\n", SEPARATED.format("semicolons")),
    "decimal-commas": ("a;b\n1,5;2,5\n", SEPARATED.format("semicolons")),
    "tabs": ("a\tb\n1\t2\n", SEPARATED.format("tabs")),
    "bars": ("a|b\n1|2\n", SEPARATED.format("vertical bars")),
    "spaces": ("a b\n1 2\n", SEPARATED.format("spaces")),
    "decimal-comma": ('a,b\n"1,5",2\n', "line 2, column 1 ('a'): " + NOT_A_NUMBER.format("'1,5'")),
    "no-number": ("a,b\n\n1,2\n3,x\n", "line 4, column 2 ('b'): " + NOT_A_NUMBER.format("'x'")),
    "underscore": ("a,b\n1,2_0\n", "line 2, column 2 ('b'): " + NOT_A_NUMBER.format("'2_0'")),
    "empty": ("a,b\n1,2\n3,\n", "line 3, column 2 ('b'): is empty; expected a number"),
    "nan": ("a,b\n1,nan\n", "line 2, column 2 ('b'): nan is not a finite number"),
    "infinity": ("a,b\n-inf,1\n", "line 2, column 1 ('a'): -inf is not a finite number"),
    "huge": ("a,b\n1e999,1\n", "line 2, column 1 ('a'): inf is not a finite number"),
    "long-row": ("a,b\n1,2\n3,4,5\n", "line 3: 3 columns, but 2 headings"),
    "short-row": ("a,b\n1,2\n3\n", "line 3: 1 column, but 2 headings"),
    "one-line": ("a,b\n", "no rows in it"),
    "nothing": ("", "no rows in it"),
    "blank": ("\n \n", "no rows in it"),
    "no-headings": ("1,2\n3,4\n", "the first line should be headings, not numbers"),
    "blank-first": ("\na,b\n1,2\n", "line 1: no headings"),
    "no-heading": ("a,,c\n1,2,3\n", "line 1, column 2: no heading"),
    "same-heading": ("a,b,a\n1,2,3\n", "line 1: 2 columns are headed 'a'"),
    "quote": ('a,b\n"1,2\n', "line 2: unexpected end of data"),
    "null": ("a,b\n1,\0\n", "line 2: a null character in it, so this is not text"),
    "latin-1": ("é,b\n1,2\n".encode("latin-1"), "not UTF-8 text (byte 0)"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "not UTF-8 text (byte 0); it seems to be UTF-16"),
    "utf-16-unmarked": ("a,b\n".encode("utf-16-le"), "line 1: a null character in it, so this is"),
    "escapes": ("a,b\n\x1b[2K,1\n", r"line 2, column 1 ('a'): could not convert string '\x1b[2K'"),
}


@pytest.mark.parametrize(("content", "message"), WRONG_TABLES.values(), ids=WRONG_TABLES)
def test_a_wrong_table(content: str | bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        read_data_file(path, 1)
    (line,) = error.value.problems
    assert line.startswith(f"{path}: {message}")


def test_every_wrong_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,x\n1,2\n3\n" + "y,1\n" * 1000)
    with pytest.raises(InputError) as error:
        read_data_file(path, 1)
    first, second, *_, last = error.value.lines
    assert "line 2, column 2 ('b')" in first
    assert "line 4: 1 column, but 2 headings" in second
    assert last == "and 982 more problems"


@pytest.mark.parametrize("is_found", [True, False])
def test_digits_are_scikit_learns(is_found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its file is read or, where that is not found, its own loader is called."""
    pixels, classes = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)
    if not is_found:
        monkeypatch.setattr(datasets, "_digits_file", Path)
    images, targets = datasets._digits()
    np.testing.assert_array_equal(images.reshape(-1, 64), pixels / 16)
    np.testing.assert_array_equal(targets.argmax(axis=1), classes)
