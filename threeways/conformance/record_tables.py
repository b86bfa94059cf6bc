"""The form of a JSON file of recorded training steps, which anyone can write, in any language.

A file holds groups of tests. A test is one step, or any of its quantities; its start is its own or
its group's. The test vectors that ``threeways vectors`` writes are such files too.

    schema, generator, numberOfTests, notes        "threeways/vectors/v1"
    digits                                         of every group without its own
    groups[]   case, title, chained                chained: the tests are one run, in order
               network                             n_features, layers, loss, dtype
               learning_rate, parameters, x, y,    of every test without its own
               masks, slots, steps_before
               training                            optimizer and schedule, in place of learning_rate
               digits                              significant digits of all numbers, if rounded
    tests[]    tcId, comment, flags, result        "valid", or "invalid" if it has to depart
               learning_rate, parameters, x, y,
               masks, slots, steps_before
               training                            what differs from the group's, or a whole one
               quantities                          {"z[0]": [[0.3775, 0.3925]], "loss": 0.29837, …}

A quantity is written as in :mod:`threeways.conformance.record_arrays`, or some of its elements by
their names: ``{"dW[1][0,1]": 0.0826}``. What the recorded quantities are not computed from may be
left out: y where only z and a are recorded, the learning rate where no update is, and b of a layer
without biases.

In a chained group, a test without parameters starts from those that the test before ended with. A
run that begins later has the number of steps made before and, if the optimizer keeps slots, those:
``"steps_before": 3, "slots": {"momentum_W[0]": [[…]], …}``. b_next and slots of fixed biases, and
all of frozen layers, may be left out. For dropout, masks hold 1 for each unit that is kept and 0
for each that is dropped: ``{"a[1]": [[1, 0, 1], …]}``. x and y are the whole batch; batch size,
validation and augmentation of the training play no part.

No hyperparameter has a default here, since frameworks differ in theirs. How the numbers of a file
that rounds them are judged stands in :mod:`threeways.conformance.record_digits`.
"""

from __future__ import annotations

import json
from dataclasses import field
from typing import Annotated, Any, Literal

from annotated_types import Gt, Le
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
    Augmentation,
    InputError,
    Layer,
    Network,
    Training,
)
from shared.errors import MOST_PROBLEMS, checked, input_error, short
from shared.fields import FiniteFloat, Flag, NaturalInt, PositiveInt, Prose, Text
from threeways.conformance.record_arrays import ArrayField

SCHEMA = "threeways/vectors/v1"

# With so many significant digits, a decimal is one float64 and no other.
MOST_DIGITS = 17


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
        raise ValueError(f"should be 1 or 0, not {short(value)}")
    return bool(value)


_Bit = Annotated[bool, PlainValidator(_bit), WithJsonSchema({"enum": [0, 1, False, True]})]
_Row = tuple[FiniteFloat, ...]
_Matrix = Annotated[tuple[_Row, ...], AfterValidator(_rectangular)]
_Mask = Annotated[tuple[tuple[_Bit, ...], ...], AfterValidator(_rectangular)]
_NotEmpty = AfterValidator(_not_empty)
_Digits = Annotated[PositiveInt, Le(MOST_DIGITS)]
# Merged with the group's training, and checked then.
_TrainingPart = dict[Text, Any]


@checked
class WeightsTable:
    """Parameters of one layer: W, (inputs, units), and b, (units,), if it has biases."""

    W: _Matrix
    b: _Row | None = None


@checked
class StartTable:
    """The start of a step, or a part of it."""

    learning_rate: Annotated[float, Strict(), AllowInfNan(False), Gt(0)] | None = None
    parameters: tuple[WeightsTable, ...] | None = None
    x: _Matrix | None = None
    y: _Matrix | None = None
    masks: dict[Text, _Mask] | None = None
    slots: dict[Text, ArrayField] | None = None
    steps_before: NaturalInt | None = None


