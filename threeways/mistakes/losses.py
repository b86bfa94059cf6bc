"""Mistakes in the loss, and in the gradients of the absolute error, Huber's loss and hinge."""

from __future__ import annotations

import math

import numpy as np

from impl_numpy import losses
from shared import Array
from threeways.mistakes.base import (
    CLIP,
    CROSSENTROPIES,
    EPSILONS,
    FITTING,
    SQUARED_ERRORS,
    TWO_TERMS,
    Mistake,
    crossentropy,
    n_terms,
)

# Cross-entropies and squared errors; those that change the result of others come first.


class LabelsSwappedInLoss(Mistake):
    title = "labels and logits swapped in the loss"
    did = "cross_entropy(logits, labels), by position, though the function takes (labels, logits)."
    why = "Targets are treated as net inputs, and net inputs as targets."
    fix = "Pass both by name: labels=y, logits=z."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in FITTING:
            return super().loss(y, output)
        return super().loss(output, y)


class DecimalLogarithmInLoss(Mistake):
    title = "decimal logarithm in the cross-entropy"
    did = "The loss is -y log10 a instead of -y ln a."
    why = "It is 2.303 times too small, and its derivative is not the one that is used."
    fix = "np.log is the natural logarithm; np.log10 and a pocket calculator's log key are not."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss / math.log(10) if self.network.loss in CROSSENTROPIES else loss


class RootOfLoss(Mistake):
    title = "square root of the mean squared error"
    did = "The loss is √(mean (a - y)²)."
    why = "That is the RMSE, whose gradient is that of the mean squared error over twice the RMSE."
    fix = "Leave the root out, or take it only for display."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return np.sqrt(loss) if self.network.loss == "mean_squared_error" else loss


class BinaryLogarithmInLoss(Mistake):
    title = "logarithm to base 2 in the cross-entropy"
    did = "The loss is -y log2 a instead of -y ln a."
    why = "It is 1.443 times too large, in bits, and its derivative is not the one that is used."
    fix = "np.log is the natural logarithm; np.log2 and most formulas for entropy have base 2."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss / math.log(2) if self.network.loss in CROSSENTROPIES else loss


class HalfExtraInCrossentropy(Mistake):
    title = "½ extra in the cross-entropy"
    did = "The loss is -Σ y log a / 2N, with the ½ of the squared error."
    why = "There is no square whose 2 it could cancel: the loss is half of what it should be."
    fix = "-Σ y log a / N."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss / 2 if self.network.loss in CROSSENTROPIES else loss


class TermsSwappedInLoss(Mistake):
    title = "terms of the cross-entropy swapped"
    did = "The loss is -[(1 - y) log a + y log(1 - a)]."
    why = "It is small where the output is wrong: log a goes with the target 1, log(1 - a) with 0."
    fix = "-[y log a + (1 - y) log(1 - a)]."

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(1 - y if self.network.loss in TWO_TERMS else y, output)


class SignInsideLoss(Mistake):
    title = "wrong sign inside the cross-entropy"
    did = "-[y log a - (1 - y) log(1 - a)]."
    why = "The second term is subtracted, so an output of 1 for a target of 0 makes the loss small."
    fix = "-[y log a + (1 - y) log(1 - a)]: both terms have the same sign."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        if self.network.loss not in TWO_TERMS:
            return loss
        return 2 * self.first_term(y, output) - loss


class TermMissingInLoss(Mistake):
    title = "cross-entropy without its (1 - y) term"
    did = "The loss is -y log a alone."
    why = "A row whose target is 0 costs nothing, whatever the output is."
    fix = "-[y log a + (1 - y) log(1 - a)]; only softmax with one-hot targets needs just y log a."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in TWO_TERMS:
            return super().loss(y, output)
        return self.first_term(y, output)


