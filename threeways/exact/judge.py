"""The judge of a step: compares all its numbers with the exact ones and says where it departs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from shared import Array, Case, ChainRuleCase
from shared.sources import sources
from threeways.exact.bounds import bounds
from threeways.exact.oracle import Exact, exact_step

# The smallest unit of a difference, for arrays of tiny numbers: no double is smaller.
SMALLEST = float(np.finfo(float).smallest_subnormal)


@dataclass(frozen=True)
class Worst:
    """The element of an array that comes nearest to its bound, or exceeds it most.

    Args:
        quantity, index: the name of the array, and the index of the element in it.
        a, b: its value in each of the two arrays that are compared.
        difference_eps: |a - b| in units of the dtype's eps times the largest number of the arrays.
        bound_eps: the largest difference that rounding explains, in the same unit.
        step: the number of the step, from 1.
    """

    quantity: str
    index: tuple[int, ...]
    a: float
    b: float
    difference_eps: float
    bound_eps: float
    step: int = 1

    @property
    def ratio(self) -> float:
        """The difference divided by its bound; up to 1, rounding explains it."""
        if self.difference_eps == 0:
            return 0.0
        return self.difference_eps / self.bound_eps if self.bound_eps else math.inf


@dataclass(frozen=True)
class Judgement:
    """The judgement of a step.

    Args:
        worst: the worst element of each quantity that was given; ``a`` is its value and ``b`` the
            exact one.
        departures: the worst elements of those quantities that exceed their bound although nothing
            that they are computed from does. A mistake shows in these first; what is computed from
            a wrong number is wrong as well, and says nothing new.
        differences: of the quantities in ``departures`` from the exact ones, by name.
    """

    worst: dict[str, Worst]
    departures: tuple[Worst, ...]
    differences: dict[str, Difference] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether rounding explains every difference."""
        return not self.departures

    @property
    def worst_overall(self) -> Worst:
        """The worst element of all quantities."""
        return max(self.worst.values(), key=lambda worst: worst.ratio)


def judge(
    case: Case | ChainRuleCase,
    quantities: Mapping[str, Array],
    exact: Exact | None = None,
    *,
    input_errors: Mapping[str, Array | float] | None = None,
    output_errors: Mapping[str, Array | float] | None = None,
) -> Judgement:
    """The judgement of a case's first step, compared with the exact one.

    Args:
        case: the case, in the dtype of the step.
        quantities: any of the step's arrays, by name; a number that is not finite is never right.
        exact: the exact step, if it has been computed already.
        input_errors: how far the inputs of the step may be from the case's, as in
            :func:`threeways.exact.bounds.bounds`.
        output_errors: by quantity, how far its numbers may be from those that were computed, an
            absolute error or one for each number; half a unit of the last digit that is printed.
    """
    exact = exact or exact_step(case)
    allowed = bounds(case, exact.values, input_errors=input_errors, scale=exact.scale)
    for name, error in (output_errors or {}).items():
        allowed[name] = allowed[name] + error
    differences = from_exact(quantities, exact, allowed)
    worst = {name: each.worst(name, case.dtype) for name, each in differences.items()}
    first = departures(case, differences)
    departing = {name: differences[name] for name in first}
    return Judgement(worst, tuple(worst[name] for name in first), departing)


def departures(case: Case | ChainRuleCase, differences: Mapping[str, Difference]) -> list[str]:
    """The quantities that exceed their bound although nothing that they are computed from does.

    Args:
        case: the case whose first step it is.
        differences: of the step's quantities from the exact ones, by name.
    """
    wrong = {name for name, each in differences.items() if not each.shares.max() <= 1}
    if isinstance(case, Case):
        direct = sources(case.network, case.training)
    else:  # each number of a chain is computed from those before it
        names = list(differences)
        direct = {name: set(names[i - 1 : i]) for i, name in enumerate(names)}
    first = set()
    affected: set[str] = set()
    for name, known in direct.items():
        if affected & known:
            affected.add(name)
        elif name in wrong:
            affected.add(name)
            first.add(name)
    return [name for name in differences if name in first]


def from_exact(
    quantities: Mapping[str, Array], exact: Exact, allowed: Mapping[str, Array]
) -> dict[str, Difference]:
    """The difference of each of a step's quantities from the exact one, by name.

    Args:
        quantities: the arrays of the step.
        exact: the exact step.
        allowed: the error bound of each element, by quantity.
    """
    return {
        name: Difference(
            quantities[name], values, exact.distance(name, quantities[name]), allowed[name]
        )
        for name, values in exact.values.items()
        if name in quantities
    }


@dataclass(frozen=True, eq=False)
class Difference:
    """The difference of a quantity in two steps; four arrays of its shape.

    Args:
        a, b: the array in each step.
        distance: |a - b|.
        allowed: the largest distance that rounding explains.
    """

    a: Array
    b: Array
    distance: Array
    allowed: Array

    @cached_property
    def shares(self) -> Array:
        """Each distance divided by the allowed one; infinite where one of them is not finite."""
        finite = np.isfinite(self.distance) & np.isfinite(self.allowed)
        with np.errstate(all="ignore"):
            shares = np.where(self.distance == 0, 0.0, self.distance / self.allowed)
        return np.where(finite, shares, np.inf)

    def worst(self, quantity: str, dtype: str) -> Worst:
        """The element that comes nearest to its bound, or exceeds it most."""
        index = np.unravel_index(self.shares.argmax(), self.shares.shape)
        distance, allowed = float(self.distance[index]), float(self.allowed[index])
        scale = max(largest(self.a), largest(self.b))
        unit = max(float(np.finfo(dtype).eps) * (scale or 1.0), SMALLEST)
        finite = math.isfinite(distance) and math.isfinite(allowed)
        return Worst(
            quantity=quantity,
            index=tuple(int(i) for i in index),
            a=float(self.a[index]),
            b=float(self.b[index]),
            difference_eps=distance / unit if finite else math.inf,
            bound_eps=allowed / unit if finite else 1.0,
        )


def largest(values: Array) -> float:
    """The largest absolute value of an array's finite numbers; 0 if there are none."""
    size = float(np.abs(values).max())
    return size if math.isfinite(size) else largest(np.where(np.isfinite(values), values, 0))


def worst_of(differences: Mapping[str, Difference], dtype: str) -> Worst:
    """The element of all quantities that comes nearest to its bound, or exceeds it most."""
    name = max(differences, key=lambda name: differences[name].shares.max())
    return differences[name].worst(name, dtype)
