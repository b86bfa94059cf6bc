"""The lectures' chain-rule examples: functions of functions, without a network."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from shared.arguments import check_type
from shared.arrays import Array, real_numbers
from shared.errors import InputError, checked, unknown
from shared.fields import FiniteFloat, PositiveFloat, Text, one_of
from shared.network import DTYPES


class Example(NamedTuple):
    """The names of an example's inputs and of the quantities it computes, all of them scalars."""

    inputs: tuple[str, ...]
    quantities: tuple[str, ...]


CHAIN_RULES = {
    # KTH-10: z = 5y⁴, y = x³ + 7
    "quartic_of_cubic": Example(("x",), ("y", "z", "dz/dy", "dy/dx", "dz/dx", "x_next")),
    # KTH-10: z = f(y₁, y₂), y₁ = g(x), y₂ = h(x); here z = y₁y₂, y₁ = x², y₂ = x³
    "two_paths": Example(("x",), ("y1", "y2", "z", "dz/dy1", "dz/dy2", "dz/dx", "x_next")),
    # CSUMB-1: y = (x + 1)²
    "square": Example(("x",), ("y", "dy/dx", "x_next")),
    # CSUMB-2: z = y², y = x + x³
    "square_of_cubic": Example(("x",), ("y", "z", "dz/dy", "dy/dx", "dz/dx", "x_next")),
    # CSUMB-3: z = y², y = x₁ + 2x₂
    "square_of_sum": Example(
        ("x1", "x2"), ("y", "z", "dz/dy", "dz/dx1", "dz/dx2", "x1_next", "x2_next")
    ),
}


@checked
class ChainRule:
    """One step of gradient descent on the inputs of an example.

    Args:
        example: one of ``CHAIN_RULES``.
        inputs: a number for each of the example's inputs, by name.
        learning_rate: η, above 0.

    Raises:
        InputError: the example is unknown, or its inputs have other names.
    """

    example: Annotated[Text, one_of("a chain-rule example", CHAIN_RULES)]
    inputs: dict[Text, FiniteFloat]
    learning_rate: PositiveFloat

    def __post_init__(self) -> None:
        names = CHAIN_RULES[self.example].inputs
        if set(self.inputs) != set(names):
            raise ValueError(f"inputs: {self.example} takes {', '.join(names)}")


def check_chain_rule(chain_rule: ChainRule, dtype: str) -> dict[str, Array]:
    """The inputs of an example by name, each a scalar array of ``dtype``.

    Raises:
        InputError: it is no :class:`ChainRule`, the dtype is unknown, or an input is too large for
            it.
    """
    check_type("chain_rule", chain_rule, ChainRule)
    check_type("dtype", dtype, str)
    if dtype not in DTYPES:
        raise InputError(unknown(dtype, "a dtype", DTYPES))
    inputs = {}
    for name, value in chain_rule.inputs.items():
        inputs[name] = real_numbers(name, value, dtype)
        if not np.isfinite(inputs[name]):
            raise InputError(f"{name}: {value} is too large for {dtype}")
    return inputs
