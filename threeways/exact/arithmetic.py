"""Arithmetic on balls and on float64 arrays alike, so that a formula is written once for both.

A ball (python-flint's ``arb``) is a number with a radius that is proven to reach the exact value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx

from shared import Array

# Precisions to try, in bits. A sign that the last leaves undecided is of a number within 2⁻⁴⁰⁰⁰ of
# 0, which is taken as 0.
PRECISIONS = (128, 256, 512, 1024, 2048, 4096)

Row = Sequence[arb]
# A ball or a float64 array.
Number = Any


class UndecidedError(Exception):
    """The precision is too low to tell on which side of 0 a number is."""


def is_positive(z: arb) -> bool:
    """Whether z > 0.

    Raises:
        UndecidedError: the ball has numbers on both sides of 0, and more bits may decide.
    """
    if z > 0 or z <= 0:
        return bool(z > 0)
    if ctx.prec < PRECISIONS[-1]:
        raise UndecidedError
    return False


def where_positive(z: Number, above: Number, otherwise: Number) -> Number:
    """``above`` where z > 0, else ``otherwise``."""
    if isinstance(z, arb):
        return arb(above if is_positive(z) else otherwise)
    return np.asarray(np.where(z > 0, above, otherwise), float)


def constant(decimals: str, like: Number) -> Number:
    """A decimal number as a ball if ``like`` is one, else as the nearest double."""
    return arb(decimals) if isinstance(like, arb) else float(decimals)


def exp(z: Number) -> Number:
    """eᶻ."""
    return z.exp() if isinstance(z, arb) else np.exp(z)


def expm1(z: Number) -> Number:
    """eᶻ - 1."""
    return z.expm1() if isinstance(z, arb) else np.expm1(z)


def tanh(z: Number) -> Number:
    """tanh z."""
    return z.tanh() if isinstance(z, arb) else np.tanh(z)


def sech(z: Number) -> Number:
    """1 / cosh z."""
    return z.sech() if isinstance(z, arb) else 1 / np.cosh(z)


def sign(z: Number) -> Number:
    """1 where z > 0, 0 where z = 0, and -1 where z < 0."""
    return z.sgn() if isinstance(z, arb) else np.sign(z)


def square(z: Number) -> Number:
    """z², as a product, since a power of a ball that contains 0 is not defined."""
    return z * z


def sqrt(z: Number) -> Number:
    """√z of a number that is negative, if at all, only by rounding."""
    return z.nonnegative_part().sqrt() if isinstance(z, arb) else np.sqrt(np.maximum(z, 0))


def total(balls: Iterable[arb]) -> arb:
    """The sum of balls."""
    return sum(balls, arb(0))


def others(balls: Row) -> list[arb]:
    """For each ball of a row, the sum of all the others; a row of K balls."""
    return [total((*balls[:i], *balls[i + 1 :])) for i in range(len(balls))]


# Matrices of balls, of shapes (N, D).


def matrix(values: Array) -> arb_mat:
    """A NumPy matrix as a matrix of balls without a radius, of the same shape."""
    rows, columns = values.shape
    return arb_mat(rows, columns, values.ravel().tolist())


def ones(rows: int, columns: int) -> arb_mat:
    """A matrix (rows, columns) of ones."""
    return arb_mat(rows, columns, [1] * (rows * columns))


def elementwise(function: Callable[..., arb], *matrices: arb_mat) -> arb_mat:
    """A function applied to the elements of matrices of the same shape; a matrix of that shape."""
    entries = zip(*(each.entries() for each in matrices), strict=True)
    first = matrices[0]
    return arb_mat(first.nrows(), first.ncols(), [function(*balls) for balls in entries])


def by_row(function: Callable[..., list[arb]], *matrices: arb_mat) -> arb_mat:
    """A function applied to the rows of matrices with as many rows; a matrix of its results."""
    rows = zip(*(each.tolist() for each in matrices), strict=True)
    return arb_mat([function(*balls) for balls in rows])
