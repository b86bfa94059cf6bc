"""The exact numbers of a chain of functions; its derivatives come from power series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb, arb_series

from shared import ChainRule

# For each chain, its inner functions of the inputs, and its outer function of these, if any.
CHAINS: dict[str, tuple[dict[str, Callable[..., Any]], Callable[..., Any] | None]] = {
    "quartic_of_cubic": ({"y": lambda x: x**3 + 7}, lambda y: 5 * y**4),
    "two_paths": ({"y1": lambda x: x**2, "y2": lambda x: x**3}, lambda y1, y2: y1 * y2),
    "square": ({"y": lambda x: (x + 1) ** 2}, None),
    "square_of_cubic": ({"y": lambda x: x + x**3}, lambda y: y**2),
    "square_of_sum": ({"y": lambda x1, x2: x1 + 2 * x2}, lambda y: y**2),
}


def differentiate(chain_rule: ChainRule, dtype: str) -> dict[str, arb]:
    """Every number of one step, a ball each, by name; the inputs are first rounded to ``dtype``."""
    inputs = {name: arb(float(np.dtype(dtype).type(v))) for name, v in chain_rule.inputs.items()}
    inner, outer = CHAINS[chain_rule.example]
    named: dict[str, arb] = {}

    def add(name: str, function: Callable[..., Any], at: dict[str, arb]) -> None:
        named[name] = function(*at.values())
        for variable in at:
            series = [arb_series([v, int(name == variable)], 2) for name, v in at.items()]
            named[f"d{name}/d{variable}"] = function(*series)[1]

    for name, function in inner.items():
        add(name, function, inputs)
    if outer:
        add("z", outer, {name: named[name] for name in inner})
        add("z", lambda *x: outer(*(function(*x) for function in inner.values())), inputs)
    last = "z" if outer else "y"
    for name, value in inputs.items():
        slope = named[f"d{last}/d{name}"]
        named[f"{name}_next"] = value - arb(chain_rule.learning_rate) * slope
    return named
