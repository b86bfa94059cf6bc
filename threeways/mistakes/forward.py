"""Mistakes in the forward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from impl_numpy.activations import SELU_ALPHA, elu, relu, sigmoid, softmax
from shared import Array, Layer, Network, Parameters
from threeways.mistakes.base import EPSILONS, FITTING, Mistake, crossentropy, with_layers


def with_hidden(network: Network, old: str, new: str) -> Network:
    """A copy of the network with its hidden layers' ``old`` activation replaced by ``new``."""

    def changed(l: int, layer: Layer) -> dict[str, Any]:
        hidden = l < len(network.layers) - 1
        return {"activation": new} if hidden and layer.activation == old else {}

    return with_layers(network, changed)


# The forward pass.


class WeightsTransposedForward(Mistake):
    title = "W transposed in the forward pass"
    did = "z = a @ W.T + b, whose shapes fit if a layer is as wide as the one below."
    why = "W[i, j] leads from i to j: transposed, each unit gets the outgoing weights of another."
    fix = "z = a @ W + b, or keep W as (units, inputs) everywhere."

    def forward_weights(self, l: int) -> Array:
        W = super().forward_weights(l)
        return W.T if len(W) == len(W.T) else W


class FirstBiasForgotten(Mistake):
    title = "first layer's bias forgotten"
    did = "z[0] = x @ W[0]; the other layers do add their b."
    why = "The decision boundary of every unit in the first layer has to pass through the origin."
    fix = "z[0] = x @ W[0] + b[0]."

    def forward_bias(self, l: int) -> Array:
        b = super().forward_bias(l)
        return np.zeros_like(b) if l == 0 and self.last > 0 else b


class LastBiasForgotten(Mistake):
    title = "output layer's bias forgotten"
    did = "z[L-1] = a[L-1] @ W[L-1]; the other layers do add their b."
    why = "The outputs cannot be shifted as a whole to where the targets are."
    fix = "z[L-1] = a[L-1] @ W[L-1] + b[L-1]."

    def forward_bias(self, l: int) -> Array:
        b = super().forward_bias(l)
        return np.zeros_like(b) if l == self.last and self.last > 0 else b


class BiasForgotten(Mistake):
    title = "bias forgotten in the net input"
    did = "z = a @ W, without + b."
    why = "Every unit's boundary has to pass through the origin, and changing b has no effect."
    fix = "z = a @ W + b."

    def forward_bias(self, l: int) -> Array:
        return np.zeros_like(super().forward_bias(l))


class BiasSubtracted(Mistake):
    title = "bias subtracted, as a threshold is"
    did = "z = a @ W - b."
    why = (
        "A threshold θ is subtracted, but a bias b = -θ is added: db has the wrong sign for this z."
    )
    fix = "z = a @ W + b, with b the negative of the threshold."

    def forward_bias(self, l: int) -> Array:
        return -super().forward_bias(l)


class BiasOfLayerBelow(Mistake):
    title = "bias of the layer below"
    did = "z[l] = a[l] @ W[l] + b[l-1], whose shapes fit if both layers are equally wide."
    why = (
        "Each unit has a bias of its own; the layer's own biases have no effect, but get gradients."
    )
    fix = "z[l] = a[l] @ W[l] + b[l]."

    def forward_bias(self, l: int) -> Array:
        b = super().forward_bias(l)
        return self.b[l - 1] if l and self.b[l - 1].shape == b.shape else b


class InputForActivation(Mistake):
    title = "input instead of the activation below"
    did = "z[l] = x @ W[l] + b[l] above the first layer, whose shapes fit if a[l] is as wide as x."
    why = "The layers below have no effect on the output, and yet gradients are computed for them."
    fix = "z[l] = a[l] @ W[l] + b[l]; only a[0] is x."

    def input_of(self, l: int, a: Array) -> Array:
        return self.x if l and self.x.shape == a.shape else super().input_of(l, a)


class FirstActivationSkipped(Mistake):
    title = "first layer's activation skipped"
    did = "The first hidden layer passes its net input on: a[1] = z[0]."
    why = "Without its activation the layer is linear and could be merged into the next one."
    fix = "a[1] = g(z[0]), as in every other layer."

    def activation(self, l: int, z: Array) -> Array:
        return z.copy() if l == 0 and self.last > 0 else super().activation(l, z)


class OutputActivationSkipped(Mistake):
    title = "output layer's activation skipped"
    did = "The network's output is its last net input: a[L] = z[L-1]."
    why = "The targets and the delta a - y belong to the activation's output, not to z."
    fix = "a[L] = g(z[L-1]), with the sigmoid, softmax or other activation that goes with the loss."

    def activation(self, l: int, z: Array) -> Array:
        return z.copy() if l == self.last else super().activation(l, z)


class TanhForSigmoid(Mistake):
    title = "tanh instead of the sigmoid in hidden layers"
    did = "Hidden sigmoid layers use tanh, with its derivative 1 - a²."
    why = "It is a different network: tanh ranges from -1 to 1 and is four times as steep at 0."
    fix = "σ(z) = 1 / (1 + e^-z), with the derivative a(1 - a)."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(with_hidden(network, "sigmoid", "tanh"), parameters)


