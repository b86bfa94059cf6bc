"""A lecture's own names of a step's numbers: its w5 is ``W[1][0,0]``, its out_h1 ``a[1][0,0]``.

A case file lists them in its table ``[names]``, each with an element or a whole array of the step.
Two more follow from each name of a parameter, a net input or an input: ``w5+`` is the number after
the update, and ``dE/dw5`` the derivative, where E is the name of the loss, ``loss`` if it has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.errors import Findings, InputError, short, unknown
from shared.network import Network
from shared.quantities import is_inside, parse_element, shapes

# What the derivative with respect to an array is called, and what its numbers are after the update.
DERIVATIVES = {"x": "dx", "z": "dz", "W": "dW", "b": "db"}
UPDATED = {"W": "W_next", "b": "b_next"}


def input_shapes(network: Network, n_rows: int) -> dict[str, tuple[int, ...]]:
    """The shapes of what a step starts from: x, y, and W[l] and b[l] of each layer.

    Args:
        network: the network that makes the step.
        n_rows: N, the rows of its batch.
    """
    D = network.widths
    named: dict[str, tuple[int, ...]] = {"x": (n_rows, D[0]), "y": (n_rows, D[-1])}
    for l in range(len(network.layers)):
        named |= {f"W[{l}]": (D[l], D[l + 1]), f"b[{l}]": (D[l + 1],)}
    return named


def own_names(
    given: Mapping[str, str], network: Network, n_rows: int, slots: tuple[str, ...] = ()
) -> dict[str, str]:
    """All names of a step's numbers, those that follow from the given ones included.

    Args:
        given: elements and arrays of the step by their names, as ``{"w5": "W[1][0,0]"}``.
        network: the network that makes the step.
        n_rows: N, the rows of its batch.
        slots: the names of the optimizer's slots, as ``Training.slots`` gives them.

    Raises:
        InputError: the step has no such element or array, or something cannot be a name.
    """
    computed = shapes(network, n_rows, slots)
    findings = Findings()
    for name, text in given.items():
        with findings:
            _check_name(name, text, computed, input_shapes(network, n_rows) | computed)
    findings.raise_any()
    loss = next((name for name, text in given.items() if text == "loss"), "loss")
    following: dict[str, str] = {}
    for name, text in given.items():
        array, rest = re.fullmatch(r"(\w+)(.*)", text).groups()  # type: ignore[union-attr]
        layer = re.match(r"\[(\d+)\]", rest)
        if array == "b" and layer and network.layers[int(layer[1])].fixed_bias:
            continue
        if array in DERIVATIVES:
            following[f"d{loss}/d{name}"] = DERIVATIVES[array] + rest
        if array in UPDATED:
            following[f"{name}+"] = UPDATED[array] + rest
    return following | dict(given)


def _check_name(
    name: str,
    text: str,
    computed: Mapping[str, tuple[int, ...]],
    known: Mapping[str, tuple[int, ...]],
) -> None:
    quantity, index = parse_element(text)
    if quantity not in known:
        raise InputError(f"{name}: " + unknown(quantity, "a quantity of this step", known))
    if index and not is_inside(index, known[quantity]):
        raise InputError(f"{name}: {text!r}: the index does not fit the shape {known[quantity]}")
    if not re.fullmatch(r"[^\s=\[\]]{1,40}", name):
        raise InputError(f"{short(name)}: a name has no spaces, brackets or =")
    arrays = {each.partition("[")[0] for each in computed}
    if name in computed or (name in arrays and not index and known[quantity]):
        raise InputError(f"{name}: is a name that every step has")


def resolve(name: str, names: Mapping[str, str]) -> str:
    """The element or array of the step that a name stands for; any other text is its own.

    >>> names = {"w5": "W[1][0,0]", "h1": "a[1]"}
    >>> resolve("w5", names), resolve("h1[0,2]", names), resolve("dx", names)
    ('W[1][0,0]', 'a[1][0,2]', 'dx')
    """
    if name in names:
        return names[name]
    array, bracket, index = name.partition("[")
    is_array = array in names and re.fullmatch(r"[xy]|dx|\w+\[\d+\]", names[array])
    return names[array] + bracket + index if is_array and bracket else name


def resolve_computed(name: str, names: Mapping[str, str]) -> str:
    """As :func:`resolve`, for a number that the step computes.

    Raises:
        InputError: the name is of a number that the step starts from.
    """
    text = resolve(name, names)
    if text != name and re.match(r"[xyWb]\b", text):
        new = f"{name}+"
        hint = f"; did you mean {new!r}, {names[new]}?" if new in names else ""
        raise InputError(f"{name}: is {text}, which the step starts from{hint}")
    return text
