"""The rules by which a gradient changes a variable: names → Keras's own optimizers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import keras

__all__ = ["RULES"]

RULES: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "momentum": keras.optimizers.SGD,
    "nesterov": partial(keras.optimizers.SGD, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
}
