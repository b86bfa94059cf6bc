"""The exact step, in ball arithmetic: who is right where implementations differ.

A ball is a number with a radius that is proven to reach the exact value (Johansson 2017, "Arb:
efficient arbitrary-precision midpoint-radius interval arithmetic"). :class:`Oracle` takes the small
steps of ``impl_numpy.FeedForward`` under the same names. What it does not share is code, and the
ways around rounding: nothing overflows here, and where NumPy has 1 - a², here stands 1/cosh²(z),
which is known to as many digits at any z.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from flint import arb, arb_mat, arb_series, ctx

from shared import (
    Array,
    Case,
    ChainRule,
    ChainRuleCase,
    Layer,
    Training,
    check_inputs,
    check_targets,
)

# Precisions to try, in bits. What the last leaves undecided is within 2⁻⁴⁰⁰⁰ of 0, and taken as 0.
PRECISIONS = (128, 256, 512, 1024, 2048, 4096)

Row = Sequence[arb]

# How much of an array's largest number its radii may be: double's eps is 2⁻⁵².
ENOUGH = 2.0**-75


class UndecidedError(Exception):
    """More bits are needed to tell on which side of 0 a number is."""


@dataclass(frozen=True, eq=False)
class Exact:
    """Every quantity of a step, as exactly as two doubles a number hold it.

    Args:
        values: the nearest doubles (or the next to them), named and shaped as ``Trace.quantities``
            names and shapes them.
        rest: what they leave: the exact number is ``values + rest``,
        radius: to within this, which is proven.
        bits: the precision that it took.
    """

    values: dict[str, Array]
    rest: dict[str, Array]
    radius: dict[str, Array]
    bits: int

    def distance(self, quantity: str, array: Array) -> Array:
        """How far each number of an array is from the exact one, in float64; at most that."""
        off = np.abs(np.asarray(array, np.float64) - self.values[quantity] - self.rest[quantity])
        return off + self.radius[quantity]

    @property
    def is_enough(self) -> bool:
        """Whether every quantity is known to well below double's eps."""
        return all(
            radius.max() <= max(ENOUGH * np.abs(self.values[name]).max(), np.finfo(float).tiny)
            for name, radius in self.radius.items()
        )


def exact_step(case: Case | ChainRuleCase) -> Exact:
    """The first step of a case, its numbers known to well below double's eps."""
    for exact in _ever_more_exact(case):
        if exact.is_enough:
            break
    return exact


def rounded_step(case: Case | ChainRuleCase) -> dict[str, Array]:
    """The first step of a case, every number correctly rounded to the case's dtype."""
    for exact in _ever_more_exact(case):
        low, high = (
            {name: _round(exact, name, side, case.dtype) for name in exact.values}
            for side in (-1, 1)
        )
        if all((low[name] == high[name]).all() for name in low):
            break
    return high


def _round(exact: Exact, name: str, side: int, dtype: str) -> Array:
    """The nearest numbers of a dtype to the lower (-1) or upper (1) ends of a quantity's balls."""
    value = exact.values[name]
    rest = exact.rest[name] + side * (exact.radius[name] + 2.0**-50 * np.abs(exact.rest[name]))
    nearest = value.astype(dtype)
    above, below = np.nextafter(nearest, np.inf), np.nextafter(nearest, -np.inf)
    # To halfway between two neighbours, exactly, since all three are close to each other.
    to_above = (above.astype(np.float64) - nearest) / 2 - (value - nearest)
    to_below = (nearest - below.astype(np.float64)) / 2 + (value - nearest)
    rounded = np.where(rest > to_above, above, np.where(-rest > to_below, below, nearest))
    return rounded.astype(dtype)


def _ever_more_exact(case: Case | ChainRuleCase) -> Iterator[Exact]:
    for bits in PRECISIONS:
        with ctx.workprec(bits):
            try:
                if isinstance(case, ChainRuleCase):
                    numbers: Mapping[str, arb | arb_mat] = differentiate(
                        case.chain_rule, case.dtype
                    )
                else:
                    numbers = Oracle(case).step()
            except UndecidedError:
                continue
            yield _as_doubles(numbers, bits)


