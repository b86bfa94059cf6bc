"""How far two correct implementations of a step may be apart: a running error analysis.

Going through the step as backpropagation does, each quantity gets, element by element, the error
that rounding can have put into it, in units of eps (Higham 2002, section 3.3). It has three
sources: the errors of what it is computed from; its own sum, whose error grows with the square root
of the number of terms (Higham and Mary 2019) and with their absolute values, not with what
cancellation leaves of them; and the evaluation of a function, wrong by eps of the largest number
met on the way (1 - a² is wrong by eps even where it is almost 0).

``CONSTANT`` and the size of each function's own error are provisional: set by what was seen, not
proven. With them, none of 3,600 random networks (every activation and loss, 1 to 4 layers, inputs
and weights of sizes 1e-3 to 1e3, both dtypes) is beyond its bound, the nearest at 97 %; and in
every case that has a gradient, one wrong by 1 + 1e-4 (839 eps) in float32 or by 1 + 1e-10 (450,360
eps) in float64 is. A unit within rounding of a threshold may fall on either side, which is not
allowed for.
"""

from __future__ import annotations

import math

import numpy as np

from impl_numpy.activations import BACKWARD, SELU_ALPHA, SELU_SCALE
from shared import Array, Case, ChainRuleCase, Layer

CONSTANT = {"float32": 1.0, "float64": 1.0}

# What a few operations in a row cost.
FEW = 4


