"""The classic mistakes in backpropagation, each as a network that makes it.

A mistake overrides one small method of :class:`impl_numpy.FeedForward`, or gives it another
network, and says what was done, why it is wrong and what to do. It leaves every network that it
cannot happen in exactly as it was. What goes wrong in a loss and what goes wrong in its derivative
are two mistakes, since one is made without the other as often as with it; :func:`pair` makes two at
once. They are in the order of the step, but those that change what others make come before these:
of a pair, the first acts on what the second makes.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from impl_numpy import FeedForward, optimizers
from impl_numpy.activations import SELU_ALPHA, SELU_SCALE, elu, relu, relu_backward, sigmoid
from impl_numpy.optimizers import Optimizer
from shared import Array, Network, Parameters, Trace, Training

__all__ = ["MISTAKES", "Mistake", "pair"]

MISTAKES: dict[str, type[Mistake]] = {}

SQUARED_ERRORS = ("mean_squared_error", "half_squared_error")
# What the losses do over the K outputs of a row.
MEANS = ("mean_squared_error", "binary_crossentropy", "softmax_binary_crossentropy")
SUMS = ("half_squared_error", "categorical_crossentropy")
# The cross-entropies with a term for y and one for 1 - y.
TWO_TERMS = ("binary_crossentropy", "softmax_binary_crossentropy")
CROSSENTROPIES = (*TWO_TERMS, "categorical_crossentropy")
# Those that fit their activation, so that dz comes to a - y.
FITTING = ("binary_crossentropy", "categorical_crossentropy")
# Keras's ε, which probabilities are kept away from 0 and 1 by.
CLIP = 1e-7


class Mistake(FeedForward):
    """A network that makes one mistake; each subclass is in ``MISTAKES``, by its name."""

    name: ClassVar[str]
    title: ClassVar[str]
    did: ClassVar[str]
    why: ClassVar[str]
    fix: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if cls.__bases__ == (Mistake,):  # what pair makes is in no catalogue
            cls.name = re.sub(r"\B(?=[A-Z])", "-", cls.__name__).lower()
            MISTAKES[cls.name] = cls

    @property
    def last(self) -> int:
        """The number of the output layer, L - 1."""
        return len(self.W) - 1

    def has(self, l: int, *activations: str) -> bool:
        """Whether layer l has one of these activations."""
        return self.network.layers[l].activation in activations

    def first_term(self, y: Array, z: Array) -> Array:
        """A cross-entropy's mean of -y log a, without its terms for 1 - y."""
        binary = self.network.loss == "binary_crossentropy"
        return -np.mean(y * (-np.logaddexp(0, -z) if binary else log_softmax(z)))


def pair(first: str, second: str) -> type[FeedForward]:
    """A network that makes two mistakes, by their names, at once."""
    return type("Both", (MISTAKES[first], MISTAKES[second]), {})


def zero_one(y: Array) -> bool:
    """Whether all the targets are 0 or 1."""
    return bool(((y == 0) | (y == 1)).all())


def n_terms(network: Network, y: Array) -> int:
    """What a squared error divides its sum by, apart from the ½."""
    return y.size if network.loss == "mean_squared_error" else len(y)


def log_softmax(z: Array) -> Array:
    """log softmax(z) (N, K), finite at any z."""
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)


def with_hidden(network: Network, old: str, new: str) -> Network:
    """The network with another activation in those of its hidden layers that have the old one."""
    *hidden, output = network.layers
    changed = (
        dataclasses.replace(layer, activation=new) if layer.activation == old else layer
        for layer in hidden
    )
    return dataclasses.replace(network, layers=(*changed, output))


# Factors and sums.


class GradientsNotReset(Mistake):
    title = "gradients not reset between steps"
    did = "dW and db of a step are added to those of all the steps before it."
    why = (
        "Each step then goes along the sum of old gradients, taken where the weights no longer are."
    )
    fix = "Set every gradient to zero before each backward pass (optimizer.zero_grad())."

    sums: Sequence[Array] = ()

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        sums = [*dW, *db]
        if self.sums:
            sums = [new + old for new, old in zip(sums, self.sums, strict=True)]
        self.sums = [each.copy() for each in sums]
        return dz, sums[: len(dW)], sums[len(dW) :]


class GradientsAveragedAgain(Mistake):
    title = "dW and db divided by N a second time"
    did = "dz has the 1/N of the loss in it, and dW = a.T @ dz / N and db = Σ dz / N divide again."
    why = "The mean over the rows is taken twice, so the steps are N times too small."
    fix = "Divide by N in one place only: where the loss is differentiated."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        return dz, [each / len(y) for each in dW], [each / len(y) for each in db]


class DividedByNLater(Mistake):
    title = "1/N in dW and db, not in dz"
    did = "dz is each row's own delta, and only dW and db are divided by N."
    why = "dW and db are right, but dz and dx are N times the derivatives of the loss, a mean."
    fix = "Put the 1/N into the output's delta; all that follows from it then has it too."

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
    why = "It grows with the batch, and its gradient is not the one that is computed."
    fix = "Divide the loss by N, the number of rows in the batch."

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(y, output) * len(y)


class MeanTakenTwice(Mistake):
    title = "1/N divided twice in the output's delta"
    did = "A loss that is a mean already is divided by N again before it is differentiated."
    why = "Every derivative is N times too small, and learning N times too slow."
    fix = "Divide by N once: (a - y) / N."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(y, z, a) / len(y)


class BiasGradientAveraged(Mistake):
    title = "bias gradient averaged"
    did = "db is the mean of dz over the rows, dz.mean(axis=0), where dz has its 1/N already."
    why = "A bias feeds every row, so its derivative is the rows' sum; this is N times too small."
    fix = "db = dz.sum(axis=0)."

    def bias_gradient(self, dz: Array) -> Array:
        return super().bias_gradient(dz) / len(dz)


class BiasGradientNotAveraged(Mistake):
    title = "1/N forgotten in the bias gradient"
    did = "dW is divided by N, and db is the plain sum of the rows' own deltas."
    why = "The loss is a mean over the rows for W and b alike; db is N times too large."
    fix = "Divide db by N as well, or put the 1/N into dz, where both get it."

    def bias_gradient(self, dz: Array) -> Array:
        return super().bias_gradient(dz) * len(dz)


class SumOverOutputs(Mistake):
    title = "sum for mean over the outputs, in the gradient"
    did = "The output's delta is divided by N, not by NK, for a loss that is a mean over K outputs."
    why = "Every derivative is K times too large."
    fix = "Divide by NK, the number of all outputs of the batch: (a - y) / y.size."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz * y.shape[1] if self.network.loss in MEANS else dz


class SumOverOutputsInLoss(Mistake):
    title = "sum for mean over the outputs, in the loss"
    did = "The errors of a row's K outputs are added up in a loss that is their mean."
    why = "The loss is K times too large, and not the one whose gradient is computed."
    fix = "Divide by NK, the number of all outputs of the batch, as np.mean does."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss * y.shape[1] if self.network.loss in MEANS else loss


class MeanOverOutputs(Mistake):
    title = "mean for sum over the outputs, in the gradient"
    did = "The output's delta is divided by NK, for a loss that adds up the K outputs of a row."
    why = "Every derivative is K times too small."
    fix = "Divide by N, the number of rows: (a - y) / len(y)."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz / y.shape[1] if self.network.loss in SUMS else dz


