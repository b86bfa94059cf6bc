"""Every number of one training step, as NumPy arrays, whichever implementation made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from shared.arrays import Array

# The slots of an optimizer by names such as ``"momentum_W"``: an array for each layer.
Slots = dict[str, tuple[Array, ...]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """The numbers of one step, in the lectures' notation; what was not computed is empty or None.

    Args:
        z: net inputs, z[l] (N, D[l+1]), l = 0 .. L-1.
        a: activations, a[l] (N, D[l]), l = 0 .. L; a[0] is the input x, a[L] the output.
        y: targets (N, D[L]).
        loss: the loss, a scalar.
        dz, dW, db: derivatives of the loss with respect to z[l], W[l] and b[l], of their shapes.
        dx: derivative of the loss with respect to x (N, D[0]).
        W_next, b_next: the parameters after the update, of the shapes of W and b.
        slots: the optimizer's slots after the update, of the shapes of W and b; those of a fixed
            bias have their initial value.
        without_bias: the layers l without biases, whose b, 0, and all of it are no quantities.
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
    without_bias: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        # x and y belong to the caller, who may overwrite them.
        object.__setattr__(self, "a", (self.a[0].copy(), *self.a[1:]))
        if self.y is not None:
            object.__setattr__(self, "y", self.y.copy())

    @classmethod
    def of_tensors(cls, y: Array | None = None, **parts: Any) -> Trace:
        """The trace of copies of a framework's tensors and lists of tensors, named as fields."""
        arrays: dict[str, Any] = {}
        for name, part in parts.items():
            is_list = isinstance(part, list)
            arrays[name] = tuple(map(np.array, part)) if is_list else np.array(part)
        return cls(y=y, **arrays)

    @property
    def x(self) -> Array:
        """The input, a[0] (N, D[0])."""
        return self.a[0]

    def quantities(self) -> dict[str, Array]:
        """The computed arrays by name, in the order of the step: ``{"z[0]": …, "a[1]": …, …}``."""
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
        letters = ("db", "b_next", *(slot for slot in self.slots if slot.endswith("_b")))
        none = {f"{letter}[{l}]" for letter in letters for l in self.without_bias}
        return {
            name: values
            for name, values in named.items()
            if values is not None and name not in none
        }


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
        """The trace in NumPy, with the targets y (N, D[L])."""
        return Trace.of_tensors(y, **self._asdict())
