"""Mistakes made in one layer alone, as where every layer has lines of its own.

Each is one that the other modules describe as made in every layer that it can be made in.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared import Array
from threeways.mistakes.base import Mistake

# Which layer, and its number; a network's only layer is not one among others.
PLACES: dict[str, tuple[str, int]] = {
    "first": ("first layer", 0),
    "second": ("second layer", 1),
    "last": ("output layer", -1),
}
HIDDEN = ("first", "second")
UPPER = ("second", "last")
ALL = ("first", "second", "last")

# Where each is made; the first and the second layer count only below an output layer.
IN_ONE_LAYER: dict[str, tuple[str, ...]] = {
    "gradients-averaged-again": ALL,
    "weight-gradient-averaged": ALL,
    "weight-gradient-not-averaged": ALL,
    "bias-gradient-averaged": ALL,
    "bias-gradient-not-averaged": ALL,
    "weight-gradient-sign-flipped": ALL,
    "bias-gradient-sign-flipped": ALL,
    "step-uphill": ALL,
    "weights-transposed-forward": ALL,
    "bias-forgotten": ("second",),
    "bias-subtracted": ALL,
    "hidden-delta-sign-flipped": HIDDEN,
    "mean-taken-again-below": HIDDEN,
    "weights-not-transposed": HIDDEN,
    "derivative-at-activation": ALL,
    "net-input-in-derivative": ALL,
    "net-input-for-derivative": ALL,
    "activation-for-derivative": ALL,
    "hidden-derivative-forgotten": HIDDEN,
    "hidden-derivative-forgotten-in-gradients": HIDDEN,
    "sigmoids-derivative-for-all": HIDDEN,
    "net-input-in-weight-gradient": UPPER,
    "output-in-weight-gradient": ALL,
    "weight-gradient-transposed": ALL,
    "bias-summed-over-outputs": ALL,
    "bias-summed-over-all": ALL,
    "bias-gradient-of-first-row": ALL,
    "penalty-forgotten": ("first", "last"),
    "penalty-forgotten-in-loss": ("first", "last"),
    "bias-frozen": ALL,
}


def in_one_layer(mistakes: Mapping[str, type[Mistake]]) -> Iterator[type[Mistake]]:
    """Mistakes made in one layer alone, each of one among these, which are by name."""
    for name, places in IN_ONE_LAYER.items():
        for place in places:
            yield alone(mistakes[name], place)


def alone(kind: type[Mistake], place: str) -> type[Mistake]:
    """The mistake in one layer alone; in a network of one layer, no mistake.

    Args:
        kind: the mistake in every layer.
        place: one of ``PLACES``.
    """
    where, number = PLACES[place]
    words = {
        "name": f"{kind.name}-in-{place}-layer",
        "title": f"{kind.title}, in the {where} alone",
        "did": f"{kind.did} Here in the {where} alone.",
        "variant_of": kind.name,
        "__module__": __name__,
    }
    variant = type(f"{kind.__name__}In{place.title()}Layer", (kind,), words)

    def limited(name: str) -> Callable[..., Any]:
        def method(self: Mistake, l: int, *arguments: Array) -> Any:
            if l == number % len(self.W) and self.last > max(number, 0):
                return getattr(kind, name)(self, l, *arguments)
            mro = type(self).__mro__
            follows = mro[mro.index(variant) + 1] is kind
            return getattr(super(kind if follows else variant, self), name)(l, *arguments)

        return method

    for name in methods_of_layers(kind):
        setattr(variant, name, limited(name))
    return variant


def methods_of_layers(kind: type[Mistake]) -> list[str]:
    """The methods that a mistake overrides and that are called for one layer."""
    functions = {name: part for name, part in vars(kind).items() if inspect.isfunction(part)}
    return [
        name
        for name, function in functions.items()
        if list(inspect.signature(function).parameters)[1:2] == ["l"]
    ]
