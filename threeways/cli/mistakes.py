"""``threeways mistakes``: the catalogue of known mistakes."""

from __future__ import annotations

import json

import click
from click.shell_completion import CompletionItem

from threeways.cli.options import CASE, echo, load_network, own_cases


class MistakeName(click.ParamType[str]):
    """The name of a known mistake, which a shell completes."""

    name = "mistake"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names that begin so."""
        from threeways.mistakes import MISTAKES

        return [CompletionItem(name) for name in MISTAKES if name.startswith(incomplete)]


@click.command()
@click.argument("name", metavar="[NAME]", type=MistakeName(), required=False)
@click.option(
    "--case",
    metavar="CASE|FILE.toml",
    type=CASE,
    help="Only the mistakes that show in this case's first steps; with NAME, only this case.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def mistakes(name: str | None, case: str | None, as_json: bool) -> int:
    """List the known mistakes or, with the NAME of one, explain it.

    The explanation says what was done, why it is wrong and what to do, and on which of the
    project's cases the mistake shows.
    """
    from threeways.report.progress import waiting

    with waiting("loading the mistakes"):
        from shared import Case, InputError
        from shared.errors import unknown
        from threeways.mistakes import MISTAKES
        from threeways.mistakes.departures import first_departures
        from threeways.report.console import console
        from threeways.report.mistakes import explain_mistake, list_mistakes, mistakes_json

    if name is not None and name not in MISTAKES:
        raise InputError(unknown(name, "a known mistake", MISTAKES, "`threeways mistakes`"))
    names = list(MISTAKES) if name is None else [name]
    cases: list[Case] = []
    departures = None
    if name or case:
        with waiting("making the steps of the cases"):
            if case:
                hint = "a chain of functions, known mistakes are of networks"
                cases = [load_network(case, hint)]
            else:
                cases = [each for each in own_cases() if isinstance(each, Case)]
            departures = first_departures(names, cases)
    if as_json:
        click.echo(json.dumps(mistakes_json(names, departures), ensure_ascii=False))
    elif name:
        assert departures is not None
        echo(
            explain_mistake(name, departures[name], [each.name for each in cases], console().width)
        )
    else:
        echo(list_mistakes(departures, cases[0].name if cases else None, console().width))
    return 0
