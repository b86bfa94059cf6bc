"""The cases trained to the end: each reaches its goal and shows what it is meant to show."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import impl_numpy
import shared.case_file
from shared import (
    Array,
    Case,
    Checkpoint,
    Dataset,
    History,
    Layer,
    Network,
    Parameters,
    Run,
    Training,
    accuracy,
    case_names,
    copy_layers,
    initialise,
    load_case,
    load_dataset,
)
from shared.augmentation import Augmentation, augment
from threeways.implementations import model


def network_case(name: str) -> Case:
    case = load_case(name)
    assert isinstance(case, Case)
    return case


def train(case: Case, on_epoch: Callable[[Checkpoint], None] | None = None) -> tuple[Any, History]:
    net = model(impl_numpy, case)
    return net, net.fit(case.dataset, case.training, on_epoch)


@functools.cache
def trained(name: str) -> tuple[Case, Any, History]:
    """The case as its training started, transferred layers included; the network; its history."""
    case = network_case(name)
    if case.transfer:
        _, source, _ = trained(case.transfer.source.name)
        start = copy_layers(source.parameters, case.parameters, case.transfer.layers)
        case = dataclasses.replace(case, parameters=start)
    return case, *train(case)


def with_layers(case: Case, **changes: Any) -> Case:
    """The case with every layer changed."""
    layers = tuple(dataclasses.replace(layer, **changes) for layer in case.network.layers)
    return dataclasses.replace(case, network=dataclasses.replace(case.network, layers=layers))


def accuracy_of(net: Any, rows: Dataset | None) -> float:
    assert rows is not None
    reached = accuracy(rows.y, net.predict(rows.x))
    assert reached is not None
    return reached


WITH_GOALS = [name for name in case_names() if getattr(load_case(name), "goal", None)]


@pytest.mark.parametrize("name", WITH_GOALS)
def test_goal_is_reached(name: str) -> None:
    case, net, history = trained(name)
    goal = case.goal
    assert goal is not None
    if goal.loss is not None:
        assert history.loss[history.best_epoch if case.training.patience else -1] <= goal.loss
    if goal.accuracy is not None:
        assert accuracy_of(net, case.training.prepare(case.dataset)[0]) >= goal.accuracy
    if goal.test_accuracy is not None:
        assert accuracy_of(net, case.test) >= goal.test_accuracy


def errors_by_epoch(case: Case) -> list[int]:
    errors = []

    def count(checkpoint: Checkpoint) -> None:
        net = model(impl_numpy, dataclasses.replace(case, parameters=checkpoint.parameters))
        errors.append(int((net.predict(case.dataset.x) != case.dataset.y).sum()))

    train(case, count)
    return errors


@pytest.mark.parametrize("name", ["uio-1-or", "uio-1-and", "lums-4-or", "lums-4-and", "kth-1-ltu"])
def test_the_perceptron_rule_ends_by_itself(name: str) -> None:
    case = network_case(name)
    *earlier, last = errors_by_epoch(case)
    assert len(earlier) + 1 < case.training.epochs
    assert all(earlier)
    assert last == 0


@pytest.mark.parametrize("name", ["epita-2-xor-one-unit", "lums-4-xor"])
def test_one_unit_never_learns_xor(name: str) -> None:
    errors = errors_by_epoch(network_case(name))
    assert len(errors) == 100
    assert all(errors)


def test_the_2_2_2_example_ends_as_published() -> None:
    case, net, history = trained("mazur")
    assert history.loss[-1] == pytest.approx(0.0000351085, abs=5e-11)
    assert net.predict(case.dataset.x) == pytest.approx(
        np.array([[0.015912196, 0.984065734]]), abs=5e-6
    )


def test_the_buildings_energies_are_close() -> None:
    case, net, _ = trained("uio-9-buildings")
    energies, targets = 10_000 * net.predict(case.dataset.x), 10_000 * case.dataset.y
    assert energies == pytest.approx(targets, abs=120)


def test_from_zeros_hidden_units_stay_alike() -> None:
    def check(checkpoint: Checkpoint) -> None:
        (W, b), (V, _) = checkpoint.parameters
        for units in (W.T, b, V):
            assert (units == units[:1]).all()

    net, _ = train(network_case("kth-7-zeros"), check)
    assert net.W[0].any()
    assert accuracy_of(net, network_case("kth-7-zeros").dataset) < 0.75


@pytest.mark.parametrize("seed", range(4))
def test_from_small_random_weights_they_part(seed: int) -> None:
    case = network_case("kth-7-small-random")
    start = initialise(case.network, "normal", seed, scale=0.05)
    net, _ = train(dataclasses.replace(case, parameters=start))
    units = net.W[0].T
    apart = np.linalg.norm(units[:, np.newaxis] - units, axis=2)
    assert np.median(apart) > 3
    assert accuracy_of(net, case.dataset) >= 0.98


def test_l1_leaves_few_weights_and_l2_small_ones() -> None:
    """Both are right about more of the test rows than training without a penalty."""
    case, l2, _ = trained("breast-cancer-l2")
    nets = {"l1": trained("breast-cancer-l1")[1], "l2": l2}
    nets["neither"], _ = train(with_layers(case, l2=0.0))
    weights = {name: np.abs(net.W[0]) for name, net in nets.items()}
    right = {name: accuracy_of(net, case.test) for name, net in nets.items()}
    assert np.mean(weights["l1"] < 0.01) > 0.8
    assert np.mean(weights["l2"] < 0.01) < 0.2
    assert weights["l2"].max() < 0.6 * weights["neither"].max()
    assert min(right["l1"], right["l2"]) > right["neither"]


def test_early_stopping_goes_back_to_its_best_epoch() -> None:
    case, net, history = trained("digits-dropout")
    patience = case.training.patience
    assert patience is not None
    assert len(history.loss) == history.best_epoch + 1 + patience < case.training.epochs
    _, held_back = case.training.prepare(case.dataset)
    assert held_back is not None
    assert net.evaluate(held_back.x, held_back.y) == min(history.validation_loss)


def test_dropout_lowers_the_loss_on_other_rows() -> None:
    case, net, _ = trained("digits-dropout")
    without, _ = train(with_layers(case, dropout=0.0))
    assert case.test is not None
    losses = [each.evaluate(case.test.x, case.test.y) for each in (net, without)]
    assert losses[0] < losses[1]


def test_augmentation_teaches_what_does_not_matter() -> None:
    case, net, _ = trained("digits-augmented")
    plain = dataclasses.replace(case.training, augmentation=None, epochs=3 * case.training.epochs)
    without, _ = train(dataclasses.replace(case, training=plain))
    assert case.test is not None
    moved = augment(case.test, Augmentation(shift=1, rotate=15, resize=0.1, seed=1))
    moved = dataclasses.replace(moved, x=moved.x[len(case.test) :], y=moved.y[len(case.test) :])
    assert accuracy_of(net, moved) > 0.8
    assert accuracy_of(without, moved) < 0.65
    assert accuracy_of(net, case.test) > accuracy_of(without, case.test)


def test_the_autoencoder_is_better_than_16_principal_components() -> None:
    case, net, _ = trained("digits-autoencoder")
    x = case.dataset.x
    from_mean = x - x.mean(axis=0)
    _, singular, components = np.linalg.svd(from_mean, full_matrices=False)
    of_components = np.mean((from_mean - from_mean @ components[:16].T @ components[:16]) ** 2)
    assert of_components == pytest.approx((singular[16:] ** 2).sum() / x.size)
    assert np.mean((net.predict(x) - x) ** 2) < of_components < np.mean(from_mean**2) / 6


def bits(parameters: Parameters) -> list[bytes]:
    return [W.tobytes() + b.tobytes() for W, b in parameters]


def test_a_frozen_layer_stays_as_it_was_learned() -> None:
    learned = bits(trained("digits-low")[1].parameters)
    start, net, _ = trained("digits-high-frozen")
    before, after = bits(start.parameters), bits(net.parameters)
    assert learned[0] == before[0] == after[0]
    assert not set(before[1:]) & {*learned, *after}


def test_fine_tuning_goes_on_from_all_layers() -> None:
    _, frozen, history = trained("digits-high-frozen")
    start, net, later = trained("digits-high-fine-tuned")
    assert bits(start.parameters) == bits(frozen.parameters)
    assert not set(bits(start.parameters)) & set(bits(net.parameters))
    assert later.loss[-1] < history.loss[-1]


def test_pretraining_is_without_labels() -> None:
    encoder, _ = bits(trained("digits-autoencoder")[1].parameters)
    assert bits(trained("digits-pretrained")[0].parameters)[0] == encoder


def test_copied_layers_are_copies() -> None:
    network = network_case("digits-low").network
    source, target = (initialise(network, seed=seed) for seed in (0, 1))
    copied = copy_layers(source, target, 1)
    assert bits(copied) == [bits(source)[0], bits(target)[1]]
    for W, b in copied:
        W += 1
        b += 1
    assert not set(bits(copied)) & {*bits(source), *bits(target)}


def test_three_runs_with_all_of_it_are_the_same(packages: dict[str, ModuleType]) -> None:
    """Dropout, penalties, a frozen layer, validation and Adam."""
    layers = (
        Layer(units=8, activation="tanh", dropout=0.25, l1=0.001, trainable=False),
        Layer(units=8, activation="selu", alpha_dropout=0.1, l2=0.01),
        Layer(units=3, activation="softmax", l1=0.001, l2=0.01),
    )
    network = Network(n_features=4, layers=layers, loss="categorical_crossentropy")
    training = Training(
        learning_rate=0.01, optimizer="adam", epochs=10, batch_size=16, seed=1,
        validation=0.2, patience=3,
    )  # fmt: skip
    start, runs = initialise(network, seed=1), {}
    for name, package in packages.items():
        net = package.FeedForward(network, start)
        history = net.fit(load_dataset("iris"), training)
        assert bits(net.parameters)[0] == bits(start)[0]
        runs[name] = [history.loss, history.validation_loss, *sum(net.parameters, ())]
    for name in ("tf", "keras"):
        for mine, theirs in zip(runs["numpy"], runs[name], strict=True):
            np.testing.assert_allclose(theirs, mine, rtol=0, atol=1e-12 * np.abs(mine).max())


def stopped_by_keras(losses: Array, patience: int) -> tuple[int, int]:
    """Number of epochs that Keras trains with these losses, and the epoch that it goes back to."""
    import keras

    weights = [0]
    stub = SimpleNamespace(
        stop_training=False,
        get_weights=lambda: list(weights),
        set_weights=lambda best: weights.__setitem__(slice(None), best),
    )
    stopping = keras.callbacks.EarlyStopping(
        "val_loss", patience=patience, restore_best_weights=True
    )
    stopping.set_model(stub)
    stopping.on_train_begin()
    for epoch, loss in enumerate(losses):
        weights[0] = epoch + 1
        stopping.on_epoch_end(epoch, {"val_loss": loss})
        if stub.stop_training:
            break
    stopping.on_train_end()
    return epoch + 1, weights[0]


class Scripted(impl_numpy.FeedForward):
    """A network whose weight counts the epochs, with given validation losses."""

    def __init__(self, losses: Array) -> None:
        network = Network(n_features=1, layers=(Layer(units=1),), loss="mean_squared_error")
        super().__init__(network, initialise(network, "zeros"))
        self.losses = losses

    def evaluate(self, x: Any, y: Any) -> float:
        return float(self.losses[int(self.W[0][0, 0]) - 1])


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("patience", [1, 2, 3, 5, 20])
def test_early_stopping_is_that_of_keras(patience: int) -> None:
    random = np.random.default_rng(patience)
    rows = Dataset("rows", np.zeros((4, 1)), np.zeros((4, 1)))
    training = Training(learning_rate=1.0, epochs=20, validation=0.5, patience=patience)
    for _ in range(50):
        losses = random.integers(1, 12, size=20) / 4  # with equal ones
        net = Scripted(losses)
        run = Run(net, rows, training)
        for _ in run.epochs():
            net.W[0] += 1
            run.end_epoch(0.0)
        made = len(run.history.loss)
        assert (made, net.W[0].item()) == stopped_by_keras(losses, patience)


def test_mnist_is_found_but_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mnist" not in case_names()
    images = Dataset("few", np.zeros((120, 784)), np.eye(10)[np.arange(120) % 10], (28, 28))
    monkeypatch.setattr(shared.case_file, "load_dataset", lambda _: images)
    case = network_case("mnist")
    assert case.network.widths == (784, 128, 10)
    assert (len(case.dataset), len(case.test or ())) == (110, 10)
