"""Keras's default dtype, set for the time of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras

__all__ = ["default_dtype"]


@contextmanager
def default_dtype(dtype: str) -> Iterator[None]:
    """A block in which Keras makes layers, losses, metrics and learning rates in ``dtype``.

    Their default is float32, even around float64 layers: a rate of 0.1 would be 0.10000000149 and
    a loss would have float32's error. Setting floatx alone does not move the layers' own default.
    """
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
