"""The exact step, in ball arithmetic: it tells who is right where implementations differ.

A ball is a number with a radius that is proven to reach the exact value (Johansson 2017, "Arb:
efficient arbitrary-precision midpoint-radius interval arithmetic"). :class:`Oracle` makes a step as
the implementations do, with the same names, but shares no code with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from flint import arb, arb_mat, ctx

from shared import Array, Case, ChainRuleCase, check_inputs, check_targets
from threeways.exact import activations, regularisation
from threeways.exact.arithmetic import (
    PRECISIONS,
    UndecidedError,
    by_row,
    elementwise,
    matrix,
    ones,
    total,
)
from threeways.exact.chain_rule import differentiate
from threeways.exact.losses import LOSSES
from threeways.exact.optimizers import RULES, clipped, decayed, learning_rate

# The largest radius of an array, as a share of its largest number; double's eps is 2⁻⁵².
ENOUGH = 2.0**-75


@dataclass(frozen=True, eq=False)
class Exact:
    """Every quantity of a step, each number as the sum of two doubles.

    The exact number is within ``radius`` of ``values + low``, which is proven.

    Args:
        values: the high words, the nearest doubles (or their neighbours), with the names and shapes
            of ``Trace.quantities``.
        low: the low words, of the same shapes.
        radius: the error of ``values + low``, of the same shapes.
        bits: the precision that this took.
        scale: the factor of the loss and its gradients, as in :func:`exact_step`.
    """

    values: dict[str, Array]
    low: dict[str, Array]
    radius: dict[str, Array]
    bits: int
    scale: float = 1.0

    def distance(self, quantity: str, array: Array) -> Array:
        """An upper bound of the distance of each number of an array from the exact one.

        Args:
            quantity: the name of the array.
            array: an array of the shape of the quantity.
        """
        with np.errstate(invalid="ignore"):  # where both are infinite
            off = np.abs(np.asarray(array, float) - self.values[quantity] - self.low[quantity])
        return off + self.radius[quantity]

    @property
    def is_enough(self) -> bool:
        """Whether the radius of every quantity is well below double's eps."""
        return all(
            radius.max() <= max(ENOUGH * np.abs(self.values[name]).max(), np.finfo(float).tiny)
            for name, radius in self.radius.items()
        )


def exact_step(case: Case | ChainRuleCase, scale: float = 1.0) -> Exact:
    """The exact first step of a case, with radii well below double's eps.

    Args:
        case: the case.
        scale: a factor of a network's loss, and so of all its gradients, but not of the penalties:
            N where somebody takes the sum over the rows and not their mean.
    """
    for exact in _ever_more_exact(case, scale):
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
    """The lower (-1) or upper (1) ends of a quantity's balls, rounded to the nearest in a dtype."""
    value = exact.values[name]
    low = exact.low[name] + side * (exact.radius[name] + 2.0**-50 * np.abs(exact.low[name]))
    nearest = value.astype(dtype)
    above, below = np.nextafter(nearest, np.inf), np.nextafter(nearest, -np.inf)
    # The distance of value from halfway to each neighbour; exact, since all are close together.
    to_above = (above.astype(np.float64) - nearest) / 2 - (value - nearest)
    to_below = (nearest - below.astype(np.float64)) / 2 + (value - nearest)
    rounded = np.where(low > to_above, above, np.where(-low > to_below, below, nearest))
    return rounded.astype(dtype)


def _ever_more_exact(case: Case | ChainRuleCase, scale: float = 1.0) -> Iterator[Exact]:
    for bits in PRECISIONS:
        with ctx.workprec(bits):
            try:
                if isinstance(case, ChainRuleCase):
                    numbers: Mapping[str, arb | arb_mat] = differentiate(
                        case.chain_rule, case.dtype
                    )
                else:
                    numbers = Oracle(case, scale).step()
            except UndecidedError:
                continue
            yield _as_doubles(numbers, bits, scale)


