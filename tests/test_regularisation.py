"""Dropout, penalties and frozen layers: exact in all implementations, and mistakes are caught."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from impl_numpy import FeedForward
from shared import DTYPES, Array, Case, Layer, Training
from tests.problems import Problem, regularised
from threeways.compare import compare
from threeways.exact.bounds import bounds
from threeways.exact.judge import judge
from threeways.exact.oracle import exact_step

# Fields of the first of three layers, besides its units.
FEATURES: dict[str, dict[str, Any]] = {
    "l1": {"l1": 0.01},
    "l2": {"l2": 0.02},
    "l1-and-l2": {"l1": 1.0, "l2": 2.0},
    "dropout": {"dropout": 0.3},
    "half-dropout": {"dropout": 0.5},
    "much-dropout": {"dropout": 0.97},
    "alpha-dropout": {"activation": "selu", "alpha_dropout": 0.3},
    "frozen": {"trainable": False, "l1": 0.1, "l2": 0.1},
}
OPTIMIZERS = ("sgd", "adam")


def with_feature(name: str, dtype: str, optimizer: str = "sgd") -> Case:
    case = Problem("tanh", "softmax-cce", (4, 5, 6, 3), 7, dtype).case()
    first = Layer(units=5, **{"activation": "tanh", **FEATURES[name]})
    layers = (first, *case.network.layers[1:])
    return dataclasses.replace(
        case,
        network=dataclasses.replace(case.network, layers=layers),
        training=Training(learning_rate=0.1, optimizer=optimizer, seed=2),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", FEATURES)
def test_each_is_the_exact_one(
    name: str, optimizer: str, dtype: str, packages: dict[str, ModuleType]
) -> None:
    result = compare(with_feature(name, dtype, optimizer), dtype, packages)
    assert result.ok, result


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_of_them_are_the_exact_one(dtype: str, packages: dict[str, ModuleType]) -> None:
    result = compare(regularised(), dtype, packages)
    assert result.ok, result


class DropoutUnscaled(FeedForward):
    def drop(self, l: int, a: Array) -> Array:
        return a * self.masks[l] if l in self.masks else a


class DropoutScaledInexactly(FeedForward):
    def drop(self, l: int, a: Array) -> Array:
        slightly = 1e-4 if a.dtype == "float32" else 1e-10
        return super().drop(l, a) * (1 + slightly) if l in self.masks else a


class DropoutOnlyForward(FeedForward):
    def drop_backward(self, l: int, da: Array) -> Array:
        return da


class DropoutUnscaledBackward(FeedForward):
    def drop_backward(self, l: int, da: Array) -> Array:
        return da * self.masks[l] if l in self.masks else da


class PenaltyForgotten(FeedForward):
    def penalty(self) -> float:
        return 0.0


class PenaltyOfBiases(FeedForward):
    def penalty(self) -> Any:
        layers = self.network.layers
        return super().penalty() + sum(layers[l].l2 * (self.b[l] ** 2).sum() for l in range(3))


class SquareUndoubled(FeedForward):
    def penalty_gradient(self, l: int) -> Array:
        return super().penalty_gradient(l) - self.network.layers[l].l2 * self.W[l]


class SignTurned(FeedForward):
    def penalty_gradient(self, l: int) -> Array:
        return super().penalty_gradient(l) - 2 * self.network.layers[l].l1 * np.sign(self.W[l])


class FrozenMoves(FeedForward):
    def update(self, *gradients: Any) -> None:
        self.frozen = self.fixed = []
        super().update(*gradients)


class FrozenMovesByOneBit(FeedForward):
    def update(self, *gradients: Any) -> None:
        super().update(*gradients)
        self.W[0][0, 0] = np.nextafter(self.W[0][0, 0], self.W[0].dtype.type(9))


class FrozenIsPenalised(FeedForward):
    def penalty(self) -> Any:
        return self.network.layers[0].l2 * (self.W[0] ** 2).sum()


# Each mistake with a feature in which it shows, and the quantities that go wrong first.
PLANTED: list[tuple[type[FeedForward], str, list[str]]] = [
    (DropoutUnscaled, "dropout", ["z[1]"]),
    (DropoutUnscaled, "alpha-dropout", ["z[1]"]),
    (DropoutScaledInexactly, "dropout", ["z[1]"]),
    (DropoutScaledInexactly, "alpha-dropout", ["z[1]"]),
    (DropoutOnlyForward, "half-dropout", ["dz[0]"]),
    (DropoutUnscaledBackward, "dropout", ["dz[0]"]),
    (DropoutUnscaledBackward, "alpha-dropout", ["dz[0]"]),
    (PenaltyForgotten, "l1", ["loss"]),
    (PenaltyOfBiases, "l2", ["loss"]),
    (SquareUndoubled, "l2", ["dW[0]"]),
    (SignTurned, "l1", ["dW[0]"]),
    (FrozenMoves, "frozen", ["W_next[0]", "b_next[0]"]),
    (FrozenMovesByOneBit, "frozen", ["W_next[0]"]),
    (FrozenIsPenalised, "frozen", ["loss"]),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "name", "quantities"), PLANTED)
def test_a_planted_mistake_departs_first_where_it_is(
    kind: type[FeedForward], name: str, quantities: list[str], dtype: str
) -> None:
    case = with_feature(name, dtype)
    step = kind(case.network, case.parameters).step(*case.first_batch(), case.training)
    departures = judge(case, step.quantities()).departures
    assert [worst.quantity for worst in departures] == quantities


@pytest.mark.parametrize(("rate", "is_exact"), [(0.5, True), (0.75, True), (0.3, False)])
def test_what_dropout_does_not_round_keeps_thresholds_exact(rate: float, is_exact: bool) -> None:
    """Units of 0 or 1 become 0 and 2 (or 4) when half (or three quarters) of them are dropped."""
    case = Problem("step", "step-rule", (3, 8, 2), 20, "float32").case()
    layers = (Layer(units=8, activation="step", dropout=rate), case.network.layers[1])
    W = np.random.default_rng(0).integers(-2, 3, (8, 2)).astype("float32")
    hidden, output = case.parameters
    case = dataclasses.replace(
        case,
        network=dataclasses.replace(case.network, layers=layers),
        parameters=(hidden, output._replace(W=W, b=np.zeros(2, "float32"))),
    )
    exact = exact_step(case)
    assert (exact.values["z[1]"] == 0).any()
    assert (bounds(case, exact.values)["a[2]"] == 0).all() == is_exact