class SigmoidForTanh(Mistake):
    title = "sigmoid instead of tanh in hidden layers"
    did = "Hidden tanh layers use the sigmoid, with its derivative a(1 - a)."
    why = "It is a different network: the sigmoid is never negative and a quarter as steep at 0."
    fix = "np.tanh(z), with the derivative 1 - a²."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(with_hidden(network, "tanh", "sigmoid"), parameters)


class ReluForSigmoid(Mistake):
    title = "ReLU instead of the sigmoid in hidden layers"
    did = "Hidden sigmoid layers use ReLU, with its derivative, 0 or 1."
    why = "It is a different network: ReLU is unbounded, and 0 wherever the sigmoid is below ½."
    fix = "σ(z) = 1 / (1 + e^-z), with the derivative a(1 - a)."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(with_hidden(network, "sigmoid", "relu"), parameters)


class SigmoidOnLinearOutput(Mistake):
    title = "sigmoid applied to a linear output"
    did = "a[L] = σ(z[L-1]), though the output layer is linear."
    why = "The output stays between 0 and 1, whatever the targets are."
    fix = "Leave the output of a regression as it is: a[L] = z[L-1]."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return sigmoid(a) if l == self.last and self.has(l, "linear") else a


class ReluOnLinearOutput(Mistake):
    title = "ReLU applied to a linear output"
    did = "The loop over the layers applies the hidden layers' ReLU to the linear output, too."
    why = "No output can be negative, so negative targets are out of reach."
    fix = "End the loop one layer earlier, and leave the output of a regression as it is."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return relu(a) if l == self.last and self.has(l, "linear") else a


class TanhOnLinearOutput(Mistake):
    title = "tanh applied to a linear output"
    did = "a[L] = tanh(z[L-1]), though the output layer is linear."
    why = "The output stays between -1 and 1, whatever the targets are."
    fix = "Leave the output of a regression as it is: a[L] = z[L-1]."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return np.tanh(a) if l == self.last and self.has(l, "linear") else a


class HiddenActivationTwice(Mistake):
    title = "activation applied twice in hidden layers"
    did = "a[l+1] = g(g(z[l])): once in the layer, and once more in the next line or module."
    why = "It is another function, and the derivative that is used is still that of one g."
    fix = "Apply each layer's activation once."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return super().activation(l, a) if l < self.last else a


class OutputActivationTwice(Mistake):
    title = "output's activation applied twice"
    did = "a[L] = g(g(z[L-1])): the output, already through its activation, goes through it again."
    why = "A sigmoid or softmax of probabilities squeezes them together; none comes near 0 or 1."
    fix = "Apply the output's activation once."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return super().activation(l, a) if l == self.last else a

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss not in FITTING:
            return super().loss(y, output)
        return super().loss(y, super().activation(self.last, output))


class SigmoidForSoftmax(Mistake):
    title = "sigmoid instead of softmax"
    did = "a[L] = σ(z[L-1]) for each output, with the loss -Σ y log a and dz = a - y."
    why = "The outputs of a row need not add up to 1; this loss asks only one of them to be large."
    fix = "a = e^z / Σ e^z over each row's outputs."

    def activation(self, l: int, z: Array) -> Array:
        if l == self.last and self.has(l, "softmax"):
            return sigmoid(z)
        return super().activation(l, z)

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "categorical_crossentropy":
            return super().loss(y, output)
        return np.sum(y * np.logaddexp(0, -output)) / len(y)


class SoftmaxForSigmoid(Mistake):
    title = "softmax instead of the sigmoid"
    did = "a[L] = softmax(z[L-1]), though each output is a probability of its own."
    why = "The outputs of a row always add up to 1: one can only grow if another shrinks."
    fix = "σ(z) = 1 / (1 + e^-z) for each output by itself."

    def activation(self, l: int, z: Array) -> Array:
        if l == self.last and self.has(l, "sigmoid") and z.shape[1] > 1:
            return softmax(z)
        return super().activation(l, z)

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "binary_crossentropy" or output.shape[1] == 1:
            return super().loss(y, output)
        p = softmax(output)
        return crossentropy(self.network, y, np.log(p), np.log(1 - p))


class SoftmaxNotNormalised(Mistake):
    title = "softmax not divided by its sum"
    did = "a[L] = e^z, without the division by Σ e^z."
    why = "The outputs of a row do not add up to 1: they are no probabilities, and may be any size."
    fix = "a = e^z / Σ e^z over each row's outputs."

    def activation(self, l: int, z: Array) -> Array:
        return np.exp(z) if self.has(l, "softmax") else super().activation(l, z)

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "categorical_crossentropy":
            return super().loss(y, output)
        return -np.sum(y * output) / len(y)


