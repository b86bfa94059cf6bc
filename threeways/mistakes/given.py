"""Printed numbers beside the right ones: which departs first, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case
from shared.quantities import element
from shared.sources import ancestors, sources
from threeways.mistakes.observations import Printed, agrees
from threeways.mistakes.steps import Numbers, numbers_of

# If more numbers are given, it is not said which follow from which.
MOST = 20


@dataclass(frozen=True)
class Given:
    """A printed number beside the right one.

    Args:
        printed: the number.
        right: what it should be.
        state: ``"right"``; ``"first"`` if it departs, and nothing given that it is computed from
            does; ``"follows"`` if a right step makes it of the wrong numbers given before it;
            ``"departs"`` if not, or where that cannot be said.
    """

    printed: Printed
    right: float
    state: str

    @property
    def element(self) -> str:
        """Its quantity and index, as ``"dW[1][0,1]"``."""
        return element(self.printed.quantity, self.printed.index)


def beside(case: Case, observed: Sequence[Printed], right: Numbers, steps: int = 1) -> list[Given]:
    """The printed numbers in the order of the step, each with the right one.

    Args:
        case: the case.
        observed: the printed numbers.
        right: the correct step.
        steps: the number of the step. Of a later one all numbers that depart may do so because
            of earlier steps.
    """
    direct = sources(case.network, case.training)
    order = list(direct)
    found = []
    departing: list[Printed] = []
    for each in sorted(observed, key=lambda each: (order.index(each.quantity), each.index)):
        state = "right"
        if not agrees(each, right):
            earlier = ancestors([each.quantity], direct)
            causes = [one for one in departing if one.quantity in earlier]
            state = "departs" if causes else "first"
            if causes and steps == 1 and len(observed) <= MOST and follows(case, each, causes):
                state = "follows"
            departing.append(each)
        found.append(Given(each, float(right[each.quantity][each.index]), state))
    return found


def follows(case: Case, number: Printed, causes: Sequence[Printed]) -> bool:
    """Whether a right step makes this number of other printed ones that it is computed from."""

    def made(changed: Mapping[int, float]) -> float:
        given = [(each, changed.get(i, each.value)) for i, each in enumerate(causes)]
        kind = type("Continued", (GoesOn,), {"given": given})
        return float(numbers_of(kind, case)[number.quantity][number.index])

    value = made({})
    # They are rounded: so each may be half a unit of its last digit larger or smaller.
    slack = sum(
        abs(made({i: each.value + each.place / 2}) - value) for i, each in enumerate(causes)
    )
    return abs(value - number.value) <= number.place + number.rounding + slack


class GoesOn(FeedForward):
    """The correct network, but it goes on from given numbers in place of its own."""

    given: Sequence[tuple[Printed, float]] = ()

    def with_given(self, quantity: str, array: Array) -> Array:
        """The array with the given numbers of this quantity in it."""
        array = np.array(array)
        for number, value in self.given:
            if number.quantity == quantity:
                array[number.index] = value
        return array

    def net_input(self, l: int, a: Array) -> Array:
        return self.with_given(f"z[{l}]", super().net_input(l, a))

    def activation(self, l: int, z: Array) -> Array:
        return self.with_given(f"a[{l + 1}]", super().activation(l, z))

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return self.with_given(f"dz[{len(self.W) - 1}]", super().output_delta(y, z, a))

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        return self.with_given(f"dz[{l}]", super().hidden_delta(l, dz_next, z, a))

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        dW = [self.with_given(f"dW[{l}]", each) for l, each in enumerate(dW)]
        return dz, dW, [self.with_given(f"db[{l}]", each) for l, each in enumerate(db)]