def _as_doubles(numbers: Mapping[str, arb | arb_mat], bits: int) -> Exact:
    values, rest, radius = {}, {}, {}
    for name, number in numbers.items():
        balls = [number] if isinstance(number, arb) else number.entries()
        shape: tuple[int, ...] = ()
        if isinstance(number, arb_mat):
            shape = (number.nrows(), number.ncols())
            if re.match(r"db|b_next|\w+_b\b", name):  # a row here, a vector there
                shape = shape[1:]
        nearest = [float(ball) for ball in balls]
        left = [ball - double for ball, double in zip(balls, nearest, strict=True)]
        values[name] = np.array(nearest).reshape(shape)
        rest[name] = np.array([float(ball) for ball in left]).reshape(shape)
        # The radius of what is left, and what its own double leaves of it.
        proven = np.array([float(ball.rad()) for ball in left]).reshape(shape)
        radius[name] = proven + 2.0**-53 * np.abs(rest[name])
    return Exact(values, rest, radius, bits)


class Oracle:
    """A feedforward network in balls, at the precision of the context that it is used in.

    Args:
        case: its network, where it starts, exact as it stands, and how it is trained.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.network = case.network
        self.W = [matrix(W) for W, _ in case.parameters]
        self.b = [matrix(b[np.newaxis]) for _, b in case.parameters]  # (1, D[l+1])
        self.masks = {l: matrix(mask) for l, mask in case.masks().items()}

    def step(self) -> dict[str, arb | arb_mat]:
        """Every quantity of one update on the first batch."""
        x, y = self.case.first_batch()
        x = check_inputs(self.network, x)
        targets = matrix(check_targets(self.network, y, len(x)))
        z, a = self.propagate(matrix(x))
        dz, dW, db = self.backpropagate(targets, z, a)
        layers = range(len(z))
        named: dict[str, arb | arb_mat] = {}
        for l in layers:
            named |= {f"z[{l}]": z[l], f"a[{l + 1}]": a[l + 1]}
        named["loss"] = self.loss(targets, z[-1], a[-1]) + self.penalty()
        for l in reversed(layers):
            named |= {f"dz[{l}]": dz[l], f"dW[{l}]": dW[l], f"db[{l}]": db[l]}
        named["dx"] = self.input_gradient(dz)
        return named | self.update(dW, db)

    def propagate(self, x: arb_mat) -> tuple[list[arb_mat], list[arb_mat]]:
        """The forward pass: z[0..L-1] and a[0..L]."""
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, self.drop(l, a[l])))
            a.append(self.activation(l, z[l]))
        return z, a

    def drop(self, l: int, a: arb_mat) -> arb_mat:
        """What dropout leaves of a[l]."""
        if l not in self.masks:
            return a
        layer = self.network.layers[l - 1]
        scale = dropout_scale(layer)
        # α' of a dropped unit, and what all are moved by.
        limit = -arb(SELU_SCALE) * arb(SELU_ALPHA) if layer.alpha_dropout else arb(0)
        moved = limit * layer.dropout_rate
        return elementwise(
            lambda ball, kept: scale * (kept * ball + (1 - kept) * limit - moved), a, self.masks[l]
        )

    def net_input(self, l: int, a: arb_mat) -> arb_mat:
        """z[l] = a[l] @ W[l] + b[l]."""
        return a * self.W[l] + ones(a.nrows(), 1) * self.b[l]

    def activation(self, l: int, z: arb_mat) -> arb_mat:
        """a[l+1] = g(z[l])."""
        layer = self.network.layers[l]
        if layer.activation == "softmax":
            return by_row(softmax, z)
        return elementwise(lambda ball: activate(layer, ball), z)

    def loss(self, y: arb_mat, z: arb_mat, a: arb_mat) -> arb:
        """The loss, a mean over the rows."""
        of_row = LOSSES[self.network.loss]
        rows = zip(y.tolist(), z.tolist(), a.tolist(), strict=True)
        return total(of_row(*row) for row in rows) / y.nrows()

    def backpropagate(
        self, y: arb_mat, z: list[arb_mat], a: list[arb_mat]
    ) -> tuple[list[arb_mat], list[arb_mat], list[arb_mat]]:
        """The backward pass: dz, dW and db of every layer."""
        dz = [self.output_delta(y, z[-1], a[-1])]
        for l in reversed(range(len(self.W) - 1)):
            dz.insert(0, self.hidden_delta(l, dz[0], z[l], a[l + 1]))
        dW = [self.weight_gradient(self.drop(l, a[l]), dz[l]) for l in range(len(dz))]
        for l, layer in enumerate(self.network.layers):
            if layer.is_penalised:
                dW[l] += self.penalty_gradient(l)
        db = [self.bias_gradient(dz[l]) for l in range(len(dz))]
        return dz, dW, db

    def output_delta(self, y: arb_mat, z: arb_mat, a: arb_mat) -> arb_mat:
        """dz[L-1] (N, D[L]), straight from the loss of logits, or through the activation."""
        derivative = by_row(DERIVATIVES[self.network.loss], y, z, a) / y.nrows()
        if self.network.loss_from_logits:
            return derivative
        return self.activation_backward(len(self.W) - 1, derivative, z, a)

    def hidden_delta(self, l: int, dz_next: arb_mat, z: arb_mat, a: arb_mat) -> arb_mat:
        """dz[l] (N, D[l+1]) from dz[l+1]."""
        da = dz_next * self.W[l + 1].transpose()
        return self.activation_backward(l, self.drop_backward(l + 1, da), z, a)

    def drop_backward(self, l: int, da: arb_mat) -> arb_mat:
        """The derivative with respect to a[l], from that to what dropout left of it."""
        if l not in self.masks:
            return da
        scale = dropout_scale(self.network.layers[l - 1])
        return elementwise(lambda slope, kept: slope * kept * scale, da, self.masks[l])

    def activation_backward(self, l: int, da: arb_mat, z: arb_mat, a: arb_mat) -> arb_mat:
        """dz = da · g'(z)."""
        layer = self.network.layers[l]
        if layer.activation == "softmax":
            return by_row(softmax_backward, da, a)
        return elementwise(lambda slope, ball: slope * g_prime(layer, ball), da, z)

    def weight_gradient(self, a: arb_mat, dz: arb_mat) -> arb_mat:
        """dW[l] = a[l].T @ dz[l]."""
        return a.transpose() * dz

    def penalty(self) -> arb:
        """What the weights add to the loss."""
        return total(
            layer.l1 * abs(w) + layer.l2 * square(w)
            for W, layer in zip(self.W, self.network.layers, strict=True)
            if layer.is_penalised
            for w in W.entries()
        )

    def penalty_gradient(self, l: int) -> arb_mat:
        """What W[l] adds to dW[l]; sign(0) = 0."""
        layer = self.network.layers[l]
        return elementwise(lambda w: layer.l1 * w.sgn() + 2 * layer.l2 * w, self.W[l])

    def bias_gradient(self, dz: arb_mat) -> arb_mat:
        """db[l] = Σ rows dz[l], as (1, D[l+1])."""
        return ones(1, dz.nrows()) * dz

    def input_gradient(self, dz: list[arb_mat]) -> arb_mat:
        """dx = dz[0] @ W[0].T."""
        return dz[0] * self.W[0].transpose()

    def update(self, dW: list[arb_mat], db: list[arb_mat]) -> dict[str, arb_mat]:
        """What the optimizer keeps and the new W and b of each layer."""
        training, t = self.case.training, self.case.steps_before
        numbers = {name: arb(number) for name, number in training.hyperparameters.items()}
        numbers.pop("initial_accumulator", None)
        rule = partial(UPDATES[training.optimizer], eta=learning_rate(training, t), t=t, **numbers)
        names = [f"{slot}_{{}}[{{}}]" for slot in training.slots] + ["{}_next[{}]"]
        named = {}
        for l, layer in enumerate(self.network.layers):
            free_dW = dW[l] * layer.trainable
            free_db = db[l] * (layer.trainable and not layer.fixed_bias)
            for letter, w, g in (("W", self.W[l], free_dW), ("b", self.b[l], free_db)):
                slots = [kept.ravel().tolist() for kept in self.case.start_of_slots(l, letter)]
                numbers_of_each = zip(w.entries(), g.entries(), *slots, strict=True)
                updated = zip(*(rule(*balls) for balls in numbers_of_each), strict=True)
                for name, balls in zip(names, updated, strict=True):
                    named[name.format(letter, l)] = arb_mat(w.nrows(), w.ncols(), list(balls))
        return named


