"""A late step, which most mistakes need not be trained up to.

A mistake that leaves W, b and the slots as they are, such as one in the loss alone or one that
cannot happen in this network, makes its late step from where the right training has come to; one
that trains as another mistake does, such as twice the loss and twice the learning rate, from there.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, Parameters
from shared.trace import Slots
from threeways.mistakes.candidates import ROUNDING, is_far
from threeways.mistakes.steps import FEW_STEPS, Numbers, batches, begun

# Steps in a row from which it is seen whether a mistake changes a training.
IN_A_ROW = FEW_STEPS

# So many numbers of trainings are kept, for mistakes that train alike.
MOST_KEPT = 10_000_000


class State(NamedTuple):
    """What a training has come to: W and b of each layer, and the optimizer's slots."""

    parameters: Parameters
    slots: Slots

    @property
    def arrays(self) -> list[Array]:
        """All of its arrays."""
        return [*itertools.chain(*self.parameters, *self.slots.values())]


# The states before some of the steps of a training, by the number of the step, from 0.
States = dict[int, State]


class LateStep:
    """Makes a late step of a case as kinds of network do.

    Args:
        case: the case.
        steps: the number of the step, from 1; more than ``FEW_STEPS``.
    """

    def __init__(self, case: Case, steps: int) -> None:
        self.case, self.steps = case, steps
        self.epoch = case.training.steps_per_epoch(len(case.dataset))
        self.looks = self.looked_at()
        self.kept = {t + i for t in self.looks for i in (0, IN_A_ROW)}
        needed = {t + i for t in self.looks for i in range(IN_A_ROW + 1)}
        self.batches = {t: batch for t, batch in self.all_batches() if t in needed}
        self.trainings: list[States] = []
        self.n_kept = 0
        self.right = self.train(FeedForward)

    def looked_at(self) -> list[int]:
        """The steps from which it is seen whether a mistake changes a training.

        The first ones; then ever fewer; those around the end of an epoch and of the learning
        rate's decay; and the last ones.
        """
        last = self.steps - 1 - IN_A_ROW
        turns = {self.epoch, self.case.training.decay_steps or 0}
        near = {turn + i for turn in turns for i in (-2, -1, 0, 1)}
        wanted = {0, 1, 2, last} | {2**i for i in range(20)} | near
        return sorted(t for t in wanted if 0 <= t <= last)

    def all_batches(self) -> enumerate[tuple[Array, Array]]:
        """The batches up to the step, each after its number, from 0."""
        return enumerate(itertools.islice(batches(self.case), self.steps))

    def __call__(self, kind: type[FeedForward]) -> Numbers:
        """Every quantity of the step, as this kind of network makes it."""
        first, *others = self.looks
        after_first = self.after_few_steps(kind, first, self.trainings[0][first])
        for states in self.trainings:
            if alike(after_first, states[first + IN_A_ROW]) and all(
                alike(self.after_few_steps(kind, t, states[t]), states[t + IN_A_ROW])
                for t in others
            ):
                return self.last_step(kind, states)
        return self.train(kind)

    def train(self, kind: type[FeedForward]) -> Numbers:
        """Every quantity of the step, trained up to from the start."""
        net = begun(kind, self.case)
        states: States = {}
        with np.errstate(all="ignore"):
            for t, (x, y) in self.all_batches():
                if t in self.kept:
                    states[t] = self.state(net)
                if t < self.looks[-1]:
                    net.descend(x, y, self.case.training)
                else:
                    trace = net.step(x, y, self.case.training)
        self.n_kept += sum(each.size for state in states.values() for each in state.arrays)
        if not self.trainings or self.n_kept <= MOST_KEPT:
            self.trainings.append(states)
        return trace.quantities()

    def last_step(self, kind: type[FeedForward], states: States) -> Numbers:
        """Every quantity of the step, from where a training has come to shortly before."""
        start = self.looks[-1]
        net = self.going_on(kind, start, states[start])
        with np.errstate(all="ignore"):
            for t in range(start, self.steps):
                trace = net.step(*self.batches[t], self.case.training)
        return trace.quantities()

    def after_few_steps(self, kind: type[FeedForward], start: int, state: State) -> State:
        """What a few steps from a state leave."""
        net = self.going_on(kind, start, state)
        with np.errstate(all="ignore"):
            for t in range(start, start + IN_A_ROW):
                net.descend(*self.batches[t], self.case.training)
        return self.state(net)

    def going_on(self, kind: type[FeedForward], t: int, state: State) -> FeedForward:
        """A network of this kind in a state after t steps."""
        net = begun(kind, self.case, state.parameters)
        net.optimizer_for(self.case.training).restore(t, state.slots)
        return net

    def state(self, net: FeedForward) -> State:
        """The state that a network is in."""
        return State(net.parameters, net.optimizer_for(self.case.training).slots)


def alike(one: State, other: State) -> bool:
    """Whether two states differ by no more than rounding."""
    if one.slots.keys() != other.slots.keys():
        return False
    pairs = zip(one.arrays, other.arrays, strict=True)
    return not any(is_far(a, b, ROUNDING) for a, b in pairs)
