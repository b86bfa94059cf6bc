"""The reader of cases: TOML files, the project's own in ``cases/`` and anyone's in the same form.

A file describes a network with its data and training, or a chain of functions:

    title, lectures, loss, dtype   loss = "half_squared_error"; delta, of the loss "huber"
    [[layers]]                     units, activation, alpha, use_bias, fixed_bias, trainable, l1,
                                   l2, dropout, alpha_dropout
    [[parameters]]                 W and b, one table a layer, no b without use_bias; or
    [initialise]                   scheme, seed, scale; bias, the scheme of the biases
    [transfer]                     case, layers: first layers to be copied from it, once trained
    [data]                         dataset; or file; or x and y; image_shape, autoencoder, test;
                                   labels, of classes: a list in place of y, or true for a file
    [training]                     learning_rate, epochs, batch_size, seed; optimizer and its
                                   numbers, epsilon_placement; weight_decay; clipvalue, clipnorm or
                                   global_clipnorm; schedule, decay_rate, decay_steps
                                   or decay_epochs, staircase; validation, patience
    [training.augmentation]        copies, shift, rotate, resize, contrast, noise, seed
    [goal]                         loss, accuracy, test_accuracy: what training has to reach
    [figures.KTH-11]               "z[0][0,0]" = "0.3775": what a lecture prints, kept with the case
    [names]                        w5 = "W[1][0,0]": the lecture's own names; "w5+" follows

    [chain_rule]                   example, inputs, learning_rate
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Le
from pydantic import BeforeValidator, PlainValidator, TypeAdapter, ValidationError

from shared.arrays import check_targets
from shared.augmentation import Augmentation
from shared.case import Case, ChainRuleCase, Figure, Goal, Transfer
from shared.chain_rule import CHAIN_RULES, ChainRule
from shared.datasets import DATASETS, Dataset, load_dataset, read_data_file
from shared.errors import (
    MOST_NAMES,
    Findings,
    InputError,
    checked,
    input_error,
    printable,
    short,
    unknown,
)
from shared.fields import (
    FiniteFloat,
    Flag,
    NaturalInt,
    PositiveFloat,
    PositiveInt,
    Share,
    Text,
    one_of,
)
from shared.labels import are_labels, targets_of
from shared.losses import LOSSES
from shared.metrics import accuracy
from shared.network import DTypeName, Layer, LossName, Network
from shared.own_names import own_names
from shared.parameters import (
    BIAS_SCHEMES,
    SCHEMES,
    Parameters,
    check_parameters,
    copy_layers,
    initialise,
)
from shared.quantities import is_inside, parse_element, shapes
from shared.reading import read_text
from shared.toml import parse_toml
from shared.training import Training

FOLDER = Path(__file__).with_name("cases")
# The most bytes of a case; many rows are quicker to read from a data file.
MOST_BYTES = 2**24
# The most weights and biases of a network, 1 GiB of them in float64.
MOST_PARAMETERS = 2**27
# How many cases may transfer layers to one another in a row.
MOST_TRANSFERS = 20

_Row = tuple[FiniteFloat, ...]
_Matrix = tuple[_Row, ...]


def _row_of_targets(row: Any) -> Any:
    if isinstance(row, int):
        raise ValueError(
            f"should be a list such as [{row}], not {row}; "
            "if these are labels of classes, write labels = […] in place of y"
        )
    return row


def _labels(value: Any) -> Any:
    if not (
        value is True or (isinstance(value, list) and all(type(each) is int for each in value))
    ):
        raise ValueError(
            "should be a list of whole numbers such as [0, 2, 1], or true if a file has labels "
            f"in its last column, not {short(value)}"
        )
    return value


_Targets = tuple[Annotated[_Row, BeforeValidator(_row_of_targets)], ...]


def case_names() -> list[str]:
    """The names of the project's own cases, except those whose data have to be downloaded."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_case(name: str | Path) -> Case | ChainRuleCase:
    """The project's case of that name, or the case in the TOML file at that path.

    Raises:
        InputError: there is no such case or file, or the file is wrong, with a line for each
            mistake in it.
    """
    return read_case(_path_of(str(name)))


