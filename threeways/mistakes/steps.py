"""Every number of a step, as a kind of network makes it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, Parameters
from threeways.mistakes.base import Parts

Numbers = dict[str, Array]

# Steps before the last that are enough to see what a mistake keeps from one to the next.
FEW_STEPS = 2


def numbers_of(kind: type[FeedForward], case: Case, steps: int = 1) -> Numbers:
    """Every quantity of step number ``steps`` of a case, as this kind of network makes it."""
    net = begun(kind, case)
    given = batches(case)
    with np.errstate(all="ignore"):  # a mistake may overflow
        for x, y in itertools.islice(given, max(steps - 1 - FEW_STEPS, 0)):
            net.descend(x, y, case.training)
        # What is recorded may be of the step before, so the last ones are recorded.
        for x, y in itertools.islice(given, min(steps - 1, FEW_STEPS) + 1):
            trace = net.step(x, y, case.training)
    return trace.quantities()


def begun(kind: type[FeedForward], case: Case, parameters: Parameters | None = None) -> FeedForward:
    """A network of this kind, with the parameters of the case unless others are given."""
    net = kind(case.network, parameters or case.parameters)
    if hasattr(net, "steps_per_epoch"):  # it is made of Parts
        net.steps_per_epoch = case.training.steps_per_epoch(len(case.dataset))
    return net


def numbers_of_run(kind: type[FeedForward], run: Sequence[Case], goes_on: bool = False) -> Numbers:
    """Every quantity of a run's last step, as this kind of network makes it.

    Each step starts from the parameters and slots of its own case. So the last one is made alone,
    unless the network keeps something else from step to step, as one does whose gradients pile up:
    then the last few are made.

    Args:
        kind: the network, right or with a mistake.
        run: one case for each step.
        goes_on: whether each step starts instead from where this kind's own step before ended.
    """
    *before, last = run
    if goes_on:
        net = kind(run[0].network, run[0].parameters)
        numbers = _step_from(net, run[0])
        with np.errstate(all="ignore"):
            for case in run[1:]:
                numbers = net.step(*case.first_batch(), case.training).quantities()
        return numbers
    net = kind(last.network, last.parameters)
    numbers = _step_from(net, last)
    if before and vars(net).keys() - vars(_right_one(last)).keys():
        net = kind(last.network, last.parameters)
        for case in (*before[-FEW_STEPS:], last):
            net.assign(case.parameters)
            numbers = _step_from(net, case)
    return numbers


def scaled(kind: type[FeedForward], scale: float) -> type[FeedForward]:
    """The same kind of network with a loss that is ``scale`` times as large; penalties are not."""
    if scale == 1:
        return kind

    class Scaled(kind):  # type: ignore[misc,valid-type]
        def loss(self, y: Array, output: Array) -> Array:
            return scale * super().loss(y, output)

        def output_delta(self, y: Array, z: Array, a: Array) -> Array:
            return scale * super().output_delta(y, z, a)

    return Scaled


def _step_from(net: FeedForward, case: Case) -> Numbers:
    """Every quantity of a case's first step, from its own slots."""
    optimizer = net.optimizer_for(case.training)
    optimizer.restore(case.steps_before, case.slots or optimizer.slots)
    with np.errstate(all="ignore"):  # a mistake may overflow
        return net.step(*case.first_batch(), case.training).quantities()


@functools.lru_cache(maxsize=1)
def _right_one(case: Case) -> FeedForward:
    """A right network after a case's first step, with all that it keeps."""
    net = Parts(case.network, case.parameters)
    _step_from(net, case)
    return net


def batches(case: Case) -> Iterator[tuple[Array, Array]]:
    """The batches (x, y) of a case's training, epoch after epoch, without end."""
    dataset, _ = case.training.prepare(case.dataset)
    x, y = (case.network.array(values) for values in (dataset.x, dataset.y))
    for epoch in itertools.count():
        for rows in case.training.batches(epoch, len(dataset)):
            yield x[rows], y[rows]