class MeanOverOutputsInLoss(Mistake):
    title = "mean for sum over the outputs, in the loss"
    did = "The loss is np.mean over everything, where the K outputs of a row are to be added up."
    why = "np.mean divides by K too: the loss is K times too small."
    fix = "Add the outputs up first and take the mean over the rows: .sum(axis=1).mean()."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss / y.shape[1] if self.network.loss in SUMS else loss


class HalfMissing(Mistake):
    title = "½ missing in the gradient"
    did = "½(a - y)² is differentiated as if it were (a - y)², to 2(a - y)."
    why = "The 2 of the square and the ½ of the loss cancel; every derivative is twice too large."
    fix = "The derivative of ½(a - y)² is a - y."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz * 2 if self.network.loss == "half_squared_error" else dz


class HalfMissingInLoss(Mistake):
    title = "½ missing in the loss"
    did = "The loss is (a - y)², where ½(a - y)² is meant."
    why = "It is twice too large, and a - y is not its derivative."
    fix = "Halve the loss, or keep the square and use its derivative, 2(a - y)."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return loss * 2 if self.network.loss == "half_squared_error" else loss


class HalfExtra(Mistake):
    title = "½ extra in the gradient"
    did = (
        "The 2 of the square's derivative is lost: (a - y)² gives a - y, or ½(a - y)² half of that."
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
    did = "The delta is y - a in place of a - y, and the weights still go against it."
    why = "Every derivative has the wrong sign, so each step makes the loss larger."
    fix = "With w ← w - η dW the delta is a - y; y - a goes with w ← w + η dW."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return -super().output_delta(y, z, a)


class StepUphill(Mistake):
    title = "step in the direction of the gradient"
    did = "W ← W + η dW and b ← b + η db."
    why = "The gradient points to where the loss grows; this climbs."
    fix = "Subtract: W ← W - η dW and b ← b - η db."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        super().update([-each for each in dW], [-each for each in db], training)


class MinusMissingInLoss(Mistake):
    title = "minus of the cross-entropy missing"
    did = "The loss is Σ y log a, without the minus in front."
    why = "Logarithms of probabilities are negative: this loss falls as the predictions get worse."
    fix = "Cross-entropy is -Σ y log a, which is never negative."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return -loss if self.network.loss in CROSSENTROPIES else loss


# Data and numbers.


class TargetsBipolar(Mistake):
    title = "targets of ±1 for 0 and 1"
    did = "Targets 0 and 1 are given as -1 and 1: y ← 2y - 1."
    why = "The output and the loss are made for 0 and 1, and a delta of a + 1 is none of theirs."
    fix = "Keep targets in the output's range: 0 and 1 for sigmoid, softmax and step."

    def coded(self, y: Array) -> Array:
        other = self.network.loss in ("bipolar_perceptron", "output")
        return y if other or not zero_one(y) else 2 * y - 1

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(self.coded(y), output)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(self.coded(y), z, a)


class TargetsBinary(Mistake):
    title = "targets of 0 and 1 for ±1"
    did = "Targets -1 and 1 of sign units are given as 0 and 1: y ← (y + 1) / 2."
    why = "A unit whose output is -1 or 1 never gives 0, so its error never becomes zero."
    fix = "Keep targets in the output's range: -1 and 1 for sign."

    def coded(self, y: Array) -> Array:
        return (y + 1) / 2 if self.network.loss == "bipolar_perceptron" else y

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(self.coded(y), output)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(self.coded(y), z, a)


class OneHotShifted(Mistake):
    title = "one-hot targets shifted by one"
    did = "The classes are counted from 1 where the columns are counted from 0."
    why = "Each row's 1 stands in the next class's column, and that class is what is learned."
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
    did = "a - y with a of shape (N, 1) and y of shape (N,), which NumPy makes (N, N)."
    why = "Every output is compared with the targets of all rows, and so is drawn to their mean."
    fix = "Give the targets the output's shape: y.reshape(-1, 1)."

    def broadcasts(self, y: Array) -> bool:
        return y.shape[1] == 1 and bool((y != y[0]).any()) and self.network.loss != "output"

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss
        if not self.broadcasts(y):
            return loss(y, output)
        return np.mean(np.array([loss(np.full_like(y, target), output) for target in y[:, 0]]))

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return super().output_delta(np.full_like(y, y.mean()) if self.broadcasts(y) else y, z, a)


class LastRowDropped(Mistake):
    title = "last row of the batch dropped"
    did = "The gradients are added up by a loop that stops a row early: range(N - 1)."
    why = "The last row of each batch is never learned from."
    fix = "range(N) ends at N - 1 by itself."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        if len(y) > 1:
            dz[-1] = 0
        return dz


class OnlyLastRowCounted(Mistake):
    title = "gradients overwritten row by row"
    did = "In a loop over the rows dW = … and db = … stand where dW += … and db += … are meant."
    why = "Each row replaces what the rows before it gave; only the last one's gradient is left."
    fix = "Start dW and db at zero and add each row's part."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().weight_gradient(l, a[-1:], dz[-1:])

    def bias_gradient(self, dz: Array) -> Array:
        return super().bias_gradient(dz[-1:])


class Float32Inside(Mistake):
    title = "float32 inside a float64 computation"
    did = "The net inputs go through float32, as a framework's default tensors do."
    why = "Only 7 of float64's 16 digits come through, and none of the others is right again."
    fix = "Set one dtype for the data, the parameters and the framework, and check each array's."

    def net_input(self, l: int, a: Array) -> Array:
        z = super().net_input(l, a)
        return z.astype(np.float32).astype(z.dtype)


# The forward pass.


class WeightsTransposedForward(Mistake):
    title = "W transposed in the forward pass"
    did = "z = a @ W.T + b, which fits where a layer is as wide as the one below."
    why = "W[i, j] leads from i to j: each unit gets the weights that lead out of another."
    fix = "z = a @ W + b, or keep W as (units, inputs) everywhere."

    def net_input(self, l: int, a: Array) -> Array:
        W = self.W[l]
        if len(W) == len(W.T):
            self.W[l] = W.T
        z = super().net_input(l, a)
        self.W[l] = W
        return z


class FirstBiasForgotten(Mistake):
    title = "first layer's bias forgotten"
    did = "z[0] = x @ W[0], and the other layers have their + b."
    why = "The boundary of every unit of the first layer has to go through the origin."
    fix = "z[0] = x @ W[0] + b[0]."

    def net_input(self, l: int, a: Array) -> Array:
        if l == 0 and self.last > 0:
            return np.dot(a, self.W[l])
        return super().net_input(l, a)


class LastBiasForgotten(Mistake):
    title = "output layer's bias forgotten"
    did = "z[L-1] = a[L-1] @ W[L-1], and the other layers have their + b."
    why = "The outputs cannot be moved as a whole to where the targets are."
    fix = "z[L-1] = a[L-1] @ W[L-1] + b[L-1]."

    def net_input(self, l: int, a: Array) -> Array:
        if l == self.last and self.last > 0:
            return np.dot(a, self.W[l])
        return super().net_input(l, a)


class BiasForgotten(Mistake):
    title = "bias forgotten in the net input"
    did = "z = a @ W, without + b."
    why = "Every unit's boundary has to go through the origin, and b changes nothing."
    fix = "z = a @ W + b."

    def net_input(self, l: int, a: Array) -> Array:
        return np.dot(a, self.W[l])


class BiasSubtracted(Mistake):
    title = "bias subtracted, as a threshold is"
    did = "z = a @ W - b."
    why = "A threshold θ is subtracted, a bias b = -θ is added: db has the wrong sign for this z."
    fix = "z = a @ W + b, with b the negative of the threshold."

    def net_input(self, l: int, a: Array) -> Array:
        return np.dot(a, self.W[l]) - self.b[l]


class FirstActivationSkipped(Mistake):
    title = "first layer's activation skipped"
    did = "The first hidden layer passes its net input on: a[1] = z[0]."
    why = "Without its activation the layer is linear, and could as well not be there."
    fix = "a[1] = g(z[0]), as in every other layer."

    def activation(self, l: int, z: Array) -> Array:
        return z.copy() if l == 0 and self.last > 0 else super().activation(l, z)


class OutputActivationSkipped(Mistake):
    title = "output layer's activation skipped"
    did = "The network's output is its last net input: a[L] = z[L-1]."
    why = "The targets and the delta a - y are made for the activation's output, not for z."
    fix = "a[L] = g(z[L-1]), with the sigmoid, softmax or other activation that the loss goes with."

    def activation(self, l: int, z: Array) -> Array:
        return z.copy() if l == self.last else super().activation(l, z)


class TanhForSigmoid(Mistake):
    title = "tanh for the sigmoid in hidden layers"
    did = "Hidden sigmoid layers have tanh, and its derivative 1 - a²."
    why = "It is another network: tanh goes from -1 to 1 and is four times as steep at 0."
    fix = "σ(z) = 1 / (1 + e^-z), with the derivative a(1 - a)."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(with_hidden(network, "sigmoid", "tanh"), parameters)


class SigmoidForTanh(Mistake):
    title = "sigmoid for tanh in hidden layers"
    did = "Hidden tanh layers have the sigmoid, and its derivative a(1 - a)."
    why = "It is another network: the sigmoid is never negative, and a quarter as steep at 0."
    fix = "np.tanh(z), with the derivative 1 - a²."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(with_hidden(network, "tanh", "sigmoid"), parameters)


class ReluForSigmoid(Mistake):
    title = "ReLU for the sigmoid in hidden layers"
    did = "Hidden sigmoid layers have ReLU, and its derivative, 0 or 1."
    why = "It is another network: ReLU has no upper end, and is 0 where the sigmoid is below ½."
    fix = "σ(z) = 1 / (1 + e^-z), with the derivative a(1 - a)."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(with_hidden(network, "sigmoid", "relu"), parameters)


class SigmoidOnLinearOutput(Mistake):
    title = "linear output put through the sigmoid"
    did = "a[L] = σ(z[L-1]) for an output layer that is linear."
    why = "The output stays between 0 and 1, wherever the targets are."
    fix = "Leave the output of a regression as it is: a[L] = z[L-1]."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return sigmoid(a) if l == self.last and self.has(l, "linear") else a


class ReluOnLinearOutput(Mistake):
    title = "linear output put through ReLU"
    did = "The loop over the layers gives the linear output layer the hidden layers' ReLU."
    why = "No output can be negative, and where one would be the right answer is out of reach."
    fix = "End the loop a layer earlier, and leave the output of a regression as it is."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return relu(a) if l == self.last and self.has(l, "linear") else a


class SoftmaxOverColumns(Mistake):
    title = "softmax over the wrong axis"
    did = "e^z is divided by its sums over axis=0, the rows of the batch."
    why = "The rows compete for a class, not the classes for a row; no row adds up to 1."
    fix = "Sum over each row's own outputs: axis=1, keepdims=True."

    def activation(self, l: int, z: Array) -> Array:
        if not self.has(l, "softmax"):
            return super().activation(l, z)
        return super().activation(l, z.T).T


class SoftmaxOverBatch(Mistake):
    title = "softmax over the whole batch"
    did = "np.exp(z) / np.sum(np.exp(z)), where z holds several rows."
    why = "All rows together add up to 1, so a row's outputs depend on the other rows'."
    fix = "np.sum(…, axis=1, keepdims=True) gives each row its own sum."

    def activation(self, l: int, z: Array) -> Array:
        if not self.has(l, "softmax"):
            return super().activation(l, z)
        return super().activation(l, z.reshape(1, -1)).reshape(z.shape)


class SigmoidMinusMissing(Mistake):
    title = "minus missing in the sigmoid"
    did = "σ(z) = 1 / (1 + e^z)."
    why = "That is σ(-z): it falls where the sigmoid rises."
    fix = "σ(z) = 1 / (1 + e^-z)."

    def activation(self, l: int, z: Array) -> Array:
        return super().activation(l, -z if self.has(l, "sigmoid") else z)


class TanhWithoutDoubling(Mistake):
    title = "tanh written as 2σ(z) - 1"
    did = "tanh is made of the sigmoid as 2σ(z) - 1."
    why = "That is tanh(z/2), half as steep."
    fix = "tanh(z) = 2σ(2z) - 1, or np.tanh(z)."

    def activation(self, l: int, z: Array) -> Array:
        return super().activation(l, z / 2 if self.has(l, "tanh") else z)


class MinimumForMaximum(Mistake):
    title = "minimum for maximum in ReLU"
    did = "ReLU is min(0, z), and leaky ReLU is min(αz, z)."
    why = "The unit is silenced where it should pass its input on, and passes on the rest."
    fix = "max(0, z), and max(αz, z) for an α below 1."

    def activation(self, l: int, z: Array) -> Array:
        if not self.has(l, "relu", "leaky_relu"):
            return super().activation(l, z)
        return -super().activation(l, -z)


class FiresAtThreshold(Mistake):
    title = "step(0) taken as 1"
    did = "The unit fires where z >= 0: step(0) = 1 and sign(0) = 1."
    why = "By the convention here a unit fires only above its threshold: step(0) = 0, sign(0) = -1."
    fix = "z > 0. With weights of zero the very first output depends on it."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return np.where(z == 0, 1, a) if self.has(l, "step", "sign") else a


class SignOfZeroIsZero(Mistake):
    title = "sign(0) taken as 0"
    did = "The unit is np.sign(z), which has a third value: 0 at 0."
    why = "A sign unit gives -1 or 1 and nothing else; sign(0) = -1 by the convention here."
    fix = "np.where(z > 0, 1, -1)."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return np.where(z == 0, 0, a) if self.has(l, "sign") else a


class SeluWithoutScale(Mistake):
    title = "SELU without its λ"
    did = "z for z > 0, else α(e^z - 1): ELU with SELU's α."
    why = "λ = 1.0507 is what keeps the variance of the activations at 1 from layer to layer."
    fix = "Multiply both sides by λ."

    def activation(self, l: int, z: Array) -> Array:
        return elu(z, SELU_ALPHA) if self.has(l, "selu") else super().activation(l, z)


# The loss.


class SignInsideLoss(Mistake):
    title = "wrong sign inside the cross-entropy"
    did = "-[y log a - (1 - y) log(1 - a)]."
    why = "The second term is subtracted, so that a wrong 1 for a target of 0 makes the loss small."
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
    fix = "-[y log a + (1 - y) log(1 - a)]; only one-hot targets with softmax do without the rest."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in TWO_TERMS:
            return super().loss(y, output)
        return self.first_term(y, output)


class ProbabilitiesClippedInLoss(Mistake):
    title = "probabilities clipped in the cross-entropy"
    did = "The loss is computed from np.clip(a, 1e-7, 1 - 1e-7), so that no logarithm is infinite."
    why = "Where the network is sure the loss stops at 16.1, however wrong it is, or at 1e-7."
    fix = "Compute the loss from z: log σ(z) = -log(1 + e^-z), log softmax(z) = z - log Σ e^z."

    def clipped(self, z: Array) -> Array | None:
        """The probabilities (N, K) after clipping, if that changes any."""
        if self.network.loss not in FITTING:
            return None
        a = self.g[-1](z)
        p = np.clip(a, CLIP, 1 - CLIP)
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


class LabelsSwappedInLoss(Mistake):
    title = "labels and logits exchanged in the loss"
    did = "cross_entropy(logits, labels) where the function takes (labels, logits), by position."
    why = "The targets are taken for net inputs, and the net inputs for targets."
    fix = "Pass both by name: labels=y, logits=z."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in FITTING:
            return super().loss(y, output)
        return super().loss(output, y)


class SquareMissingInLoss(Mistake):
    title = "square missing in the squared error"
    did = "The loss is the mean (or half the sum) of a - y."
    why = "Errors of both signs cancel, and the smallest loss is the smallest output."
    fix = "Square each error before adding them up."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        if self.network.loss not in SQUARED_ERRORS:
            return loss
        terms = y.size if self.network.loss == "mean_squared_error" else 2 * len(y)
        return np.sum(output - y) / terms


class RootOfLoss(Mistake):
    title = "root of the mean squared error"
    did = "The loss is √(mean (a - y)²)."
    why = "That is the RMSE, whose gradient is the mean squared error's over twice the RMSE."
    fix = "Leave the root out, or take it only for what is shown to people."

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        return np.sqrt(loss) if self.network.loss == "mean_squared_error" else loss


class AbsoluteErrorInLoss(Mistake):
    title = "absolute error for the squared error, in the loss"
    did = "The loss is the mean (or half squared error's sum) of |a - y|."
    why = "It is another loss, whose gradient is the sign of the error, not the error."
    fix = "Square the error: (a - y)²."

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in SQUARED_ERRORS:
            return super().loss(y, output)
        return np.sum(np.abs(output - y)) / n_terms(self.network, y)


# The output's delta.


class SquaredErrorsGradient(Mistake):
    title = "squared error's gradient for the cross-entropy"
    did = "dz = (a - y) · g'(z), though the loss is a cross-entropy."
    why = "The cross-entropy has cancelled g'(z); with it, a sure and wrong output hardly learns."
    fix = "dz = a - y, over N or NK."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        if self.network.loss not in FITTING:
            return dz
        return self.activation_backward(self.last, dz, z, a)


class NetInputInOutputDelta(Mistake):
    title = "net input for the output in the output's delta"
    did = "dz = z - y, where a - y is meant."
    why = "The target is what the output should be, not the net input; z may be any number."
    fix = "Apply the activation first: dz = g(z) - y, over N or NK."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        other = "softmax_binary_crossentropy"  # its dz is no such difference
        difference = self.network.loss_from_logits and self.network.loss != other
        return super().output_delta(y, z, z if difference else a)


class ProbabilitiesClipped(Mistake):
    title = "gradient lost where probabilities are clipped"
    did = "The cross-entropy of np.clip(a, 1e-7, 1 - 1e-7) is differentiated by the framework."
    why = (
        "What is clipped is constant: a sure and wrong output has a gradient of zero and stays so."
    )
    fix = "Let the framework take the logits (from_logits=True); by hand, dz = a - y, over N or NK."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        if self.network.loss == "binary_crossentropy":
            return np.where((a >= CLIP) & (a <= 1 - CLIP), dz, 0)
        if self.network.loss == "categorical_crossentropy":
            p = np.where(y == 1, a, 0).sum(axis=1, keepdims=True)  # of each row's own class
            return np.where((p >= CLIP) & (p <= 1 - CLIP), dz, 0)
        return dz


class TermMissing(Mistake):
    title = "gradient of the cross-entropy without its (1 - y) term"
    did = "-y log a alone is differentiated: dz = -y(1 - a) for the sigmoid."
    why = "Where the target is 0 nothing is learned, so every output creeps up to 1."
    fix = "Differentiate both terms; with the sigmoid they come to dz = a - y."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        match self.network.loss:
            case "binary_crossentropy":
                return y * (a - 1) / y.size
            case "softmax_binary_crossentropy":
                return (a * y.sum(axis=1, keepdims=True) - y) / y.size
        return super().output_delta(y, z, a)


class SignInside(Mistake):
    title = "wrong sign inside the cross-entropy's gradient"
    did = "da = -(y/a + (1 - y)/(1 - a))."
    why = "log(1 - a) has the derivative -1/(1 - a): the two terms pull in opposite directions."
    fix = "da = -(y/a - (1 - y)/(1 - a))."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss not in TWO_TERMS:
            return super().output_delta(y, z, a)
        with np.errstate(divide="ignore", invalid="ignore"):
            da = -(y / a + (1 - y) / (1 - a)) / y.size
            return self.activation_backward(self.last, da, z, a)


class CrossentropyNotChained(Mistake):
    title = "cross-entropy's derivative by a taken for that by z"
    did = "dz = -y/a, or -(y/a - (1 - y)/(1 - a)), without the step back through the activation."
    why = "That is da; dz = da · g'(z) is missing its second factor."
    fix = "Multiply by the sigmoid's or softmax's derivative, which leaves dz = a - y."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.network.loss in TWO_TERMS:
                return (a - y) / (a * (1 - a)) / y.size
            if self.network.loss == "categorical_crossentropy":
                return -y / a / len(y)
        return super().output_delta(y, z, a)


class LabelsSwapped(Mistake):
    title = "gradient with labels and logits exchanged"
    did = "cross_entropy(logits, labels) for (labels, logits), differentiated by the framework."
    why = "As a function of its labels the loss is a straight line: dz no longer depends on z."
    fix = "Pass both by name: labels=y, logits=z."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        match self.network.loss:
            case "binary_crossentropy":
                return -y / y.size
            case "categorical_crossentropy":
                return -log_softmax(y) / len(y)
        return super().output_delta(y, z, a)


class AbsoluteError(Mistake):
    title = "absolute error's gradient for the squared error"
    did = "da = sign(a - y)."
    why = "The squared error's gradient shrinks with the error; this one is as large at the end."
    fix = "da = 2(a - y), or a - y with the ½ in the loss."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        if self.network.loss not in SQUARED_ERRORS:
            return super().output_delta(y, z, a)
        da = np.sign(a - y) / n_terms(self.network, y)
        return self.activation_backward(self.last, da, z, a)


class DiagonalOfSoftmax(Mistake):
    title = "only the diagonal of softmax's Jacobian"
    did = "dz = da · a(1 - a), as for the sigmoid."
    why = "Each output of a softmax depends on every z of its row: ∂aᵢ/∂zⱼ = -aᵢaⱼ for i ≠ j."
    fix = "dz = a · (da - Σ da · a), or for one-hot targets with cross-entropy dz = a - y."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "softmax"):
            return da * a * (1 - a)
        return super().activation_backward(l, da, z, a)

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        match self.network.loss:
            case "categorical_crossentropy":
                return -y * (1 - a) / len(y)
            case "softmax_binary_crossentropy":
                return (a - y) / y.size
        return super().output_delta(y, z, a)


