"""How far apart correct implementations may be after each epoch of a run.

A step adds to each number an error of at most its bound (:mod:`threeways.exact.bounds`). What
becomes of it then is the run's doing: the next step multiplies it by I - ηH, H the second
derivatives of the loss, and so it shrinks in a valley and grows on a ridge. So a run is made
together with twins of it, in NumPy: after each step every parameter of a twin, and whatever its
optimizer keeps, is moved by the whole bound of a step, always to the same side, so that errors add
up where those of rounding cancel. An implementation stays as near to the run as the furthest twin;
two stay within twice that.

Where twins come as far from the run as ``CHAOTIC`` of a parameter's size, rounding has decided what
became of it. Then parameters tell nothing any more, and only the outcome can be compared, the loss:
here too by how far twins have been from the run.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, Dataset, Parameters, Training
from threeways.exact.bounds import bounds
from threeways.progress import OnProgress
from threeways.training.outcome import Outcome

TWINS = 3
CHAOTIC = 1e-4
# How often in a run the bound of a step is worked out anew; it takes ten times as long as a step.
BOUNDS_OF_A_RUN = 100
# What optimizers keep of sums of squares, which rounding does not make negative.
SQUARES = {"accumulator", "velocity"}


@dataclass(frozen=True)
class Agreement:
    """Where, in a run, two implementations came nearest to the bound of their difference.

    Args:
        a, b: their names.
        epoch: after which, from 1.
        quantity: ``"W[0]"``, ``"b[0]"``, … or ``"loss"``.
        difference: the largest |difference| in it.
        bound: how large it may be.
        chaotic_from: the epoch, from 1, from which on only losses were compared; None if none.
    """

    a: str
    b: str
    epoch: int
    quantity: str
    difference: float
    bound: float
    chaotic_from: int | None = None

    @property
    def ratio(self) -> float:
        """The difference to its bound, at most 1 in agreement; ∞ if it is no number."""
        if self.difference == 0:
            return 0.0
        explained = math.isfinite(self.difference) and self.bound > 0
        return self.difference / self.bound if explained else math.inf


def agreements(
    case: Case, starts: Sequence[Parameters], outcome: Outcome, on_progress: OnProgress
) -> list[Agreement]:
    """How each two implementations agreed, over all epochs that both have made.

    Args:
        case: what they trained.
        starts: the parameters that each started from.
        outcome: what came of it.
        on_progress: told how many epochs are done, and of how many.
    """
    losses = {run.name: run.history.loss for run in outcome.runs}
    rows = [
        dict(zip(pair.epochs.tolist(), pair.differences, strict=True)) for pair in outcome.apart
    ]
    epochs = max((epoch for each in rows for epoch in each), default=0)
    worst: dict[tuple[str, str], Agreement] = {}
    chaotic_from = None
    for epoch, bound in enumerate(bounds_over_run(case, starts), start=1):
        on_progress(epoch, epochs)
        if chaotic_from is None and bound.is_chaotic:
            chaotic_from = epoch
        for pair, differences in zip(outcome.apart, rows, strict=True):
            if epoch not in differences:
                continue
            apart = {"loss": abs(losses[pair.a][epoch - 1] - losses[pair.b][epoch - 1])}
            if chaotic_from is None:
                apart |= dict(zip(pair.parameters, differences[epoch].tolist(), strict=True))
            for name, difference in apart.items():
                found = Agreement(pair.a, pair.b, epoch, name, difference, bound.allowed[name])
                known = worst.setdefault((pair.a, pair.b), found)
                if found.ratio > known.ratio:
                    worst[pair.a, pair.b] = found
        if epoch >= epochs:
            break
    return [dataclasses.replace(each, chaotic_from=chaotic_from) for each in worst.values()]


@dataclass(frozen=True)
class Bound:
    """How far two implementations may be from each other after an epoch.

    Args:
        allowed: in each array, ``"W[0]"``, ``"b[0]"``, …, and in the ``"loss"`` of the history.
        is_chaotic: whether that is so much of a parameter's size that it tells nothing.
    """

    allowed: dict[str, float]
    is_chaotic: bool


def bounds_over_run(case: Case, starts: Sequence[Parameters] = ()) -> Iterator[Bound]:
    """After each epoch: by how much two implementations may differ.

    Args:
        case: in the dtype of the computation.
        starts: what the implementations start from, where that differs already.
    """
    training = case.training
    dataset, _ = training.prepare(case.dataset)
    x, y = case.network.array(dataset.x), case.network.array(dataset.y)
    first = starts[0] if starts else case.parameters
    run, twins = FeedForward(case.network, first), [_Twin(case, first, i) for i in range(TWINS)]
    for twin in twins:
        twin.start_apart([differences(first, other) for other in starts])
    every = -(-training.epochs // BOUNDS_OF_A_RUN)
    allowed: dict[str, float] = {}
    largest: dict[str, float] = {}
    for epoch in range(training.epochs):
        losses: list[list[float]] = []
        for i, rows in enumerate(training.batches(epoch, len(x))):
            if i == 0 and epoch % every == 0:
                errors, of_loss = _errors_of_step(run, x[rows], y[rows], training)
            with np.errstate(all="ignore"):  # a run may diverge
                losses.append([_descend(net, x[rows], y[rows], training) for net in (run, *twins)])
            for twin in twins:
                twin.err(errors)
        apart = [differences(run.parameters, twin.parameters) for twin in twins]
        of_run, *of_twins = np.average(losses, axis=0, weights=training.sizes(len(x)))
        of_mean = len(losses) * np.finfo(x.dtype).eps * abs(of_run)
        moved = np.abs(np.subtract(of_twins, of_run)).max()
        now = {name: 2 * max(each[name] for each in apart) for name in apart[0]}
        now["loss"] = 2 * float(moved + of_loss + of_mean)
        sizes = {
            name: float(np.abs(array).max()) for name, array in _arrays(run.parameters).items()
        }
        # Where twins have met again, what they have been apart still counts; and what a parameter
        # that tends to 0 has been.
        allowed = {name: max(now[name], allowed.get(name, 0)) for name in now}
        largest = {name: max(sizes[name], largest.get(name, 0)) for name in sizes}
        yield Bound(allowed, any(allowed[name] > CHAOTIC * largest[name] > 0 for name in largest))


def _descend(net: FeedForward, x: Array, y: Array, training: Training) -> float:
    output, penalty = net.descend(x, y, training)
    return float(net.loss(y, output) + penalty)


def differences(a: Parameters, b: Parameters) -> dict[str, float]:
    """The largest |difference| in each array, ``"W[0]"``, ``"b[0]"``, …."""
    with np.errstate(all="ignore"):
        return {
            name: float(np.abs(array - other).max())
            for (name, array), other in zip(_arrays(a).items(), _arrays(b).values(), strict=True)
        }


def _arrays(parameters: Parameters) -> dict[str, Array]:
    return {
        f"{letter}[{l}]": array
        for l, weights in enumerate(parameters)
        for letter, array in zip("Wb", weights, strict=True)
    }


class _Twin(FeedForward):
    """A network that errs after each of its steps, each number always to the same side."""

    def __init__(self, case: Case, start: Parameters, seed: int) -> None:
        super().__init__(case.network, start)
        self.random = np.random.default_rng(seed)
        self.sides: list[Array] = []

    def start_apart(self, differences: Sequence[dict[str, float]]) -> None:
        """Move every parameter by the largest of these differences."""
        for l in range(len(self.W)):
            for name, array in ((f"W[{l}]", self.W[l]), (f"b[{l}]", self.b[l])):
                furthest = max((each[name] for each in differences), default=0.0)
                array += furthest * np.sign(self.random.random(array.shape) - 0.5)

    def err(self, errors: Sequence[Array]) -> None:
        """Move everything by its error."""
        if not self.sides:
            self.sides = [np.sign(self.random.random(error.shape) - 0.5) for error in errors]
        for array, side, error in zip(_everything(self), self.sides, errors, strict=True):
            array += side * error
        assert self.optimizer is not None
        for slot in SQUARES & self.optimizer.slot_variables.keys():
            for array in self.optimizer.slot_variables[slot]:
                np.maximum(array, 0, out=array)


def _everything(net: FeedForward) -> list[Array]:
    """What a step changes: W of every layer, b of every layer, and the same of each slot."""
    assert net.optimizer is not None
    return [*net.W, *net.b, *itertools.chain(*net.optimizer.slot_variables.values())]


def _errors_of_step(
    net: FeedForward, x: Array, y: Array, training: Training
) -> tuple[list[Array], float]:
    """How wrong a step on this batch may leave each number of ``_everything``, and its loss."""
    optimizer = net.optimizer_for(training)
    alone = dataclasses.replace(
        training, batch_size=None, validation=None, patience=None, augmentation=None
    )
    case = Case(
        network=net.network,
        parameters=net.parameters,
        dataset=Dataset("batch", x, y),
        training=alone,
        steps_before=optimizer.steps,
        slots=optimizer.slots,
    )
    twin = FeedForward(net.network, net.parameters)
    twin.optimizer_for(alone).restore(optimizer.steps, optimizer.slots)
    with np.errstate(all="ignore"):
        quantities = twin.step(*case.first_batch(), alone).quantities()
    allowed = bounds(case, {name: np.asarray(each, float) for name, each in quantities.items()})
    kept = training.slots
    names = [("W", "W_next"), ("b", "b_next")]
    names += [(letter, f"{slot}_{letter}") for slot in kept for letter in "Wb"]
    errors = [
        allowed[f"{name}[{l}]"] * (l not in (net.frozen if letter == "W" else net.fixed))
        for letter, name in names
        for l in range(len(net.W))
    ]
    return errors, float(allowed["loss"])
