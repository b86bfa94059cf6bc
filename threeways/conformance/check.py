"""Somebody's own implementation, held against the exact step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared import Array, Case, InputError
from threeways.conformance.contract import TOLD, split
from threeways.exact.judge import Judgement, judge
from threeways.exact.oracle import exact_step
from threeways.mistakes.diagnosis import Diagnosis, recognise
from threeways.sandbox.child import Child, NoAnswerError

# What each kind of quantity should be, and where it goes wrong; l is the layer, n = l + 1.
LOOK_AT = {
    "z": "z[{l}] = a[{l}] @ W[{l}] + b[{l}]: is W[{l}] the right way round, is b[{l}] added, once?",
    "a": "a[{n}] = g(z[{l}]): is g {activation}, applied once, to z[{l}]{rows}?",
    "loss": "loss = {loss}, as in impl_numpy/losses.py: is it the mean over the rows, and is every "
    "factor (½, 1/K) and sign as it says?",
    "last dz": "dz[{l}] = ∂loss/∂a[{n}] · g'(z[{l}]): is a difference in it a - y and not y - a, "
    "is 1/N (or 1/NK) in it, once, and the g' of {activation}?",
    "logits dz": "dz[{l}] = ∂loss/∂z[{l}], loss and {activation} taken together: is a difference "
    "in it a - y and not y - a, is 1/N (or 1/NK) in it, once, and no further g'?",
    "hidden dz": "dz[{l}] = (dz[{n}] @ W[{n}].T) · g'(z[{l}]): is W[{n}] transposed, and from "
    "before the update? Is g' that of {activation}, and there at all?",
    "dW": "dW[{l}] = a[{l}].T @ dz[{l}]: is a[{l}] what goes into the layer, are the rows summed, "
    "is 1/N in dz[{l}] already?",
    "db": "db[{l}] = Σ rows dz[{l}]: is the sum over the rows (axis 0), is 1/N in dz[{l}] already?",
    "dx": "dx = dz[0] @ W[0].T: is W[0] transposed, and from before the update, with no g' here?",
    "W_next": "W_next[{l}] = W[{l}] - η dW[{l}]: is it minus, and η once?",
    "b_next": "b_next[{l}] = b[{l}] - η db[{l}]: is it minus, and η once?",
    "kept": "what {optimizer} keeps of the derivative, as in impl_numpy/optimizers.py: does it "
    "start as it should, and is its rule the right one?",
    "updated": "{optimizer}'s new weights, as in impl_numpy/optimizers.py: is every sign, every "
    "power and ε in its place, and η as the schedule has it?",
    "fixed b_next": "b_next[{l}] = b[{l}]: this layer's bias is fixed, is it left as it is?",
    "frozen": "{quantity} = {before}: this layer is frozen, is it left as it is?",
    "penalised dW": "dW[{l}] = a[{l}].T @ dz[{l}] + l1 sign(W[{l}]) + 2 l2 W[{l}]: is the "
    "penalty's part in it, once, with its 2 and without 1/N?",
    "penalised loss": "loss = {loss} + l1 Σ|W| + l2 ΣW² of each layer that has them: are they in "
    "it, without biases and frozen layers, and without ½ or 1/N?",
}
# What else to ask where there is dropout.
DROPPED = " Is a[{l}] what dropout leaves of it, by its mask and scaled?"
DROPPED_BACK = " Is 0 what dropout lets through where it drops, and the rest scaled as in a[{n}]?"


@dataclass(frozen=True)
class Checked:
    """What came of one case.

    Args:
        case, dtype: which.
        problems: a line for each thing that is wrong besides the numbers, or that kept them from
            being judged: exceptions, no answer in time, the form of the answer, NaN.
        printed: what the implementation printed, in a line; None if nothing.
        judgement: of its numbers; None where there were none to judge. Without problems too, the
            case has been left out: the implementation is not told enough to make its step.
        diagnosis: which mistakes make these numbers; None where nothing departs.
    """

    case: str
    dtype: str
    problems: tuple[str, ...] = ()
    printed: str | None = None
    judgement: Judgement | None = None
    diagnosis: Diagnosis | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and (self.judgement is None or self.judgement.ok)

    @property
    def left_out(self) -> bool:
        """Whether the implementation is not told enough to make this step."""
        return not self.problems and self.judgement is None


def check_implementation(
    target: str, cases: Sequence[Case], time_limit: float = 10
) -> Iterator[Checked]:
    """One step of each case by somebody's own implementation, in a child process, judged.

    Args:
        target: the function or class, ``MODULE:NAME`` or ``FILE.py:NAME``.
        cases: in the dtypes that it is to compute in.
        time_limit: seconds that its import and each step may take.

    Raises:
        InputError: the target is not there, cannot be imported, not be called as it should, or is
            not told enough to make any of the steps.
    """
    split(target)
    if not 0 < time_limit <= 86_400:
        raise InputError(f"time_limit: expected up to 86400 seconds, more than 0, not {time_limit}")
    with Child(time_limit) as child:
        child.load(target)
        not_tried = ""
        left_out = 0
        for case in cases:
            if not_tried:
                yield Checked(case.name, case.dtype, (not_tried,))
                continue
            case = case.alone()
            try:
                quantities, problems = child.step(case)
            except NoAnswerError as error:
                quantities, problems = {}, [str(error)]
                not_tried = f"not tried, because {case.name} gave no answer"
            checked = judged(case, quantities, problems, child.printed())
            left_out += checked.left_out
            yield checked
    if left_out and left_out == len(cases):
        raise InputError(f"{target}: nothing left to check; {TOLD}")


def judged(
    case: Case,
    quantities: Mapping[str, Array],
    problems: Sequence[str] = (),
    printed: str | None = None,
) -> Checked:
    """What came of a case: the quantities judged, and where they depart, diagnosed.

    Args:
        case: which.
        quantities: of a step of it, in their right form; may be none.
        problems, printed: as in :class:`Checked`.
    """
    if not quantities:
        return Checked(case.name, case.dtype, tuple(problems), printed)
    exact = exact_step(case)
    judgement = judge(case, quantities, exact)
    return Checked(
        case=case.name,
        dtype=case.dtype,
        problems=tuple(problems),
        printed=printed,
        judgement=judgement,
        diagnosis=None if judgement.ok else recognise(case, quantities, exact),
    )


def common_mistakes(results: Sequence[Checked]) -> tuple[tuple[str, ...], ...]:
    """The mistakes, alone or together, that explain every case that departs.

    One case may not tell two mistakes apart, all of them may.
    """
    explained = [
        [match.mistakes for match in result.diagnosis.matches]
        for result in results
        if result.diagnosis
    ]
    first, *others = explained or [[]]
    return tuple(names for names in first if all(names in each for each in others))


def look_at(quantity: str, case: Case) -> str:
    """What a quantity such as ``dW[0]`` should be, and what to look at where it is not; a line."""
    kind, _, number = quantity.rstrip("]").partition("[")
    l = int(number or 0) - (kind == "a")
    network, optimizer = case.network, case.training.optimizer
    layer = network.layers[l]
    more = DROPPED if kind in ("z", "dW") and l and network.layers[l - 1].dropout_rate else ""
    if kind == "dz":
        last = "logits dz" if network.loss_from_logits else "last dz"
        kind = last if l == len(network.layers) - 1 else "hidden dz"
        more = DROPPED_BACK if layer.dropout_rate else ""
    elif (kind == "dW" and layer.is_penalised) or (
        kind == "loss" and any(each.is_penalised for each in network.layers)
    ):
        kind = f"penalised {kind}"
    elif kind.endswith("_next") and not layer.trainable:
        kind = "frozen"
    elif kind == "b_next" and layer.fixed_bias:
        kind = "fixed b_next"
    elif kind.endswith("_next") and optimizer != "sgd":
        kind = "updated"
    elif kind not in LOOK_AT:
        kind = "kept"
    return (LOOK_AT[kind] + more).format(
        quantity=quantity,
        before=quantity.replace("_next", ""),
        l=l,
        n=l + 1,
        loss=network.loss,
        activation=layer.activation,
        rows=", over each row" if layer.activation == "softmax" else "",
        optimizer=optimizer,
    )
