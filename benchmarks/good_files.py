"""Small files of all kinds as they should be: cases, tables, arrays, checkpoints and records."""

from __future__ import annotations

import functools
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from shared import Case, Checkpoint, History, load_case
from shared.case_file import FOLDER
from threeways.conformance.record_tables import SCHEMA
from threeways.exact.oracle import rounded_step
from threeways.training.checkpoints import RunFiles, SavedRun, describe

DATA = {"x": np.arange(12.0).reshape(6, 2), "y": np.arange(6.0).reshape(6, 1) % 2}


@functools.cache
def tables_of_cases() -> list[Any]:
    """The tables of cases: some of the project's own, and ``CASES``."""
    names = ("mazur", "uio-1-or", "kth-8-softmax", "csumb-3-two-inputs", "uio-9-buildings")
    own = [(FOLDER / f"{name}.toml").read_text(encoding="utf-8") for name in names]
    return [tomllib.loads(text) for text in (*own, *CASES)]


CASES = (
    """
title = "images"
loss = "binary_crossentropy"
initialise = {scheme = "he_normal", seed = 3}
goal = {loss = 0.5, accuracy = 0.5, test_accuracy = 0.1}
[[layers]]
units = 3
activation = "selu"
alpha_dropout = 0.2
l1 = 0.1
[[layers]]
units = 2
activation = "sigmoid"
l2 = 0.01
fixed_bias = true
[data]
x = [[0, 1, 2, 3], [4, 5, 6, 7], [1, 1, 2, 2]]
y = [[0, 1], [1, 0], [1, 1]]
image_shape = [2, 2]
test = 0.4
[training]
learning_rate = 0.1
optimizer = "adam"
beta_1 = 0.8
epsilon = 1e-5
epochs = 3
batch_size = 2
seed = 1
schedule = "exponential"
decay_rate = 0.5
decay_steps = 2
[training.augmentation]
copies = 2
shift = 1
rotate = 20
resize = 0.1
contrast = 0.2
noise = 0.1
""",
    """
loss = "mean_squared_error"
layers = [{units = 2, activation = "leaky_relu", alpha = 0.2, trainable = false}, {units = 1}]
transfer = {case = "uio-9-buildings", layers = 1}
data = {file = "rows.csv"}
figures = {X = {"z[0][0,0]" = "0.3775", "loss" = "1.0"}}
[training]
learning_rate = 0.1
optimizer = "momentum"
momentum = 0.5
validation = 0.4
patience = 2
epochs = 5
schedule = "cosine"
decay_steps = 10
""",
    """
loss = "mean_squared_error"
layers = [{units = 2, activation = "elu"}, {units = 2}]
data = {dataset = "xor", autoencoder = true}
[training]
learning_rate = 0.1
optimizer = "adagrad"
schedule = "inverse_time"
decay_rate = 0.5
decay_steps = 2
initial_accumulator = 0.2
""",
)
ROWS = "a,b,target\n" + "".join(f"{i},{i * i / 8},{i % 2}\n" for i in range(6))


@functools.cache
def small_cases() -> list[Case]:
    """Networks with few numbers."""
    found = [load_case(name) for name in ("mazur", "kth-8-softmax")]
    return [case.alone() for case in found if isinstance(case, Case)]


@functools.cache
def tables_of_records() -> list[Any]:
    """The tables of files of recorded steps."""
    return [_record(case) for case in small_cases()]


def _record(case: Case) -> Any:
    x, y = (array[:3].tolist() for array in case.first_batch())
    layers = [
        {"units": layer.units, "activation": layer.activation} for layer in case.network.layers
    ]
    quantities = {name: array.tolist() for name, array in rounded_step(case).items()}
    if case.network.loss == "half_squared_error":
        hexadecimal = float(quantities["loss"]).hex()
        quantities["loss"] = {"decimal": quantities["loss"], "hex": hexadecimal, "bound": 1e-9}
    n_features, loss = case.network.n_features, case.network.loss
    return {
        "schema": SCHEMA,
        "generator": "x",
        "notes": {"up": {"title": "t", "did": "d", "why": "w", "fix": "f"}},
        "groups": [
            {
                "case": case.name,
                "title": "a title",
                "chained": True,
                "network": {"n_features": n_features, "layers": layers, "loss": loss},
                "training": {"learning_rate": case.training.learning_rate, "optimizer": "sgd"},
                "parameters": [
                    {"W": weights.W.tolist(), "b": weights.b.tolist()}
                    for weights in case.parameters
                ],
                "x": x,
                "y": y,
                "tests": [
                    {"tcId": 1, "comment": "c", "flags": ["up"], "quantities": quantities},
                    {"tcId": 2, "result": "invalid", "quantities": {"loss": 1}},
                ],
            }
        ],
    }


@functools.cache
def checkpoint_arrays() -> dict[str, Any]:
    """The arrays of a checkpoint of the first of the small networks."""
    case = small_cases()[0]
    history = History([0.5, 0.25], [])
    state = Checkpoint(history, case.parameters, case.parameters, 2, {})
    with tempfile.TemporaryDirectory() as folder:
        files = run_files(Path(folder))
        files.write_checkpoint(SavedRun(state, [0.1, 0.2], {}))
        with np.load(files.checkpoint) as arrays:
            return dict(arrays)


def run_files(folder: Path) -> RunFiles:
    """The files of a run of the same network, in a folder."""
    case = small_cases()[0]
    return RunFiles(folder, case, describe(case), "numpy")
