"""The pytest plugin: a line about versions in the header, and readable test names for cases.

pytest loads it in every run, so it imports nothing that a run without threeways would wait for.
"""

from __future__ import annotations

from importlib.metadata import version


def pytest_report_header() -> str:
    """The header's line with the versions that a failure may depend on."""
    return f"threeways: {version('threeways')}, numpy {version('numpy')}, " + (
        f"python-flint {version('python-flint')}"
    )


def pytest_make_parametrize_id(val: object) -> str | None:
    """``mazur-float64`` for a case as a test's parameter; None for anything else."""
    kind = type(val)
    if (kind.__module__, kind.__name__) == ("shared.case", "Case"):
        return f"{val.name}-{val.dtype}"  # type: ignore[attr-defined]
    return None
