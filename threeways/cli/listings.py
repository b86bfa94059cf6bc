"""``threeways cases`` and ``threeways datasets``: the lists of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from threeways.cli.options import own_cases

if TYPE_CHECKING:
    from shared import Case, ChainRuleCase


@click.command("cases")
@click.option(
    "--activation",
    "activations",
    multiple=True,
    metavar="NAME",
    help="Only networks with this activation, as relu; repeat it for others as well.",
)
@click.option(
    "--loss",
    "losses",
    multiple=True,
    metavar="NAME",
    help="Only networks with this loss; repeat it for others as well.",
)
@click.option(
    "--lecture",
    "lectures",
    multiple=True,
    metavar="NAME",
    help="Only cases of this lecture, as KTH or KTH-11; repeat it for others as well.",
)
def list_cases(
    activations: tuple[str, ...], losses: tuple[str, ...], lectures: tuple[str, ...]
) -> int:
    """List the cases: networks with their data and training.

    Most are examples of the lectures; `threeways compare` takes their names.
    """
    from threeways.report.progress import waiting

    with waiting("loading the cases"):
        from threeways.report.console import console
        from threeways.report.listings import print_cases

        cases = _chosen(own_cases(), activations, losses, lectures)
    if not cases:
        click.echo("no case has all of this")
    else:
        print_cases(cases, console())
    return 0


def _chosen(
    cases: Sequence[Case | ChainRuleCase],
    activations: Sequence[str],
    losses: Sequence[str],
    lectures: Sequence[str],
) -> list[Case | ChainRuleCase]:
    """The cases with any of these activations, any of these losses and of any of these lectures.

    Raises:
        InputError: something is no activation, loss or lecture.
    """
    from shared import ACTIVATIONS, LOSSES, Case, InputError
    from shared.errors import unknown

    of_cases = {lecture for case in cases for lecture in case.lectures}
    all_lectures = sorted({lecture.partition("-")[0] for lecture in of_cases} | of_cases)
    wanted_lectures = [lecture.upper() for lecture in lectures]
    problems = [
        f"--{option}: {unknown(name, kind, known)}"
        for option, kind, names, known in (
            ("activation", "an activation", activations, list(ACTIVATIONS)),
            ("loss", "a loss", losses, list(LOSSES)),
            ("lecture", "a lecture", wanted_lectures, all_lectures),
        )
        for name in names
        if name not in known
    ]
    if problems:
        raise InputError(*problems)

    def is_wanted(case: Case | ChainRuleCase) -> bool:
        network = case.network if isinstance(case, Case) else None
        has = {layer.activation for layer in network.layers} if network else set()
        of = {part for each in case.lectures for part in (each, each.partition("-")[0])}
        return (
            (not activations or not has.isdisjoint(activations))
            and (not losses or (network is not None and network.loss in losses))
            and (not lectures or not of.isdisjoint(wanted_lectures))
        )

    return [case for case in cases if is_wanted(case)]


@click.command("datasets")
def list_datasets() -> int:
    """List the data sets that a case can name."""
    from threeways.report.console import console
    from threeways.report.listings import print_datasets

    print_datasets(console())
    return 0