def _path_of(name: str, folder: Path = Path()) -> Path:
    """The path of a case, from its name or its path relative to a folder."""
    own = {path.stem: path for path in FOLDER.rglob("*.toml")}
    if name in own:
        return own[name]
    if name.endswith(".toml") or "/" in name:
        return folder / name
    if os.path.isfile(folder / f"{name}.toml"):
        raise InputError(f"{short(name)} is not a case; did you mean {name}.toml?")
    if name in DATASETS:
        raise InputError(f"{short(name)} is a data set, not a case; {_cases_with(name, own)}")
    hint = unknown(name, "a case", sorted(own), "`threeways cases`")
    raise InputError(f"{hint} (a file's name ends in .toml)")


def _cases_with(dataset: str, own: Mapping[str, Path]) -> str:
    """Which of the project's own cases use a data set, in words."""
    line = f'dataset = "{dataset}"'
    names = [name for name, path in own.items() if line in path.read_text("utf-8").splitlines()]
    shown = ", ".join(sorted(names)[:MOST_NAMES])
    return f"cases that use it: {shown}" if names else "no case of this project uses it"


def read_case(path: Path, ancestors: tuple[Path, ...] = ()) -> Case | ChainRuleCase:
    """The case in a TOML file.

    Args:
        path: the path of the file.
        ancestors: the files that it is read for, to transfer its layers.

    Raises:
        InputError: a line for each mistake in the file.
    """
    try:
        table = parse_toml(read_text(path, MOST_BYTES))
        schema = _ChainRuleFile if "chain_rule" in table else _CaseFile
        file: Any = TypeAdapter(schema).validate_python(table)
        return file.case(path, (*ancestors, _real(path)))
    except ValidationError as error:
        raise input_error(error, _keys(schema)).within(f"{path}: ") from None
    except InputError as error:
        raise error.within(f"{path}: ") from None


def _real(path: Path) -> Path:
    """The path without links, also where these lead in a circle."""
    return Path(os.path.realpath(path))


@checked
class _Weights:
    W: _Matrix
    b: _Row | None = None

    def __post_init__(self) -> None:
        _check_rectangular("W", self.W)


@checked
class _Initialise:
    scheme: Annotated[Text, one_of("an initialisation scheme", SCHEMES)] = "glorot_uniform"
    seed: NaturalInt = 0
    scale: Annotated[PositiveFloat, Le(1e6)] = 0.05
    bias: Annotated[Text, one_of("an initialisation scheme of biases", BIAS_SCHEMES)] = "zeros"


@checked
class _Data:
    dataset: Annotated[Text, one_of("a data set", DATASETS, "`threeways datasets`")] | None = None
    file: Text | None = None
    x: _Matrix | None = None
    y: _Targets | None = None
    labels: Annotated[Any, PlainValidator(_labels)] = None
    image_shape: tuple[PositiveInt, PositiveInt] | None = None
    autoencoder: Flag = False
    test: Annotated[Share, Gt(0)] | None = None

    def __post_init__(self) -> None:
        names = ("dataset", "file", "x", "y", "labels")
        given = [name for name in names if getattr(self, name) is not None]
        allowed = [["dataset"], ["file"], ["x"] if self.autoencoder else ["x", "y"]]
        if not self.autoencoder:
            allowed.append(["file" if self.labels is True else "x", "labels"])
        if given not in allowed:
            needed = f"dataset, or file, or {' and '.join(allowed[2])}"
            if "labels" in given:
                needed = "labels = true and file, or a list of labels and x"
            raise ValueError(f"needs {needed}; has {given or 'nothing'}")
        for name in ("x", "y"):
            _check_rectangular(name, getattr(self, name) or ())

    def load(self, path: Path, n_outputs: int, loss: str) -> tuple[Dataset, Dataset | None]:
        dataset = self._whole(path, n_outputs)
        if self.labels is not None:
            targets = LOSSES[loss].targets
            with _at("data"):
                labels = dataset.y[:, 0]
                y = targets_of(labels, n_outputs, targets.low if targets else 0)
            dataset = dataclasses.replace(dataset, y=y)
        if self.image_shape:
            dataset = dataclasses.replace(dataset, image_shape=self.image_shape)
        if self.autoencoder:
            dataset = dataset.as_autoencoder()
        with _at("data.test"):
            return dataset.split(self.test) if self.test else (dataset, None)

    def _whole(self, path: Path, n_outputs: int) -> Dataset:
        if self.dataset is not None:
            return load_dataset(self.dataset)
        if self.file is not None:
            n_targets = 0 if self.autoencoder else 1 if self.labels else n_outputs
            return read_data_file(path.parent / self.file, n_targets)
        y = [[label] for label in self.labels] if self.labels else self.y
        x = np.array(self.x, dtype=float)
        return Dataset(path.stem, x, x if self.autoencoder else np.array(y, dtype=float))


