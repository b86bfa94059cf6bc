"""Layers without biases: z = a @ W, and no number of a step is a bias's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from impl_numpy import FeedForward
from shared import Case, InputError, Layer, Network, Training, initialise, load_case, shapes
from shared.parameters import check_parameters
from threeways.compare import compare
from threeways.conformance.record_reader import read_records
from threeways.exact.judge import judge
from threeways.mistakes import MISTAKES
from threeways.mistakes.steps import numbers_of
from threeways.training.checkpoints import _differences, describe


def case(**training: Any) -> Case:
    loaded = load_case("without-biases")
    assert isinstance(loaded, Case)
    return dataclasses.replace(loaded, training=Training(learning_rate=0.1, **training))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "adam"])
def test_three_ways(optimizer: str, packages: dict[str, ModuleType]) -> None:
    assert compare(case(optimizer=optimizer), "float64", packages).ok


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
def test_a_step_has_no_number_of_a_bias_that_is_not_there(
    name: str, packages: dict[str, ModuleType]
) -> None:
    start = case(optimizer="adagrad", initial_accumulator=0.1)
    net = packages[name].FeedForward(start.network, start.parameters)
    x, y = start.first_batch()
    step = net.step(x, y, start.training).quantities()
    assert {quantity: array.shape for quantity, array in step.items()} == shapes(
        start.network, len(x), start.training.slots
    )
    assert {"db[1]", "b_next[1]", "accumulator_b[1]"} <= step.keys()
    assert not {"db[0]", "b_next[0]", "accumulator_b[2]"} & step.keys()
    net.fit(start.dataset, dataclasses.replace(start.training, epochs=3, seed=1, batch_size=2))
    assert not net.parameters[0].b.any()
    assert net.parameters[1].b.all()
    net.load(net.parameters)
    assert step["z[0]"] == pytest.approx(x @ start.parameters[0].W)


def test_keras_layers_have_none(packages: dict[str, ModuleType]) -> None:
    from impl_keras.saving import plain_model

    start = case()
    net = packages["keras"].FeedForward(start.network, start.parameters)
    assert [len(dense.weights) for dense in net.dense] == [1, 2, 1]
    saved = plain_model(start.network, net.parameters)
    assert [len(layer.weights) for layer in saved.layers[::2]] == [1, 2, 1]
    x, _ = start.first_batch()
    assert saved(x).numpy() == pytest.approx(net.predict(x), rel=1e-6)


def test_its_biases_are_zeros_or_left_out() -> None:
    layer = Layer(units=2, use_bias=False)
    network = Network(n_features=1, layers=(layer,), loss="mean_squared_error")
    W = np.ones((1, 2))
    ((_, b),) = check_parameters(network, [(W, None)])
    assert not b.any()
    with pytest.raises(InputError, match=r"parameters\[0\].b: should be 0, the layer has no bias"):
        check_parameters(network, [(W, np.ones(2))])
    with_bias = dataclasses.replace(network, layers=(Layer(units=2),))
    with pytest.raises(InputError, match=r"parameters\[0\]: 'b' is missing"):
        check_parameters(with_bias, [(W, None)])
    with pytest.raises(InputError, match="fixed_bias: a layer without biases has none to fix"):
        Layer(units=2, use_bias=False, fixed_bias=True)


@pytest.mark.parametrize("bias", ["zeros", "ones", "constant", "normal", "uniform"])
def test_biases_are_drawn_after_the_weights(bias: str) -> None:
    network = case().network
    plain, drawn = (initialise(network, "he_normal", 3, 0.2, each) for each in ("zeros", bias))
    assert all((mine.W == other.W).all() for mine, other in zip(plain, drawn, strict=True))
    assert not drawn[0].b.any()
    assert not drawn[2].b.any()
    b = drawn[1].b
    match bias:
        case "zeros" | "ones" | "constant":
            assert (b == {"zeros": 0, "ones": 1, "constant": 0.2}[bias]).all()
        case _:
            assert len(set(b.tolist())) == len(b)
            assert (abs(b) < 1).all()


def test_a_case_initialises_biases(tmp_path: Path) -> None:
    text = """
    loss = "mse"
    [[layers]]
    units = 2
    [initialise]
    seed = 1
    bias = "{}"
    [data]
    x = [[1]]
    y = [[1, 2]]
    [training]
    learning_rate = 1
    """
    path = tmp_path / "mine.toml"
    path.write_text(text.format("normal"))
    mine = load_case(path)
    assert isinstance(mine, Case)
    assert mine.parameters[0].b.all()
    path.write_text(text.format("glorot_normal"))
    with pytest.raises(
        InputError, match="'glorot_normal' is not an initialisation scheme of biases"
    ):
        load_case(path)
    path.write_text(text.format("normal").replace("units = 2", "units = 2\nuse_bias = false"))
    mine = load_case(path)
    assert isinstance(mine, Case)
    assert not mine.parameters[0].b.any()


def test_no_mistake_makes_one() -> None:
    start = case(optimizer="momentum")
    for name, mistake in MISTAKES.items():
        numbers = numbers_of(mistake, start, steps=2)
        assert not {"db[0]", "b_next[0]", "momentum_b[0]"} & numbers.keys(), name


def test_a_recorded_run_goes_on_without_them(tmp_path: Path) -> None:
    start = case(optimizer="momentum")
    net = FeedForward(start.network, start.parameters)
    x, y = start.first_batch()
    made = [net.step(x, y, start.training).quantities() for _ in range(3)]
    layers = [
        {"units": 3, "activation": "tanh", "use_bias": False},
        {"units": 4, "activation": "sigmoid"},
        {"units": 2, "use_bias": False},
    ]
    parameters = [
        {"W": W.tolist(), **({"b": b.tolist()} if l == 1 else {})}
        for l, (W, b) in enumerate(start.parameters)
    ]
    group = {
        "network": {"n_features": 5, "layers": layers, "loss": "mean_squared_error"},
        "training": {"learning_rate": 0.1, "optimizer": "momentum", "momentum": 0.9},
        "chained": True,
        "parameters": parameters,
        "x": x.tolist(),
        "y": y.tolist(),
        "tests": [{"quantities": {k: v.tolist() for k, v in numbers.items()}} for numbers in made],
    }
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"schema": "threeways/vectors/v1", "groups": [group]}))
    (read,) = read_records(path)
    for step in read.steps:
        assert judge(step.case, step.quantities).ok


def test_a_checkpoint_from_before_there_were_such_layers_is_of_the_same_run() -> None:
    uses_all = load_case("mazur")
    assert isinstance(uses_all, Case)
    here = describe(uses_all)
    there = json.loads(json.dumps(here))
    del there["network"]["delta"]
    for layer in there["network"]["layers"]:
        del layer["use_bias"]
    assert not list(_differences(there, here))
    here["network"]["layers"][0]["use_bias"] = False
    assert list(_differences(there, here)) == [
        "network.layers[0].use_bias is True there, False here"
    ]
