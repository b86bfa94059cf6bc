"""Test vectors for implementations in any language: right numbers, and those that mistakes make.

Modelled on Wycheproof: for each case and dtype a file of recorded steps
(:mod:`threeways.conformance.record_tables`) with one valid test, a whole step correctly rounded,
and an invalid test for each known mistake that shows in that step: the first quantities that
depart, flagged with the mistake's name.
"""

from __future__ import annotations

import dataclasses
import decimal
import importlib.metadata
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from impl_numpy import FeedForward
from shared import (
    DTYPES,
    Array,
    Case,
    ChainRuleCase,
    InputError,
    Layer,
    Training,
    check_inputs,
    check_targets,
)
from shared.errors import Findings
from threeways.conformance.record_tables import SCHEMA, json_schema
from threeways.exact.bounds import bounds
from threeways.exact.judge import departures, from_exact
from threeways.exact.oracle import Exact, exact_step, rounded_step
from threeways.files import check_writable, is_folder, make_folder, write_text
from threeways.mistakes import MISTAKES
from threeways.mistakes.steps import numbers_of
from threeways.progress import OnProgress

GENERATOR = "threeways "

_THREE_DIGITS = decimal.Context(prec=3, rounding=decimal.ROUND_CEILING)


def write_vectors(
    folder: Path,
    cases: Iterable[Case | ChainRuleCase],
    on_progress: OnProgress | None = None,
) -> list[Path]:
    """Write ``schema.json`` and a file for each network and dtype; the paths of the latter.

    Args:
        folder: where to write, such as ``mazur-float64.json``; it is made if need be.
        cases: the cases; those that are chains of functions are left out.
        on_progress: told how many of the cases' files are written, and of how many.

    Raises:
        InputError: the folder cannot be written, it holds other files of these names, there is no
            network, two have the same name, or a case's numbers are too large for float32.
    """
    findings = Findings()
    chosen: list[Case] = []
    networks = [case for case in cases if isinstance(case, Case)]
    with findings:
        for name, count in Counter(case.name for case in networks).items():
            if count > 1:
                raise InputError(f"{name}: {count} cases have this name, and so would their files")
        if not networks:
            raise InputError("chains of functions alone, and vectors are of networks")
    for case in networks:
        for dtype in DTYPES:
            with findings:
                chosen.append(case.with_dtype(dtype))
    schema = folder / "schema.json"
    paths = [folder / f"{case.name}-{case.dtype}.json" for case in chosen]
    with findings:
        if is_folder(folder):
            raise_any_foreign([schema, *paths])
    findings.raise_any()
    make_folder(folder)
    _write(schema, json_schema())
    for done, (path, case) in enumerate(zip(paths, chosen, strict=True), start=1):
        _write(path, vectors(case))
        if on_progress:
            on_progress(done, len(chosen))
    return paths


def raise_any_foreign(paths: Iterable[Path]) -> None:
    """Raise :class:`InputError` for the files among these that this module did not write.

    Those that it wrote may be replaced.
    """
    findings = Findings()
    for path in paths:
        with findings:
            check_writable(path)
            if path.exists() and not _is_generated(path):
                raise InputError(f"{path}: is there already, and not from `threeways vectors`")
    findings.raise_any()


def _is_generated(path: Path) -> bool:
    """Whether a file was written by this module, in whatever version."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(content, dict):
        return False
    generator = str(content.get("generator"))
    is_schema = "$schema" in content and content.get("title") == json_schema()["title"]
    return is_schema or generator.startswith(GENERATOR)


def vectors(case: Case) -> dict[str, Any]:
    """The test vectors of a case's first step, in its dtype, as the content of a file."""
    case = case.alone()
    exact = exact_step(case)
    allowed = bounds(case, exact.values)
    tests = [_valid(case, exact, allowed), *_invalid(case, exact, allowed)]
    x, y = case.first_batch()
    flags = {flag for test in tests for flag in test["flags"]}
    return {
        "schema": SCHEMA,
        "generator": f"{GENERATOR}{importlib.metadata.version('threeways')}",
        "numberOfTests": len(tests),
        "notes": {name: _note(name) for name in MISTAKES if name in flags},
        "groups": [
            {
                "case": case.name,
                "title": case.title,
                "network": _network(case),
                **_training(case),
                "parameters": [
                    {
                        letter: _nested(array, _decimal)
                        for letter, array in weights._asdict().items()
                        if letter == "W" or layer.use_bias
                    }
                    for layer, weights in zip(case.network.layers, case.parameters, strict=True)
                ],
                "x": _nested(check_inputs(case.network, x), _decimal),
                "y": _nested(check_targets(case.network, y, len(x)), _decimal),
                **_masks(case),
                "tests": [{"tcId": tcId, **test} for tcId, test in enumerate(tests, start=1)],
            }
        ],
    }


