"""A diagnosis as ``diagnose --json`` writes it; docs/diagnose.md describes its fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from threeways.mistakes import MISTAKES
from threeways.mistakes.diagnosis import Diagnosis, Match

SCHEMA = "threeways/diagnose/v1"


def as_json(diagnosis: Diagnosis, case: str, step: int) -> dict[str, Any]:
    """The diagnosis of a case's step, in which a number that is not finite is null."""
    telling = diagnosis.telling
    matches = () if diagnosis.is_convention else diagnosis.matches
    return {
        "schema": SCHEMA,
        "case": case,
        "step": step,
        "ok": diagnosis.verdict == "correct",
        "verdict": diagnosis.verdict,
        "convention": diagnosis.convention,
        "chance": diagnosis.chance,
        "of_float32": diagnosis.of_float32,
        "matches": [_match(each) for each in matches if each.mistakes],
        "telling": telling and telling[0],
        "runners_up": [_match(each) for each in diagnosis.runners_up],
        "given": [
            {
                "element": each.element,
                "given": each.printed.text,
                "right": each.right if math.isfinite(each.right) else None,
                "state": each.state,
            }
            for each in diagnosis.given
        ],
    }


def _match(found: Match) -> dict[str, Any]:
    return {
        "mistakes": _mistakes(found.mistakes),
        "digits": math.floor(found.digits),
        "agreed": found.agreed,
        "observed": found.observed,
    }


def _mistakes(names: Sequence[str]) -> list[dict[str, str]]:
    fields = ("name", "title", "did", "why", "fix")
    return [{field: getattr(MISTAKES[name], field) for field in fields} for name in names]
