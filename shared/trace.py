"""Every number of one training step, as NumPy arrays, whichever implementation made it."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.arrays import Array
from shared.network import Network

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


def shapes(
    network: Network, n_rows: int, slots: tuple[str, ...] = ()
) -> dict[str, tuple[int, ...]]:
    """The quantities of a whole step of ``n_rows`` rows, each with its shape.

    Args:
        network: whose step it is.
        n_rows: N.
        slots: what the optimizer keeps, as in ``SLOTS``.
    """
    D = network.widths
    named: dict[str, tuple[int, ...]] = {"loss": (), "dx": (n_rows, D[0])}
    for l in range(len(network.layers)):
        named |= {f"z[{l}]": (n_rows, D[l + 1]), f"a[{l + 1}]": (n_rows, D[l + 1])}
        named |= {f"dz[{l}]": (n_rows, D[l + 1])}
        named |= {f"dW[{l}]": (D[l], D[l + 1]), f"db[{l}]": (D[l + 1],)}
        for updated in ("{}_next", *(f"{slot}_{{}}" for slot in slots)):
            named[f"{updated.format('W')}[{l}]"] = (D[l], D[l + 1])
            named[f"{updated.format('b')}[{l}]"] = (D[l + 1],)
    return named


def sources(network: Network, slots: tuple[str, ...] = ()) -> dict[str, set[str]]:
    """The quantities of a step, each with those that it is computed from, however indirectly."""
    layers = range(len(network.layers))
    last = layers[-1]
    output = {f"z[{last}]", f"a[{last + 1}]"}
    direct = {"loss": output, "dx": {"dz[0]"}}
    for l in layers:
        direct |= {f"z[{l}]": {f"a[{l}]"} if l else set(), f"a[{l + 1}]": {f"z[{l}]"}}
        delta = {f"dz[{l + 1}]", f"z[{l}]", f"a[{l + 1}]"}
        direct[f"dz[{l}]"] = output if l == last else delta
        direct[f"dW[{l}]"] = {f"dz[{l}]"} | ({f"a[{l}]"} if l else set())
        direct |= {f"db[{l}]": {f"dz[{l}]"}}
        layer = network.layers[l]
        fixed = {"W": not layer.trainable, "b": not layer.trainable or layer.fixed_bias}
        for letter in "Wb":
            gradient = set() if fixed[letter] else {f"d{letter}[{l}]"}
            kept = {f"{slot}_{letter}[{l}]": gradient for slot in slots}
            direct |= kept | {f"{letter}_next[{l}]": {*gradient, *kept}}

    def all_of(quantity: str) -> set[str]:
        return direct[quantity].union(*map(all_of, direct[quantity]))

    return {quantity: all_of(quantity) for quantity in direct}
