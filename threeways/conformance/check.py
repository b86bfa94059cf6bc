"""Somebody's own implementation, run in a child process and compared with the exact step."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from shared import Array, Case, InputError
from threeways.conformance.answers import expected_shapes
from threeways.conformance.contract import KINDS, WHY_LEFT_OUT, can_step
from threeways.conformance.conventions import Scale, check_scale, convention, scale_of
from threeways.conformance.coverage import check_required, missing
from threeways.conformance.descent import derived_gradients
from threeways.conformance.run import MOST_STEPS, NO_ERRORS, STEPS, Errors, Run
from threeways.conformance.supports import ANYTHING, Supports, from_declared
from threeways.exact.judge import Judgement, judge
from threeways.exact.oracle import Exact, exact_step
from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, recognise, recognise_again
from threeways.sandbox.child import Child, NoAnswerError, NotSupportedError

# What the child process makes answers with.
HANDLER = "threeways.conformance.contract:stepper"

# After so many cases in a row without an answer, the others are not tried.
MOST_WITHOUT_ANSWER = 3

# In so many cases that depart every known mistake is tried; in others, those that were found in
# these, so many of each.
MOST_IN_FULL, MOST_AGAIN = 3, 10

# Makes a step: quantities and problems, of the first step of a case, which may be that of a run.
Make = Callable[[Case, bool], tuple[Mapping[str, Array], Sequence[str]]]

# As :func:`threeways.mistakes.diagnosis.recognise`.
Diagnose = Callable[..., Diagnosis | None]


@dataclass(frozen=True)
class CaseResult:
    """The result of one case: of its first step that is wrong, or else of its last.

    Args:
        case, dtype: the case's name, and its dtype.
        problems: one line for each thing that is wrong other than the numbers, or that kept them
            from being judged: an exception, no answer in time, the form of the answer.
        printed: one line about what the implementation printed; None if nothing.
        judgement: of its numbers; None if there were none to judge.
        diagnosis: which mistakes make these numbers; None where nothing departs.
        left_out: True if the implementation is not given what this step needs, and so not asked.
        not_supported: why the case is not what the implementation is for, in its own words; None
            if it is.
        convention: one line about the convention by which all numbers are right; None if there is
            none, or they are right by the case's.
        derived: the gradients among the judged that were derived from new parameters.
        step: the number of the step, from 1.
        judged: whose first step that is; None if it is not known.
        no_answer: whether it gave no answer in time, or ended the process.
    """

    case: str
    dtype: str
    problems: tuple[str, ...] = ()
    printed: str | None = None
    judgement: Judgement | None = None
    diagnosis: Diagnosis | None = None
    left_out: bool = False
    not_supported: str | None = None
    convention: str | None = None
    derived: tuple[str, ...] = ()
    step: int = 1
    judged: Case | None = None
    no_answer: bool = False

    @property
    def is_tried(self) -> bool:
        """Whether it is right or wrong; what is left out or not supported is neither."""
        return not self.left_out and self.not_supported is None

    @property
    def does_not_fit(self) -> bool:
        """Whether it answered, but with an exception, or with what has another form."""
        return self.is_tried and not self.no_answer and bool(self.problems)

    @property
    def ok(self) -> bool:
        """True if nothing is wrong; numbers that are not there are wrong unless left out."""
        if self.judgement is None:
            return not self.is_tried
        return not self.problems and self.judgement.ok


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


class FirstDiagnoses:
    """Recognises mistakes in the first few cases that depart, and looks for the same in others."""

    def __init__(self) -> None:
        self.found: list[Diagnosis] = []

    def __call__(
        self,
        case: Case,
        quantities: Mapping[str, Array],
        exact: Exact | None,
        before: Sequence[Case],
        *,
        input_errors: Errors | None = None,
        goes_on: bool = False,
    ) -> Diagnosis:
        if len(self.found) < MOST_IN_FULL:
            diagnosis = recognise(
                case, quantities, exact, before, input_errors=input_errors, goes_on=goes_on
            )
            self.found.append(diagnosis)
            return diagnosis
        matches = itertools.chain(*(each.matches[:MOST_AGAIN] for each in self.found))
        names = dict.fromkeys(each.mistakes for each in matches)
        known = [each for each in names if {*each} <= {*MISTAKES}]
        return recognise_again(
            case, quantities, exact, before, known, input_errors=input_errors, goes_on=goes_on
        )


def result_of_run(
    case: Case,
    kind: str,
    make: Make,
    require: Collection[str] = (),
    steps: int = STEPS,
    scale: Scale = 1.0,
    diagnose: Diagnose = recognise,
) -> CaseResult:
    """The result of a case: of the first of its steps that is wrong, or else of the last.

    A step after a wrong one would be wrong because of it, so none is made.

    Args:
        case: the case.
        kind: of the implementation, one of ``contract.KINDS``.
        make: makes a step with it.
        require: the quantities that have to be there if a step has them.
        steps: how many to make.
        scale: as in :func:`check_implementation`.
        diagnose: finds the mistakes that make the numbers of a wrong step.
    """
    run = Run(case, kind, steps)
    step, errors = run.first(), NO_ERRORS
    before: list[Case] = []
    given: list[Mapping[str, Array]] = []
    for number in range(1, run.n_steps + 1):
        quantities: Mapping[str, Array] = {}
        no_answer = False
        try:
            quantities, problems = make(step, number == 1)
        except NoAnswerError as error:
            problems, no_answer = [str(error)], True
        except NotSupportedError as error:
            return CaseResult(case.name, case.dtype, not_supported=str(error))
        given.append(quantities)
        exact = exact_step(step, scale_of(step, quantities, scale))
        result = result_of(
            step,
            quantities,
            problems,
            require=require,
            exact=exact,
            before=before,
            errors=errors,
            explain=lambda exact: convention(case, given, exact, kind),
            diagnose=diagnose,
        )
        result = dataclasses.replace(result, step=number, no_answer=no_answer)
        if not result.ok or number == run.n_steps:
            break
        before += [step] if run.goes_on else []
        step, errors = run.next(step, quantities, exact, errors)
    return result


def result_of(
    case: Case,
    quantities: Mapping[str, Array],
    problems: Sequence[str] = (),
    printed: str | None = None,
    require: Collection[str] = (),
    exact: Exact | None = None,
    before: Sequence[Case] = (),
    errors: Errors | None = None,
    explain: Callable[[Exact], str | None] | None = None,
    diagnose: Diagnose = recognise,
) -> CaseResult:
    """The result of one step: its quantities judged and, if they depart, diagnosed.

    If they are right by a convention, that is said, and they are not diagnosed.

    Args:
        case: whose first step it is.
        quantities: any of its quantities, with the right shapes and dtype; may be empty.
        problems, printed: as in :class:`CaseResult`.
        require: the quantities that have to be there if the step has them.
        exact: the exact step, if it has been computed already.
        before: the earlier steps of the same run.
        errors: that the start of the step may have.
        explain: the convention by which the quantities are right; unless given, the step is alone.
        diagnose: finds the mistakes that make its numbers.
    """
    if quantities:
        problems = [*problems, *missing(case, quantities, require)]
    elif not problems:
        problems = ["it returned no quantities"]
    judgement = diagnosis = told = None
    gradients: Mapping[str, Array] = {}
    if quantities:
        exact = exact or exact_step(case)
        judgement = judge(case, quantities, exact, input_errors=errors)
        if not judgement.ok:
            told = explain(exact) if explain else convention(case, [quantities], exact, "step")
        if not judgement.ok and not told:
            gradients, of_dividing = derived_gradients(case, quantities, exact, errors)
            every = {**quantities, **gradients}
            judgement = judge(case, every, exact, input_errors=errors, output_errors=of_dividing)
            diagnosis = diagnose(
                case,
                quantities,
                exact,
                before,
                input_errors=errors,
                goes_on=bool(errors),  # whose start is known but for rounding
            )
    return CaseResult(
        case.name,
        case.dtype,
        tuple(problems),
        printed,
        judgement,
        diagnosis,
        convention=told,
        derived=tuple(gradients),
        judged=case,
    )


def common_mistakes(results: Sequence[CaseResult]) -> tuple[tuple[str, ...], ...]:
    """The mistakes, alone or in pairs, that explain every case that departs.

    Several cases together can tell mistakes apart that a single one cannot.
    """
    explained = [
        [match.mistakes for match in result.diagnosis.matches]
        for result in results
        if result.diagnosis
    ]
    first, *others = explained or [[]]
    return tuple(names for names in first if all(names in each for each in others))


def check_steps(steps: int) -> None:
    """Raise :class:`InputError` unless so many steps of a case can be made."""
    if not 1 <= steps <= MOST_STEPS:
        raise InputError(f"steps: expected 1 to {MOST_STEPS}, not {steps}")
