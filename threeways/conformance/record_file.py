"""Recorded training steps: JSON files that anyone can write, in any language, judged step by step.

A file holds groups of tests. A test is one step, or any of its quantities; what it starts from is
its own or its group's. The test vectors that ``threeways vectors`` writes are such files too.

    schema, generator, numberOfTests, notes        "threeways/vectors/v1"
    groups[]   case, title, chained                chained: the tests are one run, in order
               network                             n_features, layers, loss, dtype
               learning_rate, parameters, x, y,    of every test that does not give its own
               masks
               training                            optimizer and schedule, in place of learning_rate
    tests[]    tcId, comment, flags, result        "valid", or "invalid" where it has to depart
               learning_rate, parameters, x, y,
               masks
               quantities                          {"z[0]": [[0.3775, 0.3925]], "loss": 0.29837, …}

A quantity is nested lists of numbers, null for one that is not finite; or ``{"decimal": …, "hex":
…, "bound": …}``, where hex holds C99's hexadecimal floats as strings. The second and later steps of
a chained group begin, where they give no parameters, with what the step before ended with. Where
there is dropout, masks hold 1 for each unit that is kept, else 0: ``{"a[1]": [[1, 0, 1], …]}``. x
and y are the whole batch, whatever the training says of rows.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Gt
from pydantic import (
    AfterValidator,
    AllowInfNan,
    Field,
    PlainValidator,
    Strict,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema

from shared import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    Array,
    Augmentation,
    Case,
    Dataset,
    InputError,
    Layer,
    Network,
    Parameters,
    Slots,
    StepTraining,
    Training,
    Weights,
    check_inputs,
    check_parameters,
    check_targets,
    shapes,
)
from shared.errors import Findings, checked, problems_of, unknown
from shared.fields import FiniteFloat, Flag, NaturalInt, PositiveInt, Text
from shared.quantities import element
from threeways.conformance.records import Group, Step

SCHEMA = "threeways/vectors/v1"


def read_records(path: Path) -> list[Group]:
    """The groups of steps in a JSON file.

    Raises:
        InputError: the file is missing, cannot be read, or is wrong; all that is wrong with it.
    """
    try:
        return _groups(TypeAdapter(_File).validate_python(_content(path)))
    except ValidationError as error:
        problems = _problems(error)
    except InputError as error:
        problems = list(dict.fromkeys(error.problems))  # a group's may be met once for each test
    raise InputError(*(f"{path}: {problem}" for problem in problems))


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text (byte {error.start})") from None
    except json.JSONDecodeError as error:
        at = f"at line {error.lineno}, column {error.colno}"
        raise InputError(f"not JSON: {error.msg} ({at})") from None
    except RecursionError:
        raise InputError("not JSON: nested too deeply") from None
    except ValueError:
        raise InputError("not JSON: a number of thousands of digits") from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of such a file; what depends on the network's shape is beyond it."""
    generated = TypeAdapter(_File).json_schema(schema_generator=_WithoutTitles)
    schema = json.loads(json.dumps(generated).replace('"_', '"').replace("$defs/_", "$defs/"))
    for definition in schema["$defs"].values():
        if "description" in definition:  # the docstring's first line, not what a call raises
            definition["description"] = definition["description"].partition("\n")[0]
    names = {"activation": tuple(ACTIVATIONS), "loss": tuple(LOSSES), "dtype": DTYPES}
    for table, name in (("Layer", "activation"), ("Network", "loss"), ("Network", "dtype")):
        schema["$defs"][table]["properties"][name]["enum"] = list(names[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Recorded training steps",
    }


class _WithoutTitles(GenerateJsonSchema):
    """Pydantic's generator, without a title for each key that says the same again."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


# The file as it is written.


@dataclass(frozen=True)
class _Numbers:
    """An array as a file has it: float64, of its decimals, of its hex floats, or of both."""

    decimal: Array | None
    hex: Array | None


def _numbers(value: Any) -> _Numbers:
    if not isinstance(value, dict):
        return _Numbers(_nested(value, _decimal), None)
    for key in value:
        if key not in _FORMS:
            raise ValueError(unknown(key, "a key here", _FORMS))
    forms = {key: _nested(value[key], read) for key, read in _FORMS.items() if key in value}
    if len({array.shape for array in forms.values()}) > 1:
        raise ValueError(f"{' and '.join(forms)} differ in shape")
    if not {"decimal", "hex"} & forms.keys():
        raise ValueError("needs decimal, or hex, or both")
    return _Numbers(forms.get("decimal"), forms.get("hex"))


def _nested(value: Any, read: Callable[[Any], float]) -> Array:
    if not isinstance(value, list):
        return np.array(read(value))
    rows = [_nested(item, read) for item in value]
    if len({row.shape for row in rows}) > 1:
        raise ValueError("rows of different lengths")
    return np.array(rows, dtype=np.float64)


def _decimal(value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.40} is not a number")
    return _float64(value, float)


def _hex(value: Any) -> float:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError(f"{value!r:.40} is not a hex float such as '0x1.8p-1'")
    return _float64(value, float.fromhex)


def _float64(value: Any, convert: Callable[[Any], float]) -> float:
    try:
        return convert(value)
    except OverflowError:
        raise ValueError(f"{value!r:.40} is too large for float64") from None


_HEX = re.compile(r"[-+]?(0x([0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(p[-+]?\d+)?|inf|nan)", re.I)
_FORMS: dict[str, Callable[[Any], float]] = {"decimal": _decimal, "hex": _hex, "bound": _decimal}


def _nested_schema(item: dict[str, Any]) -> dict[str, Any]:
    row = {"type": "array", "items": item}
    return {"anyOf": [item, row, {"type": "array", "items": row}]}


_DECIMALS = _nested_schema({"type": ["number", "null"]})
_ARRAY_SCHEMA = {
    "anyOf": [
        *_DECIMALS["anyOf"],
        {
            "type": "object",
            "properties": {
                "decimal": _DECIMALS,
                "hex": _nested_schema({"type": "string", "pattern": "^[-+]?(0[xX].*|inf|nan)$"}),
                "bound": _nested_schema({"type": "number", "minimum": 0}),
            },
            "anyOf": [{"required": ["decimal"]}, {"required": ["hex"]}],
            "additionalProperties": False,
        },
    ]
}
_Array = Annotated[Any, PlainValidator(_numbers), WithJsonSchema(_ARRAY_SCHEMA)]


def _rectangular(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    if len({len(row) for row in rows}) > 1:
        raise ValueError("rows of different lengths")
    return rows


def _not_empty(items: Any) -> Any:
    if not items:
        raise ValueError("should not be empty")
    return items


def _bit(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError(f"should be 1 or 0, not {value!r:.40}")
    return bool(value)


_Bit = Annotated[bool, PlainValidator(_bit), WithJsonSchema({"enum": [0, 1, False, True]})]
_Row = tuple[FiniteFloat, ...]
_Matrix = Annotated[tuple[_Row, ...], AfterValidator(_rectangular)]
_Mask = Annotated[tuple[tuple[_Bit, ...], ...], AfterValidator(_rectangular)]
_NotEmpty = AfterValidator(_not_empty)


@checked
class _Weights:
    W: _Matrix
    b: _Row


@checked
class _Start:
    learning_rate: Annotated[float, Strict(), AllowInfNan(False), Gt(0)] | None = None
    parameters: tuple[_Weights, ...] | None = None
    x: _Matrix | None = None
    y: _Matrix | None = None
    masks: dict[Text, _Mask] | None = None


@checked
class _Test(_Start):
    quantities: Annotated[
        dict[Text, _Array], _NotEmpty, Field(json_schema_extra={"minProperties": 1})
    ]
    tcId: PositiveInt | None = None
    comment: Text = ""
    flags: tuple[Text, ...] = ()
    result: Literal["valid", "invalid"] = "valid"


@checked
class _Group(_Start):
    network: Network
    tests: Annotated[tuple[_Test, ...], _NotEmpty, Field(json_schema_extra={"minItems": 1})]
    training: Training | None = None
    case: Text | None = None
    title: Text = ""
    chained: Flag = False


@checked
class _Note:
    title: Text
    did: Text
    why: Text
    fix: Text


@checked
class _File:
    schema: Literal["threeways/vectors/v1"]
    groups: Annotated[tuple[_Group, ...], _NotEmpty, Field(json_schema_extra={"minItems": 1})]
    generator: Text = ""
    numberOfTests: NaturalInt | None = None
    notes: dict[Text, _Note] = field(default_factory=dict)


_TABLES: dict[str, Any] = {
    "": _File,
    "notes": _Note,
    "groups": _Group,
    "network": Network,
    "training": Training,
    "augmentation": Augmentation,
    "layers": Layer,
    "parameters": _Weights,
    "tests": _Test,
}


def _problems(error: ValidationError) -> list[str]:
    """The findings as lines; an unknown key is held to those of the table that it is in."""
    lines = []
    for finding in error.errors():
        *parents, _ = finding["loc"] or ("",)
        named = [str(part) for part in reversed(parents) if isinstance(part, str)] + [""]
        table = next(part for part in named if part in _TABLES)
        keys = {named[0]: _TABLES[table].__dataclass_fields__}
        alone: Any = [finding]
        lines += problems_of(ValidationError.from_exception_data("", alone), keys)
    return lines


# From the file to what can be judged.


def _groups(file: _File) -> list[Group]:
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
            groups.append(_group(group, f"groups[{g}]"))
    findings.raise_any()
    return groups


def _group(table: _Group, at: str) -> Group:
    findings = Findings()
    common: Case | None = None  # of the tests that give nothing of their own to start from
    steps = []
    for t in range(len(table.tests)):
        test = _Placed(table, at, t)
        quantities: dict[str, Array] = {}
        with findings:
            quantities = test.quantities()
        with findings:
            case = common if common and not test.starts_anew else test.case()
            common = common if test.starts_anew else case
            steps.append(test.step(case, quantities))
    findings.raise_any()
    return Group(
        name=table.case or table.title or at,
        title=table.title,
        network=table.network,
        chained=table.chained,
        steps=tuple(steps),
    )


@dataclass(frozen=True)
class _Placed:
    """The t-th test of a group, which is at a path in its file."""

    group: _Group
    group_at: str
    t: int

    @property
    def test(self) -> _Test:
        return self.group.tests[self.t]

    @property
    def at(self) -> str:
        return f"{self.group_at}.tests[{self.t}]"

    @property
    def goes_on(self) -> bool:
        """Whether it begins with what the one before ended with."""
        return self.group.chained and self.t > 0 and self.test.parameters is None

    @property
    def starts_anew(self) -> bool:
        """Whether its case is another than that of the group."""
        names = _Start.__dataclass_fields__
        later = self.group.training is not None and self.steps_before > 0
        return later or self.goes_on or any(getattr(self.test, name) is not None for name in names)

    @property
    def steps_before(self) -> int:
        """How many steps of its run go before."""
        return self.t if self.group.chained else 0

    @property
    def training(self) -> Training:
        """The group's, or plain gradient descent."""
        if self.group.training is not None:
            return self.group.training
        _, learning_rate = self.given("learning_rate")
        return Training(learning_rate=learning_rate)

    def slots(self) -> Slots:
        """What the optimizer has kept of the step before, which has to be recorded there."""
        names = self.training.slots
        if not self.steps_before or not names:
            return {}
        ended = _Placed(self.group, self.group_at, self.t - 1).quantities()
        layers = range(len(self.group.network.layers))
        kept = {f"{slot}_{letter}": layers for slot in names for letter in "Wb"}
        for slot in kept:
            for l in layers:
                if f"{slot}[{l}]" not in ended:
                    raise InputError(f"{self.at}: goes on, and no {slot}[{l}] in the step before")
        return {slot: tuple(ended[f"{slot}[{l}]"] for l in layers) for slot in kept}

    def given(self, name: str) -> tuple[str, Any]:
        """What it starts from, its own or its group's, with the path of whichever gives it."""
        for at, table in ((self.at, self.test), (self.group_at, self.group)):
            if getattr(table, name) is not None:
                return at, getattr(table, name)
        raise InputError(f"{self.at}: {name!r} is missing, here and in its group")

    def step(self, case: Case, quantities: dict[str, Array]) -> Step:
        return Step(
            number=self.test.tcId or self.t + 1,
            comment=self.test.comment,
            flags=self.test.flags,
            valid=self.test.result == "valid",
            case=case,
            quantities=quantities,
        )

    def case(self) -> Case:
        findings = Findings()
        network = self.group.network
        with findings:
            parameters = self.parameters()
        with findings:
            training = self.training
        with findings:
            slots = self.slots()
        with findings:
            at, x = self.given("x")
            with _within(at):
                x = check_inputs(network, x)
            at, y = self.given("y")
            with _within(at):
                y = check_targets(network, y, len(x))
        with findings:
            masks = self.masks()
        findings.raise_any()
        name = self.group.case or self.group.title or self.group_at
        return Case(
            name=name,
            title=self.group.title,
            network=network,
            parameters=parameters,
            dataset=Dataset(name, x, y),
            training=StepTraining.of(training, masks),
            steps_before=self.steps_before,
            slots=slots,
        )

    def masks(self) -> dict[int, Array]:
        """Which units dropout keeps, for each a[l] that has any."""
        layers = self.group.network.dropping.items()
        dropping = {f"a[{l}]": (l, layer.units) for l, layer in layers}
        if not dropping and self.test.masks is self.group.masks is None:
            return {}
        at, given = self.given("masks")
        _, x = self.given("x")
        findings = Findings(f"{at}.masks")
        masks = {}
        for name, (l, units) in dropping.items():
            with findings:
                if name not in given:
                    raise InputError(f": {name!r} is missing, which has dropout")
                masks[l] = np.array(given[name])
                if masks[l].shape != (len(x), units):
                    expected = f"expected shape {(len(x), units)}, got {masks[l].shape}"
                    raise InputError(f".{name}: {expected}")
        for name in given:
            with findings:
                if name not in dropping:
                    raise InputError(f": {name!r} has no dropout")
        findings.raise_any()
        return masks

    def parameters(self) -> Parameters:
        network = self.group.network
        if not self.goes_on:
            at, layers = self.given("parameters")
            with _within(at):
                return check_parameters(network, [(layer.W, layer.b) for layer in layers])
        ended = _Placed(self.group, self.group_at, self.t - 1).quantities()
        names = [(f"W_next[{l}]", f"b_next[{l}]") for l in range(len(network.layers))]
        for name in itertools.chain.from_iterable(names):
            if name not in ended:
                raise InputError(f"{self.at}: no parameters, and no {name} in the step before")
            if not np.isfinite(ended[name]).all():
                raise InputError(
                    f"{self.at}: begins with the {name} of the step before, which is not finite"
                )
        return tuple(Weights(ended[W], ended[b]) for W, b in names)

    def quantities(self) -> dict[str, Array]:
        _, x = self.given("x")
        known = shapes(self.group.network, len(x), self.training.slots)
        findings = Findings()
        arrays = {}
        for name, numbers in self.test.quantities.items():
            with findings:
                if name not in known:
                    hint = unknown(name, "a quantity of this step", known)
                    raise InputError(f"{self.at}.quantities: {hint}")
                at = f"{self.at}.quantities.{name}"
                arrays[name] = _array(numbers, known[name], self.group.network.dtype, at)
        findings.raise_any()
        return arrays


@contextmanager
def _within(path: str) -> Iterator[None]:
    """Problems found here are of what is at a path in the file."""
    try:
        yield
    except InputError as error:
        raise InputError(*(f"{path}.{problem}" for problem in error.problems)) from None


def _array(numbers: _Numbers, shape: tuple[int, ...], dtype: str, at: str) -> Array:
    forms = [form for form in (numbers.hex, numbers.decimal) if form is not None]
    if forms[0].shape != shape:
        raise InputError(f"{at}: expected shape {shape}, got {forms[0].shape}")
    arrays = []
    for form in forms:
        with np.errstate(over="ignore"):
            arrays.append(form.astype(dtype))
        for index in np.argwhere(np.isfinite(form) & ~np.isfinite(arrays[-1])):
            found = form[tuple(index)]
            raise InputError(f"{element(at, tuple(index))}: {found} is too large for {dtype}")
    alike = (arrays[0] == arrays[-1]) | ~(np.isfinite(arrays[0]) | np.isfinite(arrays[-1]))
    for index in np.argwhere(~alike):
        hexadecimal, decimal = (array[tuple(index)] for array in arrays)
        raise InputError(f"{element(at, tuple(index))}: decimal {decimal} is not hex {hexadecimal}")
    return arrays[0]
