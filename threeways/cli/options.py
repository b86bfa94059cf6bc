"""Options and arguments that several commands share."""

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
    help="Any of numpy, tf and keras.",
)
DTYPE = click.Choice(["float32", "float64"])


def load_cases(names: Iterable[str]) -> list[Case | ChainRuleCase]:
    """The cases of these names or paths, each once.

    Raises:
        InputError: some of them are wrong; a line for each mistake.
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


def own_cases() -> list[Case | ChainRuleCase]:
    """The project's own cases, but those whose data need a package that is not installed.

    For each such package, a line on stderr says how many cases are left out.
    """
    from shared import InputError, case_names
    from shared.datasets import missing_package

    cases = []
    left_out: dict[str, list[str]] = {}
    for name in case_names():
        try:
            cases += load_cases([name])
        except InputError as error:
            package = missing_package(error.problems[0])
            if not package:
                raise
            left_out.setdefault(package, []).append(name)
    for package, names in left_out.items():
        click.echo(
            f"{len(names)} cases, such as {names[0]}, are left out: they need {package}; "
            f"pip install {package}",
            err=True,
        )
    return cases


def load_network(name: str, hint: str) -> Case:
    """The network case of this name or path.

    Args:
        name: the name or path.
        hint: what to say if the case is a chain of functions.

    Raises:
        InputError: there is no such case, it is wrong, or it is a chain of functions.
    """
    from shared import Case, InputError

    (case,) = load_cases([name])
    if not isinstance(case, Case):
        raise InputError(f"{case.name}: {hint}")
    return case


def kept(items: Iterable[T], into: list[T]) -> Iterator[T]:
    """The items as they come, each added to the list ``into`` as well."""
    for item in items:
        into.append(item)
        yield item
