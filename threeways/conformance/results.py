"""The result of a case: its steps by somebody's implementation, compared with the exact ones."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from shared import Array, Case, InputError
from threeways.conformance.conventions import Scale, convention, scale_of
from threeways.conformance.coverage import missing
from threeways.conformance.descent import derived_gradients
from threeways.conformance.run import MOST_STEPS, NO_ERRORS, STEPS, Errors, Run
from threeways.exact.judge import Judgement, judge
from threeways.exact.oracle import Exact, exact_step
from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, recognise, recognise_again
from threeways.sandbox.child import NoAnswerError, NotSupportedError

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
        scale: as in :func:`threeways.conformance.check.check_implementation`.
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
