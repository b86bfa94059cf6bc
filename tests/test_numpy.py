"""NumPy's backpropagation against central differences and against what the lectures print."""

from __future__ import annotations

import numpy as np
import pytest

import impl_numpy
import impl_numpy.chain_rule
from shared import ACTIVATIONS, Array, Case, Figure, Parameters, Weights, case_names, load_case
from tests.problems import OUTPUTS, Problem

STEP = 1e-6


def central_differences(case: Case, x: Array, y: Array) -> list[tuple[Array, Array]]:
    """dW and db of each layer by moving one parameter at a time."""

    def loss(parameters: Parameters) -> float:
        net = impl_numpy.FeedForward(case.network, parameters)
        return float(np.asarray(net.backward(x, y).loss))

    def derivative(l: int, letter: str, index: tuple[int, ...]) -> float:
        sides = []
        for step in (STEP, -STEP):
            moved = [Weights(W.copy(), b.copy()) for W, b in case.parameters]
            getattr(moved[l], letter)[index] += step
            sides.append(loss(tuple(moved)))
        return (sides[0] - sides[1]) / (2 * STEP)

    return [
        tuple(  # type: ignore[misc]
            np.array([derivative(l, letter, i) for i in np.ndindex(values.shape)]).reshape(
                values.shape
            )
            for letter, values in zip("Wb", weights, strict=True)
        )
        for l, weights in enumerate(case.parameters)
    ]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", ACTIVATIONS)
def test_gradients_are_central_differences(hidden: str, output: str) -> None:
    case = Problem(hidden, output, (3, 4, 3), 5, "float64").case()
    x, y = case.first_batch()
    trace = impl_numpy.FeedForward(case.network, case.parameters).backward(x, y)
    for l, (dW, db) in enumerate(central_differences(case, x, y)):
        assert trace.dW[l] == pytest.approx(dW, rel=1e-6, abs=1e-8)
        assert trace.db[l] == pytest.approx(db, rel=1e-6, abs=1e-8)


# Figures that are not the decimals of the right number, neither rounded nor cut off.
MISPRINTED = {
    ("mazur", "KTH-11", "W_next[1]", (0, 1)): "w7 is 0.511301270; a digit was lost",
    ("uio-9-building", "UIO-9", "loss", ()): "0.08913; carried from rounded factors",
}
FIGURES = [
    pytest.param(name, figure, id=f"{name}-{figure.lecture}-{figure.quantity}{figure.index}")
    for name in case_names()
    for figure in load_case(name).figures
]


@pytest.mark.parametrize(("name", "figure"), FIGURES)
def test_lectures_figures(name: str, figure: Figure) -> None:
    case = load_case(name)
    if isinstance(case, Case):
        net = impl_numpy.FeedForward(case.network, case.parameters)
        quantities = net.step(*case.first_batch(), case.training).quantities()
    else:
        quantities = impl_numpy.chain_rule.differentiate(case.chain_rule, "float64")
    places = len(figure.printed.partition(".")[2])
    off = abs(float(quantities[figure.quantity][figure.index]) - float(figure.printed))
    misprinted = (name, figure.lecture, figure.quantity, figure.index) in MISPRINTED
    assert (off >= 10.0**-places) == misprinted


def test_the_3_3_3_3_network() -> None:
    """EPITA-5 prints symbols; these are the figures that go with its usual numbers."""
    case = load_case("epita-5-crossentropy")
    assert isinstance(case, Case)
    net = impl_numpy.FeedForward(case.network, case.parameters)
    trace = net.step(*case.first_batch(), case.training)
    assert trace.a[1][0] == pytest.approx([1.35, 1.27, 1.80])
    assert trace.a[2][0] == pytest.approx([0.93883, 0.94048, 0.98208], abs=5e-6)
    assert trace.a[3][0] == pytest.approx([0.19845, 0.28536, 0.51620], abs=5e-6)
    assert float(np.asarray(trace.loss)) == pytest.approx(0.893094, abs=5e-7)
    assert trace.dz[2][0] == pytest.approx([-0.36418, 0.08875, 0.27543], abs=5e-6)


def test_fit_is_one_step_after_the_other() -> None:
    case = Problem("tanh", "softmax-cce", (4, 5, 3), 7, "float64").case()
    training = type(case.training)(learning_rate=0.1, epochs=2, batch_size=3, seed=1)
    fitted, stepped = (impl_numpy.FeedForward(case.network, case.parameters) for _ in range(2))
    fitted.fit(case.dataset, training)
    for epoch in range(2):
        for rows in training.batches(epoch, 7):
            stepped.step(case.dataset.x[rows], case.dataset.y[rows], training)
    for (W, b), (W_stepped, b_stepped) in zip(fitted.parameters, stepped.parameters, strict=True):
        assert (W_stepped == W).all()
        assert (b == b_stepped).all()
