"""The chain rule on functions of functions; the gradient tape finds each derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

from shared import ChainRule, check_chain_rule
from shared.frameworks import starting_tensorflow

__all__ = [
    "EXAMPLES",
    "differentiate",
    "quartic_of_cubic",
    "square",
    "square_of_cubic",
    "square_of_sum",
    "two_paths",
]

Array: TypeAlias = tf.Tensor
Numbers = dict[str, Array]


def quartic_of_cubic(x: Array, learning_rate: float) -> Numbers:
    """z = 5y⁴ with y = x³ + 7 (KTH-10)."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**3 + 7
        z = 5 * y**4
    dz_dy = tape.gradient(z, y)
    dy_dx = tape.gradient(y, x)
    dz_dx = tape.gradient(z, x)
    x_next = x - learning_rate * dz_dx
    return {"y": y, "z": z, "dz/dy": dz_dy, "dy/dx": dy_dx, "dz/dx": dz_dx, "x_next": x_next}


def two_paths(x: Array, learning_rate: float) -> Numbers:
    """z = y₁y₂ with y₁ = x² and y₂ = x³: the paths' products are added (KTH-10)."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y1, y2 = x**2, x**3
        z = y1 * y2
    dz_dy1, dz_dy2, dz_dx = tape.gradient(z, [y1, y2, x])
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
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = (x + 1) ** 2
    dy_dx = tape.gradient(y, x)
    return {"y": y, "dy/dx": dy_dx, "x_next": x - learning_rate * dy_dx}


def square_of_cubic(x: Array, learning_rate: float) -> Numbers:
    """z = y² with y = x + x³ (CSUMB-2)."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x + x**3
        z = y**2
    dz_dy = tape.gradient(z, y)
    dy_dx = tape.gradient(y, x)
    dz_dx = tape.gradient(z, x)
    x_next = x - learning_rate * dz_dx
    return {"y": y, "z": z, "dz/dy": dz_dy, "dy/dx": dy_dx, "dz/dx": dz_dx, "x_next": x_next}


def square_of_sum(x1: Array, x2: Array, learning_rate: float) -> Numbers:
    """z = y² with y = x₁ + 2x₂ (CSUMB-3)."""
    with tf.GradientTape() as tape:
        tape.watch([x1, x2])
        y = x1 + 2 * x2
        z = y**2
    dz_dy, dz_dx1, dz_dx2 = tape.gradient(z, [y, x1, x2])
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
    given = check_chain_rule(chain_rule, dtype)
    with starting_tensorflow():
        inputs = {name: tf.constant(value) for name, value in given.items()}
    numbers = EXAMPLES[chain_rule.example](**inputs, learning_rate=chain_rule.learning_rate)
    return {name: number.numpy() for name, number in numbers.items()}
