"""How far apart two correct implementations may be after each epoch of a training run.

In one step, rounding moves each number by at most its bound (:mod:`threeways.exact.bounds`). What
becomes of that error depends on the run: every later step multiplies it by I - ηH, where H is the
Hessian of the loss, so it shrinks in a valley and grows on a ridge. No formula says in advance by
how much, so it is measured. Beside the run go a few *perturbed runs*, in NumPy: after each of their
steps, every parameter and every optimizer slot is pushed by the full bound, always in the same
direction. Rounding errors partly cancel; these add up. So each implementation should stay as close
to the run as the farthest perturbed run does, and any two within twice that distance of each other.
All of these are made in float64, also for implementations in float32, and only the bounds are those
of float32: rounded to float32, a push would be lost where it is less than half a last digit.

Some runs are chaotic: perturbed runs end up ``CHAOTIC`` of a parameter's size away, or farther, and
so rounding decides where the run goes. From then on the parameters say nothing, and only the loss
is compared, again by how far the perturbed runs have strayed.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from impl_numpy import FeedForward
from shared import Array, Case, Dataset, Network, Parameters, Training
from threeways.exact.bounds import bounds
from threeways.progress import OnProgress
from threeways.training.outcome import Outcome, named_arrays

N_PERTURBED = 3
# How far, as a share of a parameter's size, perturbed runs stray in chaos. In float32 the pushes of
# one epoch add up to 1e-4 without any.
CHAOTIC = {"float32": 0.1, "float64": 1e-4}
# How many times in a run the bound of a step is worked out anew; that takes as long as ten steps.
BOUNDS_PER_RUN = 100
# Slots that hold sums of squares, which rounding cannot make negative.
SQUARES = {"accumulator", "velocity"}


@dataclass(frozen=True)
class Agreement:
    """The difference of two implementations that came closest to its bound, or went furthest over.

    Args:
        a, b: the implementations.
        epoch: the epoch, from 1, after which it was found.
        quantity: ``"W[0]"``, ``"b[0]"``, … or ``"loss"``.
        difference: the largest |difference| in it.
        bound: how large that may be.
        chaotic_from: the epoch, from 1, from which on only losses were compared, if any.
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
        """The difference divided by its bound, at most 1 in agreement; ∞ if it is not finite."""
        if self.difference == 0:
            return 0.0
        is_bounded = math.isfinite(self.difference) and self.bound > 0
        return self.difference / self.bound if is_bounded else math.inf


def agreements(
    case: Case, starts: Sequence[Parameters], outcome: Outcome, on_progress: OnProgress
) -> list[Agreement]:
    """The agreement of each two implementations that made an epoch in lockstep.

    Args:
        case: the case that they trained.
        starts: the parameters that each started from.
        outcome: the outcome of the training.
        on_progress: called with the number of epochs done, and of all.
    """
    losses = {result.name: result.history.loss for result in outcome.results}
    rows = [
        dict(zip(pair.epochs.tolist(), pair.distances.tolist(), strict=True))
        for pair in outcome.distances
    ]
    n_epochs = max((epoch for each in rows for epoch in each), default=0)
    worst: dict[tuple[str, str], Agreement] = {}
    chaotic_from = None
    bounds_after = itertools.islice(bounds_over_run(case, starts), n_epochs)
    for epoch, after in enumerate(bounds_after, start=1):
        on_progress(epoch, n_epochs)
        if chaotic_from is None and after.is_chaotic:
            chaotic_from = epoch
        for pair, distances in zip(outcome.distances, rows, strict=True):
            if epoch not in distances:
                continue
            a, b = pair.a, pair.b
            differences = {"loss": abs(losses[a][epoch - 1] - losses[b][epoch - 1])}
            if chaotic_from is None:
                differences |= zip(pair.parameters, distances[epoch], strict=True)
            found = [
                Agreement(a, b, epoch, name, difference, after.bounds[name])
                for name, difference in differences.items()
            ]
            known = [worst[a, b]] if (a, b) in worst else []
            worst[a, b] = max([*known, *found], key=lambda each: each.ratio)
    return [dataclasses.replace(each, chaotic_from=chaotic_from) for each in worst.values()]


@dataclass(frozen=True)
class EpochBounds:
    """How far apart two implementations may be after an epoch.

    Args:
        bounds: the bound of the difference in each array, ``"W[0]"``, ``"b[0]"``, …, and in the
            epoch's mean ``"loss"``.
        is_chaotic: whether a bound is so large beside the parameters that they say nothing.
    """

    bounds: dict[str, float]
    is_chaotic: bool


