"""Mistakes in recording a step that was made right: numbers from another moment, or transposed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from shared import (
    Array,
    Network,
    Parameters,
    Slots,
    Trace,
    Training,
    Weights,
    check_inputs,
    check_targets,
)
from threeways.mistakes.base import Mistake

# Steps after which the search for the parameters before a step ends, found or not.
TRIES = 200


def turned(W: Array) -> Array:
    """W.T (D, D) if W is square, else W: one of another shape would be noticed."""
    return W.T.copy() if W.shape == W.T.shape else W


class ParametersRecordedAfterStep(Mistake):
    title = "starting parameters recorded after the step"
    did = "W and b are references, or are copied too late: they are those that the step ended with."
    why = "z, a, the loss and the gradients belong to the parameters from before the update."
    fix = "Record W.copy() and b.copy() before the step."
    is_recorders = True

    found = False

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        """The step that ends with the parameters that it was told to start from.

        These are a fixed point of: start - (what the step from there ends with - the given ones).
        """
        after, start = self.parameters, self.parameters
        optimizer = self.optimizer_for(training)
        t, slots = optimizer.steps, optimizer.slots
        tries = 0 if self.found else TRIES
        self.found, closest = True, np.inf
        for _ in range(tries):
            super().descend(*self.checked_batch(x, y), training)
            off = tuple(
                Weights(W - given.W, b - given.b)
                for W, b, given in zip(self.W, self.b, after, strict=True)
            )
            far = max(float(np.abs(each).max()) for weights in off for each in weights)
            if not far < closest:
                break
            closest = far
            start = tuple(
                Weights(w.W - each.W, w.b - each.b) for w, each in zip(start, off, strict=True)
            )
            self.assign(start)
            optimizer.restore(t, slots)
        self.assign(start)
        optimizer.restore(t, slots)
        return super().step(x, y, training)


class WeightsTakenTransposed(Mistake):
    title = "starting weights transposed"
    did = "W is (out, in), as PyTorch keeps it; in a square layer the shapes fit."
    why = "W[l] is (D[l], D[l+1]) here: every number of the step belongs to other weights."
    fix = "Transpose the weights on the way in, and dW and W_next on the way out."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(network, tuple(Weights(turned(W), b) for W, b in parameters))


class WeightsRecordedTransposed(Mistake):
    title = "updated weights recorded transposed"
    did = "W_next is recorded as (out, in), as PyTorch keeps it; in a square layer the shapes fit."
    why = "W[l] is (D[l], D[l+1]) here: the weight from i to j stands at [i, j]."
    fix = "Record W.T where a framework keeps its weights the other way round."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        return dataclasses.replace(trace, W_next=tuple(map(turned, trace.W_next)))


class GradientsRecordedTransposed(Mistake):
    title = "gradients of the weights recorded transposed"
    did = "dW is recorded as (out, in), as PyTorch keeps it; the update had it the right way round."
    why = "dW[l] is (D[l], D[l+1]) here, like W[l]: the weight from i to j stands at [i, j]."
    fix = "Record W.grad.T where a framework keeps its weights the other way round."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        return dataclasses.replace(trace, dW=tuple(map(turned, trace.dW)))


class GradientsRecordedAfterReset(Mistake):
    title = "gradients recorded after they were reset"
    did = "dW and db are read after zero_grad() has set them to 0; the update had the right ones."
    why = "The numbers are those of an empty buffer, not of the step."
    fix = "Copy the gradients after backward() and before the next zero_grad()."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        dW, db = (tuple(map(np.zeros_like, part)) for part in (trace.dW, trace.db))
        return dataclasses.replace(trace, dW=dW, db=db)


class GradientsRecordedWithRate(Mistake):
    title = "gradients recorded with the learning rate in them"
    did = "dW and db are recorded as η dW and η db, after they were multiplied for the update."
    why = "That is the step, not the gradient, although the update is right."
    fix = "Record dW and db before they are multiplied by η; dW *= η changes the array itself."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        eta = self.next_rate(training)
        trace = super().step(x, y, training)
        dW, db = (tuple(each * eta for each in part) for part in (trace.dW, trace.db))
        return dataclasses.replace(trace, dW=dW, db=db)


class GradientsRecordedClipped(Mistake):
    title = "gradients recorded after clipping"
    did = "dW and db are read when clipping has changed them in place; the update is right."
    why = "The numbers are those of the step, not the derivatives of the loss."
    fix = "Copy the gradients before they are clipped."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        clip = self.optimizer_for(training).clip
        dW, db = ([each.copy() for each in part] for part in (trace.dW, trace.db))
        if clip:
            free_dW = [each for l, each in enumerate(dW) if l not in self.frozen]
            clip([*free_dW, *(each for l, each in enumerate(db) if l not in self.fixed)])
        return dataclasses.replace(trace, dW=tuple(dW), db=tuple(db))


class GradientsRecordedSummed(Mistake):
    title = "gradients recorded as sums over the steps"
    did = "The record of dW and db adds up all the steps so far; each update had its own gradients."
    why = "From the second step on, the numbers are not the gradients of any one step."
    fix = "Record the gradients of each step by themselves."

    recorded: tuple[tuple[Array, ...], tuple[Array, ...]] | None = None

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        made = trace.dW, trace.db
        if self.recorded:
            dW, db = (
                tuple(map(np.add, new, old)) for new, old in zip(made, self.recorded, strict=True)
            )
            made = dW, db
        self.recorded = made
        return dataclasses.replace(trace, dW=made[0], db=made[1])


class ActivationsRecordedAfterStep(Mistake):
    title = "forward pass recorded after the step"
    did = "z and a are computed once more for the record, with the updated weights."
    why = "They belong to the next step: loss and gradients come from those before the update."
    fix = "Record z and a of the forward pass that the gradients come from."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        z, a = self.propagate(check_inputs(self.network, x), self.masks)
        return dataclasses.replace(trace, z=tuple(z), a=tuple(a))


class LossRecordedAfterStep(Mistake):
    title = "loss recorded after the step"
    did = "The loss is computed once more, with the updated weights."
    why = "It belongs to the next step: the gradients are those of the loss before the update."
    fix = "Record the loss of the forward pass that the gradients come from."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        x = check_inputs(self.network, x)
        after = self.loss_of(x, check_targets(self.network, y, len(x)))
        return dataclasses.replace(trace, loss=np.asarray(after, self.network.dtype))


class LossOfStepBefore(Mistake):
    title = "loss of the step before recorded"
    did = "The loss is a variable that is only set after it has been recorded."
    why = "From the second step on, loss and gradients belong to different weights."
    fix = "Record the loss after the forward pass of the same step."

    loss_before: Array | None = None

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        loss, self.loss_before = self.loss_before, trace.loss
        return trace if loss is None else dataclasses.replace(trace, loss=loss)


class MomentumRecordedNegative(Mistake):
    title = "momentum recorded with its sign flipped"
    did = "The record has -v: what is subtracted from w, where Keras keeps what is added to it."
    why = "The update is right, but v is -η times a sum of gradients here, and they are uphill."
    fix = "Record w_next - w, which is v, or the negative of a buffer that is subtracted."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        if training.optimizer not in ("momentum", "nesterov"):
            return trace
        slots: Slots = {name: tuple(-v for v in kept) for name, kept in trace.slots.items()}
        return dataclasses.replace(trace, slots=slots)


class SlotsRecordedBeforeStep(Mistake):
    title = "optimizer's state recorded before the step"
    did = "What the optimizer keeps is recorded as it was before the update."
    why = "It lags one step behind the weights, and in the first step holds nothing yet."
    fix = "Record the optimizer's state after its step."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        slots = self.optimizer_for(training).slots
        trace = super().step(x, y, training)
        return dataclasses.replace(trace, slots=slots)
