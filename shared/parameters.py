"""The parameters of a network: their initialisation, their checks, and copies of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from shared.arguments import check_type, kind_of
from shared.arrays import Array, real_numbers
from shared.errors import Findings, InputError, unknown
from shared.network import Network


class Weights(NamedTuple):
    """One layer's parameters: W (D[l], D[l+1]) and b (D[l+1],)."""

    W: Array
    b: Array


Parameters = tuple[Weights, ...]

# The variance of each weight: Glorot & Bengio (2010), He et al. (2015), LeCun et al. (1998).
_VARIANCE: dict[str, Callable[[int, int], float]] = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, _: 2 / fan_in,
    "lecun": lambda fan_in, _: 1 / fan_in,
}
SCHEMES = (
    "zeros",
    "ones",
    "constant",
    "normal",
    "uniform",
    *(f"{name}_{shape}" for name in _VARIANCE for shape in ("normal", "uniform")),
)
# Those that are for biases, too.
BIAS_SCHEMES = ("zeros", "ones", "constant", "normal", "uniform")


def initialise(
    network: Network,
    scheme: str = "glorot_uniform",
    seed: int = 0,
    scale: float = 0.05,
    bias: str = "zeros",
) -> Parameters:
    """Starting parameters: W[l] (D[l], D[l+1]) by ``scheme``, b[l] (D[l+1],) by ``bias``.

    The numbers are drawn in float64 and then rounded, so that both dtypes start from the same.

    Args:
        network: the network, which gives the widths and the dtype.
        scheme: one of ``SCHEMES``; Glorot, He and LeCun give W[l] the variance 2/(D[l] + D[l+1]),
            2/D[l] and 1/D[l].
        seed: the seed of the random generator.
        scale: the value of ``constant``, the standard deviation of ``normal``, the half-width of
            ``uniform``, for weights and biases.
        bias: one of ``BIAS_SCHEMES``; biases are drawn after all weights.

    Raises:
        InputError: ``scheme`` or ``bias`` is unknown, ``seed`` negative, or ``scale`` not a finite
            number.
    """
    check_type("network", network, Network)
    check_type("scheme", scheme, str)
    if scheme not in SCHEMES:
        raise InputError(unknown(scheme, "an initialisation scheme", SCHEMES))
    check_type("bias", bias, str)
    if bias not in BIAS_SCHEMES:
        raise InputError(unknown(bias, "an initialisation scheme of biases", BIAS_SCHEMES))
    check_type("seed", seed, Integral)
    if seed < 0:
        raise InputError(f"seed: should be 0 or more, not {seed}")
    if real_numbers("scale", scale, network.dtype).shape or not abs(scale) < np.inf:
        raise InputError("scale: should be a finite number")
    generator = np.random.default_rng(seed)

    def draw(scheme: str, shape: tuple[int, ...]) -> Array:
        match scheme.split("_"):
            case ["zeros"]:
                return np.zeros(shape)
            case ["ones"]:
                return np.ones(shape)
            case ["constant"]:
                return np.full(shape, scale)
            case ["normal"]:
                return generator.normal(0, scale, shape)
            case ["uniform"]:
                return generator.uniform(-scale, scale, shape)
            case [name, "normal"]:
                return generator.normal(0, np.sqrt(_VARIANCE[name](*shape)), shape)
            case [name, _]:
                limit = np.sqrt(3 * _VARIANCE[name](*shape))
                return generator.uniform(-limit, limit, shape)
        raise AssertionError(scheme)

    D = network.widths
    layers = range(len(network.layers))
    W = [draw(scheme, (D[l], D[l + 1])) for l in layers]
    b = [draw(bias if network.layers[l].use_bias else "zeros", (D[l + 1],)) for l in layers]
    return tuple(Weights(network.array(W[l]), network.array(b[l])) for l in layers)


def check_parameters(network: Network, parameters: Sequence[tuple[Any, Any]]) -> Parameters:
    """A copy of ``parameters`` in the network's dtype, W[l] (D[l], D[l+1]) and b[l] (D[l+1],).

    Args:
        network: the network.
        parameters: W and b of each layer, in tuples or lists; b may be None in a layer without
            biases, whose b[l] is 0.

    Raises:
        InputError: too many or too few layers, a layer that is not W and b, or an array that is not
            of real numbers, has a shape that does not fit, holds NaN or infinity, or a number too
            large for the dtype.
    """
    check_type("network", network, Network)
    D = network.widths
    L = len(network.layers)
    check_type("parameters", parameters, tuple, list)
    if len(parameters) != L:
        raise InputError(f"parameters: expected {L} layer{'s' * (L != 1)}, got {len(parameters)}")
    findings = Findings()
    checked = []
    for l, layer in enumerate(parameters):
        with findings:
            has_bias = network.layers[l].use_bias
            W, b = _two_arrays(f"parameters[{l}]", layer, np.zeros(D[l + 1]), has_bias)
            if np.ndim(W) == 1 and np.ndim(b) == 2:
                raise InputError(f"parameters[{l}]: W and b are swapped; W comes first")
            with findings:
                W = _checked(network, f"parameters[{l}].W", W, (D[l], D[l + 1]))
            with findings:
                b = _checked(network, f"parameters[{l}].b", b, (D[l + 1],))
                if not has_bias and b.any():
                    raise InputError(f"parameters[{l}].b: should be 0, the layer has no biases")
            checked.append((W, b))
    findings.raise_any()
    return tuple(Weights(network.array(W), network.array(b)) for W, b in checked)


def _two_arrays(name: str, layer: Any, zeros: Array, has_bias: bool) -> tuple[Array, Array]:
    if not isinstance(layer, tuple | list) or len(layer) != 2:
        what = f"{len(layer)} arrays" if isinstance(layer, tuple | list) else kind_of(layer)
        raise InputError(f"{name}: expected W and b, got {what}")
    W, b = layer
    if b is None:
        if has_bias:
            raise InputError(f"{name}: 'b' is missing")
        b = zeros
    return real_numbers(f"{name}.W", W, "float64"), real_numbers(f"{name}.b", b, "float64")


def _checked(network: Network, name: str, values: Array, shape: tuple[int, ...]) -> Array:
    if values.shape != shape:
        raise InputError(f"{name}: expected shape {shape}, got {values.shape}")
    if not np.isfinite(values).all():
        raise InputError(f"{name}: NaN or infinity in it")
    if np.abs(values).max() > np.finfo(network.dtype).max:
        raise InputError(f"{name}: too large for {network.dtype}")
    return values


def copy_layers(source: Parameters, target: Parameters, layers: int) -> Parameters:
    """A copy of ``target`` with the first layers of ``source``, for transfer learning (EPITA-10).

    Args:
        source: the parameters that another network has learned.
        target: the parameters of the network that is to start from them.
        layers: the number of layers to copy.

    Raises:
        InputError: there are fewer layers, or their shapes differ.
    """
    fewest = min(len(source), len(target))
    check_type("transfer: layers", layers, Integral)
    if not 1 <= layers <= fewest:
        raise InputError(f"transfer: {layers} layers cannot be copied, 1 to {fewest} can")
    problems = [
        f"transfer: layers[{l}] has {learned.W.shape} weights in the source, {own.W.shape} here"
        for l, (learned, own) in enumerate(zip(source[:layers], target[:layers], strict=True))
        if learned.W.shape != own.W.shape
    ]
    if problems:
        raise InputError(*problems)
    return tuple(Weights(W.copy(), b.copy()) for W, b in (*source[:layers], *target[layers:]))