class ZeroGradients(Mistake):
    title = "all gradients zero"
    did = "The loss is cut off from the network (a constant, .numpy(), .detach()), so that dz = 0."
    why = "Nothing that the weights do reaches the loss, and no weight moves."
    fix = "Compute the loss from the network's own output, and inside the tape."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return np.zeros_like(super().output_delta(y, z, a))


# The hidden delta.


class WeightsUpdatedFirst(Mistake):
    title = "weights updated before the delta below is computed"
    did = "W[l+1] has made its step already when dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l]) uses it."
    why = "The gradient is that of the weights of the forward pass, all of them."
    fix = "Compute every delta first, and then update every W and b."

    learning_rate = 0.0

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        self.learning_rate = training.learning_rate
        return super().step(x, y, training)

    def descend(self, x: Array, y: Array, training: Training) -> tuple[Array, Array | float]:
        self.learning_rate = training.learning_rate
        return super().descend(x, y, training)

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        W = self.W[l + 1]
        self.W[l + 1] = W - self.learning_rate * self.weight_gradient(l + 1, a, dz_next)
        dz = super().hidden_delta(l, dz_next, z, a)
        self.W[l + 1] = W
        return dz


class OnePathOnly(Mistake):
    title = "only one output's path in the hidden delta"
    did = "da takes dz[l+1] of the first unit above alone, times its weight."
    why = "A hidden unit feeds every unit above it, and its derivative is the sum over all of them."
    fix = "da = dz[l+1] @ W[l+1].T adds up every path."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        first = np.zeros_like(dz_next)
        first[:, 0] = dz_next[:, 0]
        return super().hidden_delta(l, first, z, a)