@checked
class _Transfer:
    case: Text
    layers: PositiveInt

    def load(self, path: Path, ancestors: tuple[Path, ...], dtype: str) -> Transfer:
        with _at("transfer.case"):
            source = _path_of(self.case, path.parent)
            if _real(source) in ancestors:
                raise InputError(f"{self.case!r} would start from itself")
            if len(ancestors) > MOST_TRANSFERS:
                raise InputError(f"more than {MOST_TRANSFERS} cases that start from one another")
            case = read_case(source, ancestors)
            if not isinstance(case, Case):
                raise InputError(f"{self.case!r} is a chain of functions, not a network")
            return Transfer(case.with_dtype(dtype), self.layers)


@checked
class _CaseFile:
    layers: tuple[Layer, ...]
    loss: LossName
    data: _Data
    training: Training
    title: Text = ""
    lectures: tuple[Text, ...] = ()
    delta: PositiveFloat | None = None
    dtype: DTypeName = "float64"
    parameters: tuple[_Weights, ...] | None = None
    initialise: _Initialise | None = None
    transfer: _Transfer | None = None
    goal: Goal | None = None
    figures: dict[Text, dict[Text, Text]] = field(default_factory=dict)
    names: dict[Text, Text] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.parameters is not None and self.initialise is not None:
            raise ValueError("parameters and initialise: give one of them")
        self._network(n_features=1)

    def _network(self, n_features: int) -> Network:
        return Network(
            n_features=n_features,
            layers=self.layers,
            loss=self.loss,
            delta=self.delta,
            dtype=self.dtype,
        )

    def case(self, path: Path, ancestors: tuple[Path, ...]) -> Case:
        findings = Findings()
        with findings:
            if not any(layer.trainable for layer in self.layers):
                raise InputError("layers: none is trainable, so there is nothing to learn")
        transfer = None
        with findings:
            if self.transfer:
                transfer = self.transfer.load(path, ancestors, self.dtype)
        with findings:
            dataset, test = self.data.load(path, self.layers[-1].units, self.loss)
            network = self._network(dataset.x.shape[1])
            with findings:
                self._check_targets(network, dataset)
            with findings:
                parameters = self._parameters(network)
                if transfer:
                    copy_layers(transfer.source.parameters, parameters, transfer.layers)
            with findings:
                self._check_goal(dataset)
            with findings:
                with _at("training"):
                    rows, _ = self.training.prepare(dataset)
                n_rows, slots = self.training.sizes(len(rows))[0], self.training.slots
                with findings:
                    figures = _figures(self.figures, shapes(network, n_rows, slots))
                with findings, _at("names"):
                    names = own_names(self.names, network, n_rows, slots)
        findings.raise_any()
        return Case(
            name=printable(path.stem),
            title=self.title,
            lectures=self.lectures,
            figures=figures,
            network=network,
            parameters=parameters,
            dataset=dataset,
            training=self.training,
            test=test,
            goal=self.goal,
            transfer=transfer,
            names=names,
        )

    def _check_targets(self, network: Network, dataset: Dataset) -> None:
        width, units = dataset.x.shape[1], network.widths[-1]
        if self.data.autoencoder and width != units:
            raise InputError(
                f"data.autoencoder: the output has {units} units and the input {width} features; "
                "the two have to be equal"
            )
        try:
            check_targets(network, dataset.y, len(dataset))
        except InputError as error:
            of_one_hot = units > 1 and dataset.y.shape[1] == units
            if not (self.data.file and of_one_hot and are_labels(dataset.y[:, -1], units)):
                raise
            (problem,) = error.problems
            hint = "if the last column of the file holds labels, say labels = true in [data]"
            raise InputError(f"{problem}; {hint}") from None

    def _check_goal(self, dataset: Dataset) -> None:
        if self.goal is None:
            return
        if self.goal.test_accuracy and not self.data.test:
            raise InputError("goal.test_accuracy: needs data.test, a share of the rows")
        of_classes = self.goal.accuracy or self.goal.test_accuracy
        if of_classes and accuracy(dataset.y, dataset.y) is None:
            raise InputError("goal: the targets are not classes, so there is no accuracy")

    def _parameters(self, network: Network) -> Parameters:
        count = sum(
            (fan_in + 1) * fan_out for fan_in, fan_out in itertools.pairwise(network.widths)
        )
        if count > MOST_PARAMETERS:
            most = f"{MOST_PARAMETERS:,} at most"
            raise InputError(f"layers: {count:,} weights and biases, {most}")
        if self.parameters is not None:
            return check_parameters(network, [(table.W, table.b) for table in self.parameters])
        start = self.initialise or _Initialise()
        return initialise(network, start.scheme, start.seed, start.scale, start.bias)


