"""``threeways vectors``: test vectors for implementations in any language."""

from __future__ import annotations

from pathlib import Path

import click

from threeways.cli.options import load_cases, own_cases


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("cases", nargs=-1, metavar="[CASE|FILE.toml]…")
def vectors(folder: Path, cases: tuple[str, ...]) -> int:
    """Write test vectors, right and wrong, for implementations in any language.

    They are a JSON file for each network and dtype, and the JSON Schema of these files.
    """
    from threeways.conformance.vectors import write_vectors
    from threeways.report.progress import counted

    loaded = load_cases(cases) if cases else own_cases()
    with counted("files") as on_progress:
        paths = write_vectors(folder, loaded, on_progress)
    click.echo(f"{len(paths)} files and schema.json in {folder}")
    return 0
