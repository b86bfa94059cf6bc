"""A chain of functions: its exact numbers, and how wrong floating-point arithmetic may be.

Both come from one evaluation of the same functions, of numbers that carry their derivative along:
power series in ball arithmetic, and dual numbers with a running error analysis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from flint import arb, arb_series

from shared import ChainRule
from threeways.exact.running_error import Dual, Rounded

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

    def slope(function: Callable[..., Any], at: list[arb], i: int) -> arb:
        return function(*(arb_series([v, int(j == i)], 2) for j, v in enumerate(at)))[1]

    inputs = {name: arb(value) for name, value in _inputs(chain_rule, dtype).items()}
    return _step(chain_rule.example, inputs, arb(chain_rule.learning_rate), slope)


def errors(chain_rule: ChainRule, dtype: str) -> dict[str, float]:
    """The error bound of every number of one step that is made in ``dtype``, by name."""
    exact = partial(Rounded, error=0, dtype=dtype)

    def slope(function: Callable[..., Any], at: list[Rounded], i: int) -> Rounded:
        seeds = (exact(np.float64(j == i)) for j in range(len(at)))
        return function(*map(Dual, at, seeds)).slope

    inputs = {name: exact(np.float64(v)) for name, v in _inputs(chain_rule, dtype).items()}
    rate = np.float64(chain_rule.learning_rate)
    rounded_rate = Rounded(rate, rate * float(np.finfo(dtype).eps) / 2, dtype)
    numbers = _step(chain_rule.example, inputs, rounded_rate, slope)
    return {name: float(number.error) for name, number in numbers.items()}


def _inputs(chain_rule: ChainRule, dtype: str) -> dict[str, float]:
    return {name: float(np.dtype(dtype).type(v)) for name, v in chain_rule.inputs.items()}


def _step(
    example: str,
    inputs: dict[str, Any],
    rate: Any,
    slope_of: Callable[[Callable[..., Any], list[Any], int], Any],
) -> dict[str, Any]:
    """Every number of one step, by name.

    Args:
        example: the name of the chain.
        inputs: its inputs by name, numbers of any kind.
        rate: the learning rate, of the same kind.
        slope_of: the derivative of a function at some numbers with respect to the i-th of them.
    """
    inner, outer = CHAINS[example]
    named: dict[str, Any] = {}

    def add(name: str, function: Callable[..., Any], at: dict[str, Any]) -> None:
        numbers = list(at.values())
        named[name] = function(*numbers)
        for i, variable in enumerate(at):
            named[f"d{name}/d{variable}"] = slope_of(function, numbers, i)

    for name, function in inner.items():
        add(name, function, inputs)
    if outer:
        add("z", outer, {name: named[name] for name in inner})
        add("z", lambda *x: outer(*(function(*x) for function in inner.values())), inputs)
    last = "z" if outer else "y"
    for name, value in inputs.items():
        named[f"{name}_next"] = value - rate * named[f"d{last}/d{name}"]
    return named
