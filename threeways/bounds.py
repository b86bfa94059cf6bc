"""How far two correct implementations of a step may be apart.

Rounding makes each of the numbers that a sum adds up wrong by up to eps of itself, so a quantity's
scale is the largest sum of *absolute* values in its array: a gradient that cancels to almost
nothing has the error of its terms, not of the little that is left. Rounding errors behave like a
random walk (Higham and Mary 2019), so the bound grows with the square root of how many went in.

The constants leave a factor of about 4 over the largest difference seen, and stay far below the
smallest mistake that has to be found, a gradient wrong by 1 + 1e-4 (839 eps) in float32 and by
1 + 1e-10 (450,360 eps) in float64.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from impl_numpy.activations import BACKWARD
from shared import Array, Case, ChainRuleCase, Network

CONSTANT = {"float32": 4.0, "float64": 4.0}


class Bound(NamedTuple):
    """A difference may be up to ``eps`` times the dtype's eps times ``scale``."""

    scale: float
    eps: float


def bounds(case: Case | ChainRuleCase, quantities: dict[str, Array]) -> dict[str, Bound]:
    """The bound of each quantity of a case's first step.

    Args:
        case: in the dtype of the step.
        quantities: of one implementation's step; any correct one will do.
    """
    if isinstance(case, ChainRuleCase):
        terms = dict.fromkeys(quantities, 4)
        magnitudes = {name: np.abs(values) for name, values in quantities.items()}
        dtype = case.dtype
    else:
        x, y = case.first_batch()
        terms = _terms(case.network, len(x))
        magnitudes = _magnitudes(case, quantities, x, y)
        dtype = case.network.dtype
    return {
        name: Bound(float(magnitudes[name].max()), CONSTANT[dtype] * math.sqrt(terms[name]))
        for name in quantities
    }


def _terms(network: Network, n_rows: int) -> dict[str, int]:
    """How many numbers went, one after the other, into an element of each quantity."""
    D = network.widths
    terms: dict[str, int] = {}
    behind = 0
    for l in range(len(network.layers)):
        terms[f"z[{l}]"] = behind + D[l] + 1
        terms[f"a[{l + 1}]"] = behind = behind + D[l] + 4
    terms["loss"] = behind + n_rows * D[-1]
    for l in reversed(range(len(network.layers))):
        terms[f"dz[{l}]"] = behind = behind + 4
        terms[f"dW[{l}]"] = terms[f"db[{l}]"] = behind + n_rows
        terms[f"W_next[{l}]"] = terms[f"b_next[{l}]"] = behind + n_rows + 2
        behind += D[l + 1]
    terms["dx"] = behind
    return terms


def _magnitudes(case: Case, quantities: dict[str, Array], x: Array, y: Array) -> dict[str, Array]:
    """The sum of the absolute values that make up each element of each quantity."""
    layers, parameters = case.network.layers, case.parameters
    size = {name: np.abs(values) for name, values in quantities.items()} | {"a[0]": np.abs(x)}
    for l, (W, b) in enumerate(parameters):
        size[f"z[{l}]"] = size[f"a[{l}]"] @ np.abs(W) + np.abs(b)
    last = len(layers) - 1
    # The loss has the errors of the output's z, as far as it depends on it, and those of its sum.
    size["loss"] = size["loss"] + np.sum(size[f"dz[{last}]"] * size[f"z[{last}]"])
    if case.network.loss == "output":
        size["loss"] = size["loss"] + size[f"a[{last + 1}]"].sum() / len(y)
    # a - y keeps the error of a, however close they are.
    output = quantities[f"a[{last + 1}]"]
    apart = np.abs(output - y).max()
    cancelled = (np.abs(output) + np.abs(y)).max() / apart if apart else 1
    size[f"dz[{last}]"] = size[f"dz[{last}]"] * max(cancelled, 1)
    for l in reversed(range(len(layers))):
        dz = size[f"dz[{l}]"]
        size[f"dW[{l}]"] = size[f"a[{l}]"].T @ dz
        size[f"db[{l}]"] = dz.sum(axis=0)
        W, b = parameters[l]
        size[f"W_next[{l}]"] = np.abs(W) + case.training.learning_rate * size[f"dW[{l}]"]
        size[f"b_next[{l}]"] = np.abs(b) + case.training.learning_rate * size[f"db[{l}]"]
        da = dz @ np.abs(W).T
        if l:
            size[f"dz[{l - 1}]"] = _activation_backward(case, l - 1, da, quantities)
        else:
            size["dx"] = da
    return size


def _activation_backward(case: Case, l: int, da: Array, quantities: dict[str, Array]) -> Array:
    """|g'| times the magnitude of da; for softmax, whose Jacobian is full, all paths added."""
    layer = case.network.layers[l]
    z, a = quantities[f"z[{l}]"], quantities[f"a[{l + 1}]"]
    if layer.activation == "softmax":
        return np.asarray(a * (da + (da * a).sum(axis=1, keepdims=True)))
    return np.abs(BACKWARD[layer.activation](da.copy(), z, a, **layer.arguments))
