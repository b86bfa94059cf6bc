"""How a gradient changes a parameter."""

from __future__ import annotations

from collections.abc import Sequence

from shared import Array, Training

__all__ = ["optimizer"]


class SGD:
    """Gradient descent: w ← w - η ∂loss/∂w."""

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def apply(self, gradients: Sequence[Array], variables: Sequence[Array]) -> None:
        """Update each variable in place by its gradient, of the same shape, which is used up."""
        for gradient, variable in zip(gradients, variables, strict=True):
            gradient *= self.learning_rate  # in place: nothing as large as W is allocated
            variable -= gradient


def optimizer(training: Training) -> SGD:
    """The optimizer that a training run asks for."""
    return SGD(training.learning_rate)