class EpsilonInSoftmax(Mistake):
    title = "ε = {value} in softmax's denominator"
    did = "a = e^(z - max) / (Σ e^(z - max) + {value})."
    why = (
        "The sum is at least 1, so nothing is to be kept from 0; the outputs no longer add up to 1."
    )
    fix = "Leave ε out: with z shifted by its maximum, the sum cannot be 0."
    values = EPSILONS[:-1]  # the smallest is lost in rounding

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        if not self.has(l, "softmax"):
            return a
        total = np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
        return a * (total / (total + self.value)).astype(a.dtype)

    def loss(self, y: Array, output: Array) -> Array:
        loss = super().loss(y, output)
        if self.network.loss != "categorical_crossentropy":
            return loss
        total = np.exp(output - output.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True)
        more = np.sum(y * np.log1p(self.value / total)) / len(y)
        return loss + more.astype(output.dtype)


class SoftmaxOverColumns(Mistake):
    title = "softmax over the wrong axis"
    did = "e^z is divided by its sum over axis=0, the rows of the batch."
    why = "The rows compete for a class, not the classes for a row; no row adds up to 1."
    fix = "Sum over each row's own outputs: axis=1, keepdims=True."

    def activation(self, l: int, z: Array) -> Array:
        if not self.has(l, "softmax"):
            return super().activation(l, z)
        return super().activation(l, z.T).T

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "categorical_crossentropy":
            return super().loss(y, output)
        return -np.sum(y * np.log(self.activation(self.last, output))) / len(y)


class SoftmaxOverBatch(Mistake):
    title = "softmax over the whole batch"
    did = "np.exp(z) / np.sum(np.exp(z)), though z holds several rows."
    why = "All rows together add up to 1, so a row's outputs depend on the other rows'."
    fix = "np.sum(…, axis=1, keepdims=True) gives each row its own sum."

    def activation(self, l: int, z: Array) -> Array:
        if not self.has(l, "softmax"):
            return super().activation(l, z)
        return super().activation(l, z.reshape(1, -1)).reshape(z.shape)

    def loss(self, y: Array, output: Array) -> Array:
        if self.network.loss != "categorical_crossentropy" or len(y) == 1:
            return super().loss(y, output)
        return -np.sum(y * np.log(self.activation(self.last, output))) / len(y)


class SigmoidMinusMissing(Mistake):
    title = "minus sign missing in the sigmoid"
    did = "σ(z) = 1 / (1 + e^z)."
    why = "That is σ(-z): it falls where the sigmoid rises."
    fix = "σ(z) = 1 / (1 + e^-z)."

    def activation(self, l: int, z: Array) -> Array:
        return super().activation(l, -z if self.has(l, "sigmoid") else z)

    def loss(self, y: Array, output: Array) -> Array:
        return super().loss(y, -output if self.network.loss == "binary_crossentropy" else output)


class TanhWithoutDoubling(Mistake):
    title = "tanh written as 2σ(z) - 1"
    did = "tanh is computed from the sigmoid as 2σ(z) - 1."
    why = "That is tanh(z/2), half as steep."
    fix = "tanh(z) = 2σ(2z) - 1, or np.tanh(z)."

    def activation(self, l: int, z: Array) -> Array:
        return super().activation(l, z / 2 if self.has(l, "tanh") else z)


class MinimumForMaximum(Mistake):
    title = "minimum instead of maximum in ReLU"
    did = "ReLU is min(0, z), and leaky ReLU is min(αz, z)."
    why = "The unit blocks what it should pass on, and passes on what it should block."
    fix = "max(0, z), and max(αz, z) for an α below 1."

    def activation(self, l: int, z: Array) -> Array:
        if not self.has(l, "relu", "leaky_relu"):
            return super().activation(l, z)
        return -super().activation(l, -z)


class FiresAtThreshold(Mistake):
    title = "step(0) taken as 1"
    did = "The unit fires where z >= 0: step(0) = 1 and sign(0) = 1."
    why = (
        "By the convention here, a unit fires only above its threshold: step(0) = 0, sign(0) = -1."
    )
    fix = "z > 0. With zero weights, the very first output depends on it."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return np.where(z == 0, 1, a) if self.has(l, "step", "sign") else a


class SignOfZeroIsZero(Mistake):
    title = "sign(0) taken as 0"
    did = "The unit computes np.sign(z), which has a third value: 0 at z = 0."
    why = "A sign unit outputs -1 or 1 and nothing else; sign(0) = -1 by the convention here."
    fix = "np.where(z > 0, 1, -1)."

    def activation(self, l: int, z: Array) -> Array:
        a = super().activation(l, z)
        return np.where(z == 0, 0, a) if self.has(l, "sign") else a


class SeluWithoutScale(Mistake):
    title = "SELU without its λ"
    did = "z for z > 0, else α(e^z - 1): ELU with SELU's α."
    why = "λ = 1.0507 is what keeps the variance of the activations at 1 from layer to layer."
    fix = "Multiply both branches by λ."

    def activation(self, l: int, z: Array) -> Array:
        return elu(z, SELU_ALPHA) if self.has(l, "selu") else super().activation(l, z)
