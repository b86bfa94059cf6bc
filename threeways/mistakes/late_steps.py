"""A late step, which most mistakes need not be trained up to.

A mistake that leaves W, b and the slots as they are, such as one in the loss alone or one that
cannot happen in this network, makes its late step from where the right training has come to.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, Parameters
from shared.trace import Slots
from threeways.mistakes.base import Parts
from threeways.mistakes.candidates import ROUNDING, is_far
from threeways.mistakes.steps import FEW_STEPS, Numbers, batches, numbers_of

# Steps in a row from which it is seen whether a mistake changes the training.
IN_A_ROW = FEW_STEPS


class Start(NamedTuple):
    """What a training has come to before a step, and the batches of the steps from there."""

    t: int
    parameters: Parameters
    slots: Slots
    batches: list[tuple[Array, Array]]


class LateStep:
    """Makes a late step of a case as kinds of network do.

    Args:
        case: the case.
        steps: the number of the step, from 1; more than ``FEW_STEPS``.
    """

    def __init__(self, case: Case, steps: int) -> None:
        self.case, self.steps = case, steps
        self.epoch = case.training.steps_per_epoch(len(case.dataset))
        self.starts: dict[int, Start] = {}
        net = FeedForward(case.network, case.parameters)
        wanted = self.looked_at()
        wanted |= {t + IN_A_ROW for t in wanted}
        recent: list[Start] = []
        for t, batch in enumerate(itertools.islice(batches(case), steps)):
            if t in wanted:
                slots = net.optimizer_for(case.training).slots
                self.starts[t] = Start(t, net.parameters, slots, [])
            recent = [self.starts[t], *recent] if t in wanted else recent
            for start in recent:
                start.batches.append(batch)
            recent = [start for start in recent if t - start.t < IN_A_ROW]
            with np.errstate(all="ignore"):
                net.descend(*batch, case.training)

    def looked_at(self) -> set[int]:
        """The steps from which it is seen whether a mistake changes the training.

        The first ones; then ever fewer; those around the end of an epoch and of the learning
        rate's decay; and the last ones.
        """
        last = self.steps - 1 - IN_A_ROW
        turns = {self.epoch, self.case.training.decay_steps or 0}
        near = {turn + i for turn in turns for i in (-2, -1, 0, 1)}
        wanted = {0, 1, 2, last} | {2**i for i in range(20)} | near
        return {t for t in wanted if 0 <= t <= last}

    def __call__(self, kind: type[FeedForward]) -> Numbers:
        """Every quantity of the step, as this kind of network makes it."""
        if any(self.changes(kind, self.starts[t]) for t in sorted(self.looked_at())):
            return numbers_of(kind, self.case, self.steps)
        start = self.starts[self.steps - 1 - IN_A_ROW]
        net = self.begin(kind, start)
        with np.errstate(all="ignore"):
            for batch in start.batches:
                numbers = net.step(*batch, self.case.training).quantities()
        return numbers

    def begin(self, kind: type[FeedForward], start: Start) -> FeedForward:
        """A network of this kind before a step of the right training."""
        net = kind(self.case.network, start.parameters)
        if isinstance(net, Parts):
            net.steps_per_epoch = self.epoch
        net.optimizer_for(self.case.training).restore(start.t, start.slots)
        return net

    def changes(self, kind: type[FeedForward], start: Start) -> bool:
        """Whether a few steps from here leave something else than the right ones do."""
        net = self.begin(kind, start)
        with np.errstate(all="ignore"):
            for x, y in start.batches[:IN_A_ROW]:
                net.descend(x, y, self.case.training)
        right = self.starts[start.t + IN_A_ROW]
        slots = net.optimizer_for(self.case.training).slots
        if slots.keys() != right.slots.keys():
            return True
        ours = itertools.chain(*net.parameters, *slots.values())
        theirs = itertools.chain(*right.parameters, *right.slots.values())
        return any(is_far(a, b, ROUNDING) for a, b in zip(ours, theirs, strict=True))
