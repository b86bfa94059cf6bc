"""What each quantity of a training step is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.network import Network
from shared.training import Training


def sources(network: Network, training: Training | None = None) -> dict[str, set[str]]:
    """The quantities of a step in its order, each with those that it is directly computed from.

    Args:
        network: the network that makes the step.
        training: its training; plain gradient descent unless given.
    """
    slots = training.slots if training else ()
    layers = range(len(network.layers))
    last = layers[-1]
    output = {f"z[{last}]", f"a[{last + 1}]"}
    direct: dict[str, set[str]] = {}
    for l in layers:
        direct |= {f"z[{l}]": {f"a[{l}]"} if l else set(), f"a[{l + 1}]": {f"z[{l}]"}}
    direct["loss"] = output
    for l in reversed(layers):
        delta = {f"dz[{l + 1}]", f"z[{l}]", f"a[{l + 1}]"}
        direct[f"dz[{l}]"] = output if l == last else delta
        direct[f"dW[{l}]"] = {f"dz[{l}]"} | ({f"a[{l}]"} if l else set())
        if network.layers[l].use_bias:
            direct[f"db[{l}]"] = {f"dz[{l}]"}
    direct["dx"] = {"dz[0]"}
    learning = ((l, letter) for l in layers for letter in "Wb" if network.layers[l].learns(letter))
    free = {f"d{letter}[{l}]" for l, letter in learning}
    for l in layers:
        for letter in "Wb" if network.layers[l].use_bias else "W":
            gradient = free & {f"d{letter}[{l}]"}
            if gradient and training and training.global_clipnorm:
                gradient = free
            of_slots = {f"{slot}_{letter}[{l}]": gradient for slot in slots}
            direct |= of_slots | {f"{letter}_next[{l}]": {*gradient, *of_slots}}
    return direct


def ancestors(quantities: Iterable[str], direct: Mapping[str, set[str]]) -> set[str]:
    """All that some quantities are computed from, given what each is directly computed from."""
    found: set[str] = set()
    open_ones = list(quantities)
    while open_ones:
        new = direct[open_ones.pop()] - found
        found |= new
        open_ones += new
    return found
