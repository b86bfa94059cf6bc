"""The files that ``threeways check`` writes for programs, with ``--json`` and ``--junit``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import click

from threeways.cli.options import OUTPUT_FILE, echo

JSON = click.option(
    "--json", "json_path", type=OUTPUT_FILE, help="Write a JSON report to this file; - is stdout."
)
JUNIT = click.option(
    "--junit", "junit_path", type=OUTPUT_FILE, help="Write JUnit's XML, for CI, to this file."
)


class Reports(NamedTuple):
    """Where to write JSON and JUnit's XML; None for what is not asked for."""

    json_path: Path | None
    junit_path: Path | None

    def check_writable(self) -> None:
        """Raise InputError if one cannot be written, or both are to be on stdout."""
        from shared import InputError
        from shared.errors import Findings
        from threeways.files import check_writable

        findings = Findings()
        for path in filter(None, self):
            with findings:
                check_writable(path)
        with findings:
            if self.on_stdout == 2:
                raise InputError("--json and --junit: only one can be written to stdout")
        findings.raise_any()

    @property
    def on_stdout(self) -> int:
        """How many of them are on stdout."""
        from threeways.files import descriptor

        return sum(path is not None and descriptor(path) == 1 for path in self)

    def echo(self, lines: Iterable[str]) -> None:
        """Print lines as they come: on stderr if a report is to be alone on stdout."""
        echo(lines, err=self.on_stdout > 0)

    def write(self, target: str, entries: list[dict[str, Any]]) -> None:
        """Write them.

        Args:
            target: what was checked.
            entries: the results, as :func:`threeways.report.check_json.entry` makes them.
        """
        from threeways.files import write_text
        from threeways.report.check_json import check_report, junit

        if self.json_path:
            content = json.dumps(check_report(target, entries), indent=1, allow_nan=False)
            write_text(self.json_path, content + "\n")
        if self.junit_path:
            write_text(self.junit_path, junit(target, entries))
