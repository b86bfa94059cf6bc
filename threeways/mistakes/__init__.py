"""The classic mistakes in backpropagation and training, each as a network that makes it.

A mistake overrides one small method of :class:`impl_numpy.FeedForward`, or gives it another
network, and says what was done, why it is wrong and what to do. It leaves every network that it
cannot happen in exactly as it was. What goes wrong in a loss and what goes wrong in its derivative
are two mistakes, since one is made without the other as often as with it; :func:`pair` makes two at
once. They are in the order of the step, but those that change what others make come before these:
of a pair, the first acts on what the second makes.
"""

from __future__ import annotations

from impl_numpy import FeedForward
from threeways.mistakes import backward, factors, forward, optimizers, regularisation, updates
from threeways.mistakes.base import Mistake

__all__ = ["MISTAKES", "Mistake", "pair"]

MISTAKES: dict[str, type[Mistake]] = {
    mistake.name: mistake
    for module in (factors, forward, backward, regularisation, updates, optimizers)
    for mistake in Mistake.__subclasses__()
    if mistake.__module__ == module.__name__
}


def pair(first: str, second: str) -> type[FeedForward]:
    """A network that makes two mistakes, by their names, at once."""
    return type("Both", (MISTAKES[first], MISTAKES[second]), {})
