"""The classic mistakes in backpropagation and training, each as a network that makes it.

A mistake overrides a small method or two of :class:`impl_numpy.FeedForward`, or changes the network
that it is given, and says what was done, why it is wrong and what to do. A network in which it
cannot happen stays exactly as it is. A mistake in a loss and one in its derivative count as two,
since either is often made without the other; :func:`pair` makes two at once.

The mistakes are in the order of the step, except that those which change the result of others come
first: of a pair, the first acts on the result of the second.
"""

from __future__ import annotations

from impl_numpy import FeedForward
from threeways.mistakes import (
    backward,
    factors,
    forward,
    optimizers,
    recording,
    regularisation,
    updates,
)
from threeways.mistakes.base import Mistake

__all__ = ["MISTAKES", "Mistake", "pair"]

MISTAKES: dict[str, type[Mistake]] = {
    mistake.name: mistake
    for module in (factors, forward, backward, regularisation, updates, optimizers, recording)
    for mistake in Mistake.__subclasses__()
    if mistake.__module__ == module.__name__
}


def pair(first: str, second: str) -> type[FeedForward]:
    """A kind of network that makes two mistakes at once, given by their names."""
    return type("Both", (MISTAKES[first], MISTAKES[second]), {})