# Matrices of balls.


def matrix(values: Array) -> arb_mat:
    """A NumPy matrix, exact as it stands."""
    rows, columns = values.shape
    return arb_mat(rows, columns, values.ravel().tolist())


def ones(rows: int, columns: int) -> arb_mat:
    return arb_mat(rows, columns, [1] * (rows * columns))


def elementwise(function: Callable[..., arb], *matrices: arb_mat) -> arb_mat:
    entries = zip(*(each.entries() for each in matrices), strict=True)
    first = matrices[0]
    return arb_mat(first.nrows(), first.ncols(), [function(*balls) for balls in entries])


def by_row(function: Callable[..., list[arb]], *matrices: arb_mat) -> arb_mat:
    rows = zip(*(each.tolist() for each in matrices), strict=True)
    return arb_mat([function(*balls) for balls in rows])


def total(balls: Iterable[arb]) -> arb:
    return sum(balls, arb(0))


def square(ball: arb) -> arb:
    """Of any ball; a power of one that has 0 in it is not defined."""
    return ball * ball


def others(balls: Row) -> list[arb]:
    """For each of a row's numbers the sum of all the others."""
    return [total((*balls[:i], *balls[i + 1 :])) for i in range(len(balls))]


# Activations.


def is_positive(z: arb) -> bool:
    """Whether z > 0.

    Raises:
        UndecidedError: the ball has numbers on both sides, and more bits may tell.
    """
    if z > 0 or z <= 0:
        return bool(z > 0)
    if ctx.prec < PRECISIONS[-1]:
        raise UndecidedError
    return False


