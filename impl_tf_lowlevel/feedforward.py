"""A feedforward network on TensorFlow's variables; the gradient tape goes backwards.

Forward, layer by layer:   z[l] = a[l] @ W[l] + b[l],   a[l+1] = g(z[l]),   a[0] = x
Backward:                  the tape records the forward pass and differentiates the loss
Update, by sgd:            W[l].assign_sub(η dW[l]),    b[l].assign_sub(η db[l])   (update_rules.py)

``drop`` and the penalties do nothing unless a layer has dropout, L1 or L2 (model.py).
docs/lecture-code.md sets the listings of the KTH lecture beside this code.
"""

from __future__ import annotations

import tensorflow as tf

from impl_tf_lowlevel.model import Model
from shared import Derivatives, Masks

__all__ = ["FeedForward"]


class FeedForward(Model):
    """A feedforward network of any depth."""

    def propagate(
        self, x: tf.Tensor, masks: Masks | None = None
    ) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The forward pass: z[0..L-1] and a[0..L]."""
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, self.drop(l, a[l], masks)))
            a.append(self.activation(l, z[l]))
        return z, a

    def net_input(self, l: int, a: tf.Tensor) -> tf.Tensor:
        """z[l] = a[l] @ W[l] + b[l]."""
        return a @ self.W[l] + self.b[l]  # (N, D[l+1])

    def backpropagate(self, x: tf.Tensor, y: tf.Tensor, masks: Masks | None = None) -> Derivatives:
        """The forward pass on the tape, the loss, and the tape's derivatives of it."""
        with tf.GradientTape() as tape:
            tape.watch(x)
            z, a = self.propagate(x, masks)
            loss = self.loss(y, self.output(z, a)) + self.penalty()
        # What the loss does not depend on has the derivative 0, not None.
        dz, dW, db, dx = tape.gradient(loss, [z, self.W, self.b, x], unconnected_gradients="zero")
        return Derivatives(z, a, loss, dz, dW, db, dx)
