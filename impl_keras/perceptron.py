"""A perceptron: a Sequential model of one Dense layer.

With threshold units it learns by the perceptron rule, w ← w + η(y - ŷ)x; with sigmoid units by
gradient descent on the cross-entropy, whose gradient has the same form (KTH-1, KTH-2, EPITA-1).
It is compiled and fitted as every model is (feedforward.py).
docs/lecture-code.md sets the listings of the KTH lecture beside this code.
"""

from __future__ import annotations

import tensorflow as tf

from impl_keras.feedforward import FeedForward
from impl_keras.layers import Sequential, activation_layer, dense_layer
from shared import Masks, Network, Parameters, check_perceptron

__all__ = ["Perceptron"]


class Perceptron(FeedForward):
    """One layer of threshold units or of sigmoid units.

    Args:
        network: a single layer, of step or sign units with the perceptron rule, or of sigmoid
            units with binary cross-entropy.
        parameters: where it starts; W (D[0], D[1]) and b (D[1],).

    Raises:
        InputError: another network, or parameters that do not fit it.
    """

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(check_perceptron(network), parameters)

    def build(self, start: Parameters) -> None:
        (layer,), (weights,) = self.network.layers, start
        self.dense = [dense_layer(layer, weights)]
        self.g = activation_layer(layer)  # outside the model: the losses take z
        self.model = Sequential(self.dense)

    def propagate(
        self, x: tf.Tensor, masks: Masks | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """z = x @ W + b and ŷ = g(z), (N, D[1])."""
        z = self.model(x)
        y_hat = self.g(z)
        return [z], [x, y_hat]