@checked
class TestTable(StartTable):
    """One step, or any of its quantities."""

    quantities: Annotated[
        dict[Text, ArrayField], _NotEmpty, Field(json_schema_extra={"minProperties": 1})
    ]
    training: _TrainingPart | None = None
    tcId: PositiveInt | None = None
    comment: Prose = ""
    flags: tuple[Text, ...] = ()
    result: Literal["valid", "invalid"] = "valid"


@checked
class GroupTable(StartTable):
    """Steps of one network, and the start of those that give none."""

    network: Network
    tests: Annotated[tuple[TestTable, ...], _NotEmpty, Field(json_schema_extra={"minItems": 1})]
    training: Training | None = None
    digits: _Digits | None = None
    case: Text | None = None
    title: Text = ""
    chained: Flag = False


@checked
class NoteTable:
    """A mistake that tests are flagged with: what was done, why it is wrong, and what to do."""

    title: Prose
    did: Prose
    why: Prose
    fix: Prose


@checked
class FileTable:
    """A whole file."""

    schema: Literal["threeways/vectors/v1"]
    groups: Annotated[tuple[GroupTable, ...], _NotEmpty, Field(json_schema_extra={"minItems": 1})]
    generator: Prose = ""
    digits: _Digits | None = None
    numberOfTests: NaturalInt | None = None
    notes: dict[Text, NoteTable] = field(default_factory=dict)


# The table that a key of the file leads to; "" is the file.
_TABLES: dict[str, Any] = {
    "": FileTable,
    "notes": NoteTable,
    "groups": GroupTable,
    "network": Network,
    "training": Training,
    "augmentation": Augmentation,
    "layers": Layer,
    "parameters": WeightsTable,
    "tests": TestTable,
}


def parse(content: Any) -> FileTable:
    """The tables of a file.

    Args:
        content: what :mod:`json` read.

    Raises:
        InputError: it is not of this form; every problem.
    """
    try:
        return TypeAdapter(FileTable).validate_python(content)
    except ValidationError as error:
        raise _input_error(error) from None


def _input_error(error: ValidationError) -> InputError:
    """One line for each finding; an unknown key is compared with those of the table it is in."""
    findings = error.errors()
    lines: list[str] = []
    for finding in findings[:MOST_PROBLEMS]:
        *parents, _ = finding["loc"] or ("",)
        named = [str(part) for part in reversed(parents) if isinstance(part, str)] + [""]
        table = next(part for part in named if part in _TABLES)
        keys = {named[0]: _TABLES[table].__dataclass_fields__}
        alone: Any = [finding]
        lines += input_error(ValidationError.from_exception_data("", alone), keys).problems
    return InputError(*lines, more=len(findings) - len(lines))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of such a file; it does not cover what depends on the network's shape."""
    generated = TypeAdapter(FileTable).json_schema(schema_generator=_WithoutTitles)
    schema = json.loads(json.dumps(generated).replace('Table"', '"'))
    for definition in schema["$defs"].values():
        if "description" in definition:  # the docstring's first line, not what a call raises
            definition["description"] = definition["description"].partition("\n")[0]
    part = {key: value for key, value in schema["$defs"]["Training"].items() if key != "required"}
    part["description"] = "What differs from the group's training, or a whole one."
    schema["$defs"]["TrainingPart"] = part
    anything = schema["$defs"]["Test"]["properties"]["training"]["anyOf"]
    anything[0] = {"$ref": "#/$defs/TrainingPart"}
    names = {"activation": tuple(ACTIVATIONS), "loss": tuple(LOSSES), "dtype": DTYPES}
    for table, name in (("Layer", "activation"), ("Network", "loss"), ("Network", "dtype")):
        schema["$defs"][table]["properties"][name]["enum"] = list(names[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Recorded training steps",
    }


class _WithoutTitles(GenerateJsonSchema):
    """Pydantic's generator, without a title for each key that only repeats the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
