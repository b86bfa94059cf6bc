"""The losses: what all implementations agree on; each is a mean over the rows of a batch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.activations import ACTIVATIONS
from shared.errors import short, unknown
from shared.other_names import SAME_LOSSES

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Targets:
    """The targets that a loss is defined for.

    Args:
        description: words to follow "is not" in a message.
        allowed: takes y (N, D[L]) and returns (N, D[L]) of bool, True where y is allowed.
        low: the target of an output whose class a row is not of; that of its own class is 1.
    """

    description: str
    allowed: Callable[[Array], Array]
    low: int = 0


@dataclass(frozen=True)
class Loss:
    """A loss: the outputs and targets that it takes, and how it reduces them.

    Args:
        fits: the activations that the output layer may have.
        from_logits: whether it takes the output layer's z, the logits, and not its a: a
            cross-entropy computed from probabilities loses every digit where they saturate.
        averages_outputs: whether it is a mean over the outputs of a row, and not their sum.
        targets: the targets that it is defined for; None if it is for all.
        delta: the default of δ; None where it has none.
    """

    fits: tuple[str, ...]
    from_logits: bool = False
    averages_outputs: bool = False
    targets: Targets | None = None
    delta: float | None = None


def _either(low: int, high: int) -> Callable[[Array], Array]:
    return lambda y: (y == low) | (y == high)


def is_distribution(y: Array) -> Array:
    """Where numbers (N, K) are shares, of 0 or more, in a row that sums to 1; (N, K) of bool."""
    return (y >= 0) & (np.abs(y.sum(axis=1, keepdims=True) - 1) <= SUM_ERROR)


# How far from 1 the sum of a row of shares may be: of a float32 softmax, or of six decimals.
SUM_ERROR = 1e-5

_SMOOTH = tuple(name for name, g in ACTIVATIONS.items() if not g.is_threshold)
_SHARES = Targets("in [0, 1], as binary cross-entropy needs", lambda y: (y >= 0) & (y <= 1))
_DISTRIBUTIONS = Targets(
    "one-hot, or shares that sum to 1, as categorical cross-entropy needs", is_distribution
)
_SIGNS = Targets(
    "of -1 and 1 alone, as hinge needs; write -1 in place of 0", _either(-1, 1), low=-1
)
_BINARY = Targets("of 0 and 1 alone, as the perceptron rule with step needs", _either(0, 1))
_BIPOLAR = Targets(
    "of -1 and 1 alone, as the perceptron rule with sign needs", _either(-1, 1), low=-1
)

# The conventions at a kink: the absolute error's derivative is 0 where a = y, hinge's where ya = 1.
LOSSES: dict[str, Loss] = {
    "mean_squared_error": Loss(_SMOOTH, averages_outputs=True),
    "half_squared_error": Loss(_SMOOTH),
    "mean_absolute_error": Loss(_SMOOTH, averages_outputs=True),
    "huber": Loss(_SMOOTH, averages_outputs=True, delta=1.0),
    "hinge": Loss(_SMOOTH, averages_outputs=True, targets=_SIGNS),
    "binary_crossentropy": Loss(
        ("sigmoid",), from_logits=True, averages_outputs=True, targets=_SHARES
    ),
    "categorical_crossentropy": Loss(("softmax",), from_logits=True, targets=_DISTRIBUTIONS),
    "softmax_binary_crossentropy": Loss(
        ("softmax",), from_logits=True, averages_outputs=True, targets=_SHARES
    ),
    "perceptron": Loss(("step",), from_logits=True, targets=_BINARY),
    "bipolar_perceptron": Loss(("sign",), from_logits=True, targets=_BIPOLAR),
    "output": Loss(_SMOOTH),
}


def loss_named(name: str, output: str = "") -> str:
    """The name in ``LOSSES`` of the loss that is called so here or elsewhere, such as ``"mse"``.

    Args:
        name: the loss.
        output: the activation of the output layer; of several losses, the one that fits is meant.

    Raises:
        ValueError: there is no such loss, or several that do not fit the output layer.

    >>> loss_named("MSE"), loss_named("cross_entropy", "sigmoid")
    ('mean_squared_error', 'binary_crossentropy')
    """
    if name in LOSSES:
        return name
    plain = _plain(name)
    same = [each for each in LOSSES if _plain(each) == plain]
    meant = [each for each in (*same, *SAME_LOSSES.get(plain, ())) if each in LOSSES]
    fitting = [each for each in meant if output in LOSSES[each].fits]
    if len(meant) == 1 or fitting or (meant and not output):
        return (fitting or meant)[0]
    if meant:
        needs = (f"{LOSSES[each].fits[0]} units ({each!r})" for each in meant)
        raise ValueError(
            f"{short(name)} does not fit an output layer of {output!r} units, only of "
            + " or ".join(needs)
        )
    more = ""
    if plain == "sparsecategoricalcrossentropy":
        more = " (and give the labels as labels in [data])"
    raise ValueError(unknown(name, "a loss", LOSSES) + more)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower()).removesuffix("loss")
