"""How far a correct implementation of a step may be from the exact one: a running error analysis.

The analysis takes the same small steps as the network does and keeps, for each number, how wrong a
floating-point computation may have made it (Higham 2002, "Accuracy and stability of numerical
algorithms", section 3.3). An error comes from three sources:

* what a number is computed from: an input wrong by δ makes g(z) wrong by as much as g changes
  between z - δ and z + δ. Near a kink or a jump that is the whole jump: on which side of it a net
  input falls is then a matter of rounding, and a bound has to allow for both.
* its own sum: n terms, added in whatever order, are wrong by at most n eps/2 of the sum of their
  absolute values, not of what cancellation leaves of them. A sum that no order of additions can
  round, such as one of small whole numbers, has no error: there a threshold is exact, and
  step(0) = 0 is held to.
* a function, wrong by some eps of the largest number met on the way. 1 - a² is wrong by eps even
  where it is almost 0.

The inputs of a step may have errors, too: a file has rounded them, or the step goes on from one
that is not known to the last bit. They are carried along like all others.

What dropout multiplies by is wrong by some eps of itself, and where p has been rounded first, 1 - p
is wrong by eps of p, however small it is. A penalty is a sum of its own, over the weights.

Each is at its worst here, and all are at once. It is tempting to let the errors of a sum cancel, so
that they grow with the square root of n (Higham and Mary 2019). But they do not where rows are
alike, as those of a saturated softmax are: a small number that is added n times is rounded the same
way n times. A sum of 60 was seen to be wrong by twice the square root's bound.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np

from shared import LOSSES, Array, Case, ChainRuleCase, Layer
from threeways.exact import chain_rule, regularisation
from threeways.exact.activations import g, g_prime
from threeways.exact.optimizers import RULES, decayed, learning_rate
from threeways.exact.rounding import EXACT, FEW, ROUNDINGS

# The factor of the bound, for each dtype. The analysis is of first order and worst case; 1 means
# that nothing is added for what it leaves out, products of two errors, which are eps times smaller.
CONSTANT = {"float32": 1.0, "float64": 1.0}

# The slots that hold sums of squares.
SQUARES = ("accumulator", "velocity")

# A gradient, and its error bound of the same shape.
Gradient: TypeAlias = tuple[Array, Array]


def bounds(
    case: Case | ChainRuleCase,
    values: dict[str, Array],
    *,
    input_errors: Mapping[str, Array | float] | None = None,
    scale: float = 1.0,
) -> dict[str, Array]:
    """The error bound, |computed - exact|, of each element of each quantity of a first step.

    Args:
        case: the case, in the dtype of the computation.
        values: the exact step, by quantity.
        input_errors: how far the inputs of a network's step may be from the case's: an absolute
            error, or one for each number, of any of x, y, W[l], b[l] and slots such as
            momentum_W[l]. None if they are the same to the last bit.
        scale: the factor of the loss, as in :func:`threeways.exact.oracle.exact_step`.

    Returns:
        An array of the shape of the quantity, float64, by quantity.
    """
    with np.errstate(all="ignore"):
        if isinstance(case, ChainRuleCase):
            chain = chain_rule.errors(case.chain_rule, case.dtype)
            errors = {name: CONSTANT[case.dtype] * np.array(each) for name, each in chain.items()}
        else:
            errors = Analysis(case, values, input_errors or {}, scale).errors()
    return {name: errors[name] for name in values}


class Analysis:
    """The error bounds of a step: absolute, float64, of the shape of what they bound.

    Args:
        case: the case whose first step it is.
        values: the exact step, by quantity.
        input_errors, scale: as in :func:`bounds`.
    """

    def __init__(
        self,
        case: Case,
        values: dict[str, Array],
        input_errors: Mapping[str, Array | float],
        scale: float,
    ) -> None:
        precision = np.finfo(case.dtype)
        self.unit = CONSTANT[case.dtype] * float(precision.eps)
        # Frameworks may flush smaller numbers to 0, in each of a few operations.
        self.tiny = FEW * float(precision.tiny)
        self.digits = precision.nmant + 1
        self.values = values
        self.network = case.network
        self.case = case
        self.training = case.training
        x, self.y = (self.network.array(each).astype(float) for each in case.first_batch())
        self.W = [W.astype(float) for W, _ in case.parameters]
        self.b = [b.astype(float) for _, b in case.parameters]
        layers = range(len(self.W))
        self.z = [values[f"z[{l}]"] for l in layers]
        self.a = [x, *(values[f"a[{l + 1}]"] for l in layers)]
        self.masks = case.masks()
        self.given = [  # the input of each layer: a[l], after dropout
            self.dropped(l, a) if l in self.masks else a for l, a in enumerate(self.a[:-1])
        ]
        self.penalised = [l for l in layers if self.network.layers[l].is_penalised]
        self.penalty = sum(self.penalty_of(l) for l in self.penalised)
        self.dz = [values[f"dz[{l}]"] for l in layers]
        self.scale = scale
        self.input_errors = input_errors
        self.x_error, self.y_error = self.input_error("x", x), self.input_error("y", self.y)
        self.W_error = [self.input_error(f"W[{l}]", W) for l, W in enumerate(self.W)]
        self.b_error = [self.input_error(f"b[{l}]", b) for l, b in enumerate(self.b)]

    def input_error(self, name: str, values: Array) -> Array:
        """The error of one of the step's inputs, of its shape."""
        return np.broadcast_to(np.asarray(self.input_errors.get(name, 0), float), values.shape)

    def dropped(self, l: int, a: Array) -> Array:
        """a[l] after dropout, (N, D[l])."""
        layer = self.network.layers[l - 1]
        scale, _ = self.dropout_scale(layer)
        return regularisation.dropout(layer, scale, a, self.masks[l].astype(float))

    def errors(self) -> dict[str, Array]:
        """The error bound of every quantity, by name."""
        layers = range(len(self.W))
        named: dict[str, Array] = {}
        gradients: dict[tuple[str, int], Gradient] = {}
        z, a, given = [], [self.x_error], []
        for l in layers:
            given.append(self.drop(l, a[l]))
            z.append(self.net_input(l, given[l]))
            a.append(self.activation(l, z[l]))
            named |= {f"z[{l}]": z[l], f"a[{l + 1}]": a[l + 1]}
        dz = self.output_delta(z[-1], a[-1])
        named["loss"] = self.loss(z[-1], a[-1], dz)
        if self.scale != 1:
            dz = self.scale * dz + self.unit * np.abs(self.dz[-1])
        for l in reversed(layers):
            dW = self.product(self.given[l].T, given[l].T, self.dz[l], dz)
            dW += self.penalty_gradient(l)
            db = (dz + self.unit * len(dz) / 2 * np.abs(self.dz[l])).sum(axis=0)
            named |= {f"dz[{l}]": dz, f"dW[{l}]": dW, f"db[{l}]": db}
            for letter, error in (("W", dW), ("b", db)):
                if self.network.layers[l].learns(letter):
                    gradients[letter, l] = self.values[f"d{letter}[{l}]"], error
            da = self.product(self.dz[l], dz, self.W[l].T, self.W_error[l].T)
            if l == 0:
                named["dx"] = da
            else:
                slopes, da = self.drop_backward(l, self.dz[l] @ self.W[l].T, da)
                dz = self.activation_backward(l - 1, slopes, da, z[l - 1], a[l])
        gradients = self.clipped(gradients)
        for l in layers:
            named |= self.update("W", l, self.W[l], self.W_error[l], gradients.get(("W", l)))
            named |= self.update("b", l, self.b[l], self.b_error[l], gradients.get(("b", l)))
        return named

    def product(self, left: Array, left_error: Array, right: Array, right_error: Array) -> Array:
        """Error bound of left @ right, (M, n) @ (n, K), shape (M, K)."""
        terms = np.abs(left) @ np.abs(right)
        carried = left_error @ (np.abs(right) + right_error) + np.abs(left) @ right_error
        n = left.shape[1]
        return carried + self.unit * (n + 1) / 2 * terms + n * self.tiny

    def drop(self, l: int, a_error: Array) -> Array:
        """Error bound of a[l] after dropout, (N, D[l]); 0 where that is an exact 0."""
        if l not in self.masks:
            return a_error
        layer, mask, a = self.network.layers[l - 1], self.masks[l], self.a[l]
        scale, few = self.dropout_scale(layer)
        if layer.alpha_dropout:  # of c (a - pα') or c (α' - pα'), or of ca - cpα'
            limit = -regularisation.selu_limit(a)
            size = np.where(mask, np.abs(a), limit) + layer.alpha_dropout * limit
            return scale * (np.where(mask, a_error, 0) + few * size + self.tiny)
        return np.where(mask, scale * (a_error + few * np.abs(a)), 0)

    def drop_backward(self, l: int, da: Array, da_error: Array) -> tuple[Array, Array]:
        """da[l] before dropout and its error bound, (N, D[l]) each, from those after dropout."""
        if l not in self.masks:
            return da, da_error
        mask = self.masks[l]
        scale, few = self.dropout_scale(self.network.layers[l - 1])
        error = scale * (da_error + few * np.abs(da) + self.tiny)
        return np.where(mask, scale * da, 0), np.where(mask, error, 0)

    def dropout_scale(self, layer: Layer) -> tuple[float, float]:
        """The factor of the units that dropout keeps, and the relative error bound of using it."""
        scale, rate = float(regularisation.dropout_scale(layer)), layer.dropout_rate
        of_rate = rate / (1 - rate)
        if layer.alpha_dropout:  # the errors of c and of its product
            return scale, self.unit * (2 * FEW + of_rate)
        is_power_of_2 = math.frexp(1 - rate)[0] == 0.5  # then nothing is rounded
        return scale, 0 if is_power_of_2 else self.unit * (FEW + of_rate)

    def net_input(self, l: int, a_error: Array) -> Array:
        """Error bound of z[l] = a[l] @ W[l] + b[l], (N, D[l+1]), with a[l] after dropout."""
        a, W, b = self.given[l], self.W[l], self.b[l]
        error = self.product(a, a_error, W, self.W_error[l]) + self.b_error[l]
        if self.network.layers[l].use_bias:
            error += self.unit * (np.abs(b) + np.abs(self.z[l]))
        # It is exact if all terms are multiples of one power of 2, and their sum is so small a
        # multiple that it fits the dtype.
        step = np.minimum(np.outer(_grain(a).min(axis=1), _grain(W).min(axis=0)), _grain(b))
        exact = np.abs(a) @ np.abs(W) + np.abs(b) <= step * 2.0**self.digits
        exact &= ~a_error.any(axis=1, keepdims=True)
        exact &= ~(self.W_error[l].any(axis=0) | (self.b_error[l] > 0))
        return np.where(exact, 0, error)

    def activation(self, l: int, z_error: Array) -> Array:
        """Error bound of a[l+1] = g(z[l]), (N, D[l+1])."""
        layer, z, a = self.network.layers[l], self.z[l], self.a[l + 1]
        if layer.activation == "softmax":
            # The computed a is between a e^-δ / Σ a e^δ and a e^δ / Σ a e^-δ.
            a = np.maximum(a, np.finfo(float).tiny)
            below_max = z.max(axis=1, keepdims=True) - z
            delta = z_error + self.unit * (below_max + FEW + layer.units / 2)
            more = np.log1p((a * np.expm1(delta)).sum(axis=1, keepdims=True))
            less = np.log1p(np.maximum((a * np.expm1(-delta)).sum(axis=1, keepdims=True), -1))
            below, above = -a * np.expm1(-delta - more), a * np.expm1(delta - less)
            return np.minimum(np.maximum(below, above), 1) + self.tiny
        here = g(layer, z)
        changed = np.abs([g(layer, each) - here for each in _around(z, z_error)]).max(axis=0)
        return changed + self.own(l, z_error)

    def own(self, l: int, z_error: Array) -> Array:
        """Error bound of g itself, (N, D[l+1]); 0 at an exact z = 0 where g(0) = 0."""
        layer, z, a = self.network.layers[l], self.z[l], self.a[l + 1]
        rounding = ROUNDINGS[layer.activation]
        if rounding is EXACT:
            return np.zeros_like(a)
        error = self.unit * rounding.value(layer, z, a) + self.tiny
        return np.where((z == 0) & (z_error == 0) & (a == 0), 0, error)

    def activation_backward(
        self, l: int, da: Array, da_error: Array, z_error: Array, a_error: Array
    ) -> Array:
        """Error bound of dz[l] = da · g'(z[l]), (N, D[l+1])."""
        layer, z, a = self.network.layers[l], self.z[l], self.a[l + 1]
        if layer.activation == "softmax":
            magnitude, wrong = np.abs(da) + da_error, a + a_error
            paths = magnitude + (magnitude * wrong).sum(axis=1, keepdims=True)
            carried = (da_error * a + magnitude * a_error).sum(axis=1, keepdims=True)
            few = self.unit * (FEW + layer.units / 2)
            flushed = layer.units * self.tiny
            return wrong * (da_error + carried + few * paths) + a_error * paths + flushed
        rounding = ROUNDINGS[layer.activation]
        slope = g_prime(layer, z)
        reach = z_error
        if rounding.kink_from_a:
            reach = np.where((z == 0) & (z_error == 0), 0, z_error + 2 * self.unit)
        around = [g_prime(layer, each) for each in _around(z, reach)]
        changed = np.abs(np.subtract(around, slope)).max(axis=0)
        changed += self.unit * FEW * np.abs(slope)
        changed += rounding.slope(a) * self.own(l, z_error)
        return (np.abs(slope) + changed) * da_error + np.abs(da) * changed + self.tiny

    def output_delta(self, z_error: Array, a_error: Array) -> Array:
        """Error bound of dz[L-1], (N, D[L]), of a loss that is not scaled."""
        y, a, (N, K) = self.y, self.a[-1], self.y.shape
        error = a_error + self.y_error + FEW * self.unit * (np.abs(a - y) + a_error)  # of a - y
        terms = N * K if LOSSES[self.network.loss].averages_outputs else N
        match self.network.loss:
            case "softmax_binary_crossentropy":
                return self.softmax_binary_error(z_error, a_error)
            case "binary_crossentropy" | "perceptron" | "bipolar_perceptron":
                return error / terms + self.tiny
            case "categorical_crossentropy":  # a - y stands for aΣy - y
                off = [abs(math.fsum((*row, -1))) for row in y.tolist()]
                return (error + np.multiply(np.transpose([off]), a + a_error)) / terms + self.tiny
            case "output":
                da, da_error = np.full_like(a, 1 / N), np.full_like(a, self.unit / N)
            case "mean_squared_error":
                da, da_error = (a - y) * 2 / terms, error * 2 / terms
            case "half_squared_error":
                da, da_error = (a - y) / terms, error / terms
            case "mean_absolute_error" | "huber" | "hinge":
                da, jump = self.slope_of_distance(a_error + self.y_error)
                da, da_error = da / terms, (jump + FEW * self.unit * np.abs(da)) / terms
            case unknown:
                raise ValueError(unknown)
        return self.activation_backward(len(self.W) - 1, da, da_error, z_error, a_error)

    def slope_of_distance(self, error: Array) -> tuple[Array, Array]:
        """sign(e), e clipped to ±δ, or -y at 1 - ya > 0, (N, K), and what an error makes of it.

        A difference of two numbers has the sign that it should have, however it is rounded.
        """
        y, a = self.y, self.a[-1]
        slope: Callable[[Array], Array]
        match self.network.loss:
            case "mean_absolute_error":
                distance, slope = a - y, np.sign
            case "huber":
                delta = self.network.loss_arguments["delta"]
                distance, slope = a - y, partial(np.clip, a_min=-delta, a_max=delta)
            case "hinge":
                distance, slope = 1 - y * a, lambda short: np.where(short > 0, -y, 0)
            case unknown:
                raise ValueError(unknown)
        reach = np.where((distance == 0) & (error == 0), 0, error + self.tiny)
        return slope(distance), _change(slope, distance, reach)

    def softmax_binary_error(self, z_error: Array, a_error: Array) -> Array:
        """Error bound of dz[L-1] of that loss, (N, K).

        dzᵢ = (K aᵢ - yᵢ - Σⱼ (1 - yⱼ) aᵢ / (1 - aⱼ)) / NK, or the same in other sums.
        """
        y, z, a, (N, K) = self.y, self.z[-1], self.a[-1], self.y.shape
        # The softmax of all units but the j-th, 0 at i = j.
        without = np.where(np.eye(K, dtype=bool), -np.inf, z[:, np.newaxis])  # (N, j, i)
        powers = np.exp(without - without.max(axis=2, keepdims=True))
        others = powers / powers.sum(axis=2, keepdims=True)
        pulls = ((1 - y)[:, :, np.newaxis] * others).sum(axis=1)  # (N, i)
        few = self.unit * (FEW + K / 2)
        spread = z.max(axis=1, keepdims=True) - z.min(axis=1, keepdims=True)
        delta = z_error + z_error.max(axis=1, keepdims=True) + few + self.unit * spread
        error = few * (K * a + y + pulls) + K * a_error + pulls * np.expm1(np.minimum(delta, 500))
        error += self.y_error + (self.y_error[:, :, np.newaxis] * others).sum(axis=1)
        return np.minimum(error / (N * K), 4 / N) + K * self.tiny

    def loss(self, z_error: Array, a_error: Array, dz_error: Array) -> Array:
        """Error bound of the loss, a scalar: what its output carries over, and its own terms'.

        ``dz_error`` is that of a loss that is not scaled.
        """
        y, z, a, (N, K) = self.y, self.z[-1], self.a[-1], self.y.shape
        few = FEW * self.unit
        data = abs(float(self.values["loss"]) - self.penalty)
        magnitude = data / self.scale
        difference_error = a_error + self.y_error + few * np.abs(a - y)  # of a - y
        # For a loss of logits: z's error through its derivative, and that of log Σ e^z.
        slopes = np.abs(self.dz[-1]) / self.scale + dz_error
        by_logits = float((slopes * (z_error + few * np.abs(z))).sum())
        spread = z.max(axis=1, keepdims=True) - z
        of_logarithm = few * (1 + spread) + self.unit * K / 2
        match self.network.loss:
            case "binary_crossentropy":  # z and yz cancel exactly only where y is 0 or 1
                inside = few * np.abs(z) * (y > 0) * (y < 1) + self.y_error * np.abs(z)
                error = by_logits + float(inside.sum()) / (N * K)
            case "categorical_crossentropy":
                of_targets = self.y_error * (spread + math.log(K))
                error = by_logits + float((y * of_logarithm + of_targets).sum()) / N
            case "softmax_binary_crossentropy":
                of_targets = self.y_error * (
                    spread + spread.max(axis=1, keepdims=True) + math.log(K)
                )
                error = by_logits + float((of_logarithm + of_targets).sum()) / (N * K)
            case "perceptron" | "bipolar_perceptron":
                error = by_logits + float((self.y_error * np.abs(z)).sum()) / N
                magnitude = float(np.abs((a - y) * z).sum()) / N
            case "output":
                error = float(a_error.sum()) / N
                magnitude = float(np.abs(a).sum()) / N
            case "mean_squared_error" | "half_squared_error":
                terms = (2 * np.abs(a - y) + difference_error) * difference_error
                error = float(terms.sum()) / N
            case "mean_absolute_error":
                error = float(difference_error.sum()) / (N * K)
            case "huber":  # |e| m - ½m², with m = min(|e|, δ), changes by at most m times as much
                most = np.abs(a - y) + difference_error
                m = np.minimum(most, self.network.loss_arguments["delta"])
                error = float((m * (difference_error + few * most)).sum()) / (N * K)
            case "hinge":
                short, short_error = 1 - y * a, a_error + few * np.abs(1 - y * a)
                relu = partial(np.maximum, 0)
                error = float(_change(relu, short, short_error).sum()) / (N * K)
            case unknown:
                raise ValueError(unknown)
        error += self.unit * (N * K / 2 + FEW) * magnitude + self.tiny
        return np.asarray(self.scale * error + self.penalty_error(data))

    def penalty_of(self, l: int) -> float:
        """The penalty of W[l], which is added to the loss."""
        layer = self.network.layers[l]
        return float(regularisation.penalty(layer, self.W[l]).sum())

    def penalty_error(self, data: float) -> float:
        """Error bound of the penalty, a sum over all weights, and of adding it to the loss.

        Args:
            data: the absolute value of the loss without the penalty.
        """
        n = sum(self.W[l].size for l in self.penalised)
        additions = len(self.penalised) / 2 * (data + self.penalty)
        error = self.unit * ((n / 2 + FEW) * self.penalty + additions)
        layers = [self.network.layers[l] for l in self.penalised]
        carried = sum(
            float((self.pull(l) * self.W_error[l] + self.pull_error(l) * self.W_error[l]).sum())
            for l in self.penalised
        )
        return error + carried + n * self.tiny * sum(1 + layer.l1 + layer.l2 for layer in layers)

    def pull(self, l: int) -> Array:
        """The absolute value of the derivative of layer l's penalty, (D[l], D[l+1])."""
        layer, W = self.network.layers[l], np.abs(self.W[l])
        return layer.l1 * (W > 0) + 2 * layer.l2 * W

    def pull_error(self, l: int) -> Array:
        """How much of that derivative an error of W[l] changes, (D[l], D[l+1])."""
        layer, error = self.network.layers[l], self.W_error[l]
        changes_sign = (error > 0) & (error >= np.abs(self.W[l]))
        return 2 * layer.l1 * changes_sign + 2 * layer.l2 * error

    def penalty_gradient(self, l: int) -> Array:
        """Error bound of the penalty's part of dW[l], and of adding it, (D[l], D[l+1])."""
        layer = self.network.layers[l]
        if not layer.is_penalised:
            return np.zeros_like(self.W[l])
        total = np.abs(self.values[f"dW[{l}]"])
        rounding = self.unit * (FEW * self.pull(l) + total / 2) + (1 + layer.l2) * self.tiny
        return self.pull_error(l) + rounding

    def clipped(
        self, gradients: dict[tuple[str, int], Gradient]
    ) -> dict[tuple[str, int], Gradient]:
        """The gradients of the variables that a step updates, with their error bounds, clipped."""
        if self.training.clip is None or not gradients:
            return gradients
        (clip, most), each = self.training.clip, [*gradients.values()]
        if clip == "global_clipnorm":
            parts = self.scaled(most, each)
        elif clip == "clipnorm":
            parts = [part for one in each for part in self.scaled(most, [one])]
        else:
            parts = [self.limited(most, *one) for one in each]
        return dict(zip(gradients, parts, strict=True))

    def limited(self, most: float, g: Array, error: Array) -> Gradient:
        """g clipped to ±most, which is itself rounded, and its error bound."""
        here, *around = (np.clip(each, -most, most) for each in (g, g - error, g + error))
        changed = np.abs(np.subtract(around, here)).max(axis=0)
        return here, changed + self.unit * np.abs(here)

    def scaled(self, most: float, gradients: list[Gradient]) -> list[Gradient]:
        """Gradients that are clipped together to a norm of ``most``, and their error bounds.

        The factor, min(1, most / norm), has a kink where the norm is ``most``, so it is taken at
        both ends of what the norm may be.
        """
        parts = zip(*gradients, strict=True)
        norm, error = (
            math.hypot(*(float(np.linalg.norm(each)) for each in part)) for part in parts
        )
        n = sum(g.size for g, _ in gradients)
        error += self.unit * (n / 4 + FEW) * norm + math.sqrt(n * self.tiny)  # of n squares
        factor, *around = (most / max(each, most) for each in (norm, norm - error, norm + error))
        wrong = max(abs(each - factor) for each in around) + FEW * self.unit * factor
        flushed = self.tiny * (1 + 1 / most)
        return [(factor * g, factor * e + wrong * (np.abs(g) + e) + flushed) for g, e in gradients]

    def update(
        self, letter: str, l: int, w: Array, w_error: Array, gradient: Gradient | None
    ) -> dict[str, Array]:
        """Error bounds of the new slots and of the new W[l] or b[l], by quantity.

        Args:
            letter: ``"W"`` or ``"b"``.
            l: the layer.
            w: W[l] (D[l], D[l+1]) or b[l] (D[l+1],).
            w_error: its error bound, of the same shape.
            gradient: the gradient for its update and the error bound of that, of the same shape;
                None if it is frozen.
        """
        names = [*(f"{slot}_{letter}[{l}]" for slot in self.training.slots), f"{letter}_next[{l}]"]
        if gradient is None:
            errors = [self.input_error(name, w) for name in names[:-1]] + [w_error]
            return {name: each + self.tiny for name, each in zip(names, errors, strict=True)}
        dw, dw_error = gradient
        arguments = self.training.rule_arguments
        eta = float(learning_rate(self.training, self.case.steps_before))
        rule = partial(
            RULES[self.training.optimizer],
            eta=eta,
            t=self.case.steps_before,
            **arguments,
        )
        left_of_w = decayed(w, eta, self.training.decay)
        slots = [slot.astype(float) for slot in self.case.start_of_slots(l, letter)]
        exact = rule(left_of_w, dw, *slots)
        # Adam's 1 - β is wrong by eps however small it is, and a number that it makes tiny may be
        # flushed to 0.
        left = min(1 - arguments.get(beta, 0) for beta in ("beta_1", "beta_2"))
        reach = dw_error + self.tiny / left / min(1, eta or 1)
        gradients = list(_around(dw, reach))
        if {"beta_1", "beta_2"} <= arguments.keys():
            peak = _adams_peak(slots[0], slots[1], arguments["beta_1"], arguments["beta_2"])
            gradients.append(np.clip(peak, dw - reach, dw + reach))
        ends_of_slots = map(self.ends, self.training.slots, names, slots)
        around = itertools.product(gradients, *ends_of_slots)
        moved = zip(*(rule(left_of_w, *each) for each in around), strict=True)
        ends = [np.array([here, *there]) for here, there in zip(exact, moved, strict=True)]
        changed = [np.abs(each - each[0]).max(axis=0) for each in ends]
        changed[-1] = changed[-1] + abs(1 - eta * self.training.decay) * w_error
        few = FEW * self.unit / left
        own = [few * np.abs(slot).max(axis=0) for slot in ends[:-1]]
        by_step = few * np.abs(ends[-1] - left_of_w).max(axis=0)
        own.append(by_step + self.unit * np.abs(w) + self.decay_error(w, eta))
        return {
            name: by_dw + by_itself + self.tiny
            for name, by_dw, by_itself in zip(names, changed, own, strict=True)
        }

    def ends(self, slot: str, name: str, values: Array) -> tuple[Array, ...]:
        """The values of a slot and, where they have errors, both ends of what they may be."""
        error = self.input_error(name, values)
        if not error.any():
            return (values,)
        low = values - error
        return values, np.maximum(low, 0) if slot in SQUARES else low, values + error

    def decay_error(self, w: Array, eta: float) -> Array:
        """Error bound of weight decay, of w's shape; some compute (1 - ηλ)w, some w - ηλw."""
        if not self.training.decay:
            return np.zeros_like(w)
        return self.unit * (1 + FEW * eta * self.training.decay) * np.abs(w)


