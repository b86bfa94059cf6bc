"""Somebody's own implementation, run in a child process and compared with the exact step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared import Array, Case, InputError
from threeways.conformance.answers import expected_shapes
from threeways.conformance.contract import KINDS, WHY_LEFT_OUT, can_step
from threeways.conformance.coverage import check_required, missing
from threeways.exact.judge import Judgement, judge
from threeways.exact.oracle import exact_step
from threeways.mistakes.diagnosis import Diagnosis, recognise
from threeways.sandbox.child import Child, NoAnswerError

# What the child process makes answers with.
HANDLER = "threeways.conformance.contract:stepper"


@dataclass(frozen=True)
class CaseResult:
    """The result of one case.

    Args:
        case, dtype: the case's name, and its dtype.
        problems: one line for each thing that is wrong other than the numbers, or that kept them
            from being judged: an exception, no answer in time, the form of the answer.
        printed: one line about what the implementation printed; None if nothing.
        judgement: of its numbers; None if there were none to judge.
        diagnosis: which mistakes make these numbers; None where nothing departs.
        left_out: True if the implementation is not given what this step needs, and so not asked.
    """

    case: str
    dtype: str
    problems: tuple[str, ...] = ()
    printed: str | None = None
    judgement: Judgement | None = None
    diagnosis: Diagnosis | None = None
    left_out: bool = False

    @property
    def ok(self) -> bool:
        """True if nothing is wrong; numbers that are not there are wrong unless left out."""
        if self.judgement is None:
            return self.left_out
        return not self.problems and self.judgement.ok


def check_implementation(
    target: str,
    cases: Sequence[Case],
    time_limit: float = 10,
    require: Collection[str] = (),
) -> Iterator[CaseResult]:
    """The result of each case: one step of it, made in a child process and judged.

    Args:
        target: a function or class, ``MODULE:NAME`` or ``FILE.py:NAME``.
        cases: in the dtypes to compute in.
        time_limit: seconds that its import and each step may take.
        require: the quantities that it has to give where a step has them, such as ``dW``.

    Raises:
        InputError: the target does not exist, cannot be imported or cannot be called as it should,
            it is given too little for any of the steps, or what is required is not a quantity of
            any.
    """
    if not 0 < time_limit <= 86_400:
        raise InputError(f"time_limit: expected up to 86400 seconds, more than 0, not {time_limit}")
    check_required(require, cases)
    with Child(HANDLER, time_limit) as child:
        kind = child.load(target, KINDS)
        # Whether a case is left out is decided here: the child may say what it likes.
        if not any(can_step(kind, case) for case in cases):
            raise InputError(f"{target}: nothing left to check; {WHY_LEFT_OUT}")
        not_tried = ""
        for case in cases:
            if not can_step(kind, case):
                yield CaseResult(case.name, case.dtype, left_out=True)
                continue
            if not_tried:
                yield CaseResult(case.name, case.dtype, (not_tried,))
                continue
            case = case.alone()
            try:
                quantities, problems = child.ask(case, expected_shapes(case), case.dtype)
            except NoAnswerError as error:
                quantities, problems = {}, [str(error)]
                not_tried = f"not tried, because {case.name} gave no answer"
            yield result_of(case, quantities, problems, child.printed(), require)


def result_of(
    case: Case,
    quantities: Mapping[str, Array],
    problems: Sequence[str] = (),
    printed: str | None = None,
    require: Collection[str] = (),
) -> CaseResult:
    """The result of a case: its quantities judged and, if they depart, diagnosed.

    Args:
        case: the case.
        quantities: any of its first step's, with the right shapes and dtype; may be empty.
        problems, printed: as in :class:`CaseResult`.
        require: the quantities that have to be there if the step has them.
    """
    if quantities:
        problems = [*problems, *missing(case, quantities, require)]
    elif not problems:
        problems = ["it returned no quantities"]
    judgement = diagnosis = None
    if quantities:
        exact = exact_step(case)
        judgement = judge(case, quantities, exact)
        if not judgement.ok:
            diagnosis = recognise(case, quantities, exact)
    return CaseResult(case.name, case.dtype, tuple(problems), printed, judgement, diagnosis)


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
