"""The chain rule on functions of functions, each derivative written out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from shared import Array, ChainRule, check_chain_rule

__all__ = [
    "EXAMPLES",
    "differentiate",
    "quartic_of_cubic",
    "square",
    "square_of_cubic",
    "square_of_sum",
    "two_paths",
]

Numbers = dict[str, Array]


def quartic_of_cubic(x: Array, learning_rate: float) -> Numbers:
    """z = 5y⁴ with y = x³ + 7 (KTH-10)."""
    y = x**3 + 7
    z = 5 * y**4
    dz_dy = 20 * y**3
    dy_dx = 3 * x**2
    dz_dx = dz_dy * dy_dx
    x_next = x - learning_rate * dz_dx
    return {"y": y, "z": z, "dz/dy": dz_dy, "dy/dx": dy_dx, "dz/dx": dz_dx, "x_next": x_next}


def two_paths(x: Array, learning_rate: float) -> Numbers:
    """z = y₁y₂ with y₁ = x² and y₂ = x³: the paths' products are added (KTH-10)."""
    y1, y2 = x**2, x**3
    z = y1 * y2
    dz_dy1, dz_dy2 = y2, y1
    dz_dx = dz_dy1 * (2 * x) + dz_dy2 * (3 * x**2)
    x_next = x - learning_rate * dz_dx
    return {
        "y1": y1,
        "y2": y2,
        "z": z,
        "dz/dy1": dz_dy1,
        "dz/dy2": dz_dy2,
        "dz/dx": dz_dx,
        "x_next": x_next,
    }


def square(x: Array, learning_rate: float) -> Numbers:
    """y = (x + 1)² (CSUMB-1)."""
    y = (x + 1) ** 2
    dy_dx = 2 * (x + 1)
    return {"y": y, "dy/dx": dy_dx, "x_next": x - learning_rate * dy_dx}


def square_of_cubic(x: Array, learning_rate: float) -> Numbers:
    """z = y² with y = x + x³ (CSUMB-2)."""
    y = x + x**3
    z = y**2
    dz_dy = 2 * y
    dy_dx = 1 + 3 * x**2
    dz_dx = dz_dy * dy_dx
    x_next = x - learning_rate * dz_dx
    return {"y": y, "z": z, "dz/dy": dz_dy, "dy/dx": dy_dx, "dz/dx": dz_dx, "x_next": x_next}


def square_of_sum(x1: Array, x2: Array, learning_rate: float) -> Numbers:
    """z = y² with y = x₁ + 2x₂ (CSUMB-3)."""
    y = x1 + 2 * x2
    z = y**2
    dz_dy = 2 * y
    dz_dx1 = dz_dy * 1
    dz_dx2 = dz_dy * 2
    return {
        "y": y,
        "z": z,
        "dz/dy": dz_dy,
        "dz/dx1": dz_dx1,
        "dz/dx2": dz_dx2,
        "x1_next": x1 - learning_rate * dz_dx1,
        "x2_next": x2 - learning_rate * dz_dx2,
    }


EXAMPLES: dict[str, Callable[..., Numbers]] = {
    "quartic_of_cubic": quartic_of_cubic,
    "two_paths": two_paths,
    "square": square,
    "square_of_cubic": square_of_cubic,
    "square_of_sum": square_of_sum,
}


def differentiate(chain_rule: ChainRule, dtype: str) -> Numbers:
    """Every number of one step on an example's inputs, each a scalar of ``dtype``."""
    inputs = check_chain_rule(chain_rule, dtype)
    numbers = EXAMPLES[chain_rule.example](**inputs, learning_rate=chain_rule.learning_rate)
    return {name: np.asarray(number) for name, number in numbers.items()}
