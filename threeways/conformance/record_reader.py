"""Reading a JSON file of recorded steps: from its text to groups of steps that can be judged."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

from shared import InputError
from shared.errors import Findings
from threeways.conformance.record_digits import Writing, writing_of
from threeways.conformance.record_lines import read_content
from threeways.conformance.record_steps import StepReader
from threeways.conformance.record_tables import FileTable, GroupTable, parse
from threeways.conformance.records import RecordedGroup


def read_records(path: Path) -> list[RecordedGroup]:
    """The groups of steps in a file of JSON or of JSON Lines; ``-`` stands for stdin.

    Raises:
        InputError: the file is missing, cannot be read, or is wrong; every problem in it.
    """
    name = "stdin" if str(path) == "-" else str(path)
    try:
        content = read_content(Path("/dev/stdin") if str(path) == "-" else path)
        with content.placed():
            return _groups(parse(content.tables))
    except InputError as error:
        raise error.within(f"{name}: ") from None


def _groups(file: FileTable) -> list[RecordedGroup]:
    findings = Findings()
    tests = [test for group in file.groups for test in group.tests]
    with findings:
        if file.numberOfTests not in (None, len(tests)):
            raise InputError(f"numberOfTests: should be {len(tests)}, not {file.numberOfTests}")
    for tcId, times in Counter(test.tcId for test in tests if test.tcId).items():
        with findings:
            if times > 1:
                raise InputError(f"tcId: {tcId} is that of {times} tests")
    groups = []
    for g, group in enumerate(file.groups):
        with findings:
            groups.append(_group(group, f"groups[{g}]", group.digits or file.digits))
    findings.raise_any()
    return groups


def _group(table: GroupTable, at: str, digits: int | None) -> RecordedGroup:
    writing = _writing(table, digits)
    network = dataclasses.replace(table.network, dtype=writing.dtype)
    findings = Findings()
    before = common = None
    steps = []
    for t in range(len(table.tests)):
        reader = StepReader(table, at, network, writing, t, before, common)
        with findings:
            steps.append(reader.step())
        before = reader if table.chained else None
        common = common or (None if reader.has_own_case else reader)
    findings.raise_any()
    return RecordedGroup(
        name=steps[0].case.name,
        title=table.title,
        network=network,
        said_dtype=table.network.dtype,
        writing=writing,
        chained=table.chained,
        steps=tuple(steps),
    )


def _writing(table: GroupTable, digits: int | None) -> Writing:
    """How the numbers of a group are written; hex floats are exact."""
    arrays = [each for test in table.tests for each in test.quantities.values()]
    decimals = [each.decimal for each in arrays if each.hex is None and each.decimal is not None]
    if len(decimals) < len(arrays) and not digits:
        return Writing(table.network.dtype, None)
    return writing_of(decimals, table.network.dtype, digits)