class ErrorPassedDown(Mistake):
    title = "error passed down in place of the delta"
    did = "da[l] = da[l+1] @ W[l+1].T: what goes down has not been multiplied by g'(z[l+1])."
    why = "The way down leads through every activation above, and each has its derivative."
    fix = "dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l]), with the whole dz of the layer above."

    error: Array

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        self.error = da.copy()
        return super().activation_backward(l, da, z, a)

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        from_loss = l + 1 == self.last and self.network.loss_from_logits
        return super().hidden_delta(l, dz_next if from_loss else self.error, z, a)


class WeightsReshaped(Mistake):
    title = "W reshaped in place of transposed"
    did = "da = dz[l+1] @ W[l+1].reshape(K, D), to make the shapes fit."
    why = "reshape keeps the numbers in their order and cuts its rows elsewhere; most weights move."
    fix = "W.T, which swaps rows and columns."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        W = self.W[l + 1]
        da = np.dot(dz_next, W.reshape(W.T.shape))
        return self.activation_backward(l, da, z, a)


class WeightsNotTransposed(Mistake):
    title = "W not transposed in the hidden delta"
    did = "da = dz[l+1] @ W[l+1], which fits where a layer is as wide as the one below."
    why = "It goes along the weights into a unit, not along those out of it."
    fix = "da = dz[l+1] @ W[l+1].T."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        W = self.W[l + 1]
        if len(W) != len(W.T):
            return super().hidden_delta(l, dz_next, z, a)
        return self.activation_backward(l, np.dot(dz_next, W), z, a)


