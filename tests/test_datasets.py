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
