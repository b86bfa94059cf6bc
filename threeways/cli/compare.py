"""``threeways compare``: a training step three ways, and every number of it compared."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from threeways.cli.options import DTYPE, IMPLEMENTATIONS, kept, load_cases, own_cases


@click.command()
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…")
@click.option(
    "--dtype",
    type=DTYPE,
    help="Compare in this dtype; in both unless given.",
)
@IMPLEMENTATIONS
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write a JSON report to this file."
)
def compare(
    cases: tuple[str, ...], dtype: str | None, implementations: str, json_path: Path | None
) -> int:
    """Make a training step three ways and compare all its numbers.

    CASE is a name that `threeways cases` lists, FILE.toml a case of your own. Without any, all of
    the project's cases are compared. Where an optimizer keeps slots or the learning rate follows a
    schedule, later steps are compared too.
    """
    from shared import DTYPES
    from threeways.files import check_writable, write_whole
    from threeways.implementations import choose, load, timed_steps
    from threeways.pool import IS_POSSIBLE, StepPool

    names = choose(implementations)
    pool = None if cases or not IS_POSSIBLE else StepPool(names)
    loaded = load_cases(cases) if cases else own_cases()
    steps = [(case, each) for each in ([dtype] if dtype else DTYPES) for case in loaded]
    if json_path:
        check_writable(json_path)

    from threeways.compare import compare_all, report
    from threeways.report.comparison import print_comparison
    from threeways.report.console import console
    from threeways.report.progress import counted

    results: list[Any] = []
    make = pool.timed_steps if pool else partial(timed_steps, packages=load(names))
    with counted("steps") as on_progress:
        for _ in kept(compare_all(steps, make), results):
            on_progress(len(results), len(steps))
    print_comparison(results, console())
    if json_path:
        text = json.dumps(report(results), indent=1, allow_nan=False) + "\n"
        write_whole(json_path, lambda part: part.write_text(text, encoding="utf-8"))
    return 0 if all(result.ok for result in results) else 1
