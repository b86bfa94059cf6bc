"""NumPy's training step against the matrix products it cannot do without, and scikit-learn's.

NumPy's elementwise operations run on one core; the products can have as many as the machine has,
and what the rest of a step adds to them is then a matter of that number. So both are measured: on
one core, where the ratio is a property of the code, and on all.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks.timing import Ratio, ratio
from impl_numpy import FeedForward
from shared import Array, Dataset, Layer, Network, Training, initialise

STEPS = 500


def classifier(widths: tuple[int, ...], rows: int) -> tuple[FeedForward, Array, Array]:
    """A float32 network of ReLU layers and a softmax, with a random batch."""
    hidden = [Layer(units=units, activation="relu") for units in widths[1:-1]]
    network = Network(
        n_features=widths[0],
        layers=(*hidden, Layer(units=widths[-1], activation="softmax")),
        loss="categorical_crossentropy",
        dtype="float32",
    )
    random = np.random.default_rng(0)
    x = network.array(random.random((rows, widths[0])))
    y = network.array(np.eye(widths[-1])[random.integers(widths[-1], size=rows)])
    return FeedForward(network, initialise(network, "he_normal")), x, y


def products(widths: tuple[int, ...], rows: int) -> Callable[[], None]:
    """A step's bare products: a @ W, a.T @ dz and, but for the first layer, dz @ W.T."""
    random = np.random.default_rng(0)
    a, dz, W = [], [], []
    for fan_in, fan_out in itertools.pairwise(widths):
        a.append(random.random((rows, fan_in), dtype=np.float32))
        dz.append(random.random((rows, fan_out), dtype=np.float32))
        W.append(random.random((fan_in, fan_out), dtype=np.float32))

    def run() -> None:
        for l in range(len(W)):
            a[l] @ W[l]
            a[l].T @ dz[l]
            if l:
                dz[l] @ W[l].T

    return run


def against_products(
    widths: tuple[int, ...], rows: int, inner: int, cores: int | None, repetitions: int = 15
) -> Ratio:
    """A whole step, forward, backward and update, to its bare matrix products.

    Args:
        widths: D[0..L].
        rows: N.
        inner: steps in a repetition.
        cores: that the products may have; all unless given.
        repetitions: of which the medians are taken.
    """
    net, x, y = classifier(widths, rows)
    training = Training(learning_rate=1e-3)

    def step() -> None:
        z, a = net.propagate(x)
        _, dW, db = net.backpropagate(y, z, a)
        net.update(dW, db, training)

    with threadpool_limits(cores):
        return ratio(step, products(widths, rows), repetitions, inner)


def against_scikit_learn(repetitions: int = 15) -> Ratio:
    """A step of 64-32-10 with 32 rows to one of MLPClassifier's, each within its own ``fit``.

    Both make an epoch of plain gradient descent on batches in random order, and sum up their loss.
    """
    net, x, y = classifier((64, 32, 10), 32)
    dataset = Dataset("random", np.tile(x, (STEPS, 1)), np.tile(y, (STEPS, 1)))
    classes = dataset.y.argmax(axis=1)
    training = Training(learning_rate=1e-3, batch_size=32, seed=0)
    peer = MLPClassifier(
        (32,),
        solver="sgd",
        momentum=0,
        alpha=0,
        batch_size=32,
        learning_rate_init=1e-3,
        max_iter=1,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # one epoch is what is asked for
        whole = ratio(
            lambda: net.fit(dataset, training), lambda: peer.fit(dataset.x, classes), repetitions
        )
    return Ratio(whole.seconds / STEPS, whole.peer_seconds / STEPS, whole.ratio)
