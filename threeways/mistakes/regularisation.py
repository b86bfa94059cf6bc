"""Mistakes with penalties on weights and with dropout.

Dropout that goes on in use, or is scaled there again, is in no number of a step, which is one of
training; so it is not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from impl_numpy import regularisation
from impl_numpy.activations import SELU_ALPHA, SELU_SCALE
from shared import Array, Layer, Network, Parameters, Training
from threeways.mistakes.base import Mistake, with_layers

# What is penalised.


class PenaltyOnBiases(Mistake):
    title = "biases penalised, in the gradient"
    did = "db has 2 l2 b in it, and l1 sign(b), as dW has."
    why = "A penalty keeps a unit from leaning on single inputs; a bias multiplies none."
    fix = "Add the penalty's gradient to dW only."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        weights, self.W = self.W, self.b
        for l in self.penalised:
            db[l] = db[l] + self.penalty_gradient(l)
        self.W = weights
        return dz, dW, db


class PenaltyOnBiasesInLoss(Mistake):
    title = "biases penalised, in the loss"
    did = "The loss has l2 Σb² in it, and l1 Σ|b|, as for the weights."
    why = "A penalty keeps a unit from leaning on single inputs; a bias multiplies none."
    fix = "Add the penalty of the weights only."

    def penalty(self) -> Array | float:
        of_weights = super().penalty()
        weights, self.W = self.W, self.b
        of_biases = super().penalty()
        self.W = weights
        return of_weights + of_biases


class FrozenPenalised(Mistake):
    title = "frozen layer penalised, in the gradient"
    did = "dW of a frozen layer has 2 l2 W in it, and l1 sign(W)."
    why = "The weights are no longer learned, so the penalty on them is no part of the loss."
    fix = "Add the penalty's gradient for trainable layers only."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        for l in self.frozen:
            dW[l] = dW[l] + self.penalty_gradient(l)
        return dz, dW, db


class FrozenPenalisedInLoss(Mistake):
    title = "frozen layer penalised, in the loss"
    did = "The loss has l2 ΣW² of a frozen layer in it, and l1 Σ|W|."
    why = "It is a constant that nothing can make smaller, and Keras leaves it out."
    fix = "Add the penalty of trainable layers only."

    def penalty(self) -> Array | float:
        trainable = super().penalty()
        kept, self.penalised = self.penalised, self.frozen
        frozen = super().penalty()
        self.penalised = kept
        return trainable + frozen


class EveryLayerPenalised(Mistake):
    title = "every layer penalised"
    did = "Layers without a penalty get that of another, as from one weight_decay for all of them."
    why = "Each layer has its own l1 and l2; those that have none are free to grow."
    fix = "Give the penalty layer by layer: kernel_regularizer, or parameter groups."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        penalties = [(each.l1, each.l2) for each in network.layers if each.is_penalised]

        def changed(l: int, layer: Layer) -> dict[str, Any]:
            if not penalties or layer.is_penalised or not layer.trainable:
                return {}
            l1, l2 = penalties[0]
            return {"l1": l1, "l2": l2}

        super().__init__(with_layers(network, changed), parameters)


class OutputNotPenalised(Mistake):
    title = "output layer's penalty forgotten"
    did = "The loop over the penalised layers ends a layer early: range(L - 1)."
    why = "The output's weights are free to grow, and make up for all that are kept small below."
    fix = "range(L) ends at L - 1 by itself."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        last = len(network.layers) - 1
        others = any(layer.is_penalised for layer in network.layers[:-1])

        def changed(l: int, layer: Layer) -> dict[str, Any]:
            forgotten = others and l == last and layer.is_penalised
            return {"l1": 0.0, "l2": 0.0} if forgotten else {}

        super().__init__(with_layers(network, changed), parameters)


class L1AndL2Swapped(Mistake):
    title = "l1 and l2 swapped"
    did = "The number that is l2's is given for l1, and the other way round."
    why = "L1 pulls at all weights alike, until many are 0; L2 pulls at large ones most."
    fix = "l1 goes with Σ|W|, l2 with ΣW²."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        def changed(l: int, layer: Layer) -> dict[str, Any]:
            same = layer.l1 == layer.l2
            return {} if same else {"l1": layer.l2, "l2": layer.l1}

        super().__init__(with_layers(network, changed), parameters)


# By how much.


class PenaltyForgotten(Mistake):
    title = "penalty forgotten in the gradient"
    did = "dW is that of the error alone, while the loss has the penalty in it."
    why = "The penalty is shown and not felt: the weights grow as if there were none."
    fix = "dW = … + l1 sign(W) + 2 l2 W."

    def penalty_gradient(self, l: int) -> Array:
        return np.zeros_like(super().penalty_gradient(l))


class PenaltyForgottenInLoss(Mistake):
    title = "penalty forgotten in the loss"
    did = "The loss is that of the error alone, while dW has the penalty's gradient in it."
    why = "dW is not the gradient of this loss, which may rise while training goes well."
    fix = "Add l1 Σ|W| + l2 ΣW² to the loss."

    def penalty(self) -> Array | float:
        return 0 * super().penalty()


class PenaltySubtracted(Mistake):
    title = "penalty's gradient with its sign flipped"
    did = "dW = … - 2 l2 W, or … - l1 sign(W)."
    why = "Each step then makes the weights larger, not smaller."
    fix = "Add it: the minus comes with the update, for all of dW."

    def penalty_gradient(self, l: int) -> Array:
        return -super().penalty_gradient(l)


class PenaltySubtractedInLoss(Mistake):
    title = "penalty subtracted from the loss"
    did = "The loss is that of the error minus the penalty."
    why = "Large weights make this loss small, and are to make it large."
    fix = "Add the penalty."

    def penalty(self) -> Array | float:
        return -super().penalty()


class PenaltyTwice(Mistake):
    title = "penalty's gradient added twice"
    did = "dW has the penalty's gradient twice: a framework adds it, and so does the code."
    why = "The weights are drawn to 0 twice as hard as l1 and l2 say."
    fix = "Add it in one place only."

    def penalty_gradient(self, l: int) -> Array:
        return 2 * super().penalty_gradient(l)


class PenaltyTwiceInLoss(Mistake):
    title = "penalty added to the loss twice"
    did = "sum(model.losses), or the like, is added to a loss that has it already."
    why = "The weights count twice as much as l1 and l2 say."
    fix = "Add the penalty in one place only."

    def penalty(self) -> Array | float:
        return 2 * super().penalty()


class PenaltyAveraged(Mistake):
    title = "penalty's gradient divided by N"
    did = "dW = (a.T @ (a - y) + 2 l2 W) / N: the penalty is divided with the rest."
    why = "The mean is over the rows' errors; there is one penalty, whatever the batch's size."
    fix = "Divide first, then add 2 l2 W. Where a book has λ/N ΣW², l2 is λ/N."

    n_rows = 1

    def propagate(
        self, x: Array, masks: dict[int, Array] | None = None
    ) -> tuple[list[Array], list[Array]]:
        self.n_rows = len(x)
        return super().propagate(x, masks)

    def penalty_gradient(self, l: int) -> Array:
        return super().penalty_gradient(l) / self.n_rows


class PenaltyAveragedInLoss(Mistake):
    title = "penalty divided by N in the loss"
    did = "The mean over the rows is taken of errors and penalty together."
    why = "The mean is over the rows' errors; there is one penalty, whatever the batch's size."
    fix = "Take the mean first, then add the penalty. Where a book has λ/N ΣW², l2 is λ/N."

    n_rows = 1

    def propagate(
        self, x: Array, masks: dict[int, Array] | None = None
    ) -> tuple[list[Array], list[Array]]:
        self.n_rows = len(x)
        return super().propagate(x, masks)

    def penalty(self) -> Array | float:
        return super().penalty() / self.n_rows


class MeanOverWeights(Mistake):
    title = "mean for sum over the weights, in the gradient"
    did = "dW = … + 2 l2 W / W.size, the gradient of l2 np.mean(W ** 2)."
    why = "A layer's penalty is a sum; in a layer of 1,000 weights this is a thousandth of it."
    fix = "2 l2 W."

    def penalty_gradient(self, l: int) -> Array:
        return super().penalty_gradient(l) / self.W[l].size


class MeanOverWeightsInLoss(Mistake):
    title = "mean for sum over the weights, in the loss"
    did = "The penalty is l2 np.mean(W ** 2), or l1 np.mean(np.abs(W))."
    why = "A layer's penalty is a sum; in a layer of 1,000 weights this is a thousandth of it."
    fix = "np.sum."

    def l1_penalty(self, W: Array, l1: float) -> Array:
        return super().l1_penalty(W, l1) / W.size

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return super().l2_penalty(W, l2) / W.size


# What its gradient is.


class L2WithoutTwo(Mistake):
    title = "2 missing in L2's gradient"
    did = "dW = … + l2 W."
    why = "The derivative of l2 ΣW² is 2 l2 W; l2 W is that of ½ l2 ΣW²."
    fix = "2 l2 W. Where a book has ½λ ΣW², l2 is ½λ."

    def l2_gradient(self, W: Array, l2: float) -> Array:
        return super().l2_gradient(W, l2) / 2


class L2HalvedInLoss(Mistake):
    title = "½ extra in L2's penalty"
    did = "The loss has ½ l2 ΣW² in it, as many books do, and tf.nn.l2_loss."
    why = "The L2 penalty has no ½ here, nor in Keras: it is half of what it should be."
    fix = "l2 ΣW². Where a book has ½λ ΣW², l2 is ½λ."

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return super().l2_penalty(W, l2) / 2


class NormForSquare(Mistake):
    title = "norm for its square, in L2's gradient"
    did = "dW = … + l2 W / √ΣW², the gradient of l2 √ΣW²."
    why = "It is as strong for small weights as for large ones."
    fix = "2 l2 W."

    def l2_gradient(self, W: Array, l2: float) -> Array:
        return l2 * W / np.sqrt((W * W).sum())


class NormForSquareInLoss(Mistake):
    title = "norm for its square, in L2's penalty"
    did = "The loss has l2 √ΣW² in it, as np.linalg.norm(W) and tf.norm(W) give it."
    why = "The L2 penalty is the square of the norm."
    fix = "l2 ΣW²."

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return l2 * np.sqrt((W * W).sum())


class L1AsAbsolute(Mistake):
    title = "|W| for sign(W) in L1's gradient"
    did = "dW = … + l1 |W|."
    why = "That is the penalty itself; its slope is 1 or -1, however large the weight is."
    fix = "l1 sign(W)."

    def l1_gradient(self, W: Array, l1: float) -> Array:
        return l1 * np.abs(W)


class L1WithoutSign(Mistake):
    title = "1 for sign(W) in L1's gradient"
    did = "dW = … + l1."
    why = "|w| falls where w is negative; this drives such a weight away from 0."
    fix = "l1 sign(W)."

    def l1_gradient(self, W: Array, l1: float) -> Array:
        return l1 * np.ones_like(W)


class L1WithoutAbsolute(Mistake):
    title = "absolute value forgotten in L1's penalty"
    did = "The loss has l1 ΣW in it."
    why = "Weights of both signs cancel, and ever more negative ones make the loss ever smaller."
    fix = "l1 Σ|W|."

    def l1_penalty(self, W: Array, l1: float) -> Array:
        return l1 * W.sum()


# Weight decay.


class DecayTwice(Mistake):
    title = "penalty in the gradient and weight decay as well"
    did = "dW has 2 l2 W in it, and the optimizer's weight_decay takes η 2 l2 W off W once more."
    why = "With plain gradient descent they are the same; the weights decay twice as fast."
    fix = "One of the two."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        eta = self.next_rate(training)
        decays = {l: eta * self.penalty_gradient(l) for l in self.penalised}
        super().update(dW, db, training)
        for l, decay in decays.items():
            self.W[l] -= decay


class DecayDecoupled(Mistake):
    title = "weight decay for a penalty"
    did = "dW is that of the error alone, and W ← W - η 2 l2 W beside the optimizer's step (AdamW)."
    why = "The optimizer is to see the penalty in dW; only for sgd does it come to the same."
    fix = "Add the penalty's gradient to dW, or say that decoupled weight decay is meant."

    def penalty_gradient(self, l: int) -> Array:
        return np.zeros_like(super().penalty_gradient(l))

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        eta, gradient = self.next_rate(training), super().penalty_gradient
        decays = {l: eta * gradient(l) for l in self.penalised}
        super().update(dW, db, training)
        for l, decay in decays.items():
            self.W[l] -= decay


class DecayWithoutRate(Mistake):
    title = "weight decay without the learning rate"
    did = "dW is that of the error alone, and W ← W - 2 l2 W beside the optimizer's step."
    why = "The penalty goes with η as the error does: for η = 0.01 this is 100 times as much."
    fix = "Add the penalty's gradient to dW."

    def penalty_gradient(self, l: int) -> Array:
        return np.zeros_like(super().penalty_gradient(l))

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        gradient = super().penalty_gradient
        decays = {l: gradient(l) for l in self.penalised}
        super().update(dW, db, training)
        for l, decay in decays.items():
            self.W[l] -= decay


# Which units dropout drops.


class DropoutOff(Mistake):
    title = "dropout off while training"
    did = "No unit is dropped: the network is called as it is in use, without training=True."
    why = "Units may rely on each other all the time, which dropout is to prevent."
    fix = "training=True, or model.train(), in the training step."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        return {}


class FrozenNotDropped(Mistake):
    title = "dropout off in a frozen layer"
    did = "Units of a layer that is frozen are all kept."
    why = "Frozen means that its weights stay; the layer above still learns from what is dropped."
    fix = "Drop wherever the layer says so."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        masks = super().masks_of_step(training, n_rows)
        return {l: mask for l, mask in masks.items() if l - 1 not in self.frozen}


class ShareKeptForDropped(Mistake):
    title = "share that is kept for the share that is dropped"
    did = "The mask is drawn with p as the share of the units to keep: random >= 1 - p."
    why = "p is the share to drop; for p = 0.2 this drops 80 % of the units."
    fix = "random >= p, or 1 - p where a function takes the share to keep (keep_prob)."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        def changed(l: int, layer: Layer) -> dict[str, Any]:
            shares = {"dropout": layer.dropout, "alpha_dropout": layer.alpha_dropout}
            return {name: 1 - share for name, share in shares.items() if share}

        network = self.network
        self.network = with_layers(network, changed)
        masks = super().masks_of_step(training, n_rows)
        self.network = network
        return masks


class MaskInverted(Mistake):
    title = "mask inverted"
    did = "The units that are to be kept are dropped, and those to be dropped are kept."
    why = "A share of 1 - p is dropped, and the scale is still that for a share of p."
    fix = "a · mask, with a mask that is 1 where random >= p."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        masks = super().masks_of_step(training, n_rows)
        return {l: np.logical_not(mask) for l, mask in masks.items()}


class OneMaskForAllRows(Mistake):
    title = "one mask for all rows"
    did = "The mask is (D,), the first row's, and every row of the batch drops the same units."
    why = "Each row is to be seen by other units, so that a batch's gradient is a mean over them."
    fix = "Draw a mask as large as a, (N, D)."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        masks = super().masks_of_step(training, n_rows)
        return {l: np.broadcast_to(mask[0], mask.shape) for l, mask in masks.items()}


class OneMaskForAllSteps(Mistake):
    title = "one mask for all steps"
    did = "The mask is drawn before the training loop, or with the same seed in every step."
    why = "The same units are dropped again and again: they never learn, and nobody relies on them."
    fix = "Draw a new mask in every step."

    first: dict[int, Array] | None = None

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        if self.first is None:
            self.first = super().masks_of_step(training, n_rows)
        return {l: mask[:n_rows] for l, mask in self.first.items()}


# What becomes of those that are kept.


def share_kept(net: Mistake, l: int) -> float:
    """1 - p, if a[l] has dropout now, but not alpha dropout; else 1."""
    return 1 - net.network.layers[l - 1].dropout if l in net.masks else 1.0


class DropoutNotScaled(Mistake):
    title = "kept units not scaled"
    did = "a · mask, without the 1 / (1 - p)."
    why = "In use, with all units there, every sum is larger than it ever was in training."
    fix = "a · mask / (1 - p) in training, and a in use."

    def drop(self, l: int, a: Array) -> Array:
        return super().drop(l, a) * share_kept(self, l)

    def drop_backward(self, l: int, da: Array) -> Array:
        return super().drop_backward(l, da) * share_kept(self, l)


class DropoutScaledDown(Mistake):
    title = "kept units multiplied by 1 - p"
    did = "a · mask · (1 - p)."
    why = "What is left is to make up for what is dropped, and is made smaller still."
    fix = "Divide by 1 - p in training; to multiply by it is for use, with no scale in training."

    def drop(self, l: int, a: Array) -> Array:
        return super().drop(l, a) * share_kept(self, l) ** 2

    def drop_backward(self, l: int, da: Array) -> Array:
        return super().drop_backward(l, da) * share_kept(self, l) ** 2


class DividedByShareDropped(Mistake):
    title = "kept units divided by p"
    did = "a · mask / p, as if p were the share that is kept."
    why = "A share of 1 - p is left to stand for all: p = 0.2 asks for 1.25 times, not 5 times."
    fix = "a · mask / (1 - p)."

    def drop(self, l: int, a: Array) -> Array:
        kept = share_kept(self, l)
        return super().drop(l, a) * (kept / (1 - kept or 1))

    def drop_backward(self, l: int, da: Array) -> Array:
        kept = share_kept(self, l)
        return super().drop_backward(l, da) * (kept / (1 - kept or 1))


class DropoutOfNetInput(Mistake):
    title = "dropout before the activation"
    did = "a = g(z · mask / (1 - p))."
    why = "A dropped unit gives g(0), ½ for the sigmoid, and a kept one is bent by g, not scaled."
    fix = "a = g(z), then a · mask / (1 - p)."

    def before(self, l: int) -> bool:
        """Whether a[l] has dropout that comes to another a before the activation."""
        same = self.has(l - 1, "linear", "relu", "leaky_relu")
        return l in self.masks and not same and share_kept(self, l) != 1

    def drop(self, l: int, a: Array) -> Array:
        return a if self.before(l) else super().drop(l, a)

    def drop_backward(self, l: int, da: Array) -> Array:
        return da if self.before(l) else super().drop_backward(l, da)

    def activation(self, l: int, z: Array) -> Array:
        return super().activation(l, super().drop(l + 1, z) if self.before(l + 1) else z)

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        if not self.before(l + 1):
            return super().activation_backward(l, da, z, a)
        dz = super().activation_backward(l, da, super().drop(l + 1, z), a)
        return super().drop_backward(l + 1, dz)


# The way back through dropout.


class DropoutForgottenBackward(Mistake):
    title = "dropout forgotten in the backward pass"
    did = "dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l]), without the mask and its scale."
    why = "A dropped unit has had no part in the loss, and gets a gradient all the same."
    fix = "Multiply da by mask / (1 - p), with the forward pass's mask."

    def drop_backward(self, l: int, da: Array) -> Array:
        return da


class ScaleForgottenBackward(Mistake):
    title = "dropout's scale forgotten in the backward pass"
    did = "da · mask, without the 1 / (1 - p), or alpha dropout's c, of the forward pass."
    why = "A factor of the forward pass is one of its derivative, too."
    fix = "da · mask / (1 - p)."

    def drop_backward(self, l: int, da: Array) -> Array:
        share = alpha_share(self, l)
        scale = regularisation.alpha_dropout_scale(share) if share else 1 / share_kept(self, l)
        return super().drop_backward(l, da) / scale


class NewMaskBackward(Mistake):
    title = "another mask in the backward pass"
    did = "The backward pass draws a mask of its own; here each row gets that of the row before."
    why = "Units that were dropped get gradients, and units that were kept get none."
    fix = "Keep the mask of the forward pass for the backward pass."

    def drop_backward(self, l: int, da: Array) -> Array:
        masks = self.masks
        self.masks = {k: np.roll(mask, 1, axis=0) for k, mask in masks.items()}
        da = super().drop_backward(l, da)
        self.masks = masks
        return da


class DroppedInDerivative(Mistake):
    title = "activation after dropout in the derivative"
    did = "g'(z) is taken from a as dropout leaves it: a(1 - a) with a / (1 - p) for a."
    why = "The formula is for a = g(z); dropout comes after it."
    fix = "Keep a as it was before dropout, for the derivative."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return super().activation_backward(l, da, z, self.drop(l + 1, a))


class UndroppedInWeightGradient(Mistake):
    title = "activation before dropout in dW"
    did = "dW[l] = a[l].T @ dz[l], with a[l] as it was before dropout."
    why = "W[l] multiplies what dropout leaves of a[l]: weights of dropped units have no gradient."
    fix = "dW[l] = (a[l] · mask / (1 - p)).T @ dz[l]."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        dz, dW, db = super().backpropagate(y, z, a)
        for l in self.masks:
            dW[l] = self.whole_weight_gradient(l, a[l], dz[l])
        return dz, dW, db


# Alpha dropout.


def alpha_share(net: Mistake, l: int) -> float:
    """p, if a[l] has alpha dropout now; else 0."""
    return net.network.layers[l - 1].alpha_dropout if l in net.masks else 0.0


def scale_to_alpha(share: float) -> float:
    """Alpha dropout's c for α' = -α."""
    return float(((1 - share) * (1 + share * SELU_ALPHA**2)) ** -0.5)


class PlainForAlphaDropout(Mistake):
    title = "plain dropout for alpha dropout"
    did = "Dropped SELU units are set to 0, and the others divided by 1 - p."
    why = "That changes the variance, which SELU is there to keep at 1 from layer to layer."
    fix = "AlphaDropout, which drops to SELU's lower limit and corrects mean and variance."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        def changed(l: int, layer: Layer) -> dict[str, Any]:
            share = layer.alpha_dropout
            return {"dropout": share, "alpha_dropout": 0.0} if share else {}

        super().__init__(with_layers(network, changed), parameters)


class AlphaDropoutUncorrected(Mistake):
    title = "alpha dropout without its correction"
    did = "Dropped units are set to α' = -1.7581, and nothing is shifted or scaled after that."
    why = "The mean is then below 0, and the variance is not 1."
    fix = "c (a - pα') where kept, c (α' - pα') where not, with c = 1 / √((1 - p)(1 + pα'²))."

    def drop(self, l: int, a: Array) -> Array:
        if not alpha_share(self, l):
            return super().drop(l, a)
        return np.where(self.masks[l], a, -SELU_SCALE * SELU_ALPHA)

    def drop_backward(self, l: int, da: Array) -> Array:
        return da * self.masks[l] if alpha_share(self, l) else super().drop_backward(l, da)


class AlphaDropoutToZero(Mistake):
    title = "alpha dropout to 0"
    did = "Dropped units are set to 0, and all are shifted and scaled as if they were set to α'."
    why = "The shift is what α' = -1.7581 asks for; with 0 the mean is above 0."
    fix = "Set dropped units to SELU's lower limit, α' = -λα."

    def drop(self, l: int, a: Array) -> Array:
        share = alpha_share(self, l)
        if not share:
            return super().drop(l, a)
        moved = np.where(self.masks[l], a, 0) + share * SELU_SCALE * SELU_ALPHA
        return regularisation.alpha_dropout_scale(share) * moved


class AlphaDropoutToAlpha(Mistake):
    title = "alpha dropout to -α"
    did = "SELU's α = 1.6733 is taken for its limit: α' = -α, in the correction as well."
    why = "SELU's lower limit is -λα = -1.7581."
    fix = "α' = -λα, with both of SELU's constants."

    def drop(self, l: int, a: Array) -> Array:
        share = alpha_share(self, l)
        if not share:
            return super().drop(l, a)
        moved = np.where(self.masks[l], a, -SELU_ALPHA) + share * SELU_ALPHA
        return scale_to_alpha(share) * moved

    def drop_backward(self, l: int, da: Array) -> Array:
        share = alpha_share(self, l)
        if not share:
            return super().drop_backward(l, da)
        return da * self.masks[l] * scale_to_alpha(share)