def _as_doubles(numbers: Mapping[str, arb | arb_mat], bits: int, scale: float) -> Exact:
    values, low, radius = {}, {}, {}
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
        low[name] = np.array([float(ball) for ball in left]).reshape(shape)
        # The radius of the remainder, and the error of rounding it to a double.
        proven = np.array([float(ball.rad()) for ball in left]).reshape(shape)
        radius[name] = proven + 2.0**-53 * np.abs(low[name])
    return Exact(values, low, radius, bits, scale)


class Oracle:
    """A feedforward network in ball arithmetic, at the precision of the context it is used in.

    Args:
        case: the network, its starting parameters, taken as exact, its data and its training.
        scale: the factor of the loss, without its penalties.
    """

    def __init__(self, case: Case, scale: float = 1.0) -> None:
        self.case = case
        self.scale = arb(scale)
        self.network = case.network
        self.W = [matrix(W) for W, _ in case.parameters]
        self.b = [matrix(b[np.newaxis]) for _, b in case.parameters]  # (1, D[l+1])
        self.masks = {l: matrix(mask) for l, mask in case.masks().items()}

    def step(self) -> dict[str, arb | arb_mat]:
        """Every quantity of one update on the first batch, by name; b is a row (1, D[l+1]) here."""
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
            named |= {f"dz[{l}]": dz[l], f"dW[{l}]": dW[l]}
            if self.network.layers[l].use_bias:
                named[f"db[{l}]"] = db[l]
        named["dx"] = self.input_gradient(dz)
        return named | self.update(dW, db)

    def propagate(self, x: arb_mat) -> tuple[list[arb_mat], list[arb_mat]]:
        """The forward pass: z[0..L-1], (N, D[l+1]) each, and a[0..L], (N, D[l]) each."""
        z, a = [], [x]
        for l in range(len(self.W)):
            z.append(self.net_input(l, self.drop(l, a[l])))
            a.append(self.activation(l, z[l]))
        return z, a

    def drop(self, l: int, a: arb_mat) -> arb_mat:
        """a[l] (N, D[l]) after dropout."""
        if l not in self.masks:
            return a
        layer = self.network.layers[l - 1]
        drop = partial(regularisation.dropout, layer, regularisation.dropout_scale(layer))
        return elementwise(drop, a, self.masks[l])

    def net_input(self, l: int, a: arb_mat) -> arb_mat:
        """z[l] = a[l] @ W[l] + b[l], (N, D[l+1])."""
        return a * self.W[l] + ones(a.nrows(), 1) * self.b[l]

    def activation(self, l: int, z: arb_mat) -> arb_mat:
        """a[l+1] = g(z[l]), (N, D[l+1])."""
        layer = self.network.layers[l]
        if layer.activation == "softmax":
            return by_row(activations.softmax, z)
        return elementwise(partial(activations.g, layer), z)

    def loss(self, y: arb_mat, z: arb_mat, a: arb_mat) -> arb:
        """The loss, a ball: a mean over the rows, without penalties."""
        of_row = partial(LOSSES[self.network.loss].value, **self.network.loss_arguments)
        rows = zip(y.tolist(), z.tolist(), a.tolist(), strict=True)
        return self.scale * total(of_row(*row) for row in rows) / y.nrows()

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
        """dz[L-1] (N, D[L]), straight from a loss of logits, else through the activation."""
        of_row = partial(LOSSES[self.network.loss].derivative, **self.network.loss_arguments)
        derivative = by_row(of_row, y, z, a) * self.scale / y.nrows()
        if self.network.loss_from_logits:
            return derivative
        return self.activation_backward(len(self.W) - 1, derivative, z, a)

    def hidden_delta(self, l: int, dz_next: arb_mat, z: arb_mat, a: arb_mat) -> arb_mat:
        """dz[l] (N, D[l+1]) from dz[l+1]."""
        da = dz_next * self.W[l + 1].transpose()
        return self.activation_backward(l, self.drop_backward(l + 1, da), z, a)

    def drop_backward(self, l: int, da: arb_mat) -> arb_mat:
        """da[l] (N, D[l]) before dropout, from ``da`` after it."""
        if l not in self.masks:
            return da
        scale = regularisation.dropout_scale(self.network.layers[l - 1])
        return elementwise(lambda slope, kept: slope * kept * scale, da, self.masks[l])

    def activation_backward(self, l: int, da: arb_mat, z: arb_mat, a: arb_mat) -> arb_mat:
        """dz[l] = da · g'(z[l]), (N, D[l+1])."""
        layer = self.network.layers[l]
        if layer.activation == "softmax":
            return by_row(activations.softmax_backward, da, a)
        return elementwise(lambda slope, ball: slope * activations.g_prime(layer, ball), da, z)

    def weight_gradient(self, a: arb_mat, dz: arb_mat) -> arb_mat:
        """dW[l] = a[l].T @ dz[l], (D[l], D[l+1]), without its penalty."""
        return a.transpose() * dz

    def penalty(self) -> arb:
        """The sum of all layers' L1 and L2 penalties, a ball, which is added to the loss."""
        return total(
            regularisation.penalty(layer, w)
            for W, layer in zip(self.W, self.network.layers, strict=True)
            if layer.is_penalised
            for w in W.entries()
        )

    def penalty_gradient(self, l: int) -> arb_mat:
        """The derivative of layer l's penalty, (D[l], D[l+1]), which is added to dW[l]."""
        layer = self.network.layers[l]
        return elementwise(partial(regularisation.penalty_gradient, layer), self.W[l])

    def bias_gradient(self, dz: arb_mat) -> arb_mat:
        """db[l] = Σ rows dz[l], (1, D[l+1])."""
        return ones(1, dz.nrows()) * dz

    def input_gradient(self, dz: list[arb_mat]) -> arb_mat:
        """dx = dz[0] @ W[0].T, (N, D[0])."""
        return dz[0] * self.W[0].transpose()

    def update(self, dW: list[arb_mat], db: list[arb_mat]) -> dict[str, arb_mat]:
        """The new slots and the new W and b of each layer, by the names of the quantities."""
        training, t = self.case.training, self.case.steps_before
        arguments = {
            name: value if isinstance(value, str) else arb(value)
            for name, value in training.rule_arguments.items()
        }
        eta = learning_rate(training, t)
        rule = partial(RULES[training.optimizer], eta=eta, t=t, **arguments)
        names = [f"{slot}_{{}}[{{}}]" for slot in training.slots] + ["{}_next[{}]"]
        gradients = {}
        for l, layer in enumerate(self.network.layers):
            for letter, dw in (("W", dW[l]), ("b", db[l])):
                if layer.learns(letter):
                    gradients[letter, l] = dw.entries()
        if training.clip:
            clip, most = training.clip
            parts = clipped([*gradients.values()], clip, arb(most))
            gradients = dict(zip(gradients, parts, strict=True))
        named = {}
        for l, layer in enumerate(self.network.layers):
            of_each = [("W", self.W[l]), ("b", self.b[l])]
            for letter, w in of_each if layer.use_bias else of_each[:1]:
                slots = [kept.ravel().tolist() for kept in self.case.start_of_slots(l, letter)]
                updated: Iterable[Iterable[arb]] = [*slots, w.entries()]
                if (letter, l) in gradients:
                    left = [decayed(ball, eta, arb(training.decay)) for ball in w.entries()]
                    numbers_of_each = zip(left, gradients[letter, l], *slots, strict=True)
                    updated = zip(*(rule(*balls) for balls in numbers_of_each), strict=True)
                for name, balls in zip(names, updated, strict=True):
                    named[name.format(letter, l)] = arb_mat(w.nrows(), w.ncols(), list(balls))
        return named