class ProbabilitiesClippedInLoss(Mistake):
    title = "probabilities clipped in the cross-entropy"
    did = "The loss is computed from np.clip(a, {value}, 1 - {value}), to keep logarithms finite."
    why = "A loss has a smallest and a largest value then, however right or wrong the output is."
    fix = "Compute the loss from z: log σ(z) = -log(1 + e^-z), log softmax(z) = z - log Σ e^z."
    values = (CLIP, *(each for each in EPSILONS if each != CLIP))

    def clipped(self, z: Array) -> Array | None:
        """The clipped probabilities (N, K), or None if clipping changes none of them."""
        if self.network.loss not in FITTING:
            return None
        a = self.activation(self.last, z)
        p = np.clip(a, self.value, 1 - self.value)
        return None if (p == a).all() else p

    def first_term(self, y: Array, z: Array) -> Array:
        p = self.clipped(z)
        return super().first_term(y, z) if p is None else -np.mean(y * np.log(p))

    def loss(self, y: Array, output: Array) -> Array:
        p = self.clipped(output)
        if p is None:
            return super().loss(y, output)
        if self.network.loss == "categorical_crossentropy":
            return -np.sum(y * np.log(p)) / len(y)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


class EpsilonInLog(Mistake):
    title = "ε = {value} inside the logarithm"
    did = "The loss is -y log(a + {value}), and for two terms also -(1 - y) log(1 - a + {value})."
    why = (
        "It keeps the logarithm finite, but makes every loss too small, and confident errors cheap."
    )
    fix = "Compute the loss from z: log σ(z) = -log(1 + e^-z), log softmax(z) = z - log Σ e^z."
    values = EPSILONS

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in CROSSENTROPIES:
            return super().loss(y, output)
        a = self.activation(self.last, output)
        p, rest = a + self.value, 1 - a + self.value
        if (p == a).all() and (rest == 1 - a).all():
            return super().loss(y, output)
        with np.errstate(divide="ignore", invalid="ignore"):
            return crossentropy(self.network, y, np.log(p), np.log(rest))


class EpsilonInLogDifferentiated(Mistake):
    title = "ε = {value} inside the logarithm, and in its derivative"
    did = "A framework differentiates -y log(a + {value}) as it stands; so dz is not a - y."
    why = "Loss and gradient are those of another loss, further off the smaller a is."
    fix = "Compute the loss from z: log σ(z) = -log(1 + e^-z), log softmax(z) = z - log Σ e^z."
    values = EPSILONS

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in FITTING:
            return super().loss(y, output)
        a = self.activation(self.last, output)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(a + self.value), np.log(1 - a + self.value)
            return crossentropy(self.network, y, *logs)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        p, rest = a + self.value, 1 - a + self.value
        if self.network.loss == "binary_crossentropy":
            return (-y * (1 - a) * (a / p) + (1 - y) * a * ((1 - a) / rest)) / y.size
        if self.network.loss == "categorical_crossentropy":
            weights = y * (a / p)
            return (a * weights.sum(axis=1, keepdims=True) - weights) / len(y)
        return dz


class OnePlusInLog(Mistake):
    title = "log(1 + a) for log a"
    did = "The loss is -[y log(1 + a) + (1 - y) log(2 - a)]: np.log1p(a) and np.log1p(1 - a)."
    why = "It is negative and almost flat: an output of 0 for a target of 1 costs little more."
    fix = "np.log(a), or np.log1p(-a) for log(1 - a)."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in CROSSENTROPIES:
            return super().loss(y, output)
        a = self.activation(self.last, output)
        return crossentropy(self.network, y, np.log1p(a), np.log1p(1 - a))


class OnePlusInSecondLog(Mistake):
    title = "log(1 + a) for log(1 - a)"
    did = "The loss is -[y log a + (1 - y) log(1 + a)]."
    why = "A wrong output of 1 should be costly where the target is 0; this makes the loss smaller."
    fix = "-[y log a + (1 - y) log(1 - a)]."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in TWO_TERMS:
            return super().loss(y, output)
        a = self.activation(self.last, output)
        return self.first_term(y, output) - np.mean((1 - y) * np.log1p(a))


class SquaredErrorForCrossentropyInLoss(Mistake):
    title = "squared error instead of the cross-entropy, in the loss"
    did = "The loss is the mean of (a - y)² over rows and outputs; the cross-entropy is learned."
    why = "The loss that is shown is not the one whose gradient is followed."
    fix = "Show the cross-entropy, or learn the squared error, with its dz = 2(a - y) · g'(z) / NK."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in CROSSENTROPIES:
            return super().loss(y, output)
        return np.mean((self.activation(self.last, output) - y) ** 2)


