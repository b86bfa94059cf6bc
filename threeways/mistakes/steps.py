"""Every number of a step, as a kind of network makes it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case

Numbers = dict[str, Array]


def numbers_of(kind: type[FeedForward], case: Case, steps: int = 1) -> Numbers:
    """Every quantity of step number ``steps`` of a case, as this kind of network makes it."""
    net = kind(case.network, case.parameters)
    given = batches(case)
    with np.errstate(all="ignore"):  # a mistake may overflow
        for x, y in itertools.islice(given, steps - 1):
            net.descend(x, y, case.training)
        return net.step(*next(given), case.training).quantities()


def numbers_of_run(kind: type[FeedForward], run: Sequence[Case]) -> Numbers:
    """Every quantity of a run's last step, as this kind of network makes it.

    Args:
        kind: the network, right or with a mistake.
        run: one case for each step; the network starts from the first one's parameters.
    """
    first = run[0]
    net = kind(first.network, first.parameters)
    optimizer = net.optimizer_for(first.training)
    optimizer.restore(first.steps_before, first.slots or optimizer.slots)
    with np.errstate(all="ignore"):
        for case in run:
            trace = net.step(*case.first_batch(), case.training)
    return trace.quantities()


def batches(case: Case) -> Iterator[tuple[Array, Array]]:
    """The batches (x, y) of a case's training, epoch after epoch, without end."""
    dataset, _ = case.training.prepare(case.dataset)
    x, y = (case.network.array(values) for values in (dataset.x, dataset.y))
    for epoch in itertools.count():
        for rows in case.training.batches(epoch, len(dataset)):
            yield x[rows], y[rows]
