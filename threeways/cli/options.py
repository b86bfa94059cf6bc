"""Options and arguments that several commands share."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from threeways.characters import visible

if TYPE_CHECKING:
    from shared import Case, ChainRuleCase

T = TypeVar("T")


class ImplementationNames(click.ParamType[str]):
    """Names of implementations with commas between; a shell completes the last one."""

    name = "names"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What is given, with each name for the last one that begins so and is not there yet."""
        *given, last = incomplete.split(",")
        return [
            CompletionItem(",".join([*given, name]))
            for name in ALL_IMPLEMENTATIONS
            if name.startswith(last) and name not in given
        ]


ALL_IMPLEMENTATIONS = ("numpy", "tf", "keras")
IMPLEMENTATIONS = click.option(
    "--implementations",
    type=ImplementationNames(),
    default=",".join(ALL_IMPLEMENTATIONS),
    show_default=True,
    metavar="NAME,…",
    help="Any of numpy, tf and keras.",
)


class OutputPath(click.Path):
    """The path of a file or a folder to write, as a ``Path``; what cannot be one is refused."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(path_type=Path, dir_okay=what == "folder", file_okay=what == "file")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = os.fspath(value)
        expected = f"expected the path of a {self.what}"
        if not path:
            self.fail(f"{expected}, not an empty one", param, ctx)
        if "\0" in path:
            self.fail(f"{expected}, not {path!r}", param, ctx)
        if self.what == "file" and path.endswith(os.sep):
            self.fail(f"{expected}, not of a folder: {path}", param, ctx)
        if self.what == "file" and path.lower().endswith(".toml"):
            self.fail(f"{path}: is the name of a case's file", param, ctx)
        if self.what == "folder" and path == "-":
            self.fail(f"{expected}, and '-' stands for stdout", param, ctx)
        return Path(path)


OUTPUT_FILE = OutputPath("file")
OUTPUT_FOLDER = OutputPath("folder")
DTYPE = click.Choice(["float32", "float64"])


class CaseName(click.ParamType[str]):
    """The name of a case, or the path of its file; a shell completes both."""

    name = "case"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so and, in the folder that is begun, the files of cases."""
        # The package is found, but not imported: that would take longer than typing the name.
        shared = importlib.util.find_spec("shared")
        assert shared
        assert shared.submodule_search_locations
        (package,) = shared.submodule_search_locations
        names = sorted(path.stem for path in Path(package, "cases").rglob("*.toml"))
        folder = os.path.dirname(incomplete)
        files = sorted(Path(folder or ".").glob("*.toml"))
        found = [*names, *(os.path.join(folder, path.name) for path in files)]
        items = [CompletionItem(each) for each in found if each.startswith(incomplete)]
        return items or [CompletionItem(incomplete, type="file")]


CASE = CaseName()


def loading(implementations: str) -> AbstractContextManager[None]:
    """Shows on a terminal that frameworks are loaded, which takes seconds, while its block runs."""
    from threeways.report.progress import waiting

    is_slow = any(name in implementations for name in ("tf", "keras"))
    return waiting("loading TensorFlow and Keras" if is_slow else "loading NumPy")


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


def echo(lines: Iterable[str], err: bool = False) -> None:
    """Print lines as they come, which may begin with an empty one, without control characters."""
    for line in lines:
        text = line.removeprefix("\n")
        click.echo(line[: len(line) - len(text)] + visible(text), err=err)
