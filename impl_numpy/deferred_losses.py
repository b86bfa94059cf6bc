"""The losses of many steps, computed at once in a fraction of the time that each takes alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from shared import Array

__all__ = ["DeferredLosses"]

# Bytes of outputs after which their losses are computed.
WAITING_BYTES = 2**17


class DeferredLosses:
    """The losses of an epoch's steps.

    A run needs only their mean over the epoch, unless one of them is not finite.

    Args:
        loss: the loss, a scalar, of targets y and outputs, both (N, D[L]).
    """

    def __init__(self, loss: Callable[[Array, Array], Array]) -> None:
        self.loss = loss
        self.known: list[float] = []
        self.waiting: list[tuple[Array, Array, Array | float]] = []
        self.n_bytes = 0

    def add(self, y: Array, output: Array, penalty: Array | float) -> None:
        """Add a step: its targets and outputs (N, D[L]), and its penalty."""
        self.waiting.append((y, output, penalty))
        self.n_bytes += output.nbytes
        if self.n_bytes >= WAITING_BYTES:
            self.compute()

    def values(self) -> list[float]:
        """The steps' losses in order; steps computed together all have their mean."""
        if self.waiting:
            self.compute()
        return self.known

    def compute(self) -> None:
        """Compute the losses of all steps that wait."""
        y, outputs, penalties = zip(*self.waiting, strict=True)
        mean = self.loss(np.concatenate(y), np.concatenate(outputs))
        mean += np.average(penalties, weights=[len(rows) for rows in y])
        if np.isfinite(mean):
            self.known += [float(mean)] * len(y)
        else:
            self.known += [float(self.loss(*step) + more) for *step, more in self.waiting]
        self.waiting, self.n_bytes = [], 0
