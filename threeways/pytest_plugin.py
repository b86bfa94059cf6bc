"""What pytest loads in every run: a line about versions, and readable names of tests for cases.

Nothing is imported here: a run that has no use for threeways should not wait for it.
"""

from __future__ import annotations

from importlib.metadata import version


def pytest_report_header() -> str:
    """The versions that a failure may depend on."""
    return f"threeways: {version('threeways')}, numpy {version('numpy')}, " + (
        f"python-flint {version('python-flint')}"
    )


def pytest_make_parametrize_id(val: object) -> str | None:
    """``mazur-float64`` for a case that a test is parametrised with."""
    kind = type(val)
    if (kind.__module__, kind.__name__) == ("shared.case", "Case"):
        return f"{val.name}-{val.dtype}"  # type: ignore[attr-defined]
    return None
