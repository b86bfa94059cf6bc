"""The layers of a network, and a Sequential model of them that takes dropout masks."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras

from impl_keras import regularisation
from impl_keras.activations import ACTIVATIONS
from shared import Layer, Masks, Weights

__all__ = ["Dropout", "Sequential", "activation_layer", "bias_of", "dense_layer"]


def dense_layer(layer: Layer, weights: Weights) -> keras.layers.Dense:
    """A Dense layer without activation that starts from ``weights``."""
    dense = keras.layers.Dense(
        layer.units,
        kernel_initializer=lambda shape, dtype: weights.W,
        use_bias=layer.use_bias,
        bias_initializer=lambda shape, dtype: weights.b,
        kernel_regularizer=partial(regularisation.penalty, l1=layer.l1, l2=layer.l2)
        if layer.is_penalised
        else None,
        trainable=layer.trainable,
    )
    dense.build((None, len(weights.W)))
    if layer.use_bias:
        dense.bias.trainable = layer.learns_bias
    return dense


def bias_of(dense: keras.layers.Dense) -> keras.Variable:
    """The bias b[l] (D[l+1],) of a Dense layer; zeros in place of those that it does not have."""
    if dense.use_bias:
        return dense.bias
    return keras.Variable(keras.ops.zeros(dense.units, dense.dtype), trainable=False)


def activation_layer(layer: Layer) -> keras.layers.Activation:
    """An Activation layer with the layer's g, and its α where it has one."""
    return keras.layers.Activation(partial(ACTIVATIONS[layer.activation], **layer.arguments))


class Dropout(keras.layers.Layer):
    """Dropout by the mask that was set last; without one, a[l] stays as it is.

    Keras's own Dropout draws its masks itself, so that no two implementations would drop the same.

    Args:
        layer: the layer whose units it drops.
        l: the index of its output a[l].
    """

    def __init__(self, layer: Layer, l: int) -> None:
        super().__init__()
        self.layer, self.l = layer, l
        self.mask: Any = None

    def call(self, a: Any) -> Any:
        """a[l] after dropout (N, D[l])."""
        if self.mask is None:
            return a
        drop = regularisation.alpha_dropout if self.layer.alpha_dropout else regularisation.dropout
        return drop(a, self.mask, self.layer.dropout_rate)


class Sequential(keras.Sequential):
    """Keras's Sequential on batches with dropout masks; counts the steps with a finite loss.

    Args:
        layers: the layers, as ``keras.Sequential`` takes them.
    """

    def __init__(self, layers: list[keras.layers.Layer] | None = None) -> None:
        super().__init__(layers)
        self.n_finite = keras.Variable(0, dtype="int32", trainable=False)

    def set_masks(self, masks: Masks) -> None:
        """Use these masks, (N, D[l]) for each a[l] with dropout, from now on."""
        for layer in self.layers:
            if isinstance(layer, Dropout):
                layer.mask = masks.get(layer.l)

    def train_step(self, data: Any) -> Any:
        """Keras's own step on a batch: x (N, D[0]), y (N, D[L]), and masks if there is dropout."""
        x, y, *masks = data
        self.set_masks(masks[0] if masks else {})
        logs = super().train_step((x, y))
        self.set_masks({})
        self.n_finite.assign_add(keras.ops.cast(keras.ops.isfinite(logs["loss"]), "int32"))
        return logs