def bounds_over_run(case: Case, starts: Sequence[Parameters] = ()) -> Iterator[EpochBounds]:
    """How far apart two implementations may be, after each epoch in turn.

    Args:
        case: the case that they train, in the dtype of the computation.
        starts: the parameters that each starts from; all from the case's own unless given.
    """
    training = case.training
    dataset, _ = training.prepare(case.dataset)
    x, y = (case.network.array(rows).astype(float) for rows in (dataset.x, dataset.y))
    first, *others = starts or [case.parameters]
    start_errors = _largest_differences(first, [first, *others])
    network = dataclasses.replace(case.network, dtype="float64")
    run = FeedForward(network, first)
    perturbed = [_PerturbedRun(network, first, start_errors, seed) for seed in range(N_PERTURBED)]
    epochs_per_bound = -(-training.epochs // BOUNDS_PER_RUN)
    widest: dict[str, float] = {}
    sizes: dict[str, float] = {}
    for epoch in range(training.epochs):
        losses: list[list[float]] = []
        for i, rows in enumerate(training.batches(epoch, len(x))):
            if i == 0 and epoch % epochs_per_bound == 0:
                errors, loss_error = _step_errors(run, x[rows], y[rows], training, case.dtype)
            with np.errstate(all="ignore"):  # a run may diverge
                nets = (run, *perturbed)
                losses.append([_descend(net, x[rows], y[rows], training) for net in nets])
            for each in perturbed:
                each.perturb(errors)
        loss, *perturbed_losses = np.average(losses, axis=0, weights=training.sizes(len(x)))
        distances = _largest_differences(run.parameters, [each.parameters for each in perturbed])
        loss_distance = np.abs(np.subtract(perturbed_losses, loss)).max()
        mean_error = len(losses) * np.finfo(case.dtype).eps * abs(loss)
        distances["loss"] = float(loss_distance + loss_error + mean_error)
        # A bound never shrinks, even where perturbed runs come closer again; nor does the size that
        # it is compared with, even where a parameter tends to 0.
        widest = {name: max(2 * distances[name], widest.get(name, 0)) for name in distances}
        sizes = {
            name: max(float(np.abs(array).max()), sizes.get(name, 0))
            for name, array in named_arrays(run.parameters).items()
        }
        is_chaotic = any(widest[name] > CHAOTIC[case.dtype] * sizes[name] > 0 for name in sizes)
        yield EpochBounds(widest, is_chaotic)


def _descend(net: FeedForward, x: Array, y: Array, training: Training) -> float:
    """The loss of a step on this batch, which updates the network."""
    output, penalty = net.descend(x, y, training)
    return float(net.loss(y, output) + penalty)


def _largest_differences(a: Parameters, others: Sequence[Parameters]) -> dict[str, float]:
    """The largest |difference| from any of the others in each array, ``"W[0]"``, ``"b[0]"``, …."""
    arrays = [named_arrays(each) for each in others]
    with np.errstate(all="ignore"):
        return {
            name: max(float(np.abs(array - other[name]).max()) for other in arrays)
            for name, array in named_arrays(a).items()
        }


class _PerturbedRun(FeedForward):
    """A network in which each step leaves an error, in each number always in the same direction.

    Args:
        network: the network that it trains.
        start: where it starts, but for an error in each parameter.
        start_errors: the size of that error in each array, ``"W[0]"``, ``"b[0]"``, ….
        seed: for the directions.
    """

    def __init__(
        self, network: Network, start: Parameters, start_errors: dict[str, float], seed: int
    ) -> None:
        super().__init__(network, start)
        self.random = np.random.default_rng(seed)
        self.directions: list[Array] = []
        for name, array in named_arrays(zip(self.W, self.b, strict=True)).items():
            array += start_errors[name] * self._directions(array)

    def _directions(self, like: Array) -> Array:
        """A random 1 or -1 for each element."""
        return np.sign(self.random.random(like.shape) - 0.5)

    def perturb(self, errors: Sequence[Array]) -> None:
        """Add these errors to the numbers in ``_state``."""
        if not self.directions:
            self.directions = [self._directions(error) for error in errors]
        for array, direction, error in zip(_state(self), self.directions, errors, strict=True):
            array += direction * error
        assert self.optimizer is not None
        for slot in SQUARES & self.optimizer.slot_variables.keys():
            for array in self.optimizer.slot_variables[slot]:
                np.maximum(array, 0, out=array)


def _state(net: FeedForward) -> list[Array]:
    """All that a step changes: W of every layer, b of every layer, then each slot of the same."""
    assert net.optimizer is not None
    return [*net.W, *net.b, *itertools.chain(*net.optimizer.slot_variables.values())]


def _step_errors(
    net: FeedForward, x: Array, y: Array, training: Training, dtype: str
) -> tuple[list[Array], float]:
    """Error bounds of a step in ``dtype``: of each array in ``_state``, and of the loss."""
    optimizer = net.optimizer_for(training)
    one_step = dataclasses.replace(
        training, batch_size=None, validation=None, patience=None, augmentation=None
    )
    case = Case(
        network=dataclasses.replace(net.network, dtype=dtype),
        parameters=net.parameters,
        dataset=Dataset("batch", x, y),
        training=one_step,
        steps_before=optimizer.steps,
        slots=optimizer.slots,
    )
    copy = FeedForward(net.network, net.parameters)
    copy.optimizer_for(one_step).restore(optimizer.steps, optimizer.slots)
    with np.errstate(all="ignore"):
        quantities = copy.step(*case.first_batch(), one_step).quantities()
    allowed = bounds(case, {name: np.asarray(each, float) for name, each in quantities.items()})
    names = [("W", "W_next"), ("b", "b_next")]
    names += [(letter, f"{slot}_{letter}") for slot in training.slots for letter in "Wb"]
    for l in net.network.without_bias:
        allowed |= {
            f"{name}[{l}]": np.zeros_like(net.b[l]) for letter, name in names if letter == "b"
        }
    errors = [
        allowed[f"{name}[{l}]"] * (l not in (net.frozen if letter == "W" else net.fixed))
        for letter, name in names
        for l in range(len(net.W))
    ]
    return errors, float(allowed["loss"])
