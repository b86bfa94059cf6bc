"""``threeways compare``: one step three ways, every number of it compared."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from threeways.cli.options import DTYPE, IMPLEMENTATIONS, kept, load_cases


@click.command()
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…")
@click.option(
    "--dtype",
    type=DTYPE,
    help="Compare in this arithmetic; in both unless given.",
)
@IMPLEMENTATIONS
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write a report here.")
def compare(
    cases: tuple[str, ...], dtype: str | None, implementations: str, json_path: Path | None
) -> int:
    """Make one training step three ways and compare every number of it.

    All of the project's cases unless some are named, or a TOML file of your own.
    """
    from shared import DTYPES, case_names
    from threeways.files import check_writable, write_whole
    from threeways.implementations import choose, load, timed_steps
    from threeways.pool import IS_POSSIBLE, Crew

    names = choose(implementations)
    crew = None if cases or not IS_POSSIBLE else Crew(names)
    loaded = load_cases(cases or case_names())
    steps = [(case, each) for each in ([dtype] if dtype else DTYPES) for case in loaded]
    if json_path:
        check_writable(json_path)

    from threeways.compare import compare_all, report
    from threeways.report.comparison import print_comparison
    from threeways.report.console import console
    from threeways.report.progress import counted

    results: list[Any] = []
    make = crew.timed_steps if crew else partial(timed_steps, packages=load(names))
    with counted("steps") as on_progress:
        for _ in kept(compare_all(steps, make), results):
            on_progress(len(results), len(steps))
    print_comparison(results, console())
    if json_path:
        text = json.dumps(report(results), indent=1, allow_nan=False) + "\n"
        write_whole(json_path, lambda part: part.write_text(text, encoding="utf-8"))
    return 0 if all(result.ok for result in results) else 1
