"""A perceptron: one layer, its whole step on one page.

With threshold units it learns by the perceptron rule, w ← w + η(y - ŷ)x; with sigmoid units by
gradient descent on the cross-entropy, whose gradient has the same form (KTH-1, KTH-2, EPITA-1).
docs/lecture-code.md sets the listings of the KTH lecture beside this code.
"""

from __future__ import annotations

import tensorflow as tf

from impl_tf_lowlevel.model import Model
from shared import Derivatives, Masks, Network, Parameters, check_perceptron

__all__ = ["Perceptron"]


class Perceptron(Model):
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

    def propagate(
        self, x: tf.Tensor, masks: Masks | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """z = x @ W + b and ŷ = g(z), (N, D[1])."""
        (W,), (b,) = self.W, self.b
        z = x @ W + b
        y_hat = self.activation(0, z)
        return [z], [x, y_hat]

    def backpropagate(self, x: tf.Tensor, y: tf.Tensor, masks: Masks | None = None) -> Derivatives:
        """The forward pass on the tape, the loss of z, and the tape's derivatives of it."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            (z,), a = self.propagate(x)
            loss = self.loss(y, z)
        dz, dW, db, dx = tape.gradient(loss, [z, *self.W, *self.b, x])
        return Derivatives([z], a, loss, [dz], [dW], [db], dx)
