"""The quantities of a training step: their names, shapes and elements."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Collection

from shared.errors import unknown
from shared.network import Network


def shapes(
    network: Network, n_rows: int, slots: tuple[str, ...] = ()
) -> dict[str, tuple[int, ...]]:
    """The shape of each quantity of a whole step, by name.

    Args:
        network: the network that makes the step.
        n_rows: N, the rows of its batch.
        slots: the names of the optimizer's slots, as ``Training.slots`` gives them.
    """
    D = network.widths
    named: dict[str, tuple[int, ...]] = {"loss": (), "dx": (n_rows, D[0])}
    for l in range(len(network.layers)):
        named |= {f"z[{l}]": (n_rows, D[l + 1]), f"a[{l + 1}]": (n_rows, D[l + 1])}
        named |= {f"dz[{l}]": (n_rows, D[l + 1])}
        of_each = {"W": (D[l], D[l + 1]), "b": (D[l + 1],)}
        if not network.layers[l].use_bias:
            del of_each["b"]
        named |= {f"d{letter}[{l}]": shape for letter, shape in of_each.items()}
        for updated in ("{}_next", *(f"{slot}_{{}}" for slot in slots)):
            for letter, shape in of_each.items():
                named[f"{updated.format(letter)}[{l}]"] = shape
    return named


def element(quantity: str, index: tuple[int, ...]) -> str:
    """The name of an element, such as ``"dW[1][0,1]"``; that of a scalar is ``"loss"``."""
    return f"{quantity}[{','.join(map(str, index))}]" if index else quantity


def parse_element(text: str) -> tuple[str, tuple[int, ...]]:
    """The quantity and the index in the name of an element, as :func:`element` writes it.

    Text of another form comes back whole, as a quantity that there is not.

    >>> parse_element("dW[1][0,1]"), parse_element("dW[1]"), parse_element("loss")
    (('dW[1]', (0, 1)), ('dW[1]', ()), ('loss', ()))
    """
    match = re.fullmatch(r"([\w/]+(?:\[\d+\])?)(?:\[(-?\d{1,9}(?:, *-?\d{1,9})*)\])?", text)
    if match is None:
        return text, ()
    return match[1], tuple(int(part) for part in match[2].split(",")) if match[2] else ()


def is_inside(index: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape has an element of this index, counted from 0."""
    return len(index) == len(shape) and all(
        0 <= i < size for i, size in zip(index, shape, strict=True)
    )


def unknown_quantity(name: object, known: Collection[str]) -> str:
    """The line that says that a step has no such quantity, and suggests the one that may be meant.

    ``dW[0]`` is suggested for 'dW0', 'dw_0' and 'dW'.
    """
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
