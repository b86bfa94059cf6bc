"""How a gradient changes a variable, by Keras's own optimizers."""

from __future__ import annotations

from typing import TypeAlias

import keras

from shared import Training

__all__ = ["optimizer"]

SGD: TypeAlias = keras.optimizers.SGD


def optimizer(training: Training) -> SGD:
    """The optimizer that a training run asks for."""
    return SGD(training.learning_rate)
