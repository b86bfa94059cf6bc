"""Mistakes in factors, sums and signs, and in the data and numbers that go in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared import Array
from threeways.mistakes.base import CROSSENTROPIES, MEANS, SQUARED_ERRORS, SUMS, TWO_TERMS, Mistake


def zero_one(y: Array) -> bool:
    """Whether all the targets are 0 or 1."""
    return bool(((y == 0) | (y == 1)).all())


# Factors and sums.


class GradientsNotReset(Mistake):
    title = "gradients not reset between steps"
    did = "Each step's dW and db are added to those of all the steps before it."
    why = "Each step then follows a sum of old gradients, taken at weights that have changed since."
    fix = "Set every gradient to zero before each backward pass (optimizer.zero_grad())."

    gradients: Sequence[Array] = ()  # of the steps so far, added up

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        sums = [*dW, *db]
        if self.gradients:
            sums = [new + old for new, old in zip(sums, self.gradients, strict=True)]
        self.gradients = [each.copy() for each in sums]
        return dz, sums[: len(dW)], sums[len(dW) :]


class GradientsAveragedAgain(Mistake):
    title = "dW and db divided by N a second time"
    did = "dz already has the 1/N of the loss; dW = a.T @ dz / N and db = Σ dz / N divide again."
    why = "The mean over the rows is taken twice, so the steps are too small by a factor of N."
    fix = "Divide by N in one place only: where the loss is differentiated."

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().whole_weight_gradient(l, a, dz) / len(dz)

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        return super().whole_bias_gradient(l, dz) / len(dz)


class DividedByNLater(Mistake):
    title = "1/N in dW and db, not in dz"
    did = "dz is each row's own delta, and only dW and db are divided by N."
    why = "dW and db are right, but dz and dx are N times the derivatives of the loss, a mean."
    fix = "Put the 1/N into the output's delta; everything computed from it then has it, too."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        return [each * len(y) for each in dz], dW, db


class MeanForgotten(Mistake):
    title = "1/N forgotten in the gradient"
    did = "The output's delta is left as a - y, so the gradients are sums over the rows."
    why = "The loss is a mean over N rows; its gradient is N times smaller than the sum."
    fix = "Divide the output's delta by N, the number of rows in the batch."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(y, z, a) * len(y)


class MeanForgottenInLoss(Mistake):
    title = "1/N forgotten in the loss"
    did = "The loss is the sum over the rows, not their mean."
    why = "It grows with the batch, and the gradient that is computed is not its gradient."
    fix = "Divide the loss by N, the number of rows in the batch."

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(y, output) * len(y)


class MeanTakenTwice(Mistake):
    title = "output's delta divided by N twice"
    did = "A loss that is already a mean is divided by N again before it is differentiated."
    why = "Every derivative is too small by a factor of N, and learning is N times slower."
    fix = "Divide by N once: (a - y) / N."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(y, z, a) / len(y)


class WeightGradientAveraged(Mistake):
    title = "weight gradient averaged"
    did = "dW = a.T @ dz / N, though dz already has its 1/N; db is right."
    why = "The mean over the rows is taken twice: the weights learn N times slower than the biases."
    fix = "dW = a.T @ dz, with 1/N in dz only; or 1/N in dW and db, and not in dz."

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().whole_weight_gradient(l, a, dz) / len(dz)


class WeightGradientNotAveraged(Mistake):
    title = "1/N forgotten in the weight gradient"
    did = "db is divided by N, but dW is the plain sum over the rows."
    why = "The loss is a mean over the rows for W and b alike; dW is too large by a factor of N."
    fix = "Divide dW by N as well, or put the 1/N into dz, from which both get it."

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().whole_weight_gradient(l, a, dz) * len(dz)


class BiasGradientAveraged(Mistake):
    title = "bias gradient averaged"
    did = "db is dz.mean(axis=0), the mean over the rows, though dz already has its 1/N."
    why = "A bias acts on every row, so its derivative is the rows' sum; this is N times too small."
    fix = "db = dz.sum(axis=0)."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        return super().whole_bias_gradient(l, dz) / len(dz)


class BiasGradientNotAveraged(Mistake):
    title = "1/N forgotten in the bias gradient"
    did = "dW is divided by N, but db is the plain sum of the rows' deltas."
    why = "The loss is a mean over the rows for W and b alike; db is too large by a factor of N."
    fix = "Divide db by N as well, or put the 1/N into dz, from which both get it."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        return super().whole_bias_gradient(l, dz) * len(dz)


class SumOverOutputs(Mistake):
    title = "sum instead of mean over the outputs, in the gradient"
    did = "The output's delta is divided by N, not by NK, for a loss that is a mean over K outputs."
    why = "Every derivative is too large by a factor of K."
    fix = "Divide by NK, the number of outputs in the batch: (a - y) / y.size."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz * y.shape[1] if self.network.loss in MEANS else dz


class SumOverOutputsInLoss(Mistake):
    title = "sum instead of mean over the outputs, in the loss"
    did = "The errors of a row's K outputs are summed in a loss that is their mean."
    why = (
        "The loss is too large by a factor of K, and the gradient that is computed is not its own."
    )
    fix = "Divide by NK, the number of outputs in the batch, as np.mean does."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss * y.shape[1] if self.network.loss in MEANS else loss


class MeanOverOutputs(Mistake):
    title = "mean instead of sum over the outputs, in the gradient"
    did = "The output's delta is divided by NK, for a loss that sums over the K outputs of a row."
    why = "Every derivative is too small by a factor of K."
    fix = "Divide by N, the number of rows: (a - y) / len(y)."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz / y.shape[1] if self.network.loss in SUMS else dz


class MeanOverOutputsInLoss(Mistake):
    title = "mean instead of sum over the outputs, in the loss"
    did = "The loss is np.mean over everything, though the K outputs of a row should be summed."
    why = "np.mean divides by K, too: the loss is too small by a factor of K."
    fix = "Sum over the outputs first, then take the mean over the rows: .sum(axis=1).mean()."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss / y.shape[1] if self.network.loss in SUMS else loss


class HalfMissing(Mistake):
    title = "½ missing in the gradient"
    did = "½(a - y)² is differentiated as if it were (a - y)², to 2(a - y)."
    why = "The 2 of the square and the ½ of the loss cancel; this doubles every derivative."
    fix = "The derivative of ½(a - y)² is a - y."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz * 2 if self.network.loss == "half_squared_error" else dz


class HalfMissingInLoss(Mistake):
    title = "½ missing in the loss"
    did = "The loss is (a - y)², though ½(a - y)² is meant."
    why = "It is twice as large as it should be, and a - y is not its derivative."
    fix = "Halve the loss, or keep the square and use its derivative, 2(a - y)."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss * 2 if self.network.loss == "half_squared_error" else loss


class HalfExtra(Mistake):
    title = "½ extra in the gradient"
    did = (
        "The 2 of the square's derivative is lost: (a - y)² gives a - y, and ½(a - y)² half of it."
    )
    why = "d(e²)/de = 2e; every derivative is half of what it should be."
    fix = "Bring the exponent down: (a - y)² gives 2(a - y), and ½(a - y)² gives a - y."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz / 2 if self.network.loss in SQUARED_ERRORS else dz


class HalfExtraInLoss(Mistake):
    title = "½ extra in the loss"
    did = "The mean squared error is written with the ½ that makes a derivative tidy."
    why = "The mean squared error has no ½: the loss is half of what it should be."
    fix = "Leave the ½ out, or say that the loss is half the squared error."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss / 2 if self.network.loss == "mean_squared_error" else loss


# Signs.


class DeltaSignFlipped(Mistake):
    title = "output's delta with its sign flipped"
    did = "The delta is y - a instead of a - y, and the update still subtracts."
    why = "Every derivative has the wrong sign, so each step makes the loss larger."
    fix = "With w ← w - η dW the delta is a - y; y - a goes with w ← w + η dW."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return -super().output_delta(y, z, a)


class WeightGradientSignFlipped(Mistake):
    title = "weight gradient with its sign flipped"
    did = "dW = -a.T @ dz, though dz and db have the right sign."
    why = "The weights are moved to where the loss grows, and the biases to where it falls."
    fix = "dW = a.T @ dz."

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return -super().whole_weight_gradient(l, a, dz)


class BiasGradientSignFlipped(Mistake):
    title = "bias gradient with its sign flipped"
    did = "db = -Σ dz, though dz and dW have the right sign."
    why = "The biases are moved to where the loss grows, as if they were thresholds."
    fix = "db = Σ dz; the minus comes with the update."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        return -super().whole_bias_gradient(l, dz)


class WeightsUphill(Mistake):
    title = "weights moved in the direction of the gradient"
    did = "W ← W + η dW, while b ← b - η db."
    why = "The gradient points uphill, to where the loss grows fastest."
    fix = "Subtract both: W ← W - η dW and b ← b - η db."

    def applied(self, l: int, dW: Array, db: Array) -> tuple[Array, Array]:
        dW, db = super().applied(l, dW, db)
        return -dW, db


class BiasesUphill(Mistake):
    title = "biases moved in the direction of the gradient"
    did = "b ← b + η db, while W ← W - η dW."
    why = "The gradient points uphill; only a threshold, which is -b, would be moved that way."
    fix = "Subtract both: W ← W - η dW and b ← b - η db."

    def applied(self, l: int, dW: Array, db: Array) -> tuple[Array, Array]:
        dW, db = super().applied(l, dW, db)
        return dW, -db


class StepUphill(Mistake):
    title = "step in the direction of the gradient"
    did = "W ← W + η dW and b ← b + η db."
    why = "The gradient points uphill, to where the loss grows fastest."
    fix = "Subtract: W ← W - η dW and b ← b - η db."

    def applied(self, l: int, dW: Array, db: Array) -> tuple[Array, Array]:
        dW, db = super().applied(l, dW, db)
        return -dW, -db


class MinusMissingInLoss(Mistake):
    title = "minus sign missing in the cross-entropy"
    did = "The loss is Σ y log a, without the minus in front."
    why = "Logarithms of probabilities are negative: this loss falls as the predictions get worse."
    fix = "Cross-entropy is -Σ y log a, which is never negative."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return -loss if self.network.loss in CROSSENTROPIES else loss


# Data and numbers.


class TargetsBipolar(Mistake):
    title = "targets -1 and 1 instead of 0 and 1"
    did = "Targets 0 and 1 are given as -1 and 1: y ← 2y - 1."
    why = "Output and loss are made for 0 and 1; a delta of a + 1 fits neither."
    fix = "Keep targets in the output's range: 0 and 1 for sigmoid, softmax and step."

    def bipolar(self, y: Array) -> Array:
        other = self.network.loss in ("bipolar_perceptron", "output")
        return y if other or not zero_one(y) else 2 * y - 1

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(self.bipolar(y), output)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(self.bipolar(y), z, a)


class TargetsBinary(Mistake):
    title = "targets 0 and 1 instead of -1 and 1"
    did = "The targets -1 and 1 of sign units or of the hinge loss are given as 0 and 1."
    why = "A sign unit never outputs 0, and in 1 - ya a y of 0 leaves nothing to learn."
    fix = "Keep targets as they are made for: -1 and 1 for sign units and the hinge loss."

    def binary(self, y: Array) -> Array:
        return (y + 1) / 2 if self.network.loss in ("bipolar_perceptron", "hinge") else y

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(self.binary(y), output)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(self.binary(y), z, a)


class TargetsInverted(Mistake):
    title = "targets 0 and 1 swapped"
    did = "The classes are numbered the other way round: y ← 1 - y."
    why = "The network learns to say no where it should say yes."
    fix = "1 is the class that the output is the probability of."

    def inverted(self, y: Array) -> Array:
        """1 - y (N, K) if the loss has a term for each, else y."""
        return 1 - y if self.network.loss in TWO_TERMS and zero_one(y) else y

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(self.inverted(y), output)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(self.inverted(y), z, a)


class OneHotShifted(Mistake):
    title = "one-hot targets shifted by one"
    did = "The classes are counted from 1, but the columns from 0."
    why = "Each row's 1 stands in the next class's column, and that class is learned instead."
    fix = "Count both from 0; np.eye(K)[classes] with classes 0 .. K-1."

    def shifted(self, y: Array) -> Array:
        one_hot = zero_one(y) and (y.sum(axis=1) == 1).all()
        return np.roll(y, 1, axis=1) if one_hot and y.shape[1] > 1 else y

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(self.shifted(y), output)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(self.shifted(y), z, a)


class TargetsBroadcast(Mistake):
    title = "targets (N,) broadcast against outputs (N, 1)"
    did = "In a - y, a has the shape (N, 1) and y (N,), which NumPy broadcasts to (N, N)."
    why = "Every output is compared with the targets of all rows, and so pulled towards their mean."
    fix = "Give the targets the output's shape: y.reshape(-1, 1)."

    def broadcasts(self, y: Array) -> bool:
        return y.shape[1] == 1 and bool((y != y[0]).any()) and self.network.loss != "output"

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss
        if not self.broadcasts(y):
            return loss(y, output)
        return np.mean(np.array([loss(np.full_like(y, target), output) for target in y[:, 0]]))

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        delta = super().output_delta
        if not self.broadcasts(y):
            return delta(y, z, a)
        of_targets = [delta(np.full_like(y, target), z, a) for target in y[:, 0]]
        return np.mean(np.stack(of_targets, axis=-1), axis=-1)


class LastRowDropped(Mistake):
    title = "last row of the batch dropped"
    did = "The loop that adds up the gradients stops one row early: range(N - 1)."
    why = "The last row of each batch is never learned from."
    fix = "range(N) ends at N - 1 by itself."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        if len(y) > 1:
            dz[-1] = 0
        return dz


class OnlyLastRowCounted(Mistake):
    title = "gradients overwritten row by row"
    did = "The loop over the rows has dW = … and db = …, not dW += … and db += …."
    why = "Each row overwrites the rows before it; only the last one's gradient is left."
    fix = "Start dW and db at zero and add each row's gradient."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().weight_gradient(l, a[-1:], dz[-1:])

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        return super().whole_bias_gradient(l, dz[-1:])


class Float32Inside(Mistake):
    title = "float32 inside a float64 computation"
    did = "The net inputs pass through float32, the default dtype of most frameworks."
    why = "Only 7 of float64's 16 digits survive, and everything after that is no more exact."
    fix = "Use one dtype for the data, the parameters and the framework, and check every array's."

    def net_input(self, l: int, a: Array) -> Array:
        z = super().net_input(l, a)
        return z.astype(np.float32).astype(z.dtype)