def sigmoid(z: arb) -> arb:
    return 1 / (1 + (-z).exp())


def softmax(z: Row) -> list[arb]:
    exp = [ball.exp() for ball in z]
    return [each / total(exp) for each in exp]


SCALED_TANH = "1.7159"
SELU_ALPHA = "1.6732632423543772"
SELU_SCALE = "1.0507009873554805"


def activate(layer: Layer, z: arb) -> arb:
    """g(z) of a unit by itself."""
    match layer.activation:
        case "linear":
            return z
        case "step":
            return arb(1 if is_positive(z) else 0)
        case "sign":
            return arb(1 if is_positive(z) else -1)
        case "sigmoid":
            return sigmoid(z)
        case "tanh":
            return z.tanh()
        case "scaled_tanh":
            return arb(SCALED_TANH) * (z * 2 / 3).tanh()
        case "relu":
            return z if is_positive(z) else arb(0)
        case "leaky_relu":
            return z if is_positive(z) else arb(layer.arguments["alpha"]) * z
        case "elu":
            return z if is_positive(z) else arb(layer.arguments["alpha"]) * z.expm1()
        case _:
            inside = z if is_positive(z) else arb(SELU_ALPHA) * z.expm1()
            return arb(SELU_SCALE) * inside


def g_prime(layer: Layer, z: arb) -> arb:
    """g'(z) of a unit by itself; at a kink from below, except SELU's."""
    match layer.activation:
        case "linear":
            return arb(1)
        case "step" | "sign":
            return arb(0)
        case "sigmoid":
            return sigmoid(z) * sigmoid(-z)
        case "tanh":
            return z.sech() ** 2
        case "scaled_tanh":
            return arb(SCALED_TANH) * 2 / 3 * (z * 2 / 3).sech() ** 2
        case "relu":
            return arb(1 if is_positive(z) else 0)
        case "leaky_relu":
            return arb(1) if is_positive(z) else arb(layer.arguments["alpha"])
        case "elu":
            return arb(1) if is_positive(z) else arb(layer.arguments["alpha"]) * z.exp()
        case _:
            return arb(SELU_SCALE) * (arb(SELU_ALPHA) * z.exp() if is_positive(-z) else 1)


def dropout_scale(layer: Layer) -> arb:
    """What dropout multiplies a layer's kept units by."""
    kept = 1 - arb(layer.dropout_rate)
    if not layer.alpha_dropout:
        return 1 / kept
    limit = arb(SELU_SCALE) * arb(SELU_ALPHA)
    return (kept * (1 + layer.alpha_dropout * square(limit))).rsqrt()


def softmax_backward(da: Row, a: Row) -> list[arb]:
    mean = total(slope * ball for slope, ball in zip(da, a, strict=True))
    return [ball * (slope - mean) for slope, ball in zip(da, a, strict=True)]


