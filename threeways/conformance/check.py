"""Somebody's own implementation, run in a child process and compared with the exact step."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Self

from shared import Array, Case, InputError
from threeways.conformance.answers import expected_shapes
from threeways.conformance.contract import KINDS, WHY_LEFT_OUT, can_step
from threeways.conformance.conventions import Scale, check_scale
from threeways.conformance.coverage import check_required
from threeways.conformance.results import CaseResult, FirstDiagnoses, check_steps, result_of_run
from threeways.conformance.run import STEPS
from threeways.conformance.supports import ANYTHING, Supports, from_declared
from threeways.sandbox.child import Child, NoAnswerError

# What the child process makes answers with.
HANDLER = "threeways.conformance.contract:stepper"

# After so many cases in a row without an answer, the others are not tried.
MOST_WITHOUT_ANSWER = 3


def check_implementation(
    target: str,
    cases: Sequence[Case],
    time_limit: float = 10,
    require: Collection[str] = (),
    steps: int = STEPS,
    scale: Scale = 1.0,
) -> Iterator[CaseResult]:
    """The result of each case: steps of it, made in a child process and judged.

    Args:
        target: a function or class, ``MODULE:NAME`` or ``FILE.py:NAME``.
        cases: in the dtypes to compute in.
        time_limit: seconds that its import and each step may take.
        require: the quantities that it has to give where a step has them, such as ``dW``.
        steps: how many steps to make of each case.
        scale: how many times each case's loss and its gradients theirs are: a number, or
            ``"sum"`` if their loss is a sum over the rows, with ½ or without.

    Raises:
        InputError: the target does not exist, cannot be imported or cannot be called as it should,
            it is given too little for any of the steps, or what is required is not a quantity of
            any.
    """
    check_required(require, cases)
    with Checker(target, time_limit, steps, scale) as checker:
        yield from checker.results(cases, require, checker.declared)


class Checker:
    """A child process that has loaded an implementation, and a new one whenever that ends.

    Args:
        target, time_limit, steps, scale: as in :func:`check_implementation`, which raises the same.

    Attributes:
        kind: one of ``contract.KINDS``.
        declared: what the implementation says that it is for.
    """

    def __init__(
        self, target: str, time_limit: float = 10, steps: int = STEPS, scale: Scale = 1.0
    ) -> None:
        if not 0 < time_limit <= 86_400:
            raise InputError(
                f"time_limit: expected up to 86400 seconds, more than 0, not {time_limit}"
            )
        check_steps(steps)
        self.target = target
        self.time_limit = time_limit
        self.steps = steps
        self.scale = check_scale(scale)
        self.child: Child | None = None
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        child = self._started()
        self.kind = self.loaded_kind
        self.declared = from_declared(child.declared.get("supports"))
        return self

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def results(
        self, cases: Sequence[Case], require: Collection[str] = (), wanted: Supports = ANYTHING
    ) -> Iterator[CaseResult]:
        """The result of each case, in their order.

        Args:
            cases: in the dtypes to compute in.
            require: the quantities that it has to give where a step has them, such as ``dW``.
            wanted: what it is for; other cases are not tried.
        """
        # Whether a case is left out is decided here: the child may say what it likes.
        if not any(can_step(self.kind, case) for case in cases):
            raise InputError(f"{self.target}: nothing left to check; {WHY_LEFT_OUT}")
        diagnose = FirstDiagnoses()
        without_answer = 0
        not_tried = ""
        for case in cases:
            if not can_step(self.kind, case):
                yield CaseResult(case.name, case.dtype, left_out=True)
                continue
            if not wanted.fits(case):
                yield CaseResult(case.name, case.dtype, not_supported=f"it is for {wanted}")
                continue
            if not not_tried and self.child is None:
                try:
                    self._started()
                except InputError as error:
                    not_tried = f"not tried, because it cannot be loaded again: {error.lines[0]}"
            if not_tried:
                yield CaseResult(case.name, case.dtype, (not_tried,))
                continue
            assert self.child
            child = self.child
            result = result_of_run(
                case, self.kind, self._make, require, self.steps, self.scale, diagnose
            )
            yield dataclasses.replace(result, printed=child.printed())
            without_answer = 0 if self.child else without_answer + 1
            if without_answer == MOST_WITHOUT_ANSWER:
                not_tried = f"not tried, because {without_answer} cases in a row gave no answer"

    def _started(self) -> Child:
        """A child process that has loaded the target."""
        self.stack.close()
        child = self.stack.enter_context(Child(HANDLER, self.time_limit))
        try:
            self.loaded_kind = child.load(self.target, KINDS)
        except BaseException:
            self.stack.close()
            raise
        self.child = child
        return child

    def _make(self, case: Case, is_first: bool) -> tuple[Mapping[str, Array], Sequence[str]]:
        assert self.child
        try:
            return self.child.ask((case, is_first), expected_shapes(case), case.dtype)
        except NoAnswerError:
            self.child = None
            raise
