"""Augmentation: each alteration done by hand, and the ranges that the amounts are drawn from."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from shared import Dataset, InputError, load_dataset
from shared.arrays import Array
from shared.augmentation import Augmentation, augment

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(6, 5, 4))
SQUARES = RANDOM.normal(size=(6, 5, 5))


def dataset_of(images: Array) -> Dataset:
    y = np.eye(len(images))
    return Dataset("made up", images.reshape(len(images), -1), y, image_shape=images.shape[1:])


def copies_of(images: Array, **changes: Any) -> Array:
    """The altered copies, as images; the images themselves come first and are unchanged."""
    augmented = augment(dataset_of(images), Augmentation(**changes)).x.reshape(
        -1, *images.shape[1:]
    )
    np.testing.assert_array_equal(augmented[: len(images)], images)
    return augmented[len(images) :]


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A fixed share of each range in place of random numbers, and no noise."""

    def always(share: float) -> None:
        class Generator:
            def uniform(self, low: float, high: float, shape: tuple[int, ...]) -> Array:
                return np.full(shape, share * high)

            def normal(self, mean: float, deviation: float, shape: tuple[int, ...]) -> Array:
                return np.zeros(shape)

        monkeypatch.setattr(np.random, "default_rng", lambda seed: Generator())

    return always


def test_nothing_changes_in_the_middle_of_the_ranges(draw: Any) -> None:
    draw(0)
    copies = copies_of(IMAGES, shift=2, rotate=30, resize=0.5, contrast=0.5, noise=1)
    np.testing.assert_array_equal(copies, IMAGES)


@pytest.mark.parametrize("end", [1, -1])
def test_shift(end: int, draw: Any) -> None:
    draw(end)
    shifted = np.full_like(IMAGES, IMAGES.min())
    if end > 0:
        shifted[:, 2:, 2:] = IMAGES[:, :-2, :-2]
    else:
        shifted[:, :-2, :-2] = IMAGES[:, 2:, 2:]
    np.testing.assert_allclose(copies_of(IMAGES, shift=2), shifted, atol=1e-12)


@pytest.mark.parametrize("quarters", [1, 2])
def test_rotate(quarters: int, draw: Any) -> None:
    """Counter-clockwise, at the range's upper end."""
    draw(1)
    rotated = np.rot90(SQUARES, quarters, axes=(1, 2))
    np.testing.assert_allclose(copies_of(SQUARES, rotate=90 * quarters), rotated, atol=1e-12)


def test_resize(draw: Any) -> None:
    """A slope, which interpolation keeps exactly, flattens as the image grows."""
    draw(1)
    row, column = np.mgrid[-2:3, -2:3]
    slope = np.array([3.0 * row + column])
    np.testing.assert_allclose(copies_of(slope, resize=0.25), slope / 1.25, atol=1e-12)
    draw(-1)
    dot = np.zeros((1, 5, 5))
    dot[0, 2, 4] = 1
    (smaller,) = copies_of(dot, resize=0.5)
    assert smaller[2, 3] == 1
    assert smaller.sum() == 1


def test_changes_compose(draw: Any) -> None:
    """Rotated about the centre first, then shifted."""
    draw(1)
    turned = np.rot90(SQUARES, axes=(1, 2))
    moved = np.full_like(SQUARES, SQUARES.min())
    moved[:, 1:, 1:] = turned[:, :-1, :-1]
    np.testing.assert_allclose(copies_of(SQUARES, rotate=90, shift=1), moved, atol=1e-12)


def test_contrast(draw: Any) -> None:
    images = np.array([[[0.4, 0.6]], [[0.0, 1.0]]])
    draw(1)
    np.testing.assert_allclose(copies_of(images, contrast=0.5), [[[0.35, 0.65]], [[0.0, 1.0]]])
    draw(-1)
    np.testing.assert_allclose(copies_of(images, contrast=0.5), [[[0.45, 0.55]], [[0.25, 0.75]]])


def test_noise_is_of_the_stated_deviation_and_kept_to_the_range() -> None:
    grey = np.full((2, 100, 100), 100.0)
    grey[1, :50], grey[1, 50:] = 0, 200
    noisy = copies_of(grey, noise=0.1)
    assert noisy[0].mean() == pytest.approx(100, abs=1)
    assert noisy[0].std() == pytest.approx(20, rel=0.03)
    assert noisy.min() == 0
    assert noisy.max() == 200


def test_shifts_fill_their_range() -> None:
    """The centre of mass moves by exactly the shift, since interpolation preserves it."""
    dots = np.zeros((500, 9, 9))
    dots[:, 4, 4] = 1
    weights = copies_of(dots, shift=2.5)
    offset = np.arange(9) - 4
    for axis in (1, 2):
        moved = weights.sum(axis=axis) @ offset
        assert -2.5 <= moved.min() < -2.4
        assert 2.4 < moved.max() <= 2.5
        assert moved.mean() == pytest.approx(0, abs=0.2)
    down, right = weights.sum(axis=2) @ offset, weights.sum(axis=1) @ offset
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.15


def test_labels_go_with_their_images() -> None:
    dataset = dataset_of(IMAGES)
    augmented = augment(dataset, Augmentation(copies=3, noise=0.001))
    assert len(augmented) == 4 * len(dataset)
    assert (augmented.name, augmented.image_shape) == (dataset.name, dataset.image_shape)
    distances = np.linalg.norm(augmented.x[:, np.newaxis] - dataset.x, axis=2)
    np.testing.assert_array_equal(augmented.y.argmax(axis=1), distances.argmin(axis=1))


def test_seeds_reproduce() -> None:
    digits = load_dataset("digits").split(0.02)[1]
    changes: dict[str, Any] = {"copies": 2, "shift": 1, "rotate": 15, "noise": 0.1}
    first, again, other = (
        augment(digits, Augmentation(**changes, seed=seed)).x[len(digits) :] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    one, two = np.split(first, 2)
    assert not np.isclose(first, other).all(axis=1).any()
    assert not np.isclose(one, two).all(axis=1).any()


def test_rows_that_are_no_images() -> None:
    with pytest.raises(InputError, match="'iris': augmentation needs images"):
        augment(load_dataset("iris"), Augmentation(noise=0.1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "shift, rotate, resize, contrast or noise: give at least one"),
        ({"shift": -1}, "shift: should be greater than or equal to 0, not -1"),
        ({"rotate": 181}, "rotate: should be less than or equal to 180, not 181"),
        ({"resize": 1}, "resize: should be less than 1, not 1"),
        ({"copies": 0, "noise": 1}, "copies: should be greater than 0, not 0"),
        ({"shfit": 1}, "'shfit' is not a key here; did you mean 'shift'?"),
    ],
)
def test_wrong_augmentation(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        Augmentation(**changes)
    assert error.value.problems == (message,)


def test_scipy_loads_only_when_used() -> None:
    code = "import shared.augmentation, sys; assert 'scipy' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
