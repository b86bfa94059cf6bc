"""The chain rule on functions of functions, in Keras's operations and with its optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import keras
import tensorflow as tf
from keras import ops

from impl_keras.dtypes import default_dtype
from impl_keras.optimizers import Optimizer
from shared import ChainRule, Training, check_chain_rule
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

Array: TypeAlias = Any  # a variable or tensor of Keras's backend
Numbers = dict[str, Array]


def quartic_of_cubic(x: Array, learning_rate: float) -> Numbers:
    """z = 5y⁴ with y = x³ + 7 (KTH-10)."""
    with tf.GradientTape(persistent=True) as tape:
        y = ops.power(x, 3) + 7
        z = 5 * ops.power(y, 4)
    dz_dy = tape.gradient(z, y)
    dy_dx = tape.gradient(y, x.value)
    dz_dx = tape.gradient(z, x.value)
    (x_next,) = descend([dz_dx], [x], learning_rate)
    return {"y": y, "z": z, "dz/dy": dz_dy, "dy/dx": dy_dx, "dz/dx": dz_dx, "x_next": x_next}


def two_paths(x: Array, learning_rate: float) -> Numbers:
    """z = y₁y₂ with y₁ = x² and y₂ = x³: the paths' products are added (KTH-10)."""
    with tf.GradientTape() as tape:
        y1, y2 = ops.square(x), ops.power(x, 3)
        z = y1 * y2
    dz_dy1, dz_dy2, dz_dx = tape.gradient(z, [y1, y2, x.value])
    (x_next,) = descend([dz_dx], [x], learning_rate)
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
        y = ops.square(x + 1)
    dy_dx = tape.gradient(y, x.value)
    (x_next,) = descend([dy_dx], [x], learning_rate)
    return {"y": y, "dy/dx": dy_dx, "x_next": x_next}


def square_of_cubic(x: Array, learning_rate: float) -> Numbers:
    """z = y² with y = x + x³ (CSUMB-2)."""
    with tf.GradientTape(persistent=True) as tape:
        y = x + ops.power(x, 3)
        z = ops.square(y)
    dz_dy = tape.gradient(z, y)
    dy_dx = tape.gradient(y, x.value)
    dz_dx = tape.gradient(z, x.value)
    (x_next,) = descend([dz_dx], [x], learning_rate)
    return {"y": y, "z": z, "dz/dy": dz_dy, "dy/dx": dy_dx, "dz/dx": dz_dx, "x_next": x_next}


def square_of_sum(x1: Array, x2: Array, learning_rate: float) -> Numbers:
    """z = y² with y = x₁ + 2x₂ (CSUMB-3)."""
    with tf.GradientTape() as tape:
        y = x1 + 2 * x2
        z = ops.square(y)
    dz_dy, dz_dx1, dz_dx2 = tape.gradient(z, [y, x1.value, x2.value])
    x1_next, x2_next = descend([dz_dx1, dz_dx2], [x1, x2], learning_rate)
    return {
        "y": y,
        "z": z,
        "dz/dy": dz_dy,
        "dz/dx1": dz_dx1,
        "dz/dx2": dz_dx2,
        "x1_next": x1_next,
        "x2_next": x2_next,
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
    with default_dtype(dtype), starting_tensorflow():
        inputs = {name: keras.Variable(value, dtype=dtype) for name, value in given.items()}
        numbers = EXAMPLES[chain_rule.example](**inputs, learning_rate=chain_rule.learning_rate)
    return {name: number.numpy() for name, number in numbers.items()}


def descend(
    gradients: list[Array], variables: list[keras.Variable], learning_rate: float
) -> list[Array]:
    """The variables' values after a step of Keras's optimizer."""
    Optimizer(Training(learning_rate=learning_rate), variables).keras.apply(gradients, variables)
    return [variable.value for variable in variables]
