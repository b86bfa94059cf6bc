"""The same odd input gives the same answer, or the same refusal, in all three implementations."""

from __future__ import annotations

import functools
import importlib
import tempfile
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from shared import (
    Array,
    ChainRule,
    Checkpoint,
    Dataset,
    History,
    InputError,
    Layer,
    Network,
    Parameters,
    Training,
    Weights,
    copy_layers,
    initialise,
)
from threeways.implementations import PACKAGES

KINDS = ("FeedForward", "Perceptron")
# One layer, which a Perceptron can be as well; the values of x and y are exact in any dtype.
NETWORK = Network(
    n_features=2, layers=(Layer(units=2, activation="sigmoid"),), loss="binary_crossentropy"
)
DEEP = Network(
    n_features=2,
    layers=(
        Layer(units=2, activation="tanh", dropout=0.5),
        Layer(units=2, activation="sigmoid"),
    ),
    loss="binary_crossentropy",
)
X = np.array([[1.0, 0.0], [2.0, 3.0], [0.0, 1.0]])
Y = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
W = np.array([[0.5, -0.25], [1.0, 0.125]])
B = np.array([0.5, -1.0])
TRAINING = Training(learning_rate=0.5, epochs=2, batch_size=2, seed=0)


class Foreign:
    """An array of another library, which gives its numbers or an error when it is converted."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __repr__(self) -> str:
        return repr(self.values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if isinstance(self.values, Exception):
            raise self.values
        return np.array(self.values, dtype)


class Differentiated(Foreign):
    requires_grad = True


class Sparse:
    def toarray(self) -> Array:
        return X


def strided(values: Array) -> Array:
    wide = np.zeros([2 * size for size in values.shape])
    view = wide[tuple(slice(None, None, 2) for _ in values.shape)]
    view[...] = values
    return view


def backwards(values: Array) -> Array:
    turned = tuple(slice(None, None, -1) for _ in values.shape)
    return values[turned].copy()[turned]


def read_only(values: Array) -> Array:
    values = values.copy()
    values.flags.writeable = False
    return values


def unaligned(values: Array) -> Array:
    shifted = np.frombuffer(b"\0" + values.tobytes(), offset=1)
    return shifted.reshape(values.shape)


def memory_mapped(values: Array) -> Array:
    with tempfile.TemporaryFile() as file:
        mapped: Array = np.memmap(file, values.dtype, "w+", shape=values.shape)
        mapped[...] = values
        return mapped


def of_objects(kind: Callable[[float], Any]) -> Callable[[Array], Array]:
    def convert(values: Array) -> Array:
        converted = np.empty(values.shape, object)
        for index, value in np.ndenumerate(values):
            converted[index] = kind(float(value))
        return converted

    return convert


# What holds the same numbers in another way, all of which it is to be taken for.
SAME: dict[str, Callable[[Array], Any]] = {
    "column-order": np.asfortranarray,
    "read-only": read_only,
    "strided": strided,
    "backwards": backwards,
    "unaligned": unaligned,
    "memory-mapped": memory_mapped,
    "broadcast": lambda values: np.broadcast_to(values, (5, *values.shape))[3],
    "big-endian": lambda values: values.astype(">f8"),
    "float16": lambda values: values.astype(np.float16),
    "float32": lambda values: values.astype(np.float32),
    "longdouble": lambda values: values.astype(np.longdouble),
    "subclass": lambda values: values.view(np.recarray) if values.ndim == 1 else np.matrix(values),
    "lists": lambda values: values.tolist(),
    "tuple-of-arrays": tuple,
    "nothing-masked": np.ma.array,
    "objects": of_objects(float),
    "decimals": of_objects(Decimal),
    "fractions": of_objects(Fraction),
    "another-librarys": Foreign,
}
SAME_INTEGERS: dict[str, Callable[[Array], Any]] = {
    "int64": lambda values: values.astype(int),
    "uint8": lambda values: values.astype(np.uint8),
    "python-ints": lambda values: values.astype(int).tolist(),
}
# What is refused, with the end of the line that says why.
REFUSED: dict[str, tuple[Callable[[Array], Any], str]] = {
    "None": (lambda _: None, "expected a real number, got None"),
    "a-number": (lambda _: 3.0, "got ()"),
    "a-dict": (lambda _: {"x": 1}, "expected a real number, got dict"),
    "a-string": (lambda _: "1 2 3", "holds text, not real numbers"),
    "a-generator": (iter, "expected a real number, got "),
    "empty": (lambda _: [], "got (0,)"),
    "no-rows": (lambda values: values[:0], ""),
    "a-rank-more": (lambda values: values[np.newaxis], "got (1, "),
    "ragged": (lambda values: [[1.0, 2.0], [3.0]], "(its rows differ in length)"),
    "complex": (lambda values: values + 1j, "holds complex numbers, not real numbers"),
    "complex-list": (
        lambda values: (values + 1j).tolist(),
        "holds complex numbers, not real numbers",
    ),
    "digits": (lambda values: values.astype(str), "holds text, not real numbers"),
    "bytes": (lambda values: values.astype("S"), "holds text, not real numbers"),
    "dates": (lambda values: values.astype("M8[s]"), "holds dates, not real numbers"),
    "spans": (lambda values: values.astype("m8[s]"), "holds time spans, not real numbers"),
    "records": (lambda values: values.view([("a", "f8")]), "holds records, not real numbers"),
    "object-digits": (of_objects(str), "expected a real number, got str"),
    "object-complex": (of_objects(complex), "expected a real number, got complex"),
    "object-spans": (of_objects(lambda _: np.timedelta64(1, "s")), "got timedelta64"),
    "object-none": (of_objects(lambda _: None), "expected a real number, got None"),
    "huge-int": (of_objects(lambda _: 10**400), "too large for float64"),
    "huge-decimal": (of_objects(lambda _: Decimal("1e400")), "too large for float64"),
    "decimal-nan": (of_objects(lambda _: Decimal("NaN")), ""),
    "decimal-signal": (of_objects(lambda _: Decimal("sNaN")), "sNaN is not finite"),
    "huge-longdouble": (lambda values: values * np.longdouble("1e4000"), ""),
    "nan": (lambda values: values * np.nan, ""),
    "infinite": (lambda values: values / 0.0, ""),
    "masked": (
        lambda values: np.ma.array(values, mask=values == values.flat[0]),
        "leave those rows out",
    ),
    "masked-rows": (
        lambda values: [np.ma.array(row, mask=True) for row in values],
        "leave those rows out",
    ),
    "sparse": (lambda _: Sparse(), "a sparse Sparse; call .toarray()"),
    "differentiated": (
        lambda _: Differentiated(RuntimeError("no")),
        "a tensor that requires a gradient; call .detach()",
    ),
    "on-a-device": (
        lambda _: Foreign(TypeError("it is on a device; call .cpu()\nand more")),
        "not an array of numbers (it is on a device; call .cpu())",
    ),
    "broken": (lambda _: Foreign(AttributeError()), "not an array of numbers (AttributeError)"),
}

Answer = dict[str, Array]


def answer(package: ModuleType, kind: str, x: Any, y: Any, parameters: Any) -> Answer:
    """What comes out of a network for x, y and these parameters."""
    net = getattr(package, kind)(NETWORK, parameters)
    found = {
        "predict": net.predict(x),
        "evaluate": net.evaluate(x, y),
        "forward": net.forward(x).z[0],
        "backward": net.backward(x, y).dW[0],
        "step": net.step(x, y, TRAINING).W_next[0],
    }
    net.load(parameters)
    return found | {"W": net.parameters[0].W, "b": net.parameters[0].b}


@functools.cache
def expected_answer(package: ModuleType, kind: str) -> Answer:
    return answer(package, kind, X, Y, (Weights(W, B),))


def check_same(package: ModuleType, kind: str, x: Any, y: Any, parameters: Any) -> None:
    with np.errstate(all="raise"):
        found = answer(package, kind, x, y, parameters)
    for name, values in expected_answer(package, kind).items():
        assert np.array_equal(found[name], values), name


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("form", SAME)
def test_the_same_numbers_in_another_form(form: str, packages: dict[str, ModuleType]) -> None:
    convert = SAME[form]
    x, y, layer = convert(X), convert(Y), [convert(W), convert(B)]
    before = repr((x, y, layer))
    for package in packages.values():
        for kind in KINDS:
            check_same(package, kind, x, y, [layer])
    assert repr((x, y, layer)) == before
    dataset = Dataset("odd", x, y)  # which is all that fit sees of them
    assert np.array_equal(dataset.x, X)
    assert np.array_equal(dataset.y, Y)


@pytest.mark.parametrize("form", SAME_INTEGERS)
def test_whole_numbers(form: str, packages: dict[str, ModuleType]) -> None:
    convert = SAME_INTEGERS[form]
    for package in packages.values():
        check_same(package, "FeedForward", convert(X), convert(Y), (Weights(W, B),))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
def test_fit_on_rows_in_column_order(name: str, kind: str, packages: dict[str, ModuleType]) -> None:
    plain, other = (
        getattr(packages[name], kind)(NETWORK, [(convert(W), B)]).fit(
            Dataset("odd", read_only(convert(X)), convert(Y)), TRAINING
        )
        for convert in (np.array, np.asfortranarray)
    )
    assert plain.loss == other.loss


def refusals(package: ModuleType, convert: Callable[[Array], Any]) -> list[tuple[str, ...]]:
    """The problems that each method finds with such an input, in each place."""
    net = package.FeedForward(NETWORK, (Weights(W, B),))
    calls: list[Callable[[], object]] = [
        lambda: net.predict(convert(X)),
        lambda: net.forward(convert(X)),
        lambda: net.evaluate(X, convert(Y)),
        lambda: net.backward(convert(X), Y),
        lambda: net.backward(X, convert(Y)),
        lambda: net.step(convert(X), Y, TRAINING),
        lambda: net.step(X, convert(Y), TRAINING),
        lambda: net.fit(Dataset("odd", convert(X), Y), TRAINING),
        lambda: net.fit(Dataset("odd", X, convert(Y)), TRAINING),
        lambda: net.load([(convert(W), B)]),
        lambda: net.load([(W, convert(B))]),
        lambda: package.FeedForward(NETWORK, [(convert(W), B)]),
        lambda: package.Perceptron(NETWORK, [(W, convert(B))]),
    ]
    found = []
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        found.append(tuple(caught.value.problems))
    after = net.parameters[0]
    assert np.array_equal(after.W, W)
    assert np.array_equal(after.b, B)
    return found


# None in place of b, which only a layer without biases may have.
NO_BIAS = "parameters[0]: 'b' is missing"


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("form", REFUSED)
def test_what_is_refused(form: str, packages: dict[str, ModuleType]) -> None:
    """By all three with the same words, a line for each problem, and nothing has changed."""
    convert, message = REFUSED[form]
    first, *others = [refusals(package, convert) for package in packages.values()]
    assert others == [first, first]
    for problems in first:
        if convert(B) is None and problems == (NO_BIAS,):
            continue
        assert all(message in problem for problem in problems), problems
        assert all(problem and "\n" not in problem for problem in problems)


NET_OF = {"FeedForward": DEEP, "Perceptron": NETWORK}
ARGUMENTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "no-network": (lambda kind: kind(None, ()), "network: expected Network, got None"),
    "name-for-network": (lambda kind: kind("xor", ()), "network: expected Network, got str"),
    "no-parameters": (
        lambda kind: kind(NETWORK, None),
        "parameters: expected tuple or list, got None",
    ),
    "number-for-parameters": (
        lambda kind: kind(NETWORK, 0.5),
        "parameters: expected tuple or list, got float",
    ),
    "dict-for-parameters": (
        lambda kind: kind(NETWORK, {"W": W, "b": B}),
        "parameters: expected tuple or list, got dict",
    ),
    "too-many-layers": (
        lambda kind: kind(NETWORK, [(W, B), (W, B)]),
        "parameters: expected 1 layer, got 2",
    ),
    "flat-parameters": (lambda kind: kind(NETWORK, [W, B]), "parameters: expected 1 layer, got 2"),
    "no-bias": (lambda kind: kind(NETWORK, [[W]]), "parameters[0]: expected W and b, got 1 arrays"),
    "array-for-layer": (
        lambda kind: kind(NETWORK, [W]),
        "parameters[0]: expected W and b, got ndarray",
    ),
    "swapped": (
        lambda kind: kind(NETWORK, [(B, W)]),
        "parameters[0]: W and b are swapped; W comes first",
    ),
    "number-for-bias": (
        lambda kind: kind(NETWORK, [(W, 1.0)]),
        "parameters[0].b: expected shape (2,), got ()",
    ),
    "nan-weight": (
        lambda kind: kind(NETWORK, [(W * np.nan, B)]),
        "parameters[0].W: NaN or infinity in it",
    ),
    "dict-for-training": (
        lambda kind: net(kind).step(X, Y, {"learning_rate": 0.1}),
        "training: expected Training, got dict",
    ),
    "no-training": (
        lambda kind: net(kind).step(X, Y, None),
        "training: expected Training, got None",
    ),
    "array-for-dataset": (
        lambda kind: net(kind).fit(X, TRAINING),
        "dataset: expected Dataset, got ndarray",
    ),
    "no-training-to-fit": (
        lambda kind: net(kind).fit(Dataset("", X, Y), None),
        "training: expected Training, got None",
    ),
    "number-for-on_epoch": (
        lambda kind: net(kind).fit(Dataset("", X, Y), TRAINING, 3),
        "on_epoch: expected a function, got int",
    ),
    "list-for-checkpoint": (
        lambda kind: net(kind).fit(Dataset("", X, Y), TRAINING, None, []),
        "checkpoint: expected Checkpoint or None, got list",
    ),
    "other-slots": (
        lambda kind: net(kind).fit(
            Dataset("", X, Y), TRAINING, None, checkpoint({"momentum_W": (W,)})
        ),
        "slots: not those of 'sgd' and this network",
    ),
    "mask-without-dropout": (
        lambda kind: net(kind).backward(X, Y, {1: np.ones((3, 2))}),
        "masks: there is no dropout of a[1]",
    ),
    "list-for-masks": (
        lambda kind: net(kind).backward(X, Y, [np.ones((3, 2))]),
        "masks: expected a dict, got list",
    ),
}


def net(kind: Any) -> Any:
    return kind(NETWORK, [(W, B)])


def checkpoint(slots: dict[str, tuple[Array, ...]]) -> Checkpoint:
    parameters: Parameters = (Weights(W, B),)
    return Checkpoint(History(), parameters, parameters, 0, slots)


@pytest.mark.parametrize("wrong", ARGUMENTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
def test_arguments_of_a_wrong_kind(
    name: str, kind: str, wrong: str, packages: dict[str, ModuleType]
) -> None:
    call, message = ARGUMENTS[wrong]
    with pytest.raises(InputError) as caught:
        call(getattr(packages[name], kind))
    assert caught.value.problems == (message,)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((3, 1)), "masks[1]: expected shape (3, 2), got (3, 1)"),
        (np.full((3, 2), 0.5), "masks[1]: holds other numbers than 0 and 1"),
        (None, "masks[1]: expected a real number, got None"),
    ],
)
def test_wrong_masks(mask: Any, message: str, name: str, packages: dict[str, ModuleType]) -> None:
    deep = packages[name].FeedForward(DEEP, initialise(DEEP))
    with pytest.raises(InputError) as caught:
        deep.backward(X, Y, {1: mask})
    assert caught.value.problems == (message,)
    kept = [deep.backward(X, Y, {1: np.eye(3, 2).astype(dtype)}).dW[0] for dtype in (bool, int)]
    assert np.array_equal(*kept)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
def test_nothing_is_shared_with_the_caller(
    name: str, kind: str, packages: dict[str, ModuleType]
) -> None:
    """Neither what goes in nor what comes out, whatever else uses the same memory."""
    expected = expected_answer(packages[name], kind)
    memory = np.concatenate([X, Y, W, B[np.newaxis]])
    x, y, w, b = memory[:3], memory[3:6], memory[6:8], memory[8]
    mine = getattr(packages[name], kind)(NETWORK, [(w, b)])
    before = memory.copy()
    trace = mine.step(x, y, TRAINING)
    outputs = [*trace.quantities().values(), trace.x, trace.y, *mine.parameters[0]]
    assert np.array_equal(memory, before)
    mine.load([(w, b)])
    memory[...] = 7
    for output in outputs:
        if np.ndim(output):
            output[...] = 7
    assert np.array_equal(mine.predict(X), expected["predict"])
    assert np.array_equal(mine.step(X, Y, TRAINING).W_next[0], expected["step"])


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
def test_layers_that_are_the_same_arrays(name: str, packages: dict[str, ModuleType]) -> None:
    shared, own = (
        packages[name].FeedForward(DEEP, parameters)
        for parameters in ([(W, B)] * 2, [(W.copy(), B.copy()) for _ in range(2)])
    )
    for each in (shared, own):
        each.step(X, Y, Training(learning_rate=0.5))
    for (W_shared, b_shared), (W_own, b_own) in zip(shared.parameters, own.parameters, strict=True):
        assert np.array_equal(W_shared, W_own)
        assert np.array_equal(b_shared, b_own)


@pytest.mark.parametrize("name", ["numpy", "tf", "keras"])
@pytest.mark.parametrize(
    ("rule", "dtype", "message"),
    [
        (None, "float64", "chain_rule: expected ChainRule, got None"),
        (1e300, "float32", "x: 1e+300 is too large for float32"),
        (2.0, "float16", "'float16' is not a dtype; did you mean 'float64'?"),
    ],
)
@pytest.mark.usefixtures("packages")
def test_wrong_chain_rules(rule: float | None, dtype: str, message: str, name: str) -> None:
    module = importlib.import_module(f"{PACKAGES[name]}.chain_rule")
    chain_rule = rule and ChainRule(example="square", inputs={"x": rule}, learning_rate=0.1)
    with pytest.raises(InputError) as caught:
        module.differentiate(chain_rule, dtype)
    assert caught.value.problems == (message,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: initialise(NETWORK, seed=-1), "seed: should be 0 or more, not -1"),
        (lambda: initialise(NETWORK, seed="1"), "seed: expected an integer, got str"),  # type: ignore[arg-type]
        (lambda: initialise(NETWORK, ["zeros"]), "scheme: expected a string, got list"),  # type: ignore[arg-type]
        (lambda: initialise(NETWORK, scale=np.inf), "scale: should be a finite number"),
        (lambda: initialise(None), "network: expected Network, got None"),  # type: ignore[arg-type]
        (
            lambda: copy_layers((Weights(W, B),), (Weights(W, B),), 1.0),  # type: ignore[arg-type]
            "transfer: layers: expected an integer, got float",
        ),
    ],
)
def test_wrong_starts(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.problems == (message,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tensors_of_frameworks(dtype: str, packages: dict[str, ModuleType]) -> None:
    import keras
    import tensorflow as tf

    for package in packages.values():
        for kind in (tf.constant, tf.Variable, keras.Variable):
            forms = [kind(values.astype(dtype)) for values in (X, Y, W, B)]
            check_same(package, "FeedForward", forms[0], forms[1], [forms[2:]])


def test_documented_example_of_other_frameworks_tensors(packages: dict[str, ModuleType]) -> None:
    torch = pytest.importorskip("torch")
    jax = pytest.importorskip("jax.numpy")
    for package in packages.values():
        for kind in (torch.tensor, jax.array):
            x, y, w, b = (kind(values) for values in (X, Y, W, B))
            check_same(package, "FeedForward", x, y, [(w, b)])
        weight = torch.tensor(W.T, requires_grad=True)  # as torch.nn.Linear keeps it
        with pytest.raises(InputError, match=r"^parameters\[0\].W: .* call .detach\(\)$"):
            package.FeedForward(NETWORK, [(weight.T, torch.tensor(B))])
        check_same(package, "FeedForward", X, Y, [(weight.detach().T, torch.tensor(B))])
