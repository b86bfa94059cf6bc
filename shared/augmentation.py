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


@checked
class Augmentation:
    """The alterations of images: each copy's are drawn uniformly from these ranges.

    Args:
        copies: the number of altered copies of each image, beside the image itself.
        shift: at most this many pixels, down or up and right or left.
        rotate: at most this many degrees about the centre, either way; up to 180.
        resize: at most this share larger or smaller, about the centre; below 1.
        contrast: at most this share more or less of each pixel's difference from the mean of its
            image; below 1.
        noise: the standard deviation of the normal noise that is added to each pixel; 1 is the
            whole range of the data.
        seed: the seed of the random generator.

    Raises:
        InputError: a number is out of its range, or nothing is altered.
    """

    copies: PositiveInt = 1
    shift: NotNegativeFloat = 0.0
    rotate: Annotated[NotNegativeFloat, Le(180)] = 0.0
    resize: Share = 0.0
    contrast: Share = 0.0
    noise: NotNegativeFloat = 0.0
    seed: NaturalInt = 0

    def __post_init__(self) -> None:
        if not (self.shift or self.rotate or self.resize or self.contrast or self.noise):
            raise ValueError("shift, rotate, resize, contrast or noise: give at least one")


def augment(dataset: Dataset, augmentation: Augmentation) -> Dataset:
    """The N images, followed by their altered copies: (1 + copies) · N rows, with their targets.

    Pixels keep to the range of the data. Where a copy shows what lies outside of its image, it has
    the minimum of the data.

    Raises:
        InputError: the rows of the data set are not images.
    """
    if dataset.image_shape is None:
        raise InputError(
            f"data set {dataset.name!r}: augmentation needs images, but there is no image_shape"
        )
    low, high = dataset.x.min(), dataset.x.max()
    n_copies = augmentation.copies
    random = np.random.default_rng(augmentation.seed)
    down, right, rotation, size, contrast = random.uniform(-1, 1, (5, n_copies * len(dataset)))
    copies = _move(
        np.tile(dataset.x, (n_copies, 1)).reshape(-1, *dataset.image_shape),
        shift=augmentation.shift * np.column_stack([down, right]),
        angle=np.radians(augmentation.rotate) * rotation,
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
    """Images (N, H, W) rotated and resized about their centres, then shifted, interpolated once.

    Args:
        images: (N, H, W).
        shift: (N, 2), in pixels down and right.
        angle: (N,), in radians, counter-clockwise.
        scale: (N,), above 1 to enlarge.
        background: the value of pixels outside of the images.
    """
    from scipy.ndimage import affine_transform

    # SciPy wants the inverse: where in the image each pixel of the result comes from.
    rotations = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    origins = np.moveaxis(rotations / scale, -1, 0)
    centre = (np.array(images.shape[1:]) - 1) / 2
    moved = np.empty_like(images)
    for image, origin, by, result in zip(images, origins, shift, moved, strict=True):
        offset = centre - origin @ (centre + by)
        affine_transform(
            image, origin, offset, output=result, order=1, mode="grid-constant", cval=background
        )
    return moved