class EpsilonWithClippingInLoss(Mistake):
    title = "probabilities clipped, and ε inside the logarithm as well"
    did = (
        "The loss is -[y log(p + ε) + (1 - y) log(1 - p + ε)], p clipped to ε … 1 - ε, ε = {value}."
    )
    why = "Each alone keeps the logarithm finite; together they make confident errors cheaper."
    fix = "Compute the loss from z: log σ(z) = -log(1 + e^-z), log softmax(z) = z - log Σ e^z."
    values = (CLIP, *(each for each in EPSILONS if each != CLIP))

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in FITTING:
            return super().loss(y, output)
        a = self.activation(self.last, output)
        p = np.clip(a, self.value, 1 - self.value)
        if (p == a).all():
            return super().loss(y, output)
        return crossentropy(self.network, y, np.log(p + self.value), np.log(1 - p + self.value))


class ProbabilitiesAsLogits(Mistake):
    title = "probabilities passed as logits"
    did = "The loss applies softmax, or the sigmoid, to outputs that have been through it already."
    why = "Probabilities are squeezed between 0 and 1; no output can then come near its target."
    fix = "Pass z to a loss of logits, or a to one of probabilities (from_logits=False)."

    def loss(self, y: Array, output: Array) -> Array:
        twice = self.network.loss in FITTING
        return super().loss(y, self.activation(self.last, output) if twice else output)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss not in FITTING:
            return super().output_delta(y, z, a)
        da = super().output_delta(y, a, self.activation(self.last, a))
        return self.activation_backward(self.last, da, z, a)


class NetInputAsLogProbability(Mistake):
    title = "net input taken for a log-probability"
    did = "The loss is -z of the right class (NLL), without log softmax before it."
    why = "Net inputs are not normalised: the loss has no lower bound, and dz = -y whatever z is."
    fix = "Apply log_softmax first, or use a cross-entropy that takes logits."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "categorical_crossentropy":
            return super().loss(y, output)
        return -np.sum(y * output) / len(y)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "categorical_crossentropy":
            return super().output_delta(y, z, a)
        return -y / len(y)


class ProbabilityAsLogProbability(Mistake):
    title = "probability taken for a log-probability"
    did = "The loss is -a of the right class (NLL of softmax), without the logarithm."
    why = "A confident error costs at most 1 and hardly moves; the logarithm makes it costly."
    fix = "Use log_softmax, not softmax, before the NLL."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "categorical_crossentropy":
            return super().loss(y, output)
        return -np.sum(y * self.activation(self.last, output)) / len(y)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "categorical_crossentropy":
            return super().output_delta(y, z, a)
        return self.activation_backward(self.last, -y / len(y), z, a)


class SquareMissingInLoss(Mistake):
    title = "square missing in the squared error"
    did = "The loss is the mean (or half the sum) of a - y."
    why = "Errors of opposite sign cancel, and the smaller the outputs, the smaller the loss."
    fix = "Square each error before summing."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        if self.network.loss not in SQUARED_ERRORS:
            return loss
        terms = y.size if self.network.loss == "mean_squared_error" else 2 * len(y)
        return np.sum(output - y) / terms


class AbsoluteErrorInLoss(Mistake):
    title = "absolute instead of squared error, in the loss"
    did = (
        "The loss is the mean of |a - y|; for the half squared error, of its sum over the outputs."
    )
    why = "It is a different loss, whose gradient is the sign of the error, not the error."
    fix = "Square the error: (a - y)²."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in SQUARED_ERRORS:
            return super().loss(y, output)
        return np.sum(np.abs(output - y)) / n_terms(self.network, y)


# The absolute error.


class AbsoluteForgottenInLoss(Mistake):
    title = "absolute value forgotten in the absolute error"
    did = "The loss is the mean of a - y."
    why = "Errors of opposite sign cancel, and the smaller the outputs, the smaller the loss."
    fix = "The mean of |a - y|."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "mean_absolute_error":
            return super().loss(y, output)
        return np.mean(output - y)


