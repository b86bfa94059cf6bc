"""Every number of one training step, as NumPy arrays, whichever implementation made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from shared.arrays import Array

# What an optimizer keeps of each layer, by names such as ``"momentum_W"``.
Slots = dict[str, tuple[Array, ...]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """One step in the notation of the lectures; what was not computed is empty or None.

    Args:
        z: net inputs, z[l] (N, D[l+1]), l = 0 .. L-1.
        a: activations, a[l] (N, D[l]), l = 0 .. L; a[0] is the input x, a[L] the output.
        y: targets (N, D[L]).
        loss: the loss, a scalar.
        dz, dW, db: derivatives of the loss with respect to z[l], W[l] and b[l], same shapes.
        dx: derivative of the loss with respect to x (N, D[0]).
        W_next, b_next: the parameters after the update.
        slots: what the optimizer keeps, after the update; of the shapes of W and b, and as it
            started for a bias that is fixed.
    """

    z: tuple[Array, ...]
    a: tuple[Array, ...]
    y: Array | None = None
    loss: Array | None = None
    dz: tuple[Array, ...] = ()
    dW: tuple[Array, ...] = ()
    db: tuple[Array, ...] = ()
    dx: Array | None = None
    W_next: tuple[Array, ...] = ()
    b_next: tuple[Array, ...] = ()
    slots: Slots = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What went in belongs to the caller, who may write to it again.
        object.__setattr__(self, "a", (self.a[0].copy(), *self.a[1:]))
        if self.y is not None:
            object.__setattr__(self, "y", self.y.copy())

    @classmethod
    def of_tensors(cls, y: Array | None = None, **parts: Any) -> Trace:
        """The trace of a framework's tensors, or lists of them, by their names here."""
        arrays: dict[str, Any] = {}
        for name, part in parts.items():
            is_list = isinstance(part, list)
            arrays[name] = tuple(map(np.asarray, part)) if is_list else np.asarray(part)
        return cls(y=y, **arrays)

    @property
    def x(self) -> Array:
        """The input, a[0] (N, D[0])."""
        return self.a[0]

    def quantities(self) -> dict[str, Array]:
        """What the step computed, in the order in which it did: ``{"z[0]": …, "a[1]": …, …}``."""
        layers = range(len(self.z))
        named: dict[str, Array | None] = {}
        for l in layers:
            named[f"z[{l}]"] = self.z[l]
            named[f"a[{l + 1}]"] = self.a[l + 1]
        named["loss"] = self.loss
        for l in reversed(layers if self.dz else ()):
            named |= {f"dz[{l}]": self.dz[l], f"dW[{l}]": self.dW[l], f"db[{l}]": self.db[l]}
        named["dx"] = self.dx
        for l in layers if self.W_next else ():
            named |= {f"{slot}[{l}]": arrays[l] for slot, arrays in self.slots.items()}
            named |= {f"W_next[{l}]": self.W_next[l], f"b_next[{l}]": self.b_next[l]}
        return {name: values for name, values in named.items() if values is not None}


class Derivatives(NamedTuple):
    """The tensors of a forward and a backward pass, named and shaped as in :class:`Trace`."""

    z: list[Any]
    a: list[Any]
    loss: Any
    dz: list[Any]
    dW: list[Any]
    db: list[Any]
    dx: Any

    def trace(self, y: Array) -> Trace:
        """The same in NumPy, with the targets y (N, D[L])."""
        return Trace.of_tensors(y, **self._asdict())
