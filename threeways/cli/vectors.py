"""``threeways vectors``: test vectors for implementations in any language."""

from __future__ import annotations

from pathlib import Path

import click

from threeways.characters import visible
from threeways.cli.options import CASE, OUTPUT_FOLDER, load_cases, own_cases


@click.command()
@click.argument("folder", metavar="DIR", type=OUTPUT_FOLDER)
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…", type=CASE)
def vectors(folder: Path, cases: tuple[str, ...]) -> int:
    """Write test vectors, right and wrong, for any language.

    They are a JSON file for each network and dtype, and the JSON Schema of these files. They may
    replace earlier ones in DIR, but no other files.
    """
    from threeways.report.progress import counted, waiting

    with waiting("loading the cases"):
        from threeways.conformance.vectors import write_vectors

        loaded = load_cases(cases) if cases else own_cases()
    with counted("files") as on_progress:
        paths = write_vectors(folder, loaded, on_progress)
    click.echo(visible(f"{len(paths)} files and schema.json in {folder}"))
    return 0
