"""Augmentation: altered copies of images, so that a network learns to ignore changes (EPITA-9).

SciPy is imported only when images are augmented.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated

import numpy as np
from annotated_types import Le

from shared.arrays import Array
from shared.datasets import Dataset
from shared.errors import InputError, checked
from shared.fields import NaturalInt, NotNegativeFloat, PositiveInt, Share

# The most images that there may be after augmentation, and their pixels, 4 GiB of them in float64.
MOST_IMAGES, MOST_PIXELS = 2**20, 2**29
# The largest pixel, in absolute value: sums of many stay far within float64.
LARGEST_PIXEL = 1e100
# The largest shift, in pixels, and the largest noise, in ranges of the data.
MOST_SHIFT, MOST_NOISE = 1e6, 1e6


@checked
class Augmentation:
    """The ways in which copies of images are altered, by amounts drawn uniformly from ranges.

    Args:
        copies: number of altered copies of each image, in addition to the image itself.
        shift: largest shift in pixels, vertically and horizontally, in either direction.
        rotate: largest rotation about the centre in degrees, in either direction; at most 180.
        resize: largest enlargement or reduction about the centre, as a share of the size.
        contrast: largest increase or decrease of each pixel's distance from the image's mean, as a
            share of that distance.
        noise: standard deviation of the normal noise added to each pixel, as a share of the data's
            range.
        seed: seed of all random numbers.

    Raises:
        InputError: a number out of its range, or no alteration at all.
    """

    copies: PositiveInt = 1
    shift: Annotated[NotNegativeFloat, Le(MOST_SHIFT)] = 0.0
    rotate: Annotated[NotNegativeFloat, Le(180)] = 0.0
    resize: Share = 0.0
    contrast: Share = 0.0
    noise: Annotated[NotNegativeFloat, Le(MOST_NOISE)] = 0.0
    seed: NaturalInt = 0

    def __post_init__(self) -> None:
        if not (self.shift or self.rotate or self.resize or self.contrast or self.noise):
            raise ValueError("shift, rotate, resize, contrast or noise: give at least one")


def augment(dataset: Dataset, augmentation: Augmentation) -> Dataset:
    """A larger data set: all images as they are, then all of them altered, once for each copy.

    Targets are repeated along with their images. Pixels stay within the range of the data, and
    those that enter an image from outside have the minimum.

    Args:
        dataset: N images, one a row.
        augmentation: the number of copies, and how to alter them.

    Raises:
        InputError: the rows are not images, their pixels are huge, or there would be too many.
    """
    if dataset.image_shape is None:
        raise InputError(
            f"data set {dataset.name!r}: augmentation needs images, but there is no image_shape"
        )
    n_copies = augmentation.copies
    for what, count, most in (
        ("images", (1 + n_copies) * len(dataset), MOST_IMAGES),
        ("pixels", (1 + n_copies) * dataset.x.size, MOST_PIXELS),
    ):
        if count > most:
            made = f"{n_copies} copies make {count:,} {what}"
            raise InputError(f"augmentation.copies: {made}, {most:,} at most")
    low, high = dataset.x.min(), dataset.x.max()
    if (largest := max(-low, high)) > LARGEST_PIXEL:
        raise InputError(f"data set {dataset.name!r}: {largest} is too large for a pixel")
    random = np.random.default_rng(augmentation.seed)
    down, right, turn, size, contrast = random.uniform(-1, 1, (5, n_copies * len(dataset)))
    copies = _move(
        np.tile(dataset.x, (n_copies, 1)).reshape(-1, *dataset.image_shape),
        shift=augmentation.shift * np.column_stack([down, right]),
        angle=np.radians(augmentation.rotate) * turn,
        scale=1 + augmentation.resize * size,
        background=low,
    ).reshape(-1, dataset.x.shape[1])
    from_mean = copies - copies.mean(axis=1, keepdims=True)
    copies += augmentation.contrast * contrast[:, np.newaxis] * from_mean
    copies += random.normal(0, augmentation.noise * (high - low), copies.shape)
    return dataclasses.replace(
        dataset,
        x=np.vstack([dataset.x, copies.clip(low, high)]),
        y=np.tile(dataset.y, (1 + n_copies, 1)),
    )


def _move(images: Array, *, shift: Array, angle: Array, scale: Array, background: float) -> Array:
    """The images (N, H, W) rotated and resized about their centres, then shifted.

    Args:
        images: the original images (N, H, W).
        shift: pixels down and to the right (N, 2).
        angle: counter-clockwise, in radians (N,).
        scale: factors of enlargement (N,).
        background: value of the pixels around the images.
    """
    from scipy.ndimage import affine_transform

    # SciPy takes the inverse map, from a pixel of the result to its origin in the image.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    origins = np.moveaxis(turn / scale, -1, 0)
    centre = (np.array(images.shape[1:]) - 1) / 2
    moved = np.empty_like(images)
    for image, origin, by, result in zip(images, origins, shift, moved, strict=True):
        offset = centre - origin @ (centre + by)
        affine_transform(
            image, origin, offset, output=result, order=1, mode="grid-constant", cval=background
        )
    return moved
