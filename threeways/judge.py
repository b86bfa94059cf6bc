"""Whether a step is right: every number of it held to the exact one, and where it first departs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shared import SLOTS, Array, Case, ChainRuleCase
from shared.trace import sources
from threeways.bounds import bounds
from threeways.oracle import Exact, exact_step


@dataclass(frozen=True)
class Worst:
    """The element of an array that comes nearest to its bound, or goes furthest beyond it.

    Args:
        quantity, index: which element.
        a, b: its value in each of the two arrays that are compared.
        difference_eps: |a - b| in units of the dtype's eps at the array's scale.
        bound_eps: how large that may be.
    """

    quantity: str
    index: tuple[int, ...]
    a: float
    b: float
    difference_eps: float
    bound_eps: float

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
    case: Case | ChainRuleCase,
    quantities: Mapping[str, Array],
    exact: Exact | None = None,
    allowed: Mapping[str, Array] | None = None,
) -> Judgement:
    """Hold a case's first step to the exact one.

    Args:
        case: whose step it is, in the dtype of the step.
        quantities: any of the step's, by name; a number that is not finite is never right.
        exact: the exact step, if it is there already.
        allowed: its bounds, if they are.
    """
    exact = exact or exact_step(case)
    allowed = allowed or bounds(case, exact.values)
    worst = {
        name: furthest(
            name,
            quantities[name],
            exact.values[name],
            exact.distance(name, quantities[name]),
            allowed[name],
            case.dtype,
        )
        for name in exact.values
        if name in quantities
    }
    wrong = {name for name, found in worst.items() if not found.ratio <= 1}
    if isinstance(case, Case):
        behind = sources(case.network, SLOTS[case.training.optimizer])
    else:  # a chain's numbers are each computed from those before
        behind = {name: set(list(worst)[:i]) for i, name in enumerate(worst)}
    first = [name for name in worst if name in wrong and not wrong & behind[name]]
    return Judgement(worst, tuple(worst[name] for name in first))


def furthest(
    quantity: str, a: Array, b: Array, distance: Array, allowed: Array, dtype: str
) -> Worst:
    """Of a quantity's elements the one that is the furthest from agreement.

    Args:
        quantity: its name.
        a, b: its values in two steps.
        distance: how far these are apart.
        allowed: how far they may be.
        dtype: whose eps is the unit.
    """
    with np.errstate(all="ignore"):  # of what is not finite
        finite = np.isfinite(distance) & np.isfinite(allowed)
        ratio = np.where(finite, np.where(distance == 0, 0.0, distance / allowed), np.inf)
        index = np.unravel_index(ratio.argmax(), ratio.shape)
        scale = max(float(np.abs(each[np.isfinite(each)]).max(initial=0)) for each in (a, b))
        unit = max(np.finfo(dtype).eps * (scale or 1.0), np.finfo(float).smallest_subnormal)
        return Worst(
            quantity=quantity,
            index=tuple(int(i) for i in index),
            a=float(a[index]),
            b=float(b[index]),
            difference_eps=float(distance[index] / unit) if finite[index] else math.inf,
            bound_eps=float(allowed[index] / unit) if finite[index] else 1.0,
        )