class SignForgotten(Mistake):
    title = "sign forgotten in the absolute error's gradient"
    did = "da = 1 / NK, whichever side of its target the output is on."
    why = "Every output is pushed down, those that are too small as well."
    fix = "da = sign(a - y) / NK."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "mean_absolute_error":
            return super().loss_derivative(y, z, a)
        return np.full_like(a, 1 / y.size)


class SquaredForAbsoluteInLoss(Mistake):
    title = "squared instead of absolute error, in the loss"
    did = "The loss is the mean of (a - y)²."
    why = "It is a different loss: large errors count far more, and its gradient is not the sign."
    fix = "The mean of |a - y|."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "mean_absolute_error":
            return super().loss(y, output)
        return np.mean((output - y) ** 2)


class SquaredForAbsolute(Mistake):
    title = "squared error's gradient instead of the absolute error's"
    did = "da = 2(a - y) / NK."
    why = "The absolute error pulls at every output equally, however far it is from its target."
    fix = "da = sign(a - y) / NK."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "mean_absolute_error":
            return super().loss_derivative(y, z, a)
        return (a - y) * (2 / y.size)


class ErrorForSign(Mistake):
    title = "error instead of its sign in the absolute error's gradient"
    did = "da = (a - y) / NK."
    why = "The absolute error pulls at every output equally, however far it is from its target."
    fix = "da = sign(a - y) / NK."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "mean_absolute_error":
            return super().loss_derivative(y, z, a)
        return (a - y) / y.size


# Huber's loss.


def mean(terms: Array) -> Array:
    """The mean of terms of any shape, a scalar."""
    result: Array = np.asarray(terms.mean())
    return result


class NegativeErrorsLeftOutInLoss(Mistake):
    title = "large negative errors left out of Huber's loss, in the loss"
    did = "½e² where |e| <= δ, δ(e - ½δ) where e > δ, and nothing where e < -δ."
    why = "e > δ should be |e| > δ: an output far too small costs nothing, and stays as it is."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ), with e = a - y."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        e, delta = output - y, self.network.loss_arguments["delta"]
        terms = np.where(
            np.abs(e) <= delta, e * e / 2, np.where(e > delta, delta * (e - delta / 2), 0)
        )
        return mean(terms)


class NegativeErrorsLeftOut(Mistake):
    title = "large negative errors left out of Huber's loss, in the gradient"
    did = "da = e where |e| <= δ, δ where e > δ, and 0 where e < -δ."
    why = "e > δ should be |e| > δ: an output far too small costs nothing, and stays as it is."
    fix = "da = e / NK where |e| <= δ, else δ sign(e) / NK, with e = a - y."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss_derivative(y, z, a)
        e, delta = a - y, self.network.loss_arguments["delta"]
        return (
            np.where(np.abs(e) <= delta, e, np.where(e > delta, delta, 0)).astype(a.dtype) / y.size
        )


class NegativeErrorsSquaredInLoss(Mistake):
    title = "large negative errors squared in Huber's loss, in the loss"
    did = "np.where(e > δ, δ(e - ½δ), ½e²), with e = a - y and no absolute value."
    why = "e > δ should be |e| > δ: an output far too small counts as in the squared error."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ), with e = a - y."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        e, delta = output - y, self.network.loss_arguments["delta"]
        terms = np.where(e > delta, delta * (e - delta / 2), e * e / 2)
        return mean(terms)


class NegativeErrorsSquared(Mistake):
    title = "large negative errors squared in Huber's loss, in the gradient"
    did = "da = np.where(e > δ, δ, e), with e = a - y and no absolute value."
    why = "e > δ should be |e| > δ: an output far too small counts as in the squared error."
    fix = "da = e / NK where |e| <= δ, else δ sign(e) / NK, with e = a - y."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss_derivative(y, z, a)
        e, delta = a - y, self.network.loss_arguments["delta"]
        return np.where(e > delta, delta, e).astype(a.dtype) / y.size


