"""Whether a step is right: every number of it held to the exact one, and where it first departs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from shared import Array, Case, ChainRuleCase
from shared.quantities import sources
from threeways.exact.bounds import bounds
from threeways.exact.oracle import Exact, exact_step

SMALLEST = float(np.finfo(float).smallest_subnormal)


@dataclass(frozen=True)
class Worst:
    """The element of an array that comes nearest to its bound, or goes furthest beyond it.

    Args:
        quantity, index: which element.
        a, b: its value in each of the two arrays that are compared.
        difference_eps: |a - b| in units of the dtype's eps at the array's scale.
        bound_eps: how large that may be.
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
        """The difference as a share of its bound; up to 1 it is rounding."""
        if self.difference_eps == 0:
            return 0.0
        return self.difference_eps / self.bound_eps if self.bound_eps else math.inf


@dataclass(frozen=True)
class Judgement:
    """What became of a step.

    Args:
        worst: of each quantity that was given, its value as ``a`` and the exact one as ``b``.
        departures: of the quantities that are further from the exact step than rounding explains,
            those that were computed from nothing that is. A mistake shows there first; what is
            computed from a wrong number is wrong too, and says nothing more.
    """

    worst: dict[str, Worst]
    departures: tuple[Worst, ...]

    @property
    def ok(self) -> bool:
        """Whether rounding explains every difference."""
        return not self.departures

    @property
    def furthest(self) -> Worst:
        """The worst of all."""
        return max(self.worst.values(), key=lambda worst: worst.ratio)


def judge(
    case: Case | ChainRuleCase, quantities: Mapping[str, Array], exact: Exact | None = None
) -> Judgement:
    """Hold a case's first step to the exact one.

    Args:
        case: whose step it is, in the dtype of the step.
        quantities: any of the step's, by name; a number that is not finite is never right.
        exact: the exact step, if it is there already.
    """
    exact = exact or exact_step(case)
    differences = from_exact(quantities, exact, bounds(case, exact.values))
    worst = {name: each.worst(name, case.dtype) for name, each in differences.items()}
    wrong = {name for name, found in worst.items() if not found.ratio <= 1}
    if isinstance(case, Case):
        behind = sources(case.network, case.training.slots)
    else:  # a chain's numbers are each computed from those before
        behind = {name: set(list(worst)[:i]) for i, name in enumerate(worst)}
    first = [name for name in worst if name in wrong and not wrong & behind[name]]
    return Judgement(worst, tuple(worst[name] for name in first))


def from_exact(
    quantities: Mapping[str, Array], exact: Exact, allowed: Mapping[str, Array]
) -> dict[str, Difference]:
    """How far each of a step's quantities is from the exact one, and how far it may be."""
    return {
        name: Difference(
            quantities[name], values, exact.distance(name, quantities[name]), allowed[name]
        )
        for name, values in exact.values.items()
        if name in quantities
    }


class Difference(NamedTuple):
    """A quantity in two steps.

    Args:
        a, b: its values.
        distance: how far these are apart.
        allowed: how far they may be.
    """

    a: Array
    b: Array
    distance: Array
    allowed: Array

    def shares(self) -> Array:
        """Each element's distance as a share of its bound; infinite where one is not finite."""
        finite = np.isfinite(self.distance) & np.isfinite(self.allowed)
        with np.errstate(all="ignore"):
            shares = np.where(self.distance == 0, 0.0, self.distance / self.allowed)
        return np.where(finite, shares, np.inf)

    def worst(self, quantity: str, dtype: str) -> Worst:
        """The element that is the furthest from agreement, in units of the dtype's eps."""
        shares = self.shares()
        index = np.unravel_index(shares.argmax(), shares.shape)
        distance, allowed = float(self.distance[index]), float(self.allowed[index])
        scale = max(
            float(np.abs(each[np.isfinite(each)]).max(initial=0)) for each in (self.a, self.b)
        )
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


def worst_of(differences: Mapping[str, Difference], dtype: str) -> Worst:
    """Of all quantities' elements, the one that is the furthest from agreement."""
    name = max(differences, key=lambda name: differences[name].shares().max())
    return differences[name].worst(name, dtype)
