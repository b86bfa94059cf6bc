"""Mistakes in recording a step that was made right: numbers from another moment, or transposed."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from shared import Array, Trace, Training, check_inputs, check_targets
from threeways.mistakes.base import Mistake


class GradientsRecordedAfterReset(Mistake):
    title = "gradients recorded after they were reset"
    did = "dW and db are read after zero_grad() has set them to 0; the update had the right ones."
    why = "The numbers are those of an empty buffer, not of the step."
    fix = "Copy the gradients after backward() and before the next zero_grad()."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        dW, db = (tuple(map(np.zeros_like, part)) for part in (trace.dW, trace.db))
        return dataclasses.replace(trace, dW=dW, db=db)


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

    before: Array | None = None

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        loss, self.before = self.before, trace.loss
        return trace if loss is None else dataclasses.replace(trace, loss=loss)


class WeightsRecordedTransposed(Mistake):
    title = "updated weights recorded transposed"
    did = "W_next is recorded as (out, in), as PyTorch keeps it; in a square layer the shapes fit."
    why = "W[l] is (D[l], D[l+1]) here: the weight from i to j stands at [i, j]."
    fix = "Record W.T where a framework keeps its weights the other way round."

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        trace = super().step(x, y, training)
        turned = tuple(W.T.copy() if W.shape == W.T.shape else W for W in trace.W_next)
        return dataclasses.replace(trace, W_next=turned)