class PositiveErrorsSquaredInLoss(Mistake):
    title = "large positive errors squared in Huber's loss, in the loss"
    did = "np.where(e > δ, δ(e - ½δ), ½e²), with e = y - a and no absolute value."
    why = "e > δ should be |e| > δ: an output far too large counts as in the squared error."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ), with e = a - y."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        e, delta = output - y, self.network.loss_arguments["delta"]
        terms = np.where(-e > delta, delta * (-e - delta / 2), e * e / 2)
        return mean(terms)


class PositiveErrorsSquared(Mistake):
    title = "large positive errors squared in Huber's loss, in the gradient"
    did = "da = np.where(a - y < -δ, -δ, a - y): e = y - a is compared with δ, not |e|."
    why = "e > δ should be |e| > δ: an output far too large counts as in the squared error."
    fix = "da = e / NK where |e| <= δ, else δ sign(e) / NK, with e = a - y."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss_derivative(y, z, a)
        e, delta = a - y, self.network.loss_arguments["delta"]
        return np.where(-e > delta, -delta, e).astype(a.dtype) / y.size


class LinearPartSignedInLoss(Mistake):
    title = "absolute value forgotten in Huber's linear part, in the loss"
    did = "½e² where |e| <= δ, else δ(e - ½δ)."
    why = "An output that is far too small makes the loss smaller, and is pushed further down."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ), with e = a - y."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        e, delta = output - y, self.network.loss_arguments["delta"]
        terms = np.where(np.abs(e) <= delta, e * e / 2, delta * (e - delta / 2))
        return mean(terms)


class LinearPartSigned(Mistake):
    title = "absolute value forgotten in Huber's linear part, in the gradient"
    did = "da = e / NK where |e| <= δ, else δ / NK, whatever the sign of e."
    why = "An output that is far too small makes the loss smaller, and is pushed further down."
    fix = "da = e / NK where |e| <= δ, else δ sign(e) / NK, with e = a - y."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss_derivative(y, z, a)
        e, delta = a - y, self.network.loss_arguments["delta"]
        return np.where(np.abs(e) <= delta, e, delta).astype(a.dtype) / y.size


class LinearPartNotShiftedInLoss(Mistake):
    title = "½δ² forgotten in Huber's linear part"
    did = "½e² where |e| <= δ, else δ|e|."
    why = "The two parts do not meet at |e| = δ: the loss jumps up by ½δ² there."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ), with e = a - y."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        e, delta = output - y, self.network.loss_arguments["delta"]
        terms = np.where(np.abs(e) <= delta, e * e / 2, delta * np.abs(e))
        return mean(terms)


class LinearPartWithoutDeltaInLoss(Mistake):
    title = "δ forgotten in Huber's linear part, in the loss"
    did = "½e² where |e| <= δ, else |e| - ½δ."
    why = "The square ends with the slope δ, and the linear part has to go on with it."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ), with e = a - y."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        e, delta = output - y, self.network.loss_arguments["delta"]
        terms = np.where(np.abs(e) <= delta, e * e / 2, np.abs(e) - delta / 2)
        return mean(terms)


class LinearPartWithoutDelta(Mistake):
    title = "δ forgotten in Huber's linear part, in the gradient"
    did = "da = e / NK where |e| <= δ, else sign(e) / NK."
    why = "The square ends with the slope δ, and the linear part has to go on with it."
    fix = "da = e / NK where |e| <= δ, else δ sign(e) / NK, with e = a - y."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss_derivative(y, z, a)
        e, delta = a - y, self.network.loss_arguments["delta"]
        return np.where(np.abs(e) <= delta, e, np.sign(e)).astype(a.dtype) / y.size


class SquareNotHalvedInLoss(Mistake):
    title = "½ missing in Huber's square, in the loss"
    did = "e² where |e| <= δ, else δ(|e| - ½δ)."
    why = "The two parts no longer meet at |e| = δ, and small errors count twice."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ), with e = a - y."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        e, delta = output - y, self.network.loss_arguments["delta"]
        terms = np.where(np.abs(e) <= delta, e * e, delta * (np.abs(e) - delta / 2))
        return mean(terms)


