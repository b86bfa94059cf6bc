"""The quantities of a training step: their names, their shapes, and which follow from which."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection

from shared.errors import unknown
from shared.network import Network


def shapes(
    network: Network, n_rows: int, slots: tuple[str, ...] = ()
) -> dict[str, tuple[int, ...]]:
    """The quantities of a whole step of ``n_rows`` rows, each with its shape.

    Args:
        network: whose step it is.
        n_rows: N.
        slots: the names of what the optimizer keeps, as ``Training.slots`` gives them.
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


def element(quantity: str, index: tuple[int, ...]) -> str:
    """An element as it is written, ``"dW[1][0,1]"``; of a scalar its name, ``"loss"``."""
    return f"{quantity}[{','.join(map(str, index))}]" if index else quantity


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


def unknown_quantity(name: object, known: Collection[str]) -> str:
    """That there is no such quantity, with the one that may be meant: 'dW0', 'dw_0' or 'dW'."""
    plain = _plain(name)
    shown = name[:40] if isinstance(name, str) else reprlib.repr(name)
    if plain in ("x", "y", "a0"):
        return f"{shown!r} is an input, not a quantity of this step; leave it out"
    for meant in sorted(known):
        if plain in (_plain(meant), _plain(meant).rstrip("0123456789")):
            return f"{shown!r} is not a quantity of this step; did you mean {meant!r}?"
    return unknown(shown, "a quantity of this step", sorted(known))


def _plain(name: object) -> str:
    return re.sub(r"[\W_]", "", str(name).lower()) if isinstance(name, str | tuple) else ""
