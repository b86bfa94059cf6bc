"""Conventions: a step that is right for another definition of it is no mistake, and is told so.

Definitions differ by a common factor of the loss and all its gradients, in the layout of W, in
whether biases are trained, and in the form of an optimizer. Each is tried as a case of its own:
where that explains every number of every step, it is the convention.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from shared import LOSSES, OPTIMIZERS, Array, Case, InputError, Weights
from shared.errors import short
from shared.quantities import shapes
from threeways.conformance.answers import Quantities
from threeways.conformance.descent import is_plain
from threeways.conformance.layouts import kind
from threeways.conformance.run import NO_ERRORS, Errors, Run
from threeways.exact.judge import judge
from threeways.exact.oracle import Exact, exact_step

# How close a measured ratio has to be to a factor for that to be tried.
NEAR = 1e-3

# Where PyTorch's defaults are other than Keras's (torch.optim, 2.x).
PYTORCH = {
    "adagrad": {"epsilon": 1e-10, "initial_accumulator": 0.0},
    "rmsprop": {"epsilon": 1e-8, "rho": 0.99},
    "adam": {"epsilon": 1e-8},
    "adamw": {"epsilon": 1e-8, "weight_decay": 0.01},
}
# An ε that people write in place of a default.
EPSILONS = (1e-8, 1e-7, 1e-6, 1e-10, 1e-5)
TITLES = {"adagrad": "Adagrad", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
PLACES = {
    "inside_root": "inside the root",
    "outside_root": "beside the root",
    "corrected_root": "beside the corrected root √v̂",
}

Scale = float | str
Turn = Callable[[Mapping[str, Array]], Quantities]


class Convention(NamedTuple):
    """A convention that may explain the steps of a case.

    Args:
        case: the case as this convention has it.
        turn: its quantities in the project's convention, from those that were given.
        line: what to say about it.
    """

    case: Case
    turn: Turn
    line: str


def convention(
    case: Case,
    given: Sequence[Mapping[str, Array]],
    exact: Exact,
    implementation: str | None = None,
    input_errors: Errors = NO_ERRORS,
    output_errors: Errors = NO_ERRORS,
) -> str | None:
    """One line about the convention that makes every number right; None if there is none.

    Args:
        case: the case.
        given: the quantities of its steps so far, of which the last departs.
        exact: the exact step that the last was compared with.
        implementation: what made the steps, one of ``contract.KINDS``; None if they are recorded.
        input_errors: of the start of the first step, as in :func:`threeways.exact.judge.judge`.
        output_errors: of the quantities of each step, as there.
    """
    accepted = Fraction(exact.scale)
    ratio = _ratio(case, given[-1], exact) * exact.scale
    scales = {accepted: "", **{c: why for c, why in factors(case).items() if _is_near(ratio, c)}}
    explains = partial(
        _explains,
        implementation=implementation or "step",
        input_errors=input_errors,
        output_errors=output_errors,
    )
    for theirs in (
        Convention(case, dict, ""),
        *_others(case, given[-1], exact, bool(implementation)),
    ):
        turned = [theirs.turn(each) for each in given]
        for scale, why in scales.items():
            told = [theirs.line] if theirs.line else []
            told += [_of_scale(case, given[-1], scale, why)] if scale != accepted else []
            if told and explains(theirs.case, turned, scale):
                accepting = (
                    f": scale={_accepting(case, scale)} accepts it"
                    if why and implementation
                    else ""
                )
                return f"{'; '.join(told)}; all else agrees{accepting}"
    return None


def _of_scale(case: Case, quantities: Mapping[str, Array], scale: Fraction, why: str) -> str:
    """What to say about a loss of another scale."""
    whose = ["loss"] if "loss" in quantities else []
    whose += ["gradients"] if {*quantities} - {"loss"} else []
    verb = "are" if "gradients" in whose else "is"
    return f"your {' and '.join(whose)} {verb} {scale} times this case's ({why})"


def _accepting(case: Case, scale: Fraction) -> str:
    return '"sum"' if scale in _sums(case) else str(scale)


def factors(case: Case) -> dict[Fraction, str]:
    """The factors by which definitions of a case's loss differ, each with its reason in words.

    It is the simplest reason: of N, the rows of its batch; 2 or ½; K, its outputs.
    """
    N, K = case.first_batch()[1].shape
    rows = {
        1: f"N = {N}: a sum over the rows, not their mean",
        0: "",
        -1: f"1/N, N = {N}: divided by the number of rows twice",
    }
    twice = {0: "", 1: "without a ½, or with a 2", -1: "with a ½"}
    outputs = {0: "", 1: f"K = {K}: a sum over the outputs, not their mean"}
    if not LOSSES[case.network.loss].averages_outputs:
        outputs = {0: "", -1: f"1/K, K = {K}: a mean over the outputs, not their sum"}
    found: dict[Fraction, str] = {}
    if case.network.loss == "huber" and case.network.delta not in (None, 1):
        delta = case.network.delta
        found[1 / Fraction(str(delta))] = f"1/δ, δ = {delta:g}: PyTorch's smooth L1"
    powers = itertools.product(rows, twice, outputs)
    for n, two, k in sorted(powers, key=lambda each: sum(map(abs, each))):
        reasons = [each for each in (rows[n], twice[two], outputs[k]) if each]
        factor = Fraction(N) ** n * Fraction(2) ** two * Fraction(K) ** k
        if factor != 1:
            found.setdefault(factor, ", and ".join(reasons))
    return found


def _sums(case: Case) -> set[Fraction]:
    """The factors of a loss that is a sum over several rows."""
    N, K = case.first_batch()[1].shape
    halves, outputs = (Fraction(1), Fraction(2), Fraction(1, 2)), (1, K, Fraction(1, K))
    return {N * half * k for half in halves for k in outputs} if N > 1 else set()


def check_scale(scale: object) -> Scale:
    """``"sum"``, or the number above 0 that a scale such as ``2`` or ``"1/3"`` is.

    Raises:
        InputError: it is neither.
    """
    if scale == "sum":
        return "sum"
    try:
        number = float(Fraction(scale))  # type: ignore[call-overload]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        number = 0.0
    if not 0 < number < np.inf:
        raise InputError(f"scale: expected 'sum' or a number above 0, not {short(scale)}")
    return number


def scale_of(case: Case, quantities: Mapping[str, Array], scale: Scale) -> float:
    """The factor of the loss by which to judge a step.

    Args:
        case: whose first step it is.
        quantities: those that were given.
        scale: the factor; or ``"sum"`` for a loss that is a sum over the rows, with ½ or without,
            over the outputs or not, whichever these quantities are nearest to.
    """
    if scale != "sum":
        return float(scale)
    N = len(case.first_batch()[0])
    ratio = _ratio(case, quantities, exact_step(case))
    sums = _sums(case) if N > 1 else factors(case)
    return float(next((factor for factor in sums if _is_near(ratio, factor)), N))


def _ratio(case: Case, quantities: Mapping[str, Array], exact: Exact) -> float:
    """How many times too large what scales with the loss is, in its largest number; or NaN."""
    by_kind = ["dz", "dx", "db", "loss", "dW"]  # penalties, which do not scale, are in the last
    for name in sorted(quantities, key=lambda name: _place(name, by_kind)):
        if name.partition("[")[0] in by_kind:
            zero = np.zeros(())
        elif name[1:].startswith("_next") and is_plain(case.training):
            zero = getattr(case.parameters[int(name[7:-1])], name[0]).astype(float)
        else:
            continue
        moved = exact.values[name] - zero
        if moved.any():
            index = np.unravel_index(int(np.abs(moved).argmax()), moved.shape)
            return float((quantities[name] - zero)[index]) / float(moved[index])
    return np.nan


def _place(name: str, order: Sequence[str]) -> int:
    bare = name.partition("[")[0]
    return order.index(bare) if bare in order else len(order)


def _is_near(ratio: float, factor: Fraction) -> bool:
    return abs(ratio / float(factor) - 1) < NEAR


def _explains(
    case: Case,
    given: Sequence[Mapping[str, Array]],
    scale: Fraction,
    implementation: str,
    input_errors: Errors,
    output_errors: Errors,
) -> bool:
    """Whether every number of every step is right, as this case and this scale have it."""
    run = Run(case, implementation, len(given))
    step, errors = run.first(), input_errors
    exact = exact_step(step, float(scale))
    for i, quantities in enumerate(given):
        if i:
            step, errors = run.next(step, given[i - 1], exact, errors)
            exact = exact_step(step, float(scale))
        of_given = {name: each for name, each in output_errors.items() if name in quantities}
        judgement = judge(step, quantities, exact, input_errors=errors, output_errors=of_given)
        if not judgement.ok:
            return False
    return True


def _others(
    case: Case, quantities: Mapping[str, Array], exact: Exact, has_layout: bool
) -> Iterator[Convention]:
    """The conventions other than of scale that a step may follow."""
    if has_layout:
        yield from _layouts(case, quantities, exact)
    yield from _biases(case, quantities)
    computed = [name for name in quantities if "_" not in name]
    if all(np.allclose(quantities[name], exact.values[name], NEAR) for name in computed):
        yield from _epsilons(case)
        yield from _momenta(case, quantities)
        yield from _clips(case, exact)


def others(case: Case) -> Iterator[Convention]:
    """The conventions other than of scale and of layout that any step of a case may follow."""
    yield from _biases(case, {})
    yield from _epsilons(case)
    yield from _momenta(case, {})


def _layouts(case: Case, quantities: Mapping[str, Array], exact: Exact) -> Iterator[Convention]:
    """W as (out, in), which no shape shows where a layer is square."""
    known = shapes(case.network, 1, case.training.slots)
    of_weights = [name for name in quantities if kind(name) == "W"]
    if not of_weights or any(len({*known[name]}) > 1 for name in of_weights):
        return

    def transpose(given: Mapping[str, Array]) -> Quantities:
        return {name: each.T if kind(name) == "W" else each for name, each in given.items()}

    declare = 'declare @layout(W="out, in"), from threeways.testing'
    if all(np.allclose(quantities[name].T, exact.values[name], NEAR) for name in of_weights):
        names = ", ".join(of_weights[:3]) + ", …" * (len(of_weights) > 3)
        yield Convention(case, transpose, f"{names} as (out, in), which is a layout: {declare}")
    if len({*case.network.widths}) == 1:
        turned = tuple(Weights(np.ascontiguousarray(W.T), b) for W, b in case.parameters)
        line = f"W is taken as (out, in), which is a layout: {declare}"
        of_turned = dataclasses.replace(case, parameters=turned)
        yield Convention(of_turned, transpose, line)
        yield Convention(of_turned, dict, line)


def _biases(case: Case, quantities: Mapping[str, Array]) -> Iterator[Convention]:
    """Biases that are trained where the case keeps them, or that have no gradient where it has."""
    fixed = [l for l, layer in enumerate(case.network.layers) if layer.fixed_bias]
    if not fixed and all(layer.use_bias for layer in case.network.layers):
        return

    zero = {
        f"db[{l}]" for l in fixed if f"db[{l}]" in quantities and not quantities[f"db[{l}]"].any()
    }

    def without_zeros(given: Mapping[str, Array]) -> Quantities:
        return {name: each for name, each in given.items() if name not in zero}

    if zero:
        line = "your db is 0 where this case keeps its biases (fixed_bias); leave it out"
        yield Convention(case, without_zeros, line)
    layers = tuple(
        dataclasses.replace(each, fixed_bias=False, use_bias=True) for each in case.network.layers
    )
    which = "keeps its biases (fixed_bias)" if fixed else "has no biases (use_bias = false)"
    yield Convention(
        dataclasses.replace(case, network=dataclasses.replace(case.network, layers=layers)),
        dict,
        f"this case {which}, yours are updated",
    )


def _epsilons(case: Case) -> Iterator[Convention]:
    """Adam, AdamW, Adagrad and RMSprop of another framework, with its ε and other defaults."""
    training = case.training
    rule = OPTIMIZERS[training.optimizer]
    here = training.epsilon_placement or (*rule.epsilon_placements, "")[0]
    for place in rule.epsilon_placements:
        defaults = PYTORCH[training.optimizer] if place != rule.epsilon_placements[0] else {}
        free = {name: each for name, each in defaults.items() if getattr(training, name) is None}
        others = [{"epsilon": each} for each in EPSILONS if training.epsilon is None]
        both = [{**free, **each} for each in others if {*free} - {*each}]
        for numbers in ({}, free, *others, *both):
            changed: dict[str, Any] = {"epsilon_placement": place} if place != here else {}
            changed |= {
                name: each for name, each in numbers.items() if each != rule.hyperparameters[name]
            }
            if changed:
                settings = ", ".join(
                    f"{name} = {json.dumps(each)}" for name, each in changed.items()
                )
                theirs, its = (_named(training.optimizer, each) for each in (place, here))
                yield Convention(
                    dataclasses.replace(case, training=dataclasses.replace(training, **changed)),
                    dict,
                    f"this is {theirs}; this case has {its}: set {settings}"
                    if place != here
                    else f"this is {theirs}, with another ε: set {settings}",
                )


def _named(optimizer: str, place: str) -> str:
    """An optimizer by who defines it so: ``PyTorch's and the paper's Adam, ε beside √v̂``."""
    whose = "Keras's" if place == OPTIMIZERS[optimizer].epsilon_placements[0] else "PyTorch's"
    if optimizer == "adam" and whose == "PyTorch's":
        whose = "PyTorch's and the paper's"
    return f"{whose} {TITLES[optimizer]}, ε {PLACES[place]}"


def _momenta(case: Case, quantities: Mapping[str, Array]) -> Iterator[Convention]:
    """Momentum whose buffer is a sum of gradients, or their mean, and not a step."""
    training = case.training
    mu = training.hyperparameters.get("momentum")
    if mu is None:
        return

    def with_(**changed: Any) -> Case:
        return dataclasses.replace(case, training=dataclasses.replace(training, **changed))

    if training.optimizer == "pytorch_momentum":
        here = training.hyperparameters["dampening"]
        for dampening in dict.fromkeys((0.0, mu, round(1 - mu, 9))):
            if dampening != here:
                yield Convention(
                    with_(dampening=dampening),
                    dict,
                    f"this is momentum with dampening = {dampening:g}; this case has {here:g}",
                )
    if training.optimizer not in ("momentum", "nesterov"):
        return
    if any(name.startswith("momentum_") for name in quantities):
        line = "this is PyTorch's momentum, v ← μv + g and w ← w - ηv; this case keeps -ηv"
        yield Convention(with_(optimizer=f"pytorch_{training.optimizer}"), dict, line)
    if training.optimizer == "momentum":
        yield Convention(
            with_(optimizer="pytorch_momentum", dampening=mu),
            dict,
            f"this is PyTorch's momentum with dampening = {mu:g}, which the first gradient goes "
            'without: set optimizer = "pytorch_momentum" and dampening',
        )
    rate = training.learning_rate

    def steps(given: Mapping[str, Array]) -> Quantities:
        return {
            name: -rate * each if name.startswith("momentum_") else each
            for name, each in given.items()
        }

    slower = with_(learning_rate=rate * (1 - mu))
    started = {name: tuple(-rate * each for each in slots) for name, slots in case.slots.items()}
    yield Convention(
        dataclasses.replace(slower, slots=started),
        steps,
        "this is momentum with dampening, v ← μv + (1 - μ)g and w ← w - ηv, whose steps are "
        "(1 - μ) times this case's",
    )


def _clips(case: Case, exact: Exact) -> Iterator[Convention]:
    """Clipping to a norm that 1e-6 is added to, as if to a smaller c; of the first step alone."""
    clip = case.training.global_clipnorm
    if clip is None:
        return
    gradients = [
        exact.values[f"d{letter}[{l}]"]
        for l, layer in enumerate(case.network.layers)
        for letter in "Wb"
        if layer.learns(letter)
    ]
    norm = float(np.sqrt(sum(np.sum(each.astype(float) ** 2) for each in gradients)))
    training = dataclasses.replace(case.training, global_clipnorm=clip * norm / (norm + 1e-6))
    line = "this is PyTorch's clip_grad_norm_, which adds 1e-6 to the norm"
    yield Convention(dataclasses.replace(case, training=training), dict, line)