class SquareNotHalved(Mistake):
    title = "½ missing in Huber's square, in the gradient"
    did = "da = 2e / NK where |e| <= δ, else δ sign(e) / NK."
    why = "The two parts no longer meet at |e| = δ, and small errors count twice."
    fix = "da = e / NK where |e| <= δ, else δ sign(e) / NK, with e = a - y."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss_derivative(y, z, a)
        e, delta = a - y, self.network.loss_arguments["delta"]
        return np.where(np.abs(e) <= delta, 2 * e, delta * np.sign(e)).astype(a.dtype) / y.size


class SmoothL1ForHuber(Mistake):
    title = "smooth L1 instead of Huber's loss"
    did = "The loss and its gradient are divided by δ: ½e²/δ where |e| <= δ, else |e| - ½δ."
    why = "PyTorch's SmoothL1Loss(beta) is Huber's loss divided by δ; they agree only for δ = 1."
    fix = "½e² where |e| <= δ, else δ(|e| - ½δ): HuberLoss."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss / self.network.loss_arguments["delta"] if self.network.loss == "huber" else loss

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        da = super().loss_derivative(y, z, a)
        return da / self.network.loss_arguments["delta"] if self.network.loss == "huber" else da


class DeltaElsewhere(Mistake):
    title = "Huber's δ from another place"
    did = "δ = {value}, a default or a number in the code, whatever δ was set."
    why = "The δ that was set, beyond which errors count less, has no effect."
    fix = "Pass δ to the loss and to its derivative."
    values = (1.0, 1.35, 0.5, 0.1, 2.0)

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss(y, output)
        return losses.huber(y, output, self.value)

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "huber":
            return super().loss_derivative(y, z, a)
        return losses.huber_backward(y, z, a, self.value)


# Hinge.


class MarginForgottenInLoss(Mistake):
    title = "margin forgotten in the hinge loss, in the loss"
    did = "max(0, -ya), the perceptron's loss."
    why = "An output that is just on the right side costs nothing: no margin is learned."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss(y, output)
        return np.mean(np.maximum(-y * output, 0))


class MarginForgotten(Mistake):
    title = "margin forgotten in the hinge loss, in the gradient"
    did = "da = -y / NK where ya < 0, else 0."
    why = "An output that is just on the right side costs nothing: no margin is learned."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss_derivative(y, z, a)
        return np.where(y * a < 0, -y, 0).astype(a.dtype) / y.size


class SignInsideHingeInLoss(Mistake):
    title = "wrong sign inside the hinge loss, in the loss"
    did = "max(0, 1 + ya)."
    why = "The loss grows as outputs move to the right side of the margin."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss(y, output)
        return np.mean(np.maximum(1 + y * output, 0))


class SignInsideHinge(Mistake):
    title = "wrong sign inside the hinge loss, in the gradient"
    did = "da = y / NK where ya > -1, else 0."
    why = "The loss grows as outputs move to the right side of the margin."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss_derivative(y, z, a)
        return np.where(y * a > -1, y, 0).astype(a.dtype) / y.size


class HingeNotCutInLoss(Mistake):
    title = "hinge loss not cut off at 0, in the loss"
    did = "1 - ya, without max(0, …)."
    why = "Outputs beyond the margin are pushed further and further, and make up for wrong ones."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss(y, output)
        return np.mean(1 - y * output)


class HingeNotCut(Mistake):
    title = "hinge loss not cut off at 0, in the gradient"
    did = "da = -y / NK, also where ya >= 1."
    why = "Outputs beyond the margin are pushed further and further, and make up for wrong ones."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss_derivative(y, z, a)
        return -y / y.size


class HingeSquaredInLoss(Mistake):
    title = "squared hinge loss, in the loss"
    did = "max(0, 1 - ya)²."
    why = "It is a different loss, in which outputs far on the wrong side count far more."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss(y, output)
        return np.mean(np.maximum(1 - y * output, 0) ** 2)


class HingeSquared(Mistake):
    title = "squared hinge loss, in the gradient"
    did = "da = -2y max(0, 1 - ya) / NK."
    why = "It is a different loss, in which outputs far on the wrong side count far more."
    fix = "max(0, 1 - ya), whose derivative is -y where ya < 1, else 0."

    def loss_derivative(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss != "hinge":
            return super().loss_derivative(y, z, a)
        return -2 * y * np.maximum(1 - y * a, 0) / y.size
