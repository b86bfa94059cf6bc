"""A perceptron: one layer, its whole step on one page.

With threshold units it learns by the perceptron rule, w ← w + η(y - ŷ)x; with sigmoid units by
gradient descent on the cross-entropy, whose gradient has the same form (KTH-1, KTH-2, EPITA-1).
docs/lecture-code.md sets the listings of the KTH lecture beside this code.
"""

from __future__ import annotations

from impl_numpy.model import Model
from shared import LOSSES, Array, Network, Parameters, check_perceptron

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
        self, x: Array, masks: dict[int, Array] | None = None
    ) -> tuple[list[Array], list[Array]]:
        """z = x @ W + b and ŷ = g(z), (N, D[1])."""
        (W,), (b,), (g,) = self.W, self.b, self.g
        z = x @ W + b
        y_hat = g(z)
        return [z], [x, y_hat]

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        """dz = (ŷ - y) / n, dW = x.T @ dz and db = Σ rows dz, so that w ← w - η dW is the rule."""
        x, y_hat = a
        # The cross-entropy is a mean over all outputs, the perceptron rule's loss over the rows.
        n = y.size if LOSSES[self.network.loss].averages_outputs else len(y)
        dz = (y_hat - y) / n
        return [dz], [x.T @ dz], [dz.sum(axis=0)]

    def input_gradient(self, dz: list[Array]) -> Array:
        """dx = dz @ W.T, (N, D[0])."""
        return dz[0] @ self.W[0].T