def _training(case: Case) -> dict[str, Any]:
    rate, fields = case.training.learning_rate, case.training.of_step
    is_plain = fields == Training(learning_rate=rate).of_step
    return {"learning_rate": rate} if is_plain else {"training": fields}


def _masks(case: Case) -> dict[str, Any]:
    masks = {f"a[{l}]": _nested(mask, int) for l, mask in case.masks().items()}
    return {"masks": masks} if masks else {}


def _network(case: Case) -> dict[str, Any]:
    network = case.network
    return {
        "n_features": network.n_features,
        "layers": [_layer(layer) for layer in network.layers],
        "loss": network.loss,
        **network.loss_arguments,
        "dtype": network.dtype,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    """A layer's table: its activation with α, and whatever differs from the default."""
    table = {"units": layer.units, "activation": layer.activation, **layer.arguments}
    fields: Any = dataclasses.fields(layer)
    for field in fields:
        if (value := getattr(layer, field.name)) != field.default:
            table[field.name] = value
    return table


def _note(name: str) -> dict[str, str]:
    mistake = MISTAKES[name]
    return {key: getattr(mistake, key) for key in ("title", "did", "why", "fix")}


def _valid(case: Case, exact: Exact, allowed: Mapping[str, Array]) -> dict[str, Any]:
    quantities = {
        name: {
            "decimal": _nested(rounded, _decimal),
            "hex": _nested(rounded, _hex),
            # The bound is on the distance from the exact value; the rounded one is a bit off it.
            "bound": _nested(allowed[name] + exact.distance(name, rounded), _rounded_up),
        }
        for name, rounded in rounded_step(case).items()
    }
    return {
        "comment": "correctly rounded",
        "flags": [],
        "result": "valid",
        "quantities": quantities,
    }


def _invalid(case: Case, exact: Exact, allowed: Mapping[str, Array]) -> Iterator[dict[str, Any]]:
    """A test for each mistake that shows; one for all that make the same numbers."""
    found: dict[tuple[tuple[str, bytes], ...], tuple[dict[str, Array], list[str]]] = {}
    right = numbers_of(FeedForward, case)
    for name, mistake in MISTAKES.items():
        quantities = numbers_of(mistake, case)
        changed = {
            quantity: array
            for quantity, array in quantities.items()
            if not np.array_equal(array, right[quantity])
        }
        departing = departures(case, from_exact(changed, exact, allowed))
        wrong = {quantity: changed[quantity] for quantity in departing}
        numbers = tuple((quantity, array.tobytes()) for quantity, array in wrong.items())
        if wrong:
            found.setdefault(numbers, (wrong, []))[1].append(name)
    for wrong, names in found.values():
        yield {
            "comment": "; ".join(MISTAKES[name].title for name in names),
            "flags": names,
            "result": "invalid",
            "quantities": {name: _nested(array, _decimal) for name, array in wrong.items()},
        }


def _nested(array: Any, write: Callable[[Any], Any]) -> Any:
    """An array or a scalar as nested lists, each number written by ``write``."""
    return write(array[()]) if array.ndim == 0 else [_nested(row, write) for row in array]


def _decimal(number: Any) -> float | None:
    """The number of the shortest decimals that round to this one in its dtype; None for NaN, ∞."""
    return float(str(number)) if np.isfinite(number) else None


def _hex(number: Any) -> str:
    return float(number).hex()


def _rounded_up(number: Any) -> float:
    """A bound, rounded up to three significant digits."""
    return float(_THREE_DIGITS.create_decimal_from_float(float(number)))


def _write(path: Path, content: Any) -> None:
    write_text(path, _text(content) + "\n")


def _text(value: Any, indent: str = "") -> str:
    """JSON with one line for each key, and each array of numbers on one line."""
    inner = indent + " "
    if isinstance(value, dict) and value:
        items = [f"{json.dumps(key)}: {_text(item, inner)}" for key, item in value.items()]
        opening, closing = "{}"
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = [_text(item, inner) for item in value]
        opening, closing = "[]"
    else:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    lines = ",\n".join(inner + item for item in items)
    return f"{opening}\n{lines}\n{indent}{closing}"