class WeightsOfWrongLayer(Mistake):
    title = "hidden delta with the layer's own weights"
    did = "da = dz[l+1] @ W[l].T, which fits where the two layers have the same shape."
    why = "W[l] leads into layer l; its error comes back through the weights that lead out of it."
    fix = "dz[l+1] goes with W[l+1]."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        if self.W[l].shape != self.W[l + 1].shape:
            return super().hidden_delta(l, dz_next, z, a)
        return self.activation_backward(l, np.dot(dz_next, self.W[l].T), z, a)


class OnePathPerUnit(Mistake):
    title = "only each unit's own path in the hidden delta"
    did = "da[:, i] = dz[l+1][:, i] * W[l+1][i, i], which fits where both layers are as wide."
    why = "Hidden unit i feeds every unit above it, not the i-th alone."
    fix = "da = dz[l+1] @ W[l+1].T adds up every path."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        W = self.W[l + 1]
        if len(W) != len(W.T):
            return super().hidden_delta(l, dz_next, z, a)
        return self.activation_backward(l, dz_next * W.diagonal(), z, a)


class ProductOfPaths(Mistake):
    title = "product of the paths in place of their sum"
    did = "da = Π dz[l+1] W[l+1], over the units above."
    why = "Along one path derivatives are multiplied, but the paths themselves are added up."
    fix = "da = Σ dz[l+1] W[l+1], that is dz[l+1] @ W[l+1].T."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        paths = dz_next[:, np.newaxis] * self.W[l + 1]  # (N, D[l+1], D[l+2])
        return self.activation_backward(l, paths.prod(axis=2), z, a)


class WeightsForgottenInDelta(Mistake):
    title = "weights forgotten in the hidden delta"
    did = "da is the plain sum of dz[l+1]."
    why = "A hidden unit answers for the units above by as much as it feeds them: by its weights."
    fix = "da = dz[l+1] @ W[l+1].T."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        da = np.dot(dz_next, np.ones_like(self.W[l + 1]).T)
        return self.activation_backward(l, da, z, a)


class BiasAddedToDelta(Mistake):
    title = "bias added to the hidden delta"
    did = "da = dz[l+1] @ W[l+1].T + b[l], as if the backward pass were another forward pass."
    why = "A bias is a constant in z: its derivative is 1, and it is not part of anybody's error."
    fix = "da = dz[l+1] @ W[l+1].T, and the biases get their own db."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da if l == self.last else da + self.b[l], z, a)


class InputGradientNotTransposed(Mistake):
    title = "W not transposed in the input's gradient"
    did = "dx = dz[0] @ W[0], which fits where the first layer is as wide as the input."
    why = "It goes along the weights into a unit, not along those out of an input."
    fix = "dx = dz[0] @ W[0].T."

    def input_gradient(self, dz: list[Array]) -> Array:
        W = self.W[0]
        return dz[0] @ W if len(W) == len(W.T) else super().input_gradient(dz)


# Derivatives of the activations.


class DerivativeAtActivation(Mistake):
    title = "derivative taken at a in place of z"
    did = "g'(a) for g'(z): a function like sigmoid'(z) = σ(z)(1 - σ(z)) is given a = σ(z)."
    why = "The activation is applied twice."
    fix = "g'(z), or its formula in a: a(1 - a) for the sigmoid, 1 - a² for tanh."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da, a, self.activation(l, a))


class NetInputInDerivative(Mistake):
    title = "z in the derivative's formula for a"
    did = "z(1 - z) for the sigmoid, 1 - z² for tanh: a function written for a is given z."
    why = "σ' = σ(1 - σ) holds for the sigmoid's value; z(1 - z) is negative for most z."
    fix = "a(1 - a) and 1 - a², with a = g(z)."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da, z, z)


