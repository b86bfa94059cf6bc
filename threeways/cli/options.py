"""What several commands share: their options, the cases that are named, and what is to be kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from shared import Case, ChainRuleCase

T = TypeVar("T")

IMPLEMENTATIONS = click.option(
    "--implementations",
    default="numpy,tf,keras",
    show_default=True,
    metavar="NAME,…",
    help="Which ones, of numpy, tf and keras.",
)
DTYPE = click.Choice(["float32", "float64"])


def load_cases(names: Iterable[str]) -> list[Case | ChainRuleCase]:
    """The cases of these names or paths, each once.

    Raises:
        InputError: all that is wrong with any of them.
    """
    from shared import load_case
    from shared.errors import Findings

    cases = []
    findings = Findings()
    for name in dict.fromkeys(names):
        with findings:
            cases.append(load_case(name))
    findings.raise_any()
    return cases


def load_network(name: str, hint: str) -> Case:
    """The case of that name or path.

    Raises:
        InputError: there is none, it is wrong, or a chain of functions; ``hint`` says why not that.
    """
    from shared import Case, InputError

    (case,) = load_cases([name])
    if not isinstance(case, Case):
        raise InputError(f"{case.name}: {hint}")
    return case


def kept(items: Iterable[T], into: list[T]) -> Iterator[T]:
    """The items as they come, each added to a list."""
    for item in items:
        into.append(item)
        yield item
