"""Augmentation: changed copies of images, so that a network learns what does not matter (EPITA-9).

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
    """How images are changed: each copy by amounts drawn evenly from these ranges.

    Args:
        copies: changed copies of each image, beside the image itself.
        shift: up to so many pixels, down or up and right or left.
        rotate: up to so many degrees about the centre, either way; 180 at most.
        resize: up to this share larger or smaller, about the centre.
        contrast: up to this share is added to, or taken from, how far each pixel is from the
            image's mean.
        noise: standard deviation of what is added to each pixel, normally distributed; 1 is the
            data's whole range.
        seed: of all that is drawn.

    Raises:
        InputError: a number out of its range, or nothing to change.
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
    """The images as they are, then a changed copy of each, and so on; targets go with them.

    Copies keep to the data's range. What comes into an image from outside is the data's minimum.

    Raises:
        InputError: the rows are no images.
    """
    if dataset.image_shape is None:
        raise InputError(
            f"data set {dataset.name!r}: its rows are no images, augmentation needs them; "
            "images have an image_shape"
        )
    low, high = dataset.x.min(), dataset.x.max()
    n_copies = augmentation.copies
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
    """Images (N, H, W) rotated and resized about their centres, then shifted, all in one.

    Args:
        images: the images.
        shift: (N, 2), in pixels down and right.
        angle: (N,), in radians, counter-clockwise.
        scale: (N,), above 1 to enlarge.
        background: what surrounds the images.
    """
    from scipy.ndimage import affine_transform

    # SciPy asks the other way round: where in the image a pixel of the moved one comes from.
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
