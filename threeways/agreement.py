"""How far apart correct implementations may be after each epoch of a run.

A step adds to each number an error of at most its bound (:mod:`threeways.bounds`). What becomes of
it then is the run's doing: the next step multiplies it by I - ηH, H the second derivatives of the
loss, and so it shrinks in a valley and grows on a ridge. So a run is made together with twins of
it, in NumPy: after each step every parameter of a twin, and whatever its optimizer keeps, is moved
by the whole bound of a step, always to the same side, so that errors add up where those of rounding
cancel. An implementation stays as near to the run as the furthest twin; two stay within twice that.

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
from shared import SLOTS, Array, Case, Checkpoint, Dataset, Parameters, Training
from threeways.bounds import bounds

TWINS = 3
CHAOTIC = 1e-4
# How often in a run the bound of a step is worked out anew; it takes ten times as long as a step.
BOUNDS_OF_A_RUN = 100
# What optimizers keep of sums of squares, which rounding does not make negative.
SQUARES = {"accumulator", "velocity"}


@dataclass(frozen=True)
class Apart:
    """Where, in a run, two implementations were furthest apart for what rounding explains.

    Args:
        a, b: their names.
        epoch: after which, from 1.
        quantity: ``"W[0]"``, ``"b[0]"``, … or ``"loss"``.
        difference: the largest |difference| in it.
        bound: how large it may be.
    """

    a: str
    b: str
    epoch: int
    quantity: str
    difference: float
    bound: float

    @property
    def ratio(self) -> float:
        """The difference to its bound, at most 1 in agreement; ∞ if it is no number."""
        if self.difference == 0:
            return 0.0
        explained = math.isfinite(self.difference) and self.bound > 0
        return self.difference / self.bound if explained else math.inf


class Agreement:
    """How far implementations differ over a run that they make at the same time.

    Args:
        case: what they train, in their dtype.
    """

    def __init__(self, case: Case) -> None:
        self.bounds = bounds_over_run(case)
        self.epochs = 0
        self.chaotic_from: int | None = None
        self.allowed: dict[str, float] = {}
        self.furthest: dict[tuple[str, str], Apart] = {}

    def compare(self, checkpoints: dict[str, Checkpoint]) -> None:
        """Compare where the implementations stand after the next epoch, by their names."""
        self.epochs += 1
        bounds = next(self.bounds)
        # Once it is lost, what rounding leaves of a run does not come back.
        self.allowed = {name: max(bounds[name], self.allowed.get(name, 0)) for name in bounds}
        first = next(iter(checkpoints.values()))
        size = {name: float(np.abs(each).max()) for name, each in _arrays(first.parameters).items()}
        if self.chaotic_from is None and any(
            self.allowed[name] > CHAOTIC * size[name] > 0 for name in size
        ):
            self.chaotic_from = self.epochs
        for a, b in itertools.combinations(checkpoints, 2):
            found = self._apart(a, b, checkpoints[a], checkpoints[b])
            known = self.furthest.get((a, b))
            if known is None or found.ratio > known.ratio:
                self.furthest[a, b] = found

    def _apart(self, a: str, b: str, of_a: Checkpoint, of_b: Checkpoint) -> Apart:
        apart = {"loss": abs(of_a.history.loss[-1] - of_b.history.loss[-1])}
        if self.chaotic_from is None:
            apart |= differences(of_a.parameters, of_b.parameters)
        every = [Apart(a, b, self.epochs, name, apart[name], self.allowed[name]) for name in apart]
        return max(every, key=lambda each: each.ratio)

    @property
    def ok(self) -> bool:
        """Whether rounding explains all that they differed by."""
        return all(apart.ratio <= 1 for apart in self.furthest.values())


def bounds_over_run(case: Case) -> Iterator[dict[str, float]]:
    """After each epoch: by how much two implementations may differ in each array and in the loss.

    Args:
        case: in the dtype of the computation.

    Yields:
        ``{"W[0]": …, "b[0]": …, …, "loss": …}``; the loss is that of :class:`shared.History`.
    """
    training = case.training
    dataset, _ = training.prepare(case.dataset)
    x, y = case.network.array(dataset.x), case.network.array(dataset.y)
    run, twins = FeedForward(case.network, case.parameters), [_Twin(case, i) for i in range(TWINS)]
    every = -(-training.epochs // BOUNDS_OF_A_RUN)
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
        allowed = {name: 2 * max(each[name] for each in apart) for name in apart[0]}
        of_run, *of_twins = np.average(losses, axis=0, weights=training.sizes(len(x)))
        of_mean = len(losses) * np.finfo(x.dtype).eps * abs(of_run)
        moved = np.abs(np.subtract(of_twins, of_run)).max()
        yield allowed | {"loss": 2 * float(moved + of_loss + of_mean)}


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

    def __init__(self, case: Case, seed: int) -> None:
        super().__init__(case.network, case.parameters)
        self.random = np.random.default_rng(seed)
        self.sides: list[Array] = []

    def err(self, errors: Sequence[Array]) -> None:
        """Move everything by its error."""
        if not self.sides:
            self.sides = [np.sign(self.random.random(error.shape) - 0.5) for error in errors]
        for array, side, error in zip(_everything(self), self.sides, errors, strict=True):
            array += side * error
        assert self.optimizer is not None
        for slot in SQUARES & self.optimizer.kept.keys():
            for array in self.optimizer.kept[slot]:
                np.maximum(array, 0, out=array)


def _everything(net: FeedForward) -> list[Array]:
    """What a step changes: W of every layer, b of every layer, and the same of each slot."""
    assert net.optimizer is not None
    return [*net.W, *net.b, *itertools.chain(*net.optimizer.kept.values())]


def _errors_of_step(
    net: FeedForward, x: Array, y: Array, training: Training
) -> tuple[list[Array], float]:
    """How wrong a step on this batch may leave each number of ``_everything``, and its loss."""
    optimizer = net.optimizer_for(training)
    alone = dataclasses.replace(
        training, batch_size=None, validation=None, patience=None, augmentation=None
    )
    case = Case(
        name="",
        title="",
        lectures=(),
        figures=(),
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
    kept = SLOTS[training.optimizer]
    names = [("W", "W_next"), ("b", "b_next")]
    names += [(letter, f"{slot}_{letter}") for slot in kept for letter in "Wb"]
    errors = [
        allowed[f"{name}[{l}]"] * (l not in (net.frozen if letter == "W" else net.fixed))
        for letter, name in names
        for l in range(len(net.W))
    ]
    return errors, float(allowed["loss"])