class OutputDerivativeForgotten(Mistake):
    title = "derivative of the output's activation forgotten"
    did = "dz = da, a - y or 2(a - y): the cross-entropy's delta for a squared error."
    why = "The squared error's dz is da · g'(z); only the cross-entropy's derivative cancels g'(z)."
    fix = "Multiply by g'(z): (a - y) · a(1 - a) for ½(a - y)² and the sigmoid."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return da if l == self.last else super().activation_backward(l, da, z, a)


class HiddenDerivativeForgotten(Mistake):
    title = "derivative of the hidden activation forgotten"
    did = "dz[l] = dz[l+1] @ W[l+1].T."
    why = "That is da, the derivative by the activation; the net input is one step further back."
    fix = "Multiply by g'(z[l]), elementwise."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da, z, a) if l == self.last else da


class SigmoidsDerivativeForAll(Mistake):
    title = "sigmoid's derivative for every activation"
    did = "dz = da · a(1 - a), whatever the activation is."
    why = "a(1 - a) is σ'; tanh has 1 - a², ReLU 0 or 1, a linear layer 1."
    fix = "Change the derivative whenever the activation is changed."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "softmax"):
            return super().activation_backward(l, da, z, a)
        return da * (a * (1 - a))


class SigmoidsDerivativePlus(Mistake):
    title = "σ' written as σ(1 + σ)"
    did = "dz = da · a(1 + a)."
    why = "The sigmoid is flat where a is near 1, and a(1 + a) is largest there."
    fix = "σ' = σ(1 - σ)."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "sigmoid"):
            return da * a * (1 + a)
        return super().activation_backward(l, da, z, a)


class OutputSigmoidsDerivativePlus(Mistake):
    title = "σ' written as σ(1 + σ) in the output layer only"
    did = "dz[L-1] = da · a(1 + a), and the hidden sigmoid layers have a(1 - a)."
    why = "The sigmoid is flat where a is near 1, and a(1 + a) is largest there."
    fix = "σ' = σ(1 - σ), best as one function for all layers."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        hidden = any(self.has(k, "sigmoid") for k in range(self.last))
        if hidden and l == self.last and self.has(l, "sigmoid"):
            return da * a * (1 + a)
        return super().activation_backward(l, da, z, a)


class TanhsDerivativeNotSquared(Mistake):
    title = "tanh' written as 1 - a"
    did = "dz = da · (1 - a)."
    why = "The square is lost: for a near -1, where tanh is flat, this is 2."
    fix = "tanh' = 1 - a²."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "tanh"):
            return da * (1 - a)
        return super().activation_backward(l, da, z, a)


class ScaledTanhsInnerDerivative(Mistake):
    title = "scaled tanh's derivative without its ⅔"
    did = "g'(z) = 1.7159 (1 - tanh²(⅔z))."
    why = "By the chain rule the derivative of ⅔z is a factor too; this is half as much again."
    fix = "g'(z) = 1.7159 · ⅔ · (1 - tanh²(⅔z))."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da * 1.5 if self.has(l, "scaled_tanh") else da, z, a)


class TanhsDerivativeForScaled(Mistake):
    title = "tanh's derivative for the scaled tanh"
    did = "dz = da · (1 - a²) with a = 1.7159 tanh(⅔z)."
    why = "1 - a² is for an a between -1 and 1; here it is negative from |a| = 1 on."
    fix = "g'(z) = 1.7159 · ⅔ · (1 - tanh²(⅔z))."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "scaled_tanh"):
            return da * (1 - a * a)
        return super().activation_backward(l, da, z, a)


class RelusDerivativeAsInput(Mistake):
    title = "ReLU itself for its derivative"
    did = "dz = da · max(0, z)."
    why = "ReLU's slope is 0 or 1, however large z is; this multiplies by z once too often."
    fix = "dz = da · (z > 0)."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "relu"):
            return da * relu(z)
        return super().activation_backward(l, da, z, a)


class RelusDerivativeAtZero(Mistake):
    title = "ReLU'(0) taken as 1"
    did = "dz = da · (z >= 0), and the slope from above at 0 in leaky ReLU and ELU."
    why = "By the convention here, as in the frameworks' ReLU, a unit at exactly 0 is off."
    fix = "dz = da · (z > 0). Rows of zeros and biases of zero make z exactly 0."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "relu", "leaky_relu", "elu"):
            z = np.where(z == 0, 1, z)
        return super().activation_backward(l, da, z, a)


class SlopesSwapped(Mistake):
    title = "slopes of ReLU and leaky ReLU on the wrong sides"
    did = "The derivative is 1 below zero and 0 (or α) above: dz[z > 0] = 0."
    why = "The units that are on pass nothing back, and those that are off everything."
    fix = "1 where z > 0, and 0 (or α) elsewhere: dz[z <= 0] = 0."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        on = self.has(l, "relu", "leaky_relu")
        return super().activation_backward(l, da, -z if on else z, a)


class LeakySlopeForgotten(Mistake):
    title = "ReLU's derivative for leaky ReLU"
    did = "dz = da · (z > 0), though the activation leaks."
    why = "Below zero the slope is α, not 0: it is there to keep such units learning."
    fix = "dz = da · np.where(z > 0, 1, α)."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "leaky_relu"):
            return relu_backward(da, z, a)
        return super().activation_backward(l, da, z, a)


class ElusDerivativeWithoutAlpha(Mistake):
    title = "ELU's derivative without its α"
    did = "The derivative is e^z below zero."
    why = "ELU is α(e^z - 1) there, so its derivative is αe^z; only for α = 1 is it the same."
    fix = "αe^z, or a + α, where z <= 0."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "elu"):
            return da * np.where(z > 0, 1, np.exp(np.minimum(z, 0)))
        return super().activation_backward(l, da, z, a)


class SelusDerivativeWithoutScale(Mistake):
    title = "SELU's derivative without its λ"
    did = "The derivative is 1 above zero and αe^z below."
    why = "λ multiplies the function on both sides, and so its derivative."
    fix = "λ above zero and λαe^z below."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da / SELU_SCALE if self.has(l, "selu") else da, z, a)


# The gradients of weights and biases.


class NetInputInWeightGradient(Mistake):
    title = "net input for the activation in dW"
    did = "dW[l] = z[l-1].T @ dz[l]."
    why = "W[l] multiplies a[l] in the forward pass, so a[l] is its derivative's other factor."
    fix = "dW[l] = a[l].T @ dz[l], with a[l] = g(z[l-1])."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        dW[1:] = [self.weight_gradient(l, z[l - 1], dz[l]) for l in range(1, len(dz))]
        return dz, dW, db


class OutputInWeightGradient(Mistake):
    title = "layer's output for its input in dW"
    did = "dW[l] = a[l+1].T @ dz[l], which fits where a layer is as wide as the one below."
    why = "W[l] multiplies what goes into layer l, and a[l+1] comes out of it."
    fix = "dW[l] = a[l].T @ dz[l]; a[0] is the input x."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        for l in range(len(dz)):
            if a[l].shape == a[l + 1].shape:
                dW[l] = self.weight_gradient(l, a[l + 1], dz[l])
        return dz, dW, db


