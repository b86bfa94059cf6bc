"""Errors in a case file's training: a clear line for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from threeways.cli import main


def text(
    *,
    hidden: str = 'activation = "relu"',
    output: str = 'activation = "softmax"',
    loss: str = "categorical_crossentropy",
    units: int = 10,
    data: str = 'dataset = "digits"',
    training: str = "",
    rate: str = "0.1",
    tables: str = "",
) -> str:
    """The content of a case file, valid unless an argument breaks it."""
    return f"""
loss = "{loss}"
{tables}
[[layers]]
units = 8
{hidden}
[[layers]]
units = {units}
{output}
[data]
{data}
[training]
learning_rate = {rate}
{training}
"""


def mine(folder: Path, content: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(content)
    return path


def errors_in(path: Path) -> list[str]:
    """The lines that the command prints about a file, without what they all begin with."""
    result = CliRunner().invoke(main, ["train", str(path), "--implementations", "numpy"])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    start = f"Error: {path}: "
    lines = result.stderr.splitlines()
    assert all(line.startswith(start) for line in lines), lines
    return [line.removeprefix(start).replace(f"{path.parent}/", "") for line in lines]


def test_the_file_is_valid_as_it_is(tmp_path: Path) -> None:
    path = str(mine(tmp_path, text()))
    assert CliRunner().invoke(main, ["train", path, "--implementations", "numpy"]).exit_code == 0


NUMBERS = [
    ({"rate": "0"}, "training.learning_rate: should be greater than 0, not 0"),
    ({"rate": '"0.1"'}, "training.learning_rate: should be a valid number, not '0.1'"),
    ({"rate": "inf"}, "training.learning_rate: should be a finite number, not inf"),
    ({"training": "validation = 0"}, "training.validation: should be greater than 0, not 0"),
    ({"training": "validation = 1"}, "training.validation: should be less than 1, not 1"),
    (
        {"training": "validation = 0.2\npatience = 0"},
        "training.patience: should be greater than 0, not 0",
    ),
    (
        {"training": "validation = 0.2\npatience = 2.5"},
        "training.patience: should be a valid integer, not 2.5",
    ),
    ({"data": 'dataset = "digits"\ntest = 1.5'}, "data.test: should be less than 1, not 1.5"),
    ({"data": 'dataset = "digits"\ntest = 0'}, "data.test: should be greater than 0, not 0"),
    (
        {"hidden": 'activation = "relu"\ndropout = 1'},
        "layers[0].dropout: should be less than 1, not 1",
    ),
    (
        {"hidden": 'activation = "relu"\ndropout = -0.1'},
        "layers[0].dropout: should be greater than or equal to 0, not -0.1",
    ),
    (
        {"hidden": 'activation = "selu"\nalpha_dropout = 1'},
        "layers[0].alpha_dropout: should be less than 1, not 1",
    ),
    (
        {"output": 'activation = "softmax"\nl1 = -1'},
        "layers[1].l1: should be greater than or equal to 0, not -1",
    ),
    (
        {"output": 'activation = "softmax"\nl2 = nan'},
        "layers[1].l2: should be a finite number, not nan",
    ),
    (
        {"hidden": 'activation = "relu"\ntrainable = 0'},
        "layers[0].trainable: should be a valid boolean, not 0",
    ),
    ({"tables": "goal.accuracy = 98"}, "goal.accuracy: should be less than or equal to 1, not 98"),
    ({"tables": "goal.loss = 0"}, "goal.loss: should be greater than 0, not 0"),
    ({"tables": "goal = {}"}, "goal: loss, accuracy or test_accuracy: give at least one"),
    (
        {"tables": 'transfer = {case = "digits", layers = 0}'},
        "transfer.layers: should be greater than 0, not 0",
    ),
    (
        {"training": "augmentation.rotate = 200"},
        "training.augmentation.rotate: should be less than or equal to 180, not 200",
    ),
    (
        {"training": "augmentation = {}"},
        "training.augmentation: shift, rotate, resize, contrast or noise: give at least one",
    ),
]  # fmt: skip

KEYS = [
    (
        {"hidden": 'activation = "relu"\ntrainabel = false'},
        "layers[0]: 'trainabel' is not a key here; did you mean 'trainable'?",
    ),
    (
        {"hidden": 'activation = "relu"\ndroput = 0.5'},
        "layers[0]: 'droput' is not a key here; did you mean 'dropout'?",
    ),
    (
        {"tables": "goal.test_acuracy = 0.9"},
        "goal: 'test_acuracy' is not a key here; did you mean 'test_accuracy'?",
    ),
    (
        {"training": "augmentation.shfit = 1"},
        "training.augmentation: 'shfit' is not a key here; did you mean 'shift'?",
    ),
    (
        {"training": "pacience = 1"},
        "training: 'pacience' is not a key here; did you mean 'patience'?",
    ),
    (
        {"data": 'dataset = "digits"\nautoencode = true'},
        "data: 'autoencode' is not a key here; did you mean 'autoencoder'?",
    ),
    ({"tables": 'transfer.case = "digits"'}, "transfer: 'layers' is missing"),
    ({"tables": 'transfer = "digits"'}, "transfer: should be a table, not 'digits'"),
    ({"training": "augmentation = true"}, "training.augmentation: should be a table, not True"),
]

TOGETHER = [
    (
        {"training": "patience = 3"},
        "training: patience: early stopping needs validation, a share of the rows",
    ),
    (
        {"hidden": 'activation = "relu"\nalpha_dropout = 0.1'},
        "layers[0]: alpha_dropout: is for selu, 'relu' takes dropout",
    ),
    (
        {"hidden": 'activation = "selu"\ndropout = 0.1\nalpha_dropout = 0.1'},
        "layers[0]: dropout and alpha_dropout: give one of them",
    ),
    (
        {"output": 'activation = "softmax"\ndropout = 0.5'},
        "layers[1]: the output layer cannot have dropout",
    ),
    (
        {"hidden": "trainable = false", "output": 'activation = "softmax"\ntrainable = false'},
        "layers: none is trainable, so there is nothing to learn",
    ),
    (
        {"tables": "goal.test_accuracy = 0.9"},
        "goal.test_accuracy: needs data.test, a share of the rows",
    ),
    (
        {
            "tables": "goal.accuracy = 0.9",
            "loss": "mean_squared_error",
            "data": 'dataset = "diabetes"',
            "units": 1,
            "output": "",
        },
        "goal: the targets are not classes, so there is no accuracy",
    ),
    (
        {"data": 'dataset = "digits"\nautoencoder = true'},
        "data.autoencoder: the output has 10 units and the input 64 features; "
        "the two have to be equal",
    ),
    (
        {"data": 'dataset = "digits"\nautoencoder = true', "units": 64},
        "y[0]: [0.0, 0.0, 0.3125, 0.8125, 0.5625, 0.... is not one-hot, or shares that "
        "sum to 1, as categorical cross-entropy needs",
    ),
    (
        {"data": 'dataset = "digits"\nimage_shape = [8, 9]'},
        "data set 'digits': image_shape: (8, 9) does not fit 64 pixels",
    ),
    (
        {"data": 'dataset = "digits"\nimage_shape = [8, 8, 1]'},
        "data.image_shape: should be a list of 2, not [8, 8, 1]",
    ),
    ({"data": 'dataset = "digits"\nimage_shape = [64]'}, "data.image_shape[1]: is missing"),
    (
        {"data": 'dataset = "iris"', "units": 3, "training": "augmentation.shift = 1"},
        "training: data set 'iris': augmentation needs images, but there is no image_shape",
    ),
    (
        {"data": 'dataset = "digits"\ntest = 0.0001'},
        "data.test: data set 'digits': a share of 0.0001 of 1797 rows leaves no data",
    ),
    (
        {"data": 'dataset = "digits"\ntest = 0.9999'},
        "data.test: data set 'digits': a share of 0.9999 of 1797 rows leaves no data",
    ),
    (
        {"training": "validation = 0.0001"},
        "training: data set 'digits': a share of 0.0001 of 1797 rows leaves no data",
    ),
    (
        {"data": 'dataset = "digits"\ntest = 0.999', "training": "validation = 0.1"},
        "training: data set 'digits': a share of 0.1 of 2 rows leaves no data",
    ),
]

TRANSFERS = [
    ("digits", 3, "transfer: 3 layers cannot be copied, 1 to 2 can"),
    ("digits", 1, "transfer: layers[0] has (64, 32) weights in the source, (64, 8) here"),
    (
        "digitz",
        1,
        "transfer.case: 'digitz' is not a case; did you mean 'digits'? "
        "(a file's name ends in .toml)",
    ),
    ("none.toml", 1, "transfer.case: none.toml: No such file or directory"),
    (
        "csumb-1-square",
        1,
        "transfer.case: 'csumb-1-square' is a chain of functions, not a network",
    ),
    ("mine.toml", 1, "transfer.case: 'mine.toml' would start from itself"),
    ("../FOLDER/mine.toml", 1, "transfer.case: '../FOLDER/mine.toml' would start from itself"),
    (
        "other.toml",
        1,
        "transfer.case: other.toml: transfer.case: 'mine.toml' would start from itself",
    ),
    (
        "wrong.toml",
        1,
        "transfer.case: wrong.toml: training.learning_rate: should be greater than 0, not 0",
    ),
]


@pytest.mark.parametrize(("wrong", "line"), [*NUMBERS, *KEYS, *TOGETHER])
def test_wrong_training(wrong: dict[str, Any], line: str, tmp_path: Path) -> None:
    assert errors_in(mine(tmp_path, text(**wrong))) == [line]


@pytest.mark.parametrize(("source", "layers", "line"), TRANSFERS)
def test_wrong_transfer(source: str, layers: int, line: str, tmp_path: Path) -> None:
    def tables(case: str) -> str:
        return f'transfer = {{case = "{case}", layers = {layers}}}'

    (tmp_path / "other.toml").write_text(text(tables=tables("mine.toml")))
    (tmp_path / "wrong.toml").write_text(text(rate="0"))
    source, line = (each.replace("FOLDER", tmp_path.name) for each in (source, line))
    assert errors_in(mine(tmp_path, text(tables=tables(source)))) == [line]


def test_all_that_is_wrong_with_the_numbers_at_once(tmp_path: Path) -> None:
    content = text(
        hidden="dropout = 1\nl1 = -1",
        data='dataset = "digits"\ntest = 0\nautoencode = true',
        training="validation = 2\npatience = 0\nepoch = 3",
        rate="-1",
        tables="goal.loss = 0\ntransfer.layers = 0",
    )
    assert len(errors_in(mine(tmp_path, content))) == 11


def test_all_that_does_not_go_together_at_once(tmp_path: Path) -> None:
    content = text(
        hidden="trainable = false",
        output='activation = "softmax"\ntrainable = false',
        units=9,
        data='dataset = "digits"',
        training="validation = 0.0001",
        tables='goal.test_accuracy = 0.9\ntransfer = {case = "none.toml", layers = 1}',
    )
    assert [line.partition(":")[0] for line in errors_in(mine(tmp_path, content))] == [
        "layers",
        "transfer.case",
        "y",
        "goal.test_accuracy",
        "training",
    ]