def _change(function: Callable[[Array], Array], z: Array, error: Array) -> Array:
    """How far a function, with a kink or a jump at 0, may be from f(z) within z ± error."""
    return np.abs([function(each) - function(z) for each in _around(z, error)]).max(axis=0)


def _around(z: Array, error: Array) -> tuple[Array, ...]:
    """Four arrays of the shape of z: both ends of z ± error, and its numbers nearest to 0.

    Kinks and extremes are at 0. Two numbers stand for it, 0 and one just below, since a derivative
    at a kink may be that of either side.
    """
    low, high = z - error, z + error
    below = np.full_like(z, -np.finfo(float).tiny)
    return low, high, np.clip(0, low, high), np.clip(below, low, high)


def _adams_peak(m: Array, s: Array, beta_1: float, beta_2: float) -> Array:
    """The gradient g for which (β₁m + (1 - β₁)g) / √(β₂s + (1 - β₂)g²) is at its extreme."""
    peak = (1 - beta_1) * beta_2 * s / (beta_1 * (1 - beta_2) * m)
    return np.where(np.isfinite(peak), peak, 0)


def _grain(values: Array) -> Array:
    """The power of 2 that is the lowest bit of each number, of the same shape; infinity for 0."""
    mantissa, exponent = np.frexp(values)
    whole = (mantissa * 2.0**53).astype(np.int64)
    return np.where(values == 0, np.inf, np.ldexp((whole & -whole).astype(float), exponent - 53))
