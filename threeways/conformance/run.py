"""The steps of a case that an implementation makes one after the other, each from where it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from shared import Array, Case, Dataset, Slots, StepTraining, Weights
from threeways.exact.bounds import bounds
from threeways.exact.oracle import Exact
from threeways.mistakes.steps import batches

# The steps that are made of each case unless more are asked for, and the most that may be.
STEPS, MOST_STEPS = 2, 1000
# A schedule may be right for two steps, and wrong from the third on.
SCHEDULED_STEPS = 3

# Absolute errors that what a step starts from may have, by its name, such as ``W[0]``.
Errors = Mapping[str, Array]
NO_ERRORS: Errors = {}


class Run:
    """The steps of a case by one kind of implementation, each as the first step of a case.

    Args:
        case: the case.
        kind: one of ``contract.KINDS``.
        n_steps: how many steps to make; of a case with a schedule at least three.
    """

    def __init__(self, case: Case, kind: str, n_steps: int = STEPS) -> None:
        self.kind = kind
        self.training = case.training.in_steps(len(case.dataset))
        if kind == "function":  # which is given the learning rate, and no schedule
            self.training = dataclasses.replace(
                self.training,
                schedule="constant",
                decay_rate=None,
                decay_steps=None,
                staircase=None,
            )
        self.n_steps = max(n_steps, SCHEDULED_STEPS * (self.training.schedule != "constant"))
        self.batches = batches(case)
        self.case = case

    @property
    def goes_on(self) -> bool:
        """Whether a step starts from where the one before ended."""
        return self.kind in ("function", "step")

    def first(self) -> Case:
        """The case of the first step."""
        return self.step(self.case.steps_before)

    def next(
        self, before: Case, quantities: Mapping[str, Array], exact: Exact, errors: Errors
    ) -> tuple[Case, Errors]:
        """The case of the next step, and the errors that its start may have.

        A function is called with the W_next and b_next that it gave, and with the exact ones,
        rounded, where it gave none; a class goes on by itself. Where it does not say from what,
        that is known but for rounding errors.

        Args:
            before: the case of the step before.
            quantities: those that it gave, which are right.
            exact: all of them, exactly.
            errors: which the start of that step may have had.
        """
        t = before.steps_before + 1
        if not self.goes_on:  # nothing is updated
            return self.step(t), NO_ERRORS
        known = {name: np.array(each) for name, each in quantities.items()}
        allowed = {}
        if self.kind == "step":
            allowed = bounds(before, exact.values, input_errors=errors, scale=exact.scale)
        start_errors: dict[str, Array] = {}

        def start(name: str, of_next_step: str, l: int) -> Array:
            if name in known:
                return known[name]
            if name not in exact.values:  # this layer has no biases
                return np.zeros_like(before.parameters[l].b)
            value = exact.values[name]
            if allowed:
                eps = float(np.finfo(before.dtype).eps)
                start_errors[of_next_step] = allowed[name] + eps * np.abs(value)
            return value.astype(before.dtype)

        layers = range(len(before.parameters))
        parameters = tuple(
            Weights(*(start(f"{letter}_next[{l}]", f"{letter}[{l}]", l) for letter in "Wb"))
            for l in layers
        )
        slots: Slots = {
            f"{slot}_{letter}": tuple(
                start(f"{slot}_{letter}[{l}]", f"{slot}_{letter}[{l}]", l) for l in layers
            )
            for slot in self.training.slots
            for letter in "Wb"
        }
        case = dataclasses.replace(self.step(t), parameters=parameters, slots=slots)
        return case, start_errors

    def step(self, t: int) -> Case:
        """The case of step t with the parameters that the run began with, and its next batch."""
        x, y = next(self.batches)
        masks = self.training.masks(self.case.network, t, len(x))
        training = StepTraining.of(self.training, masks)
        return dataclasses.replace(
            self.case,
            dataset=Dataset(self.case.dataset.name, x, y),
            training=training,
            steps_before=t,
            test=None,
            transfer=None,
        )
