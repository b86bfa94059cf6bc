"""The classic mistakes in backpropagation and training, each as a network that makes it.

A mistake overrides a small method or two of :class:`impl_numpy.FeedForward`, or changes the network
that it is given, and says what was done, why it is wrong and what to do. A network in which it
cannot happen stays exactly as it is. A mistake in a loss and one in its derivative count as two,
since either is often made without the other; :func:`pair` makes two at once.

The mistakes are in the order of the step, except that those which change the result of others come
first: of a pair, the first acts on the result of the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from impl_numpy import FeedForward
from threeways.mistakes import (
    backward,
    clipping,
    decay,
    factors,
    forward,
    layers,
    losses,
    optimizers,
    recording,
    regularisation,
    updates,
)
from threeways.mistakes.base import Mistake

__all__ = ["MISTAKES", "Mistake", "pair"]


def _of(module: ModuleType) -> Iterator[type[Mistake]]:
    """The mistakes of a module in their order, each with all its values."""
    for kind in list(vars(module).values()):
        is_own = isinstance(kind, type) and kind.__module__ == module.__name__
        if is_own and issubclass(kind, Mistake) and hasattr(kind, "title"):
            yield kind
            yield from kind.of_other_values()


MISTAKES: dict[str, type[Mistake]] = {
    mistake.name: mistake
    for module in (
        factors,
        forward,
        losses,
        backward,
        regularisation,
        updates,
        clipping,
        decay,
        optimizers,
    )
    for mistake in _of(module)
}
MISTAKES |= {mistake.name: mistake for mistake in layers.in_one_layer(MISTAKES)}
MISTAKES |= {mistake.name: mistake for mistake in _of(recording)}


def pair(first: str, second: str) -> type[FeedForward]:
    """A kind of network that makes two mistakes at once, given by their names."""
    kinds = MISTAKES[first], MISTAKES[second]
    if kinds[0] in kinds[1].__mro__:  # the same with another value, or in one layer
        kinds = kinds[1], kinds[0]
    return type("Both", kinds, {"name": f"{first}+{second}"})