class WeightGradientTransposed(Mistake):
    title = "input and delta swapped in dW"
    did = "dW[l] = dz[l].T @ a[l], which fits where a layer is as wide as the one below."
    why = "That is the transpose: the derivative by the weight from i to j stands at j, i."
    fix = "dW[l] = a[l].T @ dz[l], or transpose W too."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        square = a.shape == dz.shape
        return super().weight_gradient(l, dz if square else a, a if square else dz)


class WeightForInput(Mistake):
    title = "derivative by the input taken for that by the weight"
    did = "dW[l] = W[l] · Σ dz[l]."
    why = "∂(wa)/∂a = w, but ∂(wa)/∂w = a."
    fix = "dW[l] = a[l].T @ dz[l]."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return self.W[l] * dz.sum(axis=0)


class MeansMultiplied(Mistake):
    title = "product of means for the mean of products in dW"
    did = "a and dz are reduced over the rows first: dW = np.outer(a.mean(axis=0), dz.sum(axis=0))."
    why = "Each row's activation goes with its own delta; means lose how the two vary together."
    fix = "dW = a.T @ dz multiplies row by row and then adds up."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().weight_gradient(l, np.broadcast_to(a.mean(axis=0), a.shape), dz)


class BiasSummedOverOutputs(Mistake):
    title = "bias gradient summed over the wrong axis"
    did = "db = dz.sum(axis=1), which fits where there are as many rows as units."
    why = "That is one number for each row; a bias is shared by the rows and belongs to a unit."
    fix = "db = dz.sum(axis=0)."

    def bias_gradient(self, dz: Array) -> Array:
        return super().bias_gradient(dz.T if len(dz) == len(dz.T) else dz)


class BiasSummedOverAll(Mistake):
    title = "bias gradient summed over everything"
    did = "db = np.sum(dz), one number for all the units of a layer."
    why = "Every bias of the layer then moves alike, by what is the others' as well."
    fix = "db = np.sum(dz, axis=0)."

    def bias_gradient(self, dz: Array) -> Array:
        db = super().bias_gradient(dz)
        return np.full_like(db, db.sum())


# The update.


class LearningRateTwice(Mistake):
    title = "learning rate used twice"
    did = "dW ← η dW and db ← η db, and then W ← W - η dW and b ← b - η db."
    why = "The step is η² times the gradient: for η = 0.1 a tenth of what was asked for."
    fix = "Multiply by η in one place only, the update."

    def optimizer_for(self, training: Training) -> Optimizer:
        rate = training.learning_rate**2
        return super().optimizer_for(dataclasses.replace(training, learning_rate=rate))


class LearningRateForgotten(Mistake):
    title = "learning rate forgotten"
    did = "W ← W - dW and b ← b - db."
    why = "That is a learning rate of 1, mostly much too large: the loss jumps about or grows."
    fix = "W ← W - η dW and b ← b - η db."

    def optimizer_for(self, training: Training) -> Optimizer:
        return super().optimizer_for(dataclasses.replace(training, learning_rate=1.0))


class LearningRateElsewhere(Mistake):
    title = "learning rate from another place"
    did = "The update has η = 0.01 written into it, or an optimizer's default of 0.01."
    why = "The learning rate that was set is not used, and changing it changes nothing."
    fix = "Pass the learning rate to the update or the optimizer."

    def optimizer_for(self, training: Training) -> Optimizer:
        return super().optimizer_for(dataclasses.replace(training, learning_rate=0.01))


class LearningRateTenth(Mistake):
    title = "learning rate a tenth of what it should be"
    did = "W ← W - η/10 dW and b ← b - η/10 db: 0.01 for 0.1."
    why = "Every step is ten times too small, and learning ten times too slow."
    fix = "Check where the learning rate is set, and for a zero too many or too few."

    def optimizer_for(self, training: Training) -> Optimizer:
        rate = training.learning_rate / 10
        return super().optimizer_for(dataclasses.replace(training, learning_rate=rate))


class LearningRateTenfold(Mistake):
    title = "learning rate ten times what it should be"
    did = "W ← W - 10η dW and b ← b - 10η db: 0.1 for 0.01."
    why = "Every step is ten times too large: the loss may jump about or grow."
    fix = "Check where the learning rate is set, and for a zero too many or too few."

    def optimizer_for(self, training: Training) -> Optimizer:
        rate = training.learning_rate * 10
        return super().optimizer_for(dataclasses.replace(training, learning_rate=rate))


class BiasFrozen(Mistake):
    title = "biases never updated"
    did = "W ← W - η dW, and b stays what it was."
    why = "The biases are parameters as the weights are: db tells how to move them."
    fix = "b ← b - η db."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        super().update(dW, [np.zeros_like(each) for each in db], training)


class FirstLayerNotUpdated(Mistake):
    title = "first layer never updated"
    did = "The loop over the updates begins a layer late: range(1, L)."
    why = "The first layer keeps its random weights, and the others have to make do with them."
    fix = "range(L): layers are counted from 0."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        kept = self.W[0].copy(), self.b[0].copy()
        super().update(dW, db, training)
        if self.last > 0:
            self.W[0], self.b[0] = kept


class LastLayerNotUpdated(Mistake):
    title = "output layer never updated"
    did = "The loop over the updates ends a layer early: range(L - 1)."
    why = "Only the layers below learn, to suit an output layer that stays random."
    fix = "range(L) ends at L - 1 by itself."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        kept = self.W[-1].copy(), self.b[-1].copy()
        super().update(dW, db, training)
        if self.last > 0:
            self.W[-1], self.b[-1] = kept


class FixedBiasUpdated(Mistake):
    title = "fixed biases updated"
    did = "b ← b - η db in the layers whose biases are to stay as they are, too."
    why = "The example keeps its biases: from the second step on every number is another."
    fix = "Leave b alone where the layer says fixed_bias."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        gradients = [each.copy() for each in db]
        super().update(dW, db, training)
        for l, layer in enumerate(self.network.layers):
            if layer.fixed_bias:
                self.b[l] -= training.learning_rate * gradients[l]


class UpdateLost(Mistake):
    title = "update made to a copy"
    did = "for W, dW in zip(…): W = W - η dW, which gives the name W to a new array."
    why = "The network's own weights are not touched; the loss is the same in every epoch."
    fix = "Change them in place, W -= η dW, or put the new array back where the old one was."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        """Nothing comes of it."""


# Optimizers and schedules: each a rule in place of that of impl_numpy/optimizers.py.


def with_rules(optimizer: Optimizer, **rules: Callable[..., None]) -> Optimizer:
    """An optimizer with another rule, where there is one for its kind."""
    training = optimizer.training
    if training.optimizer in rules:
        numbers = {k: v for k, v in training.numbers.items() if k != "initial_accumulator"}
        optimizer.rule = partial(rules[training.optimizer], **numbers)
    return optimizer


class ScheduleIgnored(Mistake):
    title = "learning rate not decayed"
    did = "Every step is made with the learning rate that the first one had."
    why = "Steps that should become smaller stay as large as they were, and pass over the minimum."
    fix = "Compute η from the number of steps made, at every step."

    def optimizer_for(self, training: Training) -> Optimizer:
        same = dataclasses.replace(training, schedule="constant", decay_rate=None, decay_steps=None)
        return super().optimizer_for(same)


