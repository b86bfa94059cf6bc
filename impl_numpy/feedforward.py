"""A feedforward network with backpropagation written out by hand.

Forward, layer by layer:   z[l] = a[l] @ W[l] + b[l],   a[l+1] = g(z[l]),   a[0] = x
Backward, from the last:   dz[L-1] from the loss, then  dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l])
For each layer:            dW[l] = a[l].T @ dz[l],      db[l] = Σ rows dz[l]
(Rumelhart, Hinton and Williams 1986; UIO-10)

``drop`` and the penalties do nothing unless a layer has dropout, L1 or L2 (model.py).
docs/lecture-code.md sets the listings of the KTH lecture beside this code.
"""

from __future__ import annotations

import numpy as np

from impl_numpy import losses
from impl_numpy.model import Model
from shared import Array

__all__ = ["FeedForward"]


class FeedForward(Model):
    """A feedforward network of any depth."""

    def propagate(
        self, x: Array, masks: dict[int, Array] | None = None
    ) -> tuple[list[Array], list[Array]]:
        """The forward pass: z[0..L-1] and a[0..L]."""
        self.masks = masks or {}
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, self.drop(l, a[l])))
            a.append(self.activation(l, z[l]))
        return z, a

    def net_input(self, l: int, a: Array) -> Array:
        """z[l] = a[l] @ W[l] + b[l]."""
        z = np.dot(a, self.W[l])  # (N, D[l+1])
        z += self.b[l]
        return z

    def activation(self, l: int, z: Array) -> Array:
        """a[l+1] = g(z[l])."""
        return self.g[l](z)

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        """The backward pass: dz, dW and db of every layer."""
        dz = [self.output_delta(y, z[-1], a[-1])]
        for l in reversed(range(len(self.W) - 1)):
            dz.insert(0, self.hidden_delta(l, dz[0], z[l], a[l + 1]))
        dW = [self.weight_gradient(l, self.drop(l, a[l]), dz[l]) for l in range(len(dz))]
        for l in self.penalised:
            dW[l] += self.penalty_gradient(l)
        db = [self.bias_gradient(dz[l]) for l in range(len(dz))]
        return dz, dW, db

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        """dz[L-1] (N, D[L]), directly from a loss of logits, otherwise through the activation."""
        derivative = losses.BACKWARD[self.network.loss](y, z, a, **self.network.loss_arguments)
        if self.network.loss_from_logits:
            return derivative
        return self.activation_backward(len(self.W) - 1, derivative, z, a)

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        """dz[l] (N, D[l+1]), from dz[l+1] back through W[l+1] and the activation."""
        da = np.dot(dz_next, self.W[l + 1].T)  # (N, D[l+1])
        return self.activation_backward(l, self.drop_backward(l + 1, da), z, a)

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        """dz[l] = da · g'(z[l]), (N, D[l+1]); may overwrite da."""
        return self.g_backward[l](da, z, a)

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        """dW[l] = a[l].T @ dz[l], (D[l], D[l+1])."""
        return np.dot(a.T, dz, out=self.dW[l])

    def bias_gradient(self, dz: Array) -> Array:
        """db[l] = Σ rows dz[l], (D[l+1],)."""
        return np.add.reduce(dz)

    def input_gradient(self, dz: list[Array]) -> Array:
        """dx = dz[0] @ W[0].T, (N, D[0])."""
        return dz[0] @ self.W[0].T
