"""The implementations, each loaded only when it is used, and the steps that they make."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from shared import (
    Array,
    Case,
    ChainRuleCase,
    InputError,
    Layer,
    Network,
    Training,
    initialise,
)
from shared.errors import unknown
from shared.frameworks import silent_tensorflow
from threeways.address_space import shortage

# By implementation: the arrays of a step by quantity, and the time of a step in seconds.
TimedSteps: TypeAlias = dict[str, tuple[dict[str, Array], float]]

PACKAGES = {"numpy": "impl_numpy", "tf": "impl_tf_lowlevel", "keras": "impl_keras"}


def choose(names: str) -> list[str]:
    """The implementations in a list like ``"numpy,keras"``, in the order of ``PACKAGES``.

    Raises:
        InputError: a name is not that of an implementation, there is none, or there is too little
            address space for one.
    """
    chosen = {name.strip() for name in names.split(",")}
    problems = [
        unknown(name, "an implementation", PACKAGES) for name in sorted(chosen - PACKAGES.keys())
    ]
    if problems:
        raise InputError(*problems)
    names_in_order = [name for name in PACKAGES if name in chosen]
    problems = [
        f"{name}: {problem}" for name in names_in_order if (problem := shortage(name != "numpy"))
    ]
    if problems:
        raise InputError(*problems)
    return names_in_order


def load(names: Iterable[str]) -> dict[str, ModuleType]:
    """The packages of these implementations by name, imported with their frameworks.

    Raises:
        InputError: TensorFlow or Keras is not installed or fails to start, or Keras is set to
            another backend.
    """
    gc.disable()  # a framework makes a million objects that stay: none of them is garbage
    try:
        return {name: _load(name) for name in names}
    finally:
        gc.freeze()
        gc.enable()


def _load(name: str) -> ModuleType:
    backend = os.environ.get("KERAS_BACKEND")
    if name == "keras" and backend and backend != "tensorflow":
        raise InputError(f"keras: needs the TensorFlow backend, KERAS_BACKEND is {backend!r}")
    try:
        package = importlib.import_module(PACKAGES[name])
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        why = " (needs Python 3.13 or older)" if sys.version_info >= (3, 14) else ""
        raise InputError(
            f"{name}: {missing} is not installed; pip install tensorflow keras{why}, "
            "or use --implementations numpy"
        ) from None
    except ImportError as error:
        raise InputError(f"{name}: {error}") from None
    with silent_tensorflow():
        _warm_up(package)
    return package


def _warm_up(package: ModuleType) -> None:
    """Make a step that is not timed: a framework's first one looks for devices and logs it."""
    network = Network(n_features=1, layers=(Layer(units=1),), loss="mean_squared_error")
    net = package.FeedForward(network, initialise(network))
    net.step([[1.0]], [[1.0]], Training(learning_rate=1))


def model(package: ModuleType, case: Case) -> Any:
    """The case's network in one implementation: a Perceptron if it is one, else a FeedForward."""
    kind = package.Perceptron if case.network.is_perceptron else package.FeedForward
    return kind(case.network, case.parameters)


def timed_steps(
    cases: Iterable[Case | ChainRuleCase], packages: Mapping[str, ModuleType]
) -> Iterator[TimedSteps]:
    """The first step of each case in each of these packages, with its time."""
    for case in cases:
        yield {name: _timed_step(package, case) for name, package in packages.items()}


def _timed_step(package: ModuleType, case: Case | ChainRuleCase) -> tuple[dict[str, Array], float]:
    if isinstance(case, ChainRuleCase):
        differentiate = importlib.import_module(f"{package.__name__}.chain_rule").differentiate
        numbers, seconds, _ = _timed(lambda: differentiate(case.chain_rule, case.dtype))
        return numbers, seconds
    net = model(package, case)
    if case.steps_before:
        net.optimizer_for(case.training).restore(case.steps_before, case.slots)
    x, y = case.first_batch()
    trace, seconds, n_steps = _timed(lambda: net.step(x, y, case.training))
    counted = net.optimizer_for(case.training).steps - case.steps_before
    if counted != n_steps:
        raise RuntimeError(f"{package.__name__} counts {counted} steps, but made {n_steps}")
    return trace.quantities(), seconds


def _timed(step: Callable[[], Any]) -> tuple[Any, float, int]:
    """A step's first result, its shortest time in seconds, and the number of times it was made.

    It is repeated for a millisecond at least.
    """
    times: list[float] = []
    results = []
    while sum(times) < 1e-3:
        start = time.perf_counter()
        with np.errstate(all="ignore"):  # an overflow shows in the numbers
            results.append(step())
        times.append(time.perf_counter() - start)
    return results[0], min(times), len(times)