@checked
class _ChainRuleFile:
    chain_rule: ChainRule
    title: Text = ""
    lectures: tuple[Text, ...] = ()
    figures: dict[Text, dict[Text, Text]] = field(default_factory=dict)

    def case(self, path: Path, _: tuple[Path, ...]) -> ChainRuleCase:
        names = CHAIN_RULES[self.chain_rule.example].quantities
        return ChainRuleCase(
            name=printable(path.stem),
            title=self.title,
            lectures=self.lectures,
            figures=_figures(self.figures, dict.fromkeys(names, ())),
            chain_rule=self.chain_rule,
        )


def _keys(file: Any) -> dict[str, Collection[str]]:
    """The known keys of each table of a file, by the name of the table."""
    tables: dict[str, Any] = {
        "": file,
        "layers": Layer,
        "parameters": _Weights,
        "initialise": _Initialise,
        "transfer": _Transfer,
        "goal": Goal,
        "augmentation": Augmentation,
        "data": _Data,
        "training": Training,
        "chain_rule": ChainRule,
    }
    return {name: table.__dataclass_fields__ for name, table in tables.items()}


@contextmanager
def _at(key: str) -> Iterator[None]:
    """Put a key of the file in front of the problems that are found in this block."""
    try:
        yield
    except InputError as error:
        raise error.within(f"{key}: ") from None


def _check_rectangular(name: str, rows: _Matrix) -> None:
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"{name}: rows of different lengths")


def _figures(
    lectures: dict[str, dict[str, str]], known: dict[str, tuple[int, ...]]
) -> tuple[Figure, ...]:
    """The figures that a file lists, checked against the shapes of the step's quantities.

    Raises:
        InputError: the step has no such quantity or index, or a figure is not a decimal number.
    """
    findings = Findings()
    figures = []
    for lecture, printed in lectures.items():
        for element, decimals in printed.items():
            with findings:
                figures.append(_figure(lecture, element, decimals, known))
    findings.raise_any()
    return tuple(figures)


def _figure(lecture: str, element: str, decimals: str, known: dict[str, tuple[int, ...]]) -> Figure:
    quantity, index = parse_element(element)
    at = f"figures.{lecture}: "
    if quantity not in known:
        raise InputError(at + unknown(quantity, "a quantity of this step", known))
    shape = known[quantity]
    if not is_inside(index, shape):
        raise InputError(at + f"{element!r}: the index does not fit the shape {shape}")
    if re.fullmatch(r"-?(\d*\.)?\d+", decimals) is None:
        raise InputError(at + f"{element!r}: {short(decimals)} is not a decimal number")
    return Figure(lecture, quantity, index, decimals)