def bounds(case: Case | ChainRuleCase, quantities: dict[str, Array]) -> dict[str, Array]:
    """How large |difference| may be, for each element of each quantity of a case's first step.

    Args:
        case: in the dtype of the step.
        quantities: of one implementation's step; any correct one will do.
    """
    precision = np.finfo(case.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        values = {name: array.astype(np.float64) for name, array in quantities.items()}
        if isinstance(case, ChainRuleCase):
            errors = {name: FEW * np.abs(array) for name, array in values.items()}
        else:
            errors = _errors(case, values)
        # Frameworks may flush what is smaller than the smallest normal number to 0.
        floor = float(precision.tiny) * max(array.size for array in values.values())
        unit = CONSTANT[case.dtype] * float(precision.eps)
        return {name: unit * errors[name] + floor for name in quantities}


def _errors(case: Case, values: dict[str, Array]) -> dict[str, Array]:
    """The error of each element, in units of eps."""
    x, y = case.first_batch()
    N = len(x)
    layers = case.network.layers
    W = [weights.W.astype(np.float64) for weights in case.parameters]
    b = [weights.b.astype(np.float64) for weights in case.parameters]
    a = [x, *(values[f"a[{l + 1}]"] for l in range(len(layers)))]
    z = [values[f"z[{l}]"] for l in range(len(layers))]
    error = {"a[0]": np.zeros_like(x)}

    def product(left: Array, left_error: Array, right: Array, right_error: Array) -> Array:
        terms = np.abs(left) @ np.abs(right)
        carried = left_error @ np.abs(right) + np.abs(left) @ right_error
        return carried + math.sqrt(left.shape[1] + 1) * terms

    for l, layer in enumerate(layers):
        inputs = product(a[l], error[f"a[{l}]"], W[l], np.zeros_like(W[l]))
        error[f"z[{l}]"] = inputs + np.abs(b[l]) + np.abs(z[l])
        error[f"a[{l + 1}]"] = _activation(layer, z[l], a[l + 1], error[f"z[{l}]"])

    last = len(layers) - 1
    error[f"dz[{last}]"] = _output_delta(case, y, z[last], a[-1], error)
    error["loss"] = _loss(case, y, z[last], a[-1], values, error)
    for l in reversed(range(len(layers))):
        dz, dz_error = values[f"dz[{l}]"], error[f"dz[{l}]"]
        error[f"dW[{l}]"] = product(a[l].T, error[f"a[{l}]"].T, dz, dz_error)
        error[f"db[{l}]"] = (dz_error + math.sqrt(N) * np.abs(dz)).sum(axis=0)
        for letter, parameter in (("W", W[l]), ("b", b[l])):
            step = error[f"d{letter}[{l}]"] + 2 * np.abs(values[f"d{letter}[{l}]"])
            rounded = np.abs(parameter) + case.training.learning_rate * step
            error[f"{letter}_next[{l}]"] = rounded
        da_error = product(dz, dz_error, W[l].T, np.zeros_like(W[l].T))
        if l == 0:
            error["dx"] = da_error
        else:
            below = (layers[l - 1], dz @ W[l].T, da_error, z[l - 1], a[l], error[f"z[{l - 1}]"])
            error[f"dz[{l - 1}]"] = _activation_backward(*below)
    return error


def _activation(layer: Layer, z: Array, a: Array, z_error: Array) -> Array:
    """Of a = g(z): what z's error does to it, and g's own."""
    if layer.activation == "softmax":
        apart = z.max(axis=1, keepdims=True) - z
        exponent = z_error + apart + FEW + math.sqrt(layer.units)
        return a * (exponent + (a * exponent).sum(axis=1, keepdims=True))
    own = FEW * np.abs(a)
    if layer.activation in ("elu", "selu"):  # some compute e^z - 1 as it stands
        own = np.where(z > 0, own, FEW * _scale(layer))
    elif layer.activation in ("linear", "step", "sign", "relu"):
        own = np.zeros_like(a)
    return np.abs(_backward(layer, np.ones_like(z), z, a)) * z_error + own


def _activation_backward(
    layer: Layer, da: Array, da_error: Array, z: Array, a: Array, z_error: Array
) -> Array:
    """Of dz = da · g'(z): what the errors of da and of z do to it, and its own."""
    if layer.activation == "softmax":
        paths = np.abs(da) + (np.abs(da) * a).sum(axis=1, keepdims=True)
        a_error = _activation(layer, z, a, z_error)
        relative = FEW + math.sqrt(layer.units)
        carried = da_error + (da_error * a + np.abs(da) * a_error).sum(axis=1, keepdims=True)
        return a * (carried + relative * paths) + a_error * paths
    slope = np.abs(_backward(layer, np.ones_like(z), z, a))
    own = slope * (FEW + _bend(layer) * z_error)
    match layer.activation:  # g' as a function of a, and what an error of a does to it
        case "sigmoid":
            own = own + np.abs(a * (1 - 2 * a))
        case "tanh" | "scaled_tanh":
            own = own + 2 * FEW * a * a  # TensorFlow's tanh is up to 2.5 eps wrong at ±1
        case "elu" | "selu":
            own = own + np.where(z > 0, 0, np.abs(a) + _scale(layer))
    return slope * da_error + np.abs(da) * own


def _output_delta(case: Case, y: Array, z: Array, a: Array, error: dict[str, Array]) -> Array:
    """Of dz[L-1]."""
    network, (N, K) = case.network, y.shape
    layer, last = network.layers[-1], len(network.layers) - 1
    z_error, a_error = error[f"z[{last}]"], error[f"a[{last + 1}]"]
    apart = a_error + FEW * np.abs(a - y)
    match network.loss:
        case "binary_crossentropy":
            return apart / (N * K)
        case "softmax_binary_crossentropy":
            # The softmaxes without one each have the errors of all of a row's z.
            row = (1 + a) * (FEW * K + a_error.sum(axis=1, keepdims=True))
            spread = z.max(axis=1, keepdims=True) - z.min(axis=1, keepdims=True)
            others = a * (1 - a) * (z_error.max(axis=1, keepdims=True) + spread)
            return (apart + row + K * others) / (N * K)
        case "categorical_crossentropy" | "perceptron" | "bipolar_perceptron":
            return apart / N
        case "output":
            da, da_error = np.full_like(a, 1 / N), np.full_like(a, 1 / N)
        case "mean_squared_error":
            da, da_error = (a - y) * 2 / (N * K), apart * 2 / (N * K)
        case _:
            da, da_error = (a - y) / N, apart / N
    return _activation_backward(layer, da, da_error, z, a, z_error)


def _loss(
    case: Case,
    y: Array,
    z: Array,
    a: Array,
    values: dict[str, Array],
    error: dict[str, Array],
) -> Array:
    """Of the loss: what the output's error does to it, and that of its own terms."""
    network, (N, K) = case.network, y.shape
    last = len(network.layers) - 1
    if network.loss_from_logits:
        changed = np.abs(values[f"dz[{last}]"]) + error[f"dz[{last}]"] * np.finfo(case.dtype).eps
        carried = changed * (error[f"z[{last}]"] + FEW * np.abs(z))
        spread = np.abs(z - z.max(axis=1, keepdims=True)) if network.loss[0] in "cs" else 0
        terms = carried.sum() + FEW * (np.abs(y) * (1 + spread)).sum() / N
    else:
        a_error = error[f"a[{last + 1}]"] + FEW * np.abs(a if network.loss == "output" else a - y)
        changed = 1 if network.loss == "output" else 2 * np.abs(a - y)
        terms = (changed * a_error).sum() / N
    return np.asarray(terms + math.sqrt(N * K) * FEW * np.abs(values["loss"]))


def _bend(layer: Layer) -> float:
    """The largest |g''| / |g'|: how a relative error of g' follows from an error of z."""
    return {"sigmoid": 1.0, "tanh": 2.0, "scaled_tanh": 4 / 3, "elu": 1.0, "selu": 1.0}.get(
        layer.activation, 0.0
    )


def _scale(layer: Layer) -> float:
    """What e^z is multiplied by: α, or λα."""
    return SELU_SCALE * SELU_ALPHA if layer.activation == "selu" else abs(layer.arguments["alpha"])


def _backward(layer: Layer, da: Array, z: Array, a: Array) -> Array:
    return BACKWARD[layer.activation](da, z, a, **layer.arguments)
