"""How a gradient changes a variable; no optimizer of TensorFlow's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from shared import Training

__all__ = ["optimizer"]

Array: TypeAlias = tf.Tensor


class SGD:
    """Gradient descent: w ← w - η ∂loss/∂w."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def apply(self, gradients: Sequence[Array], variables: Sequence[tf.Variable]) -> None:
        """Update each variable in place by its gradient, of the same shape."""
        for gradient, variable in zip(gradients, variables, strict=True):
            variable.assign_sub(self.learning_rate * gradient)


def optimizer(training: Training) -> SGD:
    """The optimizer that a training run asks for."""
    return SGD(training.learning_rate)