class SlotsReset(Mistake):
    title = "optimizer made anew at every step"
    did = "The optimizer is created inside the training loop, so what it keeps starts from zero."
    why = "Momentum, and the sums of squares, remember nothing of the steps before."
    fix = "Create the optimizer once, before the loop."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        self.optimizer = None
        super().update(dW, db, training)


class MomentumSubtracted(Mistake):
    title = "momentum with its sign flipped"
    did = "v ← -μv - ηg: the step before is taken back, not carried on."
    why = "Momentum is to keep the direction of the last steps; this works against it."
    fix = "v ← μv - ηg."

    def optimizer_for(self, training: Training) -> Optimizer:
        def rule(eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float) -> None:
            optimizers.momentum(eta, t, g, w, v, momentum=-momentum)

        return with_rules(super().optimizer_for(training), momentum=rule)


class MomentumForNesterov(Mistake):
    title = "plain momentum for Nesterov's"
    did = "w ← w + v, where w ← w + μv - ηg is meant."
    why = "Nesterov's step looks ahead to where v leads; this one follows v alone."
    fix = "w ← w + μv - ηg, with the new v."

    def optimizer_for(self, training: Training) -> Optimizer:
        return with_rules(super().optimizer_for(training), nesterov=optimizers.momentum)


class RateOutsideMomentum(Mistake):
    title = "learning rate outside the momentum"
    did = "v ← μv + g, w ← w - ηv, PyTorch's form, where Keras has v ← μv - ηg, w ← w + v."
    why = "The weights are the same as long as η is, but what is kept is not, nor once η decays."
    fix = "Multiply g by η before it goes into v."

    def optimizer_for(self, training: Training) -> Optimizer:
        def rule(eta: float, t: int, g: Array, w: Array, v: Array, *, momentum: float) -> None:
            v *= momentum
            v += g
            w -= eta * v

        return with_rules(super().optimizer_for(training), momentum=rule)


class GradientNotSquared(Mistake):
    title = "|g| for g² in what the optimizer keeps"
    did = "s ← s + |g|, and its kin, and then the root of s."
    why = "s is to be a mean square, whose root has g's own size; the root of |g| has not."
    fix = "Add g² to s."

    def optimizer_for(self, training: Training) -> Optimizer:
        def adagrad(eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float) -> None:
            s += np.abs(g)
            w -= eta * g / np.sqrt(s + epsilon)

        def rmsprop(
            eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
        ) -> None:
            s *= rho
            s += (1 - rho) * np.abs(g)
            w -= eta * g / np.sqrt(s + epsilon)

        return with_rules(super().optimizer_for(training), adagrad=adagrad, rmsprop=rmsprop)


class RootForgotten(Mistake):
    title = "root forgotten in the optimizer's step"
    did = "w ← w - ηg / (s + ε), without the root of s."
    why = "Where gradients are small, g / s is as much too large as g / √s would have been right."
    fix = "Divide by √s."

    def optimizer_for(self, training: Training) -> Optimizer:
        def adagrad(eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float) -> None:
            s += g * g
            w -= eta * g / (s + epsilon)

        def rmsprop(
            eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
        ) -> None:
            s *= rho
            s += (1 - rho) * g * g
            w -= eta * g / (s + epsilon)

        return with_rules(super().optimizer_for(training), adagrad=adagrad, rmsprop=rmsprop)


class EpsilonOutsideRoot(Mistake):
    title = "ε outside the root"
    did = "w ← w - ηg / (√s + ε) in AdaGrad or RMSprop."
    why = "Papers and libraries differ; Keras has ε inside, √(s + ε), which tells where s is small."
    fix = "w ← w - ηg / √(s + ε), or another ε if the other form is meant."

    def optimizer_for(self, training: Training) -> Optimizer:
        def adagrad(eta: float, t: int, g: Array, w: Array, s: Array, *, epsilon: float) -> None:
            s += g * g
            w -= eta * g / (np.sqrt(s) + epsilon)

        def rmsprop(
            eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
        ) -> None:
            s *= rho
            s += (1 - rho) * g * g
            w -= eta * g / (np.sqrt(s) + epsilon)

        return with_rules(super().optimizer_for(training), adagrad=adagrad, rmsprop=rmsprop)


class NeverForgets(Mistake):
    title = "RMSprop without forgetting"
    did = "s ← s + g², AdaGrad's sum, where s ← ρs + (1 - ρ)g² is meant."
    why = "The sum only grows, so that the steps become ever smaller."
    fix = "s ← ρs + (1 - ρ)g²."

    def optimizer_for(self, training: Training) -> Optimizer:
        def rule(
            eta: float, t: int, g: Array, w: Array, s: Array, *, rho: float, epsilon: float
        ) -> None:
            optimizers.adagrad(eta, t, g, w, s, epsilon=epsilon)

        return with_rules(super().optimizer_for(training), rmsprop=rule)


class AdamUncorrected(Mistake):
    title = "Adam without its bias correction"
    did = "w ← w - η m / (√s + ε)."
    why = "m and s start at 0 and are too small at first, s by more: the first steps are too large."
    fix = "Multiply η by √(1 - β₂ᵗ⁺¹) / (1 - β₁ᵗ⁺¹), t counted from 0."

    def optimizer_for(self, training: Training) -> Optimizer:
        def rule(
            eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
        ) -> None:
            optimizers.adam(eta / correction(t, **numbers), t, g, w, m, s, **numbers)

        return with_rules(super().optimizer_for(training), adam=rule)


class EpsilonCorrected(Mistake):
    title = "Adam's ε in the other place"
    did = "w ← w - η m̂ / (√ŝ + ε), with m and s corrected first, as in Adam's paper."
    why = "Keras adds ε to the root of the uncorrected s, where it counts for more in early steps."
    fix = "Correct η, not m and s; or divide ε by √(1 - β₂ᵗ⁺¹) to get the paper's."

    def optimizer_for(self, training: Training) -> Optimizer:
        def rule(
            eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
        ) -> None:
            uncorrected = numbers["epsilon"] * (1 - numbers["beta_2"] ** (t + 1)) ** 0.5
            optimizers.adam(eta, t, g, w, m, s, **{**numbers, "epsilon": uncorrected})

        return with_rules(super().optimizer_for(training), adam=rule)


class BetasSwapped(Mistake):
    title = "Adam's β₁ and β₂ swapped"
    did = "m ← β₂m + (1 - β₂)g and s ← β₁s + (1 - β₁)g²."
    why = "The direction then changes far too slowly, and the size of the steps too fast."
    fix = "β₁, mostly 0.9, belongs to m, and β₂, mostly 0.999, to s."

    def optimizer_for(self, training: Training) -> Optimizer:
        def rule(
            eta: float, t: int, g: Array, w: Array, m: Array, s: Array, **numbers: float
        ) -> None:
            swapped = {"beta_1": numbers["beta_2"], "beta_2": numbers["beta_1"]}
            optimizers.adam(eta, t, g, w, m, s, **{**numbers, **swapped})

        return with_rules(super().optimizer_for(training), adam=rule)


def correction(t: int, beta_1: float, beta_2: float, epsilon: float) -> float:
    """What Adam multiplies η by."""
    return float((1 - beta_2 ** (t + 1)) ** 0.5 / (1 - beta_1 ** (t + 1)))
