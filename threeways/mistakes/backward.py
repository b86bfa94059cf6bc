"""Mistakes in the backward pass: the deltas, and the gradients of weights and biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from impl_numpy.activations import SELU_SCALE, relu, relu_backward
from shared import Array, Trace, Training
from threeways.mistakes.base import (
    CLIP,
    FITTING,
    SQUARED_ERRORS,
    TWO_TERMS,
    Mistake,
    log_softmax,
    n_terms,
)

# The output's delta.


class SquaredErrorsGradient(Mistake):
    title = "squared error's gradient instead of the cross-entropy's"
    did = "dz = (a - y) · g'(z), though the loss is a cross-entropy."
    why = "In the cross-entropy's gradient g'(z) cancels; with it, confident errors hardly shrink."
    fix = "dz = a - y, divided by N or NK."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        if self.network.loss not in FITTING:
            return dz
        return self.activation_backward(self.last, dz, z, a)


class SigmoidsDerivativeAfterSoftmax(Mistake):
    title = "sigmoid's derivative after softmax and its cross-entropy"
    did = "dz = (a - y) · a(1 - a), though a - y is dz already."
    why = "The cross-entropy's derivative cancels softmax's; a(1 - a) shrinks what is left of it."
    fix = "dz = a - y, divided by N."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        return dz * a * (1 - a) if self.network.loss == "categorical_crossentropy" else dz


class NetInputInOutputDelta(Mistake):
    title = "net input instead of output in the output's delta"
    did = "dz = z - y, though a - y is meant."
    why = "The target says what the output should be, not the net input, which may be any number."
    fix = "Apply the activation first: dz = g(z) - y, divided by N or NK."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        other = "softmax_binary_crossentropy"  # its dz is no such difference
        difference = self.network.loss_from_logits and self.network.loss != other
        return super().output_delta(y, z, z if difference else a)


class ProbabilitiesClipped(Mistake):
    title = "gradient lost where probabilities are clipped"
    did = "The cross-entropy of np.clip(a, 1e-7, 1 - 1e-7) is differentiated by the framework."
    why = "Where a is clipped it is constant: a confident error has a gradient of zero and stays."
    fix = "Let the framework take the logits (from_logits=True); by hand, dz = a - y over N or NK."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        dz = super().output_delta(y, z, a)
        if self.network.loss == "binary_crossentropy":
            return np.where((a >= CLIP) & (a <= 1 - CLIP), dz, 0)
        if self.network.loss == "categorical_crossentropy":
            y = np.where((a >= CLIP) & (a <= 1 - CLIP), y, 0)  # of the terms with a gradient
            return (a * y.sum(axis=1, keepdims=True) - y) / len(y)
        return dz


class TermMissing(Mistake):
    title = "gradient of the cross-entropy without its (1 - y) term"
    did = "-y log a alone is differentiated: dz = -y(1 - a) for the sigmoid."
    why = "Where the target is 0 nothing is learned, so every output creeps up to 1."
    fix = "Differentiate both terms; for the sigmoid, together they are dz = a - y."

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
    title = "cross-entropy's derivative with respect to a taken for dz"
    did = "dz = -y/a, or -(y/a - (1 - y)/(1 - a)), without the step back through the activation."
    why = "That is da; the second factor of dz = da · g'(z) is missing."
    fix = "Multiply by the sigmoid's or softmax's derivative, which leaves dz = a - y."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.network.loss in TWO_TERMS:
                return (a - y) / (a * (1 - a)) / y.size
            if self.network.loss == "categorical_crossentropy":
                return -y / a / len(y)
        return super().output_delta(y, z, a)


class LabelsSwapped(Mistake):
    title = "labels and logits swapped in the gradient"
    did = "The framework differentiates cross_entropy(logits, labels), not (labels, logits)."
    why = "The loss is linear in its labels: dz no longer depends on z."
    fix = "Pass both by name: labels=y, logits=z."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        match self.network.loss:
            case "binary_crossentropy":
                return -y / y.size
            case "categorical_crossentropy":
                return -log_softmax(y) / len(y)
        return super().output_delta(y, z, a)


class AbsoluteError(Mistake):
    title = "absolute error's gradient instead of the squared error's"
    did = "da = sign(a - y)."
    why = "The squared error's gradient shrinks with the error; this one does not."
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

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "softmax"):
            return da * a * (1 - a)
        return super().times_slope(l, da, z, a)

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
    why = "The framework sees no path from the weights to the loss, and no weight moves."
    fix = "Compute the loss from the network's own output, and inside the tape."

    def output_delta(self, y: Array, z: Array, a: Array) -> Array:
        return np.zeros_like(super().output_delta(y, z, a))


# The hidden delta.


class WeightsUpdatedFirst(Mistake):
    title = "weights updated before the delta below is computed"
    did = "W[l+1] is already updated when dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l]) uses it."
    why = "The gradient belongs to the weights of the forward pass, in every layer."
    fix = "Compute every delta first, then update every W and b."

    learning_rate = 0.0

    def step(self, x: Any, y: Any, training: Training) -> Trace:
        self.learning_rate = self.next_rate(training)
        return super().step(x, y, training)

    def descend(self, x: Array, y: Array, training: Training) -> tuple[Array, Array | float]:
        self.learning_rate = self.next_rate(training)
        return super().descend(x, y, training)

    def weights_above(self, l: int, dz_next: Array, a: Array) -> Array:
        W = super().weights_above(l, dz_next, a)
        if l + 1 in self.frozen:
            return W
        dW = self.whole_weight_gradient(l + 1, self.drop(l + 1, a), dz_next)
        return W - self.learning_rate * dW


class OnePathOnly(Mistake):
    title = "only one output's path in the hidden delta"
    did = "da uses only the first unit above: its dz[l+1] times its weight."
    why = "A hidden unit feeds every unit above it, and its derivative is the sum over all of them."
    fix = "da = dz[l+1] @ W[l+1].T adds up every path."

    def passed_down(self, l: int, dz_next: Array, W: Array) -> Array:
        first = np.zeros_like(dz_next)
        first[:, 0] = dz_next[:, 0]
        return super().passed_down(l, first, W)


class ErrorPassedDown(Mistake):
    title = "error passed down instead of the delta"
    did = "da[l] = da[l+1] @ W[l+1].T, without multiplying by g'(z[l+1]) on the way."
    why = "The way down passes through every activation above, and each adds a factor g'."
    fix = "dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l]), with the whole dz of the layer above."

    errors: Mapping[int, Array] = {}  # da of the layer that was last passed through

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        self.errors = {l: da.copy()}
        return super().activation_backward(l, da, z, a)

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        # A loss of logits gives dz of the last layer directly, and so do some other mistakes.
        return super().hidden_delta(l, self.errors.get(l + 1, dz_next), z, a)


class HiddenDeltaSignFlipped(Mistake):
    title = "hidden delta with its sign flipped"
    did = "dz[l] = -(dz[l+1] @ W[l+1].T) · g'(z[l]) in every hidden layer."
    why = "The sign is in dz[l+1] already; the layers below then climb where the output descends."
    fix = "dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l])."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        return -super().hidden_delta(l, dz_next, z, a)


class MeanTakenAgainBelow(Mistake):
    title = "hidden delta divided by N once more"
    did = "dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l]) / N, in every hidden layer."
    why = (
        "The mean over the rows is in dz[l+1] already; each layer makes the gradient N times less."
    )
    fix = "Divide by N once, where the loss is differentiated."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        return super().hidden_delta(l, dz_next, z, a) / len(z)


class GradientForWeights(Mistake):
    title = "dW instead of W in the hidden delta"
    did = "da = dz[l+1] @ dW[l+1].T."
    why = (
        "The delta comes down through the weights of the forward pass, not through their gradient."
    )
    fix = "da = dz[l+1] @ W[l+1].T."

    def weights_above(self, l: int, dz_next: Array, a: Array) -> Array:
        return self.whole_weight_gradient(l + 1, self.drop(l + 1, a), dz_next)


class WeightsReshaped(Mistake):
    title = "W reshaped instead of transposed"
    did = "da = dz[l+1] @ W[l+1].reshape(K, D), to make the shapes fit."
    why = "reshape keeps the numbers in order and only cuts the rows elsewhere; most are misplaced."
    fix = "W.T, which swaps rows and columns."

    def passed_down(self, l: int, dz_next: Array, W: Array) -> Array:
        return np.dot(dz_next, W.reshape(W.T.shape))


class WeightsNotTransposed(Mistake):
    title = "W not transposed in the hidden delta"
    did = "da = dz[l+1] @ W[l+1], whose shapes fit if a layer is as wide as the one below."
    why = "It follows the weights that lead into a unit, not those that lead out of it."
    fix = "da = dz[l+1] @ W[l+1].T."

    def passed_down(self, l: int, dz_next: Array, W: Array) -> Array:
        return super().passed_down(l, dz_next, W.T if len(W) == len(W.T) else W)


class WeightsOfWrongLayer(Mistake):
    title = "hidden delta with the layer's own weights"
    did = "da = dz[l+1] @ W[l].T, whose shapes fit if W[l] and W[l+1] have the same shape."
    why = "W[l] leads into layer l; its error comes back through the weights that lead out of it."
    fix = "dz[l+1] goes with W[l+1]."

    def weights_above(self, l: int, dz_next: Array, a: Array) -> Array:
        W = super().weights_above(l, dz_next, a)
        return self.W[l] if self.W[l].shape == W.shape else W


class OnePathPerUnit(Mistake):
    title = "only each unit's own path in the hidden delta"
    did = "da[:, i] = dz[l+1][:, i] * W[l+1][i, i], which works if both layers are equally wide."
    why = "Hidden unit i feeds every unit above it, not only the i-th."
    fix = "da = dz[l+1] @ W[l+1].T adds up every path."

    def passed_down(self, l: int, dz_next: Array, W: Array) -> Array:
        square = len(W) == len(W.T)
        return dz_next * W.diagonal() if square else super().passed_down(l, dz_next, W)


class ProductOfPaths(Mistake):
    title = "product instead of sum of the paths"
    did = "da = Π dz[l+1] W[l+1], over the units above."
    why = "Along one path derivatives are multiplied, but the paths themselves are added up."
    fix = "da = Σ dz[l+1] W[l+1], that is dz[l+1] @ W[l+1].T."

    def passed_down(self, l: int, dz_next: Array, W: Array) -> Array:
        return (dz_next[:, np.newaxis] * W).prod(axis=2)  # of (N, D[l+1], D[l+2])


class WeightsForgottenInDelta(Mistake):
    title = "weights forgotten in the hidden delta"
    did = "da is the plain sum of dz[l+1]."
    why = "A hidden unit contributes to each unit above in proportion to the weight between them."
    fix = "da = dz[l+1] @ W[l+1].T."

    def weights_above(self, l: int, dz_next: Array, a: Array) -> Array:
        return np.ones_like(super().weights_above(l, dz_next, a))


class BiasAddedToDelta(Mistake):
    title = "bias added to the hidden delta"
    did = "da = dz[l+1] @ W[l+1].T + b[l], as if the backward pass were another forward pass."
    why = "A bias is added to z whatever the layer below does: it has no part in da."
    fix = "da = dz[l+1] @ W[l+1].T, and the biases get their own db."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da if l == self.last else da + self.b[l], z, a)


class InputGradientNotTransposed(Mistake):
    title = "W not transposed in the input's gradient"
    did = "dx = dz[0] @ W[0], whose shapes fit if the first layer is as wide as the input."
    why = "It follows the weights that lead into a unit, not those that lead out of an input."
    fix = "dx = dz[0] @ W[0].T."

    def input_gradient(self, dz: list[Array]) -> Array:
        W = self.W[0]
        return dz[0] @ W if len(W) == len(W.T) else super().input_gradient(dz)


# Derivatives of the activations.


class DerivativeAtActivation(Mistake):
    title = "derivative taken at a instead of z"
    did = "g'(a) instead of g'(z): sigmoid'(z) = σ(z)(1 - σ(z)), for example, is given a = σ(z)."
    why = "The activation is applied twice."
    fix = "g'(z), or its formula in a: a(1 - a) for the sigmoid, 1 - a² for tanh."

    def slope_at(self, l: int, z: Array, a: Array) -> tuple[Array, Array]:
        _, a = super().slope_at(l, z, a)
        return a, self.activation(l, a)


class NetInputInDerivative(Mistake):
    title = "z in a formula for the derivative that takes a"
    did = "z(1 - z) for the sigmoid, 1 - z² for tanh: a function written for a is given z."
    why = "σ' = σ(1 - σ) holds for the sigmoid's value; z(1 - z) is negative for most z."
    fix = "a(1 - a) and 1 - a², with a = g(z)."

    def slope_at(self, l: int, z: Array, a: Array) -> tuple[Array, Array]:
        z, _ = super().slope_at(l, z, a)
        return z, z


class NetInputForDerivative(Mistake):
    title = "z itself instead of g'(z)"
    did = "dz = da · z."
    why = "The factor is the slope of g at z, which for a sigmoid is at most ¼, whatever z is."
    fix = "dz = da · g'(z)."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().times_slope(l, da, z, a) if self.has(l, "linear") else da * z


class NextNetInputInDerivative(Mistake):
    title = "derivative at the net input of the layer above"
    did = "dz[l] = da · g'(z[l+1]), whose shapes fit if both layers are equally wide."
    why = "The slope of g belongs to the point where this layer was, z[l]."
    fix = "dz[l] = da · g'(z[l])."

    def slope_at(self, l: int, z: Array, a: Array) -> tuple[Array, Array]:
        z, a = super().slope_at(l, z, a)
        fits = l < self.last and self.z[l + 1].shape == z.shape
        return (self.z[l + 1], self.a[l + 2]) if fits else (z, a)


class ActivationForDerivative(Mistake):
    title = "a itself instead of g'(z)"
    did = "dz = da · a."
    why = "The factor is the slope of g at z: a(1 - a) for the sigmoid, 1 - a² for tanh."
    fix = "dz = da · g'(z)."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        other = self.has(l, "linear", "step", "sign", "relu", "softmax")
        return super().times_slope(l, da, z, a) if other else da * a


class NextLayersDerivative(Mistake):
    title = "derivative of the next layer's activation"
    did = "dz[l] = da · g'(z[l]) with the g of layer l+1."
    why = "z[l] went through the activation of its own layer, and da comes back through the same."
    fix = "Take g' from the layer that z belongs to."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        layers = self.network.layers
        if l == self.last or layers[l].activation == layers[l + 1].activation:
            return super().times_slope(l, da, z, a)
        return self.g_backward[l + 1](da, z, a)


class MatrixProductForElementwise(Mistake):
    title = "matrix product instead of elementwise with g'(z)"
    did = "dz = da @ g'(z), whose shapes fit if there are as many rows as units."
    why = "Each da belongs to one unit and one row; the matrix product adds up those of others."
    fix = "dz = da * g'(z)."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if len(z) != len(z.T) or self.has(l, "linear", "softmax"):
            return super().activation_backward(l, da, z, a)
        return np.dot(da, super().activation_backward(l, np.ones_like(da), z, a))


class OutputDerivativeForgotten(Mistake):
    title = "derivative of the output's activation forgotten"
    did = "dz = da, so a - y or 2(a - y): a cross-entropy's delta, though the error is squared."
    why = "The squared error's dz is da · g'(z); only the cross-entropy's derivative cancels g'(z)."
    fix = "Multiply by g'(z): (a - y) · a(1 - a) for ½(a - y)² and the sigmoid."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return da if l == self.last else super().activation_backward(l, da, z, a)


class OutputDerivativeForgottenInGradients(Mistake):
    title = "derivative of the output's activation forgotten in dW and db alone"
    did = "dW = a.T @ da and db = Σ da in the output layer; only the delta passed down has g'(z)."
    why = "W and b act on z: their derivatives come from dz = da · g'(z), like the delta below."
    fix = "Compute dz once, and use it for dW, db and the layer below."

    skipped = False

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        skips = self.skipped and l == self.last
        return da if skips else super().activation_backward(l, da, z, a)

    def delta_for_weights(self, l: int, y: Array, dz: list[Array]) -> Array:
        return self.output_error(y) if l == self.last else super().delta_for_weights(l, y, dz)

    def delta_for_biases(self, l: int, y: Array, dz: list[Array]) -> Array:
        return self.output_error(y) if l == self.last else super().delta_for_biases(l, y, dz)

    def output_error(self, y: Array) -> Array:
        """da of the output layer (N, D[L]); dz if the loss gives it directly."""
        self.skipped = True
        da = self.output_delta(y, self.z[-1], self.a[-1])
        self.skipped = False
        return da


class HiddenDerivativeForgottenInGradients(Mistake):
    title = "derivative of the hidden activation forgotten in dW and db alone"
    did = "dW[l] = a[l].T @ da and db[l] = Σ da; only the delta passed on has g'(z)."
    why = "W and b act on z: their derivatives come from dz = da · g'(z), like the delta below."
    fix = "Compute dz[l] once, and use it for dW[l], db[l] and the layer below."

    def delta_for_weights(self, l: int, y: Array, dz: list[Array]) -> Array:
        return self.hidden_error(l, dz) if l < self.last else super().delta_for_weights(l, y, dz)

    def delta_for_biases(self, l: int, y: Array, dz: list[Array]) -> Array:
        return self.hidden_error(l, dz) if l < self.last else super().delta_for_biases(l, y, dz)

    def hidden_error(self, l: int, dz: list[Array]) -> Array:
        """da[l+1] (N, D[l+1]) of a hidden layer, before dropout."""
        W = self.weights_above(l, dz[l + 1], self.a[l + 1])
        return self.drop_backward(l + 1, self.passed_down(l, dz[l + 1], W))


class HiddenDerivativeForgotten(Mistake):
    title = "derivative of the hidden activation forgotten"
    did = "dz[l] = dz[l+1] @ W[l+1].T."
    why = "That is da, the derivative with respect to the activation; dz is one step further back."
    fix = "Multiply by g'(z[l]), elementwise."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da, z, a) if l == self.last else da


class SigmoidsDerivativeForAll(Mistake):
    title = "sigmoid's derivative for every activation"
    did = "dz = da · a(1 - a), whatever the activation is."
    why = "a(1 - a) is σ'; tanh has 1 - a², ReLU 0 or 1, a linear layer 1."
    fix = "Change the derivative whenever the activation is changed."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "softmax"):
            return super().times_slope(l, da, z, a)
        return da * (a * (1 - a))


class SigmoidsDerivativePlus(Mistake):
    title = "σ' written as σ(1 + σ)"
    did = "dz = da · a(1 + a)."
    why = "The sigmoid is flat where a is near 1, and a(1 + a) is largest there."
    fix = "σ' = σ(1 - σ)."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "sigmoid"):
            return da * a * (1 + a)
        return super().times_slope(l, da, z, a)


class OutputSigmoidsDerivativePlus(Mistake):
    title = "σ' written as σ(1 + σ) in the output layer only"
    did = "dz[L-1] = da · a(1 + a), and the hidden sigmoid layers have a(1 - a)."
    why = "The sigmoid is flat where a is near 1, and a(1 + a) is largest there."
    fix = "σ' = σ(1 - σ), best as one function for all layers."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        hidden = any(self.has(k, "sigmoid") for k in range(self.last))
        if hidden and l == self.last and self.has(l, "sigmoid"):
            return da * a * (1 + a)
        return super().times_slope(l, da, z, a)


class SigmoidsDerivativeWithoutA(Mistake):
    title = "σ' written as 1 - σ"
    did = "dz = da · (1 - a)."
    why = "The factor a is lost: the sigmoid is flat where a is near 0, and this is 1 there."
    fix = "σ' = σ(1 - σ)."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "sigmoid"):
            return da * (1 - a)
        return super().times_slope(l, da, z, a)


class TanhsDerivativeForSigmoid(Mistake):
    title = "tanh's derivative for the sigmoid"
    did = "dz = da · (1 - a²), though the activation is the sigmoid."
    why = "1 - a² is tanh'; the sigmoid's slope is a(1 - a), at most ¼."
    fix = "σ' = σ(1 - σ)."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "sigmoid"):
            return da * (1 - a * a)
        return super().times_slope(l, da, z, a)


class RelusDerivativeForAll(Mistake):
    title = "ReLU's derivative for every activation"
    did = "dz = da · (z > 0), whatever the activation is."
    why = "0 or 1 is the slope of ReLU; the sigmoid has a(1 - a), tanh 1 - a²."
    fix = "Change the derivative whenever the activation is changed."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "sigmoid", "tanh", "scaled_tanh", "elu", "selu"):
            return relu_backward(da, z, a)
        return super().times_slope(l, da, z, a)


class TanhsDerivativeNotSquared(Mistake):
    title = "tanh' written as 1 - a"
    did = "dz = da · (1 - a)."
    why = "The square is lost: for a near -1, where tanh is flat, this is 2."
    fix = "tanh' = 1 - a²."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "tanh"):
            return da * (1 - a)
        return super().times_slope(l, da, z, a)


class ScaledTanhsInnerDerivative(Mistake):
    title = "scaled tanh's derivative without its ⅔"
    did = "g'(z) = 1.7159 (1 - tanh²(⅔z))."
    why = "By the chain rule, ⅔ is a factor, too; without it, g' is 1.5 times what it should be."
    fix = "g'(z) = 1.7159 · ⅔ · (1 - tanh²(⅔z))."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().times_slope(l, da * 1.5 if self.has(l, "scaled_tanh") else da, z, a)


class TanhsDerivativeForScaled(Mistake):
    title = "plain tanh's derivative for the scaled tanh"
    did = "dz = da · (1 - a²) with a = 1.7159 tanh(⅔z)."
    why = "1 - a² holds for an a between -1 and 1; here it is negative as soon as |a| > 1."
    fix = "g'(z) = 1.7159 · ⅔ · (1 - tanh²(⅔z))."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "scaled_tanh"):
            return da * (1 - a * a)
        return super().times_slope(l, da, z, a)


class RelusDerivativeAsInput(Mistake):
    title = "ReLU itself instead of its derivative"
    did = "dz = da · max(0, z)."
    why = "ReLU's slope is 0 or 1, however large z is; this multiplies by z once too often."
    fix = "dz = da · (z > 0)."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "relu"):
            return da * relu(z)
        return super().times_slope(l, da, z, a)


class RelusDerivativeAtZero(Mistake):
    title = "ReLU'(0) taken as 1"
    did = "dz = da · (z >= 0), and for leaky ReLU and ELU the slope on the right of 0."
    why = "By the convention here, as in the frameworks' ReLU, a unit at exactly 0 is off."
    fix = "dz = da · (z > 0). Rows of zeros and biases of zero make z exactly 0."

    def slope_at(self, l: int, z: Array, a: Array) -> tuple[Array, Array]:
        z, a = super().slope_at(l, z, a)
        has_kink = self.has(l, "relu", "leaky_relu", "elu")
        return np.where(z == 0, 1, z) if has_kink else z, a


class SlopesSwapped(Mistake):
    title = "slopes of ReLU and leaky ReLU on the wrong sides"
    did = "The derivative is 1 below zero and 0 (or α) above: dz[z > 0] = 0."
    why = "Units that are on pass nothing back, and those that are off pass everything."
    fix = "1 where z > 0, and 0 (or α) elsewhere: dz[z <= 0] = 0."

    def slope_at(self, l: int, z: Array, a: Array) -> tuple[Array, Array]:
        z, a = super().slope_at(l, z, a)
        return -z if self.has(l, "relu", "leaky_relu") else z, a


class LeakySlopeForgotten(Mistake):
    title = "ReLU's derivative instead of leaky ReLU's"
    did = "dz = da · (z > 0), though the activation leaks."
    why = "Below zero the slope is α, not 0: it is there to keep such units learning."
    fix = "dz = da · np.where(z > 0, 1, α)."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "leaky_relu"):
            return relu_backward(da, z, a)
        return super().times_slope(l, da, z, a)


class ElusDerivativeWithoutAlpha(Mistake):
    title = "ELU's derivative without its α"
    did = "The derivative is e^z below zero."
    why = "ELU is α(e^z - 1) there, so its derivative is αe^z; the two agree only for α = 1."
    fix = "αe^z, or a + α, where z <= 0."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if self.has(l, "elu"):
            return da * np.where(z > 0, 1, np.exp(np.minimum(z, 0)))
        return super().times_slope(l, da, z, a)


class SelusDerivativeWithoutScale(Mistake):
    title = "SELU's derivative without its λ"
    did = "The derivative is 1 above zero and αe^z below."
    why = "λ multiplies both branches of the function, and so of its derivative."
    fix = "λ above zero and λαe^z below."

    def times_slope(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().times_slope(l, da / SELU_SCALE if self.has(l, "selu") else da, z, a)


# The gradients of weights and biases.


class NetInputInWeightGradient(Mistake):
    title = "net input instead of activation in dW"
    did = "dW[l] = z[l-1].T @ dz[l]."
    why = "W[l] multiplies a[l] in the forward pass, so a[l] is the other factor of dW[l]."
    fix = "dW[l] = a[l].T @ dz[l], with a[l] = g(z[l-1])."

    def input_again(self, l: int) -> Array:
        return self.z[l - 1] if l else super().input_again(l)


class OutputInWeightGradient(Mistake):
    title = "layer's output instead of its input in dW"
    did = "dW[l] = a[l+1].T @ dz[l], whose shapes fit if a layer is as wide as the one below."
    why = "W[l] multiplies what goes into layer l, and a[l+1] comes out of it."
    fix = "dW[l] = a[l].T @ dz[l]; a[0] is the input x."

    def input_again(self, l: int) -> Array:
        return self.a[l + 1] if self.is_square(l) else super().input_again(l)

    def drop_again(self, l: int, a: Array) -> Array:
        return a if self.is_square(l) else super().drop_again(l, a)

    def is_square(self, l: int) -> bool:
        """Whether layer l has as many inputs as outputs."""
        return self.a[l].shape == self.a[l + 1].shape


class InputInWeightGradient(Mistake):
    title = "input instead of the activation below in dW"
    did = "dW[l] = x.T @ dz[l] above the first layer, whose shapes fit if a[l] is as wide as x."
    why = "W[l] multiplies a[l] in the forward pass, so a[l] is the other factor of dW[l]."
    fix = "dW[l] = a[l].T @ dz[l]; only a[0] is x."

    def input_again(self, l: int) -> Array:
        a = super().input_again(l)
        return self.x if l and self.x.shape == a.shape else a


class NextDeltaInWeightGradient(Mistake):
    title = "delta of the layer above in dW"
    did = "dW[l] = a[l].T @ dz[l+1], whose shapes fit if both layers are equally wide."
    why = "dz[l+1] has not come back through W[l+1] and g'(z[l]) yet; W[l] acts on z[l]."
    fix = "dW[l] = a[l].T @ dz[l]."

    def delta_for_weights(self, l: int, y: Array, dz: list[Array]) -> Array:
        fits = l < self.last and dz[l].shape == dz[l + 1].shape
        return super().delta_for_weights(l + fits, y, dz)


class NextDeltaInBiasGradient(Mistake):
    title = "delta of the layer above in db"
    did = "db[l] = Σ dz[l+1], whose shapes fit if both layers are equally wide."
    why = "b[l] acts on z[l]: its derivative is the sum of dz[l] over the rows."
    fix = "db[l] = Σ dz[l]."

    def delta_for_biases(self, l: int, y: Array, dz: list[Array]) -> Array:
        fits = l < self.last and dz[l].shape == dz[l + 1].shape
        return super().delta_for_biases(l + fits, y, dz)


class WeightGradientTransposed(Mistake):
    title = "input and delta swapped in dW"
    did = "dW[l] = dz[l].T @ a[l], whose shapes fit if a layer is as wide as the one below."
    why = "That is the transpose: the derivative for the weight from i to j ends up at [j, i]."
    fix = "dW[l] = a[l].T @ dz[l], or transpose W too."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        square = a.shape == dz.shape
        return super().weight_gradient(l, dz if square else a, a if square else dz)


class WeightForInput(Mistake):
    title = "derivative with respect to the input taken for dW"
    did = "dW[l] = W[l] · Σ dz[l]."
    why = "∂(wa)/∂a = w, but ∂(wa)/∂w = a."
    fix = "dW[l] = a[l].T @ dz[l]."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return self.W[l] * dz.sum(axis=0)


class MeansMultiplied(Mistake):
    title = "product of means instead of mean of products in dW"
    did = "a and dz are reduced over the rows first: dW = np.outer(a.mean(axis=0), dz.sum(axis=0))."
    why = "Each row's activation goes with its own delta; means lose how the two vary together."
    fix = "dW = a.T @ dz multiplies row by row and then sums."

    def weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        return super().weight_gradient(l, np.broadcast_to(a.mean(axis=0), a.shape), dz)


class BiasSummedOverOutputs(Mistake):
    title = "bias gradient summed over the wrong axis"
    did = "db = dz.sum(axis=1), whose shape fits if there are as many rows as units."
    why = "That is one number for each row; but a bias belongs to a unit and is shared by all rows."
    fix = "db = dz.sum(axis=0)."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        return super().whole_bias_gradient(l, dz.T if len(dz) == len(dz.T) else dz)


class BiasSummedOverAll(Mistake):
    title = "bias gradient summed over everything"
    did = "db = np.sum(dz), one number for all the units of a layer."
    why = "Every bias of the layer then moves by the same amount, the sum of all their derivatives."
    fix = "db = np.sum(dz, axis=0)."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        db = super().whole_bias_gradient(l, dz)
        return np.full_like(db, db.sum())


class BiasGradientOfFirstRow(Mistake):
    title = "bias gradient of the first row alone"
    did = "db = dz[0], without the sum over the rows; the shape fits."
    why = "A bias acts on every row, so its derivative is the sum of them all."
    fix = "db = dz.sum(axis=0)."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        return super().whole_bias_gradient(l, dz[:1])
