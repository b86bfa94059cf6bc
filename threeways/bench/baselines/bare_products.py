"""The matrix products of a step, and nothing else: no step in NumPy can be quicker."""

from __future__ import annotations

from collections.abc import Iterator

from shared import Parameters
from threeways.bench.baselines.base import AfterEpoch, Baseline


class BareProducts(Baseline):
    """The products a @ W, a.T @ dz and, except in the first layer, dz @ W.T of every step.

    a[0] is each batch of the run in turn. Without activations, a[l+1] = a[l] @ W[l], and a[L] takes
    the place of dz[L-1].
    """

    name = "bare products"

    def unsupported(self) -> Iterator[str]:
        """Nothing: there are products in every step."""
        yield from ()

    def build(self) -> None:
        self.W = [W for W, _ in self.case.parameters]

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        for epoch in range(self.training.epochs):
            for rows in self.training.batches(epoch, len(self.x)):
                a = [self.x.take(rows, axis=0)]  # (N, D[0])
                for W in self.W:
                    a.append(a[-1] @ W)  # (N, D[l+1])
                dz = a.pop()
                for l in reversed(range(len(self.W))):
                    a[l].T @ dz  # (D[l], D[l+1])
                    if l:
                        dz = dz @ self.W[l].T  # (N, D[l])
            after_epoch()
        return []

    @property
    def parameters(self) -> Parameters:
        return self.case.parameters
