"""Which cases an implementation is checked on: those that are named or fit, and small ones."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence

from shared import LOSSES, Case, Layer
from threeways.conformance.contract import CHANGES_OF_SGD, can_step
from threeways.conformance.made_cases import (
    OUTPUTS,
    USUAL,
    WIDTHS,
    blank,
    for_everything,
    made,
    of_each_kind,
    variants_that_keep,
    with_biases,
)
from threeways.conformance.results import CaseResult
from threeways.conformance.supports import Supports

# The losses of one output, where nothing says how many there are.
OF_ONE_OUTPUT = ("binary_crossentropy", "perceptron", "bipolar_perceptron", "hinge")


def cases_for_named(named: Iterable[Case], wanted: Supports) -> list[list[Case]]:
    """For each named case: itself, itself with biases, and small ones of its kind that fit."""
    groups: list[list[Case]] = []
    known: set[str] = set()
    for case in named:
        more = [each for each in (with_biases(case), *variants_that_keep(case)) if each]
        groups.append([case, *(each for each in more if wanted.fits(each))])
        groups[-1] = [each for each in groups[-1] if each.name not in known]
        known |= {each.name for each in groups[-1]}
    return [group for group in groups if group]


def cases_that_fit(cases: Sequence[Case], wanted: Supports, kind: str) -> list[Case]:
    """Those of the project's cases that an implementation is for, and others made of their kinds.

    What it does not declare, such as penalties, dropout, frozen layers and schedules, it need not
    have. If none of the cases fits, some are made that do.

    Args:
        cases: the project's cases.
        wanted: what it is for.
        kind: of the implementation, one of ``contract.KINDS``.
    """
    if not wanted:
        return [*cases, *for_everything(cases)]
    fitting = [case for case in cases if wanted.fits(case) and _is_plain(case)]
    if any(wanted.widths) or not any(can_step(kind, case) for case in fitting):
        return [*fitting, *_made_for(wanted, cases[0].dtype)]
    return [*fitting, *of_each_kind(fitting)]


def _is_plain(case: Case) -> bool:
    """Whether a case has layers, a loss and an optimizer, and nothing else."""
    training = case.training
    if training.schedule != "constant" or any(
        getattr(training, name, None) for name in CHANGES_OF_SGD
    ):
        return False
    return not any(
        layer.fixed_bias or not layer.trainable or layer.is_penalised or layer.dropout_rate
        for layer in case.network.layers
    )


def _made_for(wanted: Supports, dtype: str) -> Iterator[Case]:
    """Small cases of what an implementation is for, whatever it leaves open chosen."""
    activations = wanted.activations
    if not activations:
        loss = wanted.losses[0] if wanted.losses else "half_squared_error"
        fits = LOSSES[loss].fits
        last = next((each for each in fits if USUAL.get(each) == loss), fits[0])
        activations = ("tanh",) * ((wanted.n_layers or 2) - 1) + (last,)
    usual = USUAL.get(activations[-1], "half_squared_error")
    for loss in wanted.losses or (usual,):
        n_outputs = 1 if loss in OF_ONE_OUTPUT else OUTPUTS
        chosen = [WIDTHS[l % len(WIDTHS)] for l in range(len(activations))]
        widths = [
            given or chosen
            for given, chosen in zip(
                wanted.widths or (None,) * (len(activations) + 1), (*chosen, n_outputs), strict=True
            )
        ]
        layers = tuple(
            Layer(units=units, activation=each, use_bias=wanted.biases is not False)
            for units, each in zip(widths[1:], activations, strict=True)
        )
        for optimizer in wanted.optimizers or ("sgd",):
            case = blank(widths[0], layers, loss, optimizer, dtype)
            for n_rows in dict.fromkeys((widths[1], 1, widths[0], 2)):
                yield made(case, widths, n_rows)


def settled(
    results: Iterable[CaseResult], groups: Sequence[Sequence[Case]]
) -> Iterator[CaseResult]:
    """The results, those of code that is written for the widths of a named case alone settled.

    If a named case can be judged, but of all small cases of its kind not one, for an exception or
    for shapes, then such widths are not what the code is for.

    Args:
        results: one for each case of each group, in their order.
        groups: as :func:`cases_for_named` makes them.
    """
    results = iter(results)
    for group in groups:
        n_own = sum(case.network.widths == group[0].network.widths for case in group)
        own = list(itertools.islice(results, n_own))
        yield from own
        others = list(itertools.islice(results, len(group) - n_own))
        if all(each.does_not_fit for each in others) and not any(each.problems for each in own):
            why = "not of these widths"
            others = [
                dataclasses.replace(each, problems=(), not_supported=f"{why}: {each.problems[0]}")
                for each in others
            ]
        yield from others
