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
        """Update each variable in place by its gradient, of the same shape."""
        for gradient, variable in zip(gradients, variables, strict=True):
            variable -= self.learning_rate * gradient


def optimizer(training: Training) -> SGD:
    """The optimizer that a training run asks for."""
    return SGD(training.learning_rate)
