"""``threeways compare``: a training step three ways, and every number of it compared."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from threeways.cli.options import (
    CASE,
    DTYPE,
    IMPLEMENTATIONS,
    OUTPUT_FILE,
    kept,
    load_cases,
    loading,
    own_cases,
)


@click.command()
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…", type=CASE)
@click.option(
    "--dtype",
    type=DTYPE,
    help="Compare in this dtype; in both unless given.",
)
@IMPLEMENTATIONS
@click.option(
    "--json", "json_path", type=OUTPUT_FILE, help="Write a JSON report to this file; - is stdout."
)
def compare(
    cases: tuple[str, ...], dtype: str | None, implementations: str, json_path: Path | None
) -> int:
    """Make a training step three ways and compare all its numbers.

    CASE is a name that `threeways cases` lists, FILE.toml a case of your own. Without any, all of
    the project's cases are compared. Where an optimizer keeps slots or the learning rate follows a
    schedule, later steps are compared too.
    """
    with loading(implementations):
        from shared import DTYPES
        from threeways.files import check_writable, descriptor, write_text
        from threeways.implementations import choose, load, timed_steps
        from threeways.pool import IS_POSSIBLE, StepPool

        names = choose(implementations)
        if json_path:
            check_writable(json_path)
        pool = None if cases or not IS_POSSIBLE else StepPool(names)
        from threeways.compare import compare_all, report
        from threeways.report.comparison import print_comparison
        from threeways.report.console import console
        from threeways.report.progress import counted

        loaded = load_cases(cases) if cases else own_cases()
        make = pool.timed_steps if pool else partial(timed_steps, packages=load(names))
    steps = [(case, each) for each in ([dtype] if dtype else DTYPES) for case in loaded]
    results: list[Any] = []
    with counted("steps") as on_progress:
        on_progress(0, len(steps))
        for _ in kept(compare_all(steps, make), results):
            on_progress(len(results), len(steps))
    if json_path:
        write_text(json_path, json.dumps(report(results), indent=1, allow_nan=False) + "\n")
    # On stdout, the report is alone.
    print_comparison(results, console(stderr=json_path is not None and descriptor(json_path) == 1))
    return 0 if all(result.ok for result in results) else 1