# Losses of one row, from its targets y, net inputs z and outputs a, and their derivatives: dz of a
# loss that takes z, else da. 1 - a, which would lose its digits, is the sum of the other outputs of
# a softmax, and σ(-z) for a sigmoid.


def squared_error(y: Row, z: Row, a: Row) -> arb:
    return total(square(output - target) for output, target in zip(a, y, strict=True))


def error(y: Row, z: Row, a: Row) -> list[arb]:
    return [output - target for output, target in zip(a, y, strict=True)]


def binary_crossentropy(y: Row, z: Row, a: Row) -> arb:
    terms = zip(y, z, strict=True)  # -log σ(z) = log(1 + e⁻ᶻ)
    return total(t * (-net).exp().log1p() + (1 - t) * net.exp().log1p() for t, net in terms)


def sigmoid_error(y: Row, z: Row, a: Row) -> list[arb]:
    return [sigmoid(net) * (1 - t) - sigmoid(-net) * t for t, net in zip(y, z, strict=True)]


def categorical_crossentropy(y: Row, z: Row, a: Row) -> arb:
    terms = zip(y, a, others(a), strict=True)  # -log aᵢ = log(1 + (1 - aᵢ) / aᵢ)
    return total(t * (rest / output).log1p() for t, output, rest in terms if t != 0)


def softmax_error(y: Row, z: Row, a: Row) -> list[arb]:
    terms = zip(y, a, others(y), others(a), strict=True)
    return [output * other_t - t * rest for t, output, other_t, rest in terms]


def softmax_binary_crossentropy(y: Row, z: Row, a: Row) -> arb:
    terms = zip(y, a, others(a), strict=True)
    return total(
        t * (rest / output).log1p() + (1 - t) * (output / rest).log1p() for t, output, rest in terms
    )


def softmax_binary_error(y: Row, z: Row, a: Row) -> list[arb]:
    # Of -(1 - yⱼ) log(1 - aⱼ) with respect to zᵢ: (1 - yᵢ)aᵢ at j = i, else
    # -(1 - yⱼ)aᵢaⱼ / (1 - aⱼ).
    pulls = [(1 - t) * output / rest for t, output, rest in zip(y, a, others(a), strict=True)]
    terms = zip(softmax_error(y, z, a), y, a, others(pulls), strict=True)
    return [direct + output * (1 - t - pulled) for direct, t, output, pulled in terms]


def perceptron(y: Row, z: Row, a: Row) -> arb:
    return total(off * net for off, net in zip(error(y, z, a), z, strict=True))


def mean(of_row: Callable[[Row, Row, Row], arb]) -> Callable[[Row, Row, Row], arb]:
    """A loss's mean over the outputs in place of its sum."""
    return lambda y, z, a: of_row(y, z, a) / len(y)


def scaled(
    numerator: int, of_row: Callable[[Row, Row, Row], list[arb]]
) -> Callable[[Row, Row, Row], list[arb]]:
    """A derivative times a number, as a mean over the outputs."""
    return lambda y, z, a: [each * numerator / len(y) for each in of_row(y, z, a)]


LOSSES: dict[str, Callable[[Row, Row, Row], arb]] = {
    "mean_squared_error": mean(squared_error),
    "half_squared_error": lambda y, z, a: squared_error(y, z, a) / 2,
    "binary_crossentropy": mean(binary_crossentropy),
    "categorical_crossentropy": categorical_crossentropy,
    "softmax_binary_crossentropy": mean(softmax_binary_crossentropy),
    "perceptron": perceptron,
    "bipolar_perceptron": perceptron,
    "output": lambda y, z, a: total(a),
}
DERIVATIVES: dict[str, Callable[[Row, Row, Row], list[arb]]] = {
    "mean_squared_error": scaled(2, error),
    "half_squared_error": error,
    "binary_crossentropy": scaled(1, sigmoid_error),
    "categorical_crossentropy": softmax_error,
    "softmax_binary_crossentropy": scaled(1, softmax_binary_error),
    "perceptron": error,
    "bipolar_perceptron": error,
    "output": lambda y, z, a: [arb(1)] * len(a),
}


# Optimizers: what a step makes of one weight w, its derivative g and what is kept for it: what is
# kept from then on, and the new w. t steps go before.


