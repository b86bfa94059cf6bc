"""A network: layers of units, and the loss that it is trained on."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, ValidationInfo

from shared.activations import ACTIVATIONS
from shared.arguments import check_type
from shared.errors import InputError, checked
from shared.fields import (
    FiniteFloat,
    Flag,
    NotNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Share,
    Text,
    one_of,
)
from shared.losses import LOSSES, loss_named

DTYPES = ("float32", "float64")
# The most layers that a network may have.
MOST_LAYERS = 1000

ActivationName = Annotated[Text, one_of("an activation", ACTIVATIONS)]


def _loss_name(name: str, info: ValidationInfo) -> str:
    layers = info.data.get("layers")
    return loss_named(name, layers[-1].activation if layers else "")


LossName = Annotated[Text, AfterValidator(_loss_name)]  # of a class with the field layers before
DTypeName = Annotated[Text, one_of("a dtype", DTYPES)]


@checked
class Layer:
    """A fully connected layer, a[l+1] = g(a[l] @ W[l] + b[l]), or g(a[l] @ W[l]) without biases.

    Args:
        units: D[l+1], the number of its units.
        activation: g, one of ``ACTIVATIONS``.
        alpha: α, the slope of leaky ReLU (0.01 unless given) or the scale of ELU (1) below zero.
        use_bias: whether it has biases; without them b[l] is 0, and no quantity of a step.
        fixed_bias: whether updates leave b[l] as it is.
        trainable: whether updates change W[l] and b[l]; a layer that is not is frozen (EPITA-10).
        l1, l2: the factors of the penalty l1 Σ|W[l]| + l2 ΣW[l]² that a trainable layer adds to
            the loss; biases are not penalised (EPITA-12).
        dropout: the probability with which training sets a unit of a[l+1] to 0; the others are
            divided by 1 - dropout (EPITA-13).
        alpha_dropout: the probability with which training sets a unit of a[l+1] to SELU's lower
            limit; all are then scaled and shifted, so that mean and variance stay.

    Raises:
        InputError: an unknown activation, a number out of its range, an α where the activation has
            none, or alpha dropout of other units than SELU.
    """

    units: PositiveInt
    activation: ActivationName = "linear"
    alpha: FiniteFloat | None = None
    use_bias: Flag = True
    fixed_bias: Flag = False
    trainable: Flag = True
    l1: NotNegativeFloat = 0.0
    l2: NotNegativeFloat = 0.0
    dropout: Share = 0.0
    alpha_dropout: Share = 0.0

    def __post_init__(self) -> None:
        if self.alpha is not None and ACTIVATIONS[self.activation].alpha is None:
            have = " and ".join(name for name, g in ACTIVATIONS.items() if g.alpha is not None)
            raise ValueError(f"alpha: {self.activation!r} has none, only {have} have")
        if self.fixed_bias and not self.use_bias:
            raise ValueError("fixed_bias: a layer without biases has none to fix")
        if self.activation == "softmax" and self.units == 1:
            raise ValueError("units: softmax over one unit is always 1, use sigmoid")
        if self.alpha_dropout and self.activation != "selu":
            raise ValueError(f"alpha_dropout: is for selu, {self.activation!r} takes dropout")
        if self.alpha_dropout and self.dropout:
            raise ValueError("dropout and alpha_dropout: give one of them")

    @property
    def dropout_rate(self) -> float:
        """The probability with which training drops a unit of it, in [0, 1)."""
        return self.dropout or self.alpha_dropout

    @property
    def learns_bias(self) -> bool:
        """Whether updates change b[l]."""
        return self.trainable and self.use_bias and not self.fixed_bias

    def learns(self, letter: str) -> bool:
        """Whether updates change W[l] or b[l], by its letter."""
        return self.trainable if letter == "W" else self.learns_bias

    @property
    def is_penalised(self) -> bool:
        """Whether it adds a penalty to the loss; a frozen layer does not."""
        return self.trainable and (self.l1 > 0 or self.l2 > 0)

    @cached_property
    def arguments(self) -> dict[str, float]:
        """The keyword arguments of g beside z: ``{"alpha": α}`` where it has one, else none."""
        alpha = ACTIVATIONS[self.activation].alpha if self.alpha is None else self.alpha
        return {} if alpha is None else {"alpha": alpha}


@checked
class Network:
    """A feedforward network: D[0] features, layers one after the other, and a loss.

    Args:
        n_features: D[0], the width of the input.
        layers: the layers, 1 to ``MOST_LAYERS``.
        loss: one of ``LOSSES``, or what others call it, such as ``"mse"``, which becomes its name
            here; it has to fit the activation of the output layer.
        delta: δ, the size of an error from which on Huber's loss is linear (1 unless given).
        dtype: the dtype of parameters, data and all arithmetic, ``"float32"`` or ``"float64"``.

    Raises:
        InputError: no layers or too many, an unknown loss or dtype, a loss that does not fit the
            output, a δ where the loss has none, or dropout of the output.
    """

    n_features: PositiveInt
    layers: tuple[Layer, ...]
    loss: LossName
    delta: PositiveFloat | None = None
    dtype: DTypeName = "float64"

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("layers: a network needs at least one")
        if len(self.layers) > MOST_LAYERS:
            raise ValueError(f"layers: {len(self.layers)} are too many, at most {MOST_LAYERS}")
        fitting = LOSSES[self.loss].fits
        if self.layers[-1].activation not in fitting:
            raise ValueError(
                f"loss: {self.loss!r} does not fit an output layer of "
                f"{self.layers[-1].activation!r} units, only of {', '.join(fitting)}"
            )
        if self.delta is not None and LOSSES[self.loss].delta is None:
            have = " and ".join(name for name, each in LOSSES.items() if each.delta is not None)
            raise ValueError(f"delta: {self.loss!r} has none, only {have} has")
        if self.layers[-1].dropout_rate:
            last = len(self.layers) - 1
            raise ValueError(f"layers[{last}]: the output layer cannot have dropout")

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """D[0..L], the widths of the input and of each layer."""
        return (self.n_features, *(layer.units for layer in self.layers))

    @cached_property
    def loss_from_logits(self) -> bool:
        """Whether the loss takes the output layer's z, not its a, both (N, D[L])."""
        return LOSSES[self.loss].from_logits

    @cached_property
    def loss_arguments(self) -> dict[str, float]:
        """The keyword arguments of the loss: ``{"delta": δ}`` where it has one, else none."""
        delta = LOSSES[self.loss].delta if self.delta is None else self.delta
        return {} if delta is None else {"delta": delta}

    @cached_property
    def without_bias(self) -> frozenset[int]:
        """The layers l without biases."""
        return frozenset(l for l, layer in enumerate(self.layers) if not layer.use_bias)

    @cached_property
    def dropping(self) -> dict[int, Layer]:
        """The layers with dropout, by the index l of their output a[l], 1 .. L-1."""
        return {l: layer for l, layer in enumerate(self.layers, 1) if layer.dropout_rate}

    @property
    def is_perceptron(self) -> bool:
        """Whether it is one layer, of thresholds with their rule or of sigmoids (KTH-1, KTH-2)."""
        (first, *more) = self.layers
        return (
            not more
            and first.trainable
            and not first.is_penalised
            and (self.has_perceptron_rule or self.loss == "binary_crossentropy")
        )

    @property
    def has_perceptron_rule(self) -> bool:
        """Whether its output units are thresholds, trained until they make no errors."""
        return ACTIVATIONS[self.layers[-1].activation].is_threshold

    def array(self, values: Any) -> np.ndarray[Any, Any]:
        """A new array of the same shape as ``values``, in the network's dtype."""
        return np.array(values, dtype=self.dtype, order="C")


def check_perceptron(network: Network) -> Network:
    """``network`` itself, if it is a perceptron.

    Raises:
        InputError: it is not: it has several layers, other units, or another loss.
    """
    check_type("network", network, Network)
    if not network.is_perceptron:
        raise InputError(
            "a perceptron has one layer, of step or sign units with the perceptron rule or of "
            "sigmoid units with binary cross-entropy, trainable and without a penalty; "
            "use FeedForward"
        )
    return network