def sgd(w: arb, g: arb, *, eta: arb, t: int) -> tuple[arb, ...]:
    return (w - eta * g,)


def momentum(w: arb, g: arb, v: float, *, eta: arb, t: int, momentum: arb) -> tuple[arb, ...]:
    ahead = momentum * v - eta * g
    return ahead, w + ahead


def nesterov(w: arb, g: arb, v: float, *, eta: arb, t: int, momentum: arb) -> tuple[arb, ...]:
    ahead = momentum * v - eta * g
    return ahead, w + momentum * ahead - eta * g


def adagrad(w: arb, g: arb, s: float, *, eta: arb, t: int, epsilon: arb) -> tuple[arb, ...]:
    total = s + square(g)
    return total, w - eta * g / (total + epsilon).sqrt()


def rmsprop(
    w: arb, g: arb, s: float, *, eta: arb, t: int, rho: arb, epsilon: arb
) -> tuple[arb, ...]:
    mean_square = rho * s + (1 - rho) * square(g)
    return mean_square, w - eta * g / (mean_square + epsilon).sqrt()


def adam(
    w: arb,
    g: arb,
    m: float,
    s: float,
    *,
    eta: arb,
    t: int,
    beta_1: arb,
    beta_2: arb,
    epsilon: arb,
) -> tuple[arb, ...]:
    average = beta_1 * m + (1 - beta_1) * g
    mean_square = beta_2 * s + (1 - beta_2) * square(g)
    corrected = eta * (1 - beta_2 ** (t + 1)).sqrt() / (1 - beta_1 ** (t + 1))
    return (
        average,
        mean_square,
        w - corrected * average / (mean_square.nonnegative_part().sqrt() + epsilon),
    )


UPDATES: dict[str, Callable[..., tuple[arb, ...]]] = {
    "sgd": sgd,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
}


def learning_rate(training: Training, t: int) -> arb:
    """η after t steps."""
    eta, rate = arb(training.learning_rate), arb(training.decay_rate or 1)
    steps = training.decay_steps or 1
    match training.schedule:
        case "step":
            return eta * rate ** (t // steps)
        case "exponential":
            return eta * rate ** (arb(t) / steps)
        case "inverse_time":
            return eta / (1 + rate * t / steps)
        case "cosine":
            return eta * (1 + arb.cos_pi(arb(min(t, steps)) / steps)) / 2
        case _:
            return eta


# Chains of functions: each with its inner functions of the inputs and its outer one of these.

CHAINS: dict[str, tuple[dict[str, Callable[..., Any]], Callable[..., Any] | None]] = {
    "quartic_of_cubic": ({"y": lambda x: x**3 + 7}, lambda y: 5 * y**4),
    "two_paths": ({"y1": lambda x: x**2, "y2": lambda x: x**3}, lambda y1, y2: y1 * y2),
    "square": ({"y": lambda x: (x + 1) ** 2}, None),
    "square_of_cubic": ({"y": lambda x: x + x**3}, lambda y: y**2),
    "square_of_sum": ({"y": lambda x1, x2: x1 + 2 * x2}, lambda y: y**2),
}


def differentiate(chain_rule: ChainRule, dtype: str) -> dict[str, arb]:
    """Every number of one step on a chain's inputs, its derivatives as those of power series."""
    inputs = {name: arb(float(np.dtype(dtype).type(v))) for name, v in chain_rule.inputs.items()}
    inner, outer = CHAINS[chain_rule.example]
    named: dict[str, arb] = {}

    def add(name: str, function: Callable[..., Any], at: dict[str, arb]) -> None:
        named[name] = function(*at.values())
        for variable in at:
            series = [arb_series([v, int(name == variable)], 2) for name, v in at.items()]
            named[f"d{name}/d{variable}"] = function(*series)[1]

    for name, function in inner.items():
        add(name, function, inputs)
    if outer:
        add("z", outer, {name: named[name] for name in inner})
        add("z", lambda *x: outer(*(function(*x) for function in inner.values())), inputs)
    last = "z" if outer else "y"
    for name, value in inputs.items():
        slope = named[f"d{last}/d{name}"]
        named[f"{name}_next"] = value - arb(chain_rule.learning_rate) * slope
    return named
