"""Mistakes in penalties on weights and in dropout.

Dropout that stays on at inference, or is scaled once more there, is not among them: a step belongs
to training, and none of its numbers shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from impl_numpy import regularisation
from impl_numpy.activations import SELU_ALPHA, SELU_SCALE
from shared import Array, Layer, Network, Parameters, Training
from threeways.mistakes.base import Mistake, with_layers

# Which weights are penalised.


class PenaltyOnBiases(Mistake):
    title = "biases penalised, in the gradient"
    did = "2 l2 b and l1 sign(b) are added to db, as for the weights."
    why = "A penalty keeps a unit from relying on single inputs; a bias multiplies none."
    fix = "Add the penalty's gradient to dW only."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        db = super().whole_bias_gradient(l, dz)
        if l not in self.penalised:
            return db
        W, self.W[l] = self.W[l], self.b[l]
        db = db + self.penalty_gradient(l)
        self.W[l] = W
        return db


class PenaltyOnBiasesInLoss(Mistake):
    title = "biases penalised, in the loss"
    did = "l2 Σb² and l1 Σ|b| are added to the loss, as for the weights."
    why = "A penalty keeps a unit from relying on single inputs; a bias multiplies none."
    fix = "Add only the penalty of the weights."

    def penalty(self) -> Array | float:
        of_weights = super().penalty()
        weights, self.W = self.W, self.b
        of_biases = super().penalty()
        self.W = weights
        return of_weights + of_biases


class FrozenPenalised(Mistake):
    title = "frozen layer penalised, in the gradient"
    did = "2 l2 W and l1 sign(W) are added to dW of a frozen layer."
    why = "The weights are no longer learned, so the penalty on them is not part of the loss."
    fix = "Add the penalty's gradient only for trainable layers."

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        dW = super().whole_weight_gradient(l, a, dz)
        return dW + self.penalty_gradient(l) if l in self.frozen else dW


class FrozenPenalisedInLoss(Mistake):
    title = "frozen layer penalised, in the loss"
    did = "l2 ΣW² and l1 Σ|W| of a frozen layer are added to the loss."
    why = "It is a constant that nothing can make smaller, and Keras leaves it out."
    fix = "Add only the penalty of trainable layers."

    def penalty(self) -> Array | float:
        trainable = super().penalty()
        penalised, self.penalised = self.penalised, self.frozen
        frozen = super().penalty()
        self.penalised = penalised
        return trainable + frozen


class EveryLayerPenalised(Mistake):
    title = "every layer penalised"
    did = "Layers without a penalty get another layer's, as if one weight_decay were for all."
    why = "Each layer has its own l1 and l2; weights that have neither are free to grow."
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
    did = "The loop over the penalised layers ends one layer early: range(L - 1)."
    why = (
        "The output's weights are free to grow and to make up for those that are kept small below."
    )
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
    did = "The value of l2 is passed as l1, and the other way round."
    why = "L1 pulls all weights equally, until many are 0; L2 pulls large weights most."
    fix = "l1 goes with Σ|W|, l2 with ΣW²."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        def changed(l: int, layer: Layer) -> dict[str, Any]:
            same = layer.l1 == layer.l2
            return {} if same else {"l1": layer.l2, "l2": layer.l1}

        super().__init__(with_layers(network, changed), parameters)


# By how much they are penalised.


class PenaltyForgotten(Mistake):
    title = "penalty forgotten in the gradient"
    did = "dW is the gradient of the error alone, though the loss includes the penalty."
    why = "The penalty is reported but has no effect: the weights grow as if there were none."
    fix = "dW = … + l1 sign(W) + 2 l2 W."

    def penalty_gradient(self, l: int) -> Array:
        return np.zeros_like(super().penalty_gradient(l))


class PenaltyForgottenInLoss(Mistake):
    title = "penalty forgotten in the loss"
    did = "The loss is the error alone, though dW includes the penalty's gradient."
    why = "dW is not the gradient of this loss, which may rise while training goes well."
    fix = "Add l1 Σ|W| + l2 ΣW² to the loss."

    def layer_penalty(self, l: int) -> Array:
        return 0 * super().layer_penalty(l)


class PenaltySubtracted(Mistake):
    title = "penalty's gradient with its sign flipped"
    did = "dW = … - 2 l2 W, or … - l1 sign(W)."
    why = "Each step then makes the weights larger, not smaller."
    fix = "Add it; the minus comes with the update, for all of dW."

    def penalty_gradient(self, l: int) -> Array:
        return -super().penalty_gradient(l)


class PenaltySubtractedInLoss(Mistake):
    title = "penalty subtracted from the loss"
    did = "The loss is the error minus the penalty."
    why = "Large weights make this loss small, but should make it large."
    fix = "Add the penalty."

    def penalty(self) -> Array | float:
        return -super().penalty()


class PenaltyTwice(Mistake):
    title = "penalty's gradient added twice"
    did = "dW contains the penalty's gradient twice: a framework adds it, and so does the code."
    why = "The weights are pulled towards 0 twice as hard as l1 and l2 say."
    fix = "Add it in one place only."

    def penalty_gradient(self, l: int) -> Array:
        return 2 * super().penalty_gradient(l)


class PenaltyTwiceInLoss(Mistake):
    title = "penalty added to the loss twice"
    did = "sum(model.losses), or the like, is added to a loss that already includes it."
    why = "The penalty counts twice as much as l1 and l2 say."
    fix = "Add the penalty in one place only."

    def penalty(self) -> Array | float:
        return 2 * super().penalty()


class PenaltyAveraged(Mistake):
    title = "penalty's gradient divided by N"
    did = "dW = (a.T @ (a - y) + 2 l2 W) / N: the penalty is divided along with the rest."
    why = "The mean is over the rows' errors; the penalty does not depend on the batch size."
    fix = "Divide first, then add 2 l2 W. Where a book has λ/N ΣW², l2 is λ/N."

    def penalty_gradient(self, l: int) -> Array:
        return super().penalty_gradient(l) / len(self.x)


class PenaltyAveragedInLoss(Mistake):
    title = "penalty divided by N in the loss"
    did = "The mean over the rows is taken of the errors and the penalty together."
    why = "The mean is over the rows' errors; the penalty does not depend on the batch size."
    fix = "Take the mean first, then add the penalty. Where a book has λ/N ΣW², l2 is λ/N."

    def penalty(self) -> Array | float:
        return super().penalty() / len(self.x)


class MeanOverWeights(Mistake):
    title = "mean instead of sum over the weights, in the gradient"
    did = "dW = … + 2 l2 W / W.size, the gradient of l2 np.mean(W ** 2)."
    why = "A layer's penalty is a sum; in a layer of 1,000 weights this is a thousandth of it."
    fix = "2 l2 W."

    def penalty_gradient(self, l: int) -> Array:
        return super().penalty_gradient(l) / self.W[l].size


class MeanOverWeightsInLoss(Mistake):
    title = "mean instead of sum over the weights, in the loss"
    did = "The penalty is l2 np.mean(W ** 2), or l1 np.mean(np.abs(W))."
    why = "A layer's penalty is a sum; in a layer of 1,000 weights this is a thousandth of it."
    fix = "Use np.sum."

    def l1_penalty(self, W: Array, l1: float) -> Array:
        return super().l1_penalty(W, l1) / W.size

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return super().l2_penalty(W, l2) / W.size


# The gradients of L1 and L2.


class L2WithoutTwo(Mistake):
    title = "2 missing in L2's gradient"
    did = "dW = … + l2 W."
    why = "The derivative of l2 ΣW² is 2 l2 W; l2 W is that of ½ l2 ΣW²."
    fix = "2 l2 W. Where a book has ½λ ΣW², l2 is ½λ."

    def l2_gradient(self, W: Array, l2: float) -> Array:
        return super().l2_gradient(W, l2) / 2


class L2HalvedInLoss(Mistake):
    title = "½ extra in L2's penalty"
    did = "The loss contains ½ l2 ΣW², as in many books and in tf.nn.l2_loss."
    why = "The L2 penalty has no ½ here, nor in Keras: this is half of what it should be."
    fix = "l2 ΣW². Where a book has ½λ ΣW², l2 is ½λ."

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return super().l2_penalty(W, l2) / 2


class L2Halved(Mistake):
    title = "L2 as ½λ ΣW²"
    did = (
        "The loss contains ½ l2 ΣW², and dW l2 W, as in many books, and in PyTorch's weight_decay."
    )
    why = "The two fit each other, but weights are pulled to 0 half as hard as l2 says here."
    fix = "l2 ΣW² with 2 l2 W, or twice the value: where a book has ½λ ΣW², l2 is ½λ."

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return super().l2_penalty(W, l2) / 2

    def l2_gradient(self, W: Array, l2: float) -> Array:
        return super().l2_gradient(W, l2) / 2


class L2HalvedAndAveraged(Mistake):
    title = "L2 as λ/2N ΣW²"
    did = "The loss contains l2/2N ΣW², and dW l2/N W, as in courses that divide λ by N and 2."
    why = "The two fit each other, but l2 is not divided by the number of rows here."
    fix = "l2 ΣW² with 2 l2 W: where a course has λ/2N ΣW², l2 is λ/2N."

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return super().l2_penalty(W, l2) / (2 * len(self.x))

    def l2_gradient(self, W: Array, l2: float) -> Array:
        return super().l2_gradient(W, l2) / (2 * len(self.x))


class NormForSquare(Mistake):
    title = "norm instead of its square, in L2's gradient"
    did = "dW = … + l2 W / √ΣW², the gradient of l2 √ΣW²."
    why = "It pulls at small weights as hard as at large ones."
    fix = "2 l2 W."

    def l2_gradient(self, W: Array, l2: float) -> Array:
        return l2 * W / np.sqrt((W * W).sum())


class NormForSquareInLoss(Mistake):
    title = "norm instead of its square, in L2's penalty"
    did = "The loss contains l2 √ΣW², as np.linalg.norm(W) and tf.norm(W) give it."
    why = "The L2 penalty is the square of the norm."
    fix = "l2 ΣW²."

    def l2_penalty(self, W: Array, l2: float) -> Array:
        return l2 * np.sqrt((W * W).sum())


class L1AsAbsolute(Mistake):
    title = "|W| instead of sign(W) in L1's gradient"
    did = "dW = … + l1 |W|."
    why = "That is the penalty itself; its slope is 1 or -1, however large the weight is."
    fix = "l1 sign(W)."

    def l1_gradient(self, W: Array, l1: float) -> Array:
        return l1 * np.abs(W)


class L1WithoutSign(Mistake):
    title = "1 instead of sign(W) in L1's gradient"
    did = "dW = … + l1."
    why = "For a negative w, |w| falls as w grows; this drives such a weight away from 0."
    fix = "l1 sign(W)."

    def l1_gradient(self, W: Array, l1: float) -> Array:
        return l1 * np.ones_like(W)


class L1WithoutAbsolute(Mistake):
    title = "absolute value forgotten in L1's penalty"
    did = "The loss contains l1 ΣW."
    why = "Weights of opposite sign cancel, and the more negative they get, the smaller the loss."
    fix = "l1 Σ|W|."

    def l1_penalty(self, W: Array, l1: float) -> Array:
        return l1 * W.sum()


# Weight decay.


class DecayTwice(Mistake):
    title = "penalty in the gradient and weight decay as well"
    did = "dW contains 2 l2 W, and the optimizer's weight_decay subtracts η 2 l2 W once more."
    why = "With plain gradient descent the two are the same, so the weights decay twice as fast."
    fix = "Use one of the two."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        eta = self.next_rate(training)
        decays = {l: eta * self.penalty_gradient(l) for l in self.penalised}
        super().update(dW, db, training)
        for l, decay in decays.items():
            self.W[l] -= decay


class DecayDecoupled(Mistake):
    title = "weight decay instead of a penalty"
    did = "dW is the gradient of the error alone; W ← W - η 2 l2 W is a step of its own (AdamW)."
    why = "The optimizer should see the penalty in dW; only for sgd are the two the same."
    fix = "Add the penalty's gradient to dW, or say that decoupled weight decay is meant."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        penalised, self.penalised = self.penalised, []
        made = super().backpropagate(y, z, a)
        self.penalised = penalised
        return made

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        eta = self.next_rate(training)
        decays = {l: eta * self.penalty_gradient(l) for l in self.penalised}
        super().update(dW, db, training)
        for l, decay in decays.items():
            self.W[l] -= decay


class DecayWithoutRate(Mistake):
    title = "weight decay instead of a penalty, without the learning rate"
    did = "dW is the gradient of the error alone; W ← W - 2 l2 W is a step of its own."
    why = "η scales the penalty as it does the error: for η = 0.01 this is 100 times too much."
    fix = "Add the penalty's gradient to dW."

    def backpropagate(
        self, y: Array, z: list[Array], a: list[Array]
    ) -> tuple[list[Array], list[Array], list[Array]]:
        penalised, self.penalised = self.penalised, []
        made = super().backpropagate(y, z, a)
        self.penalised = penalised
        return made

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        decays = {l: self.penalty_gradient(l) for l in self.penalised}
        super().update(dW, db, training)
        for l, decay in decays.items():
            self.W[l] -= decay


# Which units dropout drops.


class DropoutOff(Mistake):
    title = "dropout off during training"
    did = "No unit is dropped: the network is called as for inference, without training=True."
    why = "Units can always rely on each other, which dropout should prevent."
    fix = "training=True, or model.train(), in the training step."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        return {}


class FrozenNotDropped(Mistake):
    title = "dropout off in a frozen layer"
    did = "All units of a frozen layer are kept."
    why = "Frozen means that its weights stay as they are; dropout still acts on the layer above."
    fix = "Apply dropout wherever a layer has it."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        masks = super().masks_of_step(training, n_rows)
        return {l: mask for l, mask in masks.items() if l - 1 not in self.frozen}


class ShareKeptForDropped(Mistake):
    title = "dropout rate taken for the share of units to keep"
    did = "The mask is drawn with p as the share of units to keep: random >= 1 - p."
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
    did = "The units that should be kept are dropped, and the other way round."
    why = "A share of 1 - p is dropped, but the scale is still the one for a share of p."
    fix = "a · mask, with a mask that is 1 where random >= p."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        masks = super().masks_of_step(training, n_rows)
        return {l: np.logical_not(mask) for l, mask in masks.items()}


class OneMaskForAllRows(Mistake):
    title = "one mask for all rows"
    did = "The mask has the shape (D,): every row of the batch drops the same units."
    why = "Each row should lose other units, so that a batch's gradient averages over them."
    fix = "Draw a mask of the shape of a, (N, D)."

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        masks = super().masks_of_step(training, n_rows)
        return {l: np.broadcast_to(mask[0], mask.shape) for l, mask in masks.items()}


class OneMaskForAllSteps(Mistake):
    title = "one mask for all steps"
    did = "The mask is drawn before the training loop, or with the same seed at every step."
    why = "The same units are dropped every time: they never learn, and no unit relies on them."
    fix = "Draw a new mask at every step."

    first: dict[int, Array] | None = None

    def masks_of_step(self, training: Training, n_rows: int) -> dict[int, Array]:
        if self.first is None:
            self.first = super().masks_of_step(training, n_rows)
        return {l: mask[:n_rows] for l, mask in self.first.items()}


# The units that are kept.


def share_kept(net: Mistake, l: int) -> float:
    """Share of units that plain dropout keeps of a[l]: 1 - p, or 1 if it is not dropping now."""
    return 1 - net.network.layers[l - 1].dropout if l in net.masks else 1.0


class DropoutNotScaled(Mistake):
    title = "kept units not scaled"
    did = "a · mask, without the 1 / (1 - p)."
    why = "At inference, with all units present, every sum is larger than it ever was in training."
    fix = "a · mask / (1 - p) in training, and a at inference."

    def drop(self, l: int, a: Array) -> Array:
        return super().drop(l, a) * share_kept(self, l)

    def drop_backward(self, l: int, da: Array) -> Array:
        return super().drop_backward(l, da) * share_kept(self, l)


class DropoutScaledDown(Mistake):
    title = "kept units multiplied by 1 - p"
    did = "a · mask · (1 - p)."
    why = "The kept units should make up for the dropped ones, and are made smaller still."
    fix = "Divide by 1 - p in training; multiply by it only at inference, and then do not divide."

    def drop(self, l: int, a: Array) -> Array:
        return super().drop(l, a) * share_kept(self, l) ** 2

    def drop_backward(self, l: int, da: Array) -> Array:
        return super().drop_backward(l, da) * share_kept(self, l) ** 2


class DividedByShareDropped(Mistake):
    title = "kept units divided by p"
    did = "a · mask / p, as if p were the share of units to keep."
    why = "A share of 1 - p stands for all: p = 0.2 calls for a factor of 1.25, not 5."
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
    why = "A dropped unit outputs g(0), ½ for the sigmoid, and g distorts the scale of a kept one."
    fix = "a = g(z), then a · mask / (1 - p)."

    def before(self, l: int) -> bool:
        """Whether a[l] has plain dropout that makes a difference before the activation."""
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


# Dropout in the backward pass.


class DropoutForgottenBackward(Mistake):
    title = "dropout forgotten in the backward pass"
    did = "dz[l] = (dz[l+1] @ W[l+1].T) · g'(z[l]), without the mask and its scale."
    why = "A dropped unit had no part in the loss, but gets a gradient all the same."
    fix = "Multiply da by mask / (1 - p), with the forward pass's mask."

    def drop_backward(self, l: int, da: Array) -> Array:
        return da


class ScaleForgottenBackward(Mistake):
    title = "dropout's scale forgotten in the backward pass"
    did = "da · mask, without the 1 / (1 - p), or alpha dropout's c, of the forward pass."
    why = "A factor of the forward pass is a factor of its derivative, too."
    fix = "da · mask / (1 - p)."

    def drop_backward(self, l: int, da: Array) -> Array:
        share = alpha_share(self, l)
        scale = regularisation.alpha_dropout_scale(share) if share else 1 / share_kept(self, l)
        return super().drop_backward(l, da) / scale


class NewMaskBackward(Mistake):
    title = "different mask in the backward pass"
    did = "The backward pass draws its own mask; here each row gets the mask of the row before."
    why = "Units that were dropped get gradients, and units that were kept get none."
    fix = "Keep the mask of the forward pass for the backward pass."

    def drop_backward(self, l: int, da: Array) -> Array:
        masks = self.masks
        self.masks = {k: np.roll(mask, 1, axis=0) for k, mask in masks.items()}
        da = super().drop_backward(l, da)
        self.masks = masks
        return da


class DroppedInDerivative(Mistake):
    title = "derivative computed from the activation after dropout"
    did = "g'(z) is computed from a as dropout leaves it: a(1 - a) with a / (1 - p) for a."
    why = "The formula is for a = g(z); dropout comes after it."
    fix = "Keep a as it was before dropout, for the derivative."

    def slope_at(self, l: int, z: Array, a: Array) -> tuple[Array, Array]:
        z, a = super().slope_at(l, z, a)
        return z, self.drop(l + 1, a)


class UndroppedInWeightGradient(Mistake):
    title = "activation before dropout in dW"
    did = "dW[l] = a[l].T @ dz[l], with a[l] from before dropout."
    why = "W[l] multiplies what dropout leaves of a[l]: weights of dropped units have no gradient."
    fix = "dW[l] = (a[l] · mask / (1 - p)).T @ dz[l]."

    def drop_again(self, l: int, a: Array) -> Array:
        return a


# Alpha dropout.


def alpha_share(net: Mistake, l: int) -> float:
    """Share of units that alpha dropout drops of a[l]: p, or 0 if it is not dropping now."""
    return net.network.layers[l - 1].alpha_dropout if l in net.masks else 0.0


def scale_to_alpha(share: float) -> float:
    """Alpha dropout's scale c if its α' were -α: 1 / √((1 - p)(1 + pα²))."""
    return float(((1 - share) * (1 + share * SELU_ALPHA**2)) ** -0.5)


class PlainForAlphaDropout(Mistake):
    title = "plain dropout instead of alpha dropout"
    did = "Dropped SELU units are set to 0, and the others are divided by 1 - p."
    why = "That changes the variance, which SELU is meant to keep at 1 from layer to layer."
    fix = "Use AlphaDropout, which drops to SELU's lower limit and corrects mean and variance."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        def changed(l: int, layer: Layer) -> dict[str, Any]:
            share = layer.alpha_dropout
            return {"dropout": share, "alpha_dropout": 0.0} if share else {}

        super().__init__(with_layers(network, changed), parameters)


class AlphaDropoutUncorrected(Mistake):
    title = "alpha dropout without its correction"
    did = "Dropped units are set to α' = -1.7581, and nothing is shifted or scaled after that."
    why = "The mean is then below 0, and the variance is not 1."
    fix = "c (a - pα') if kept, c (α' - pα') if dropped, with c = 1 / √((1 - p)(1 + pα'²))."

    def drop(self, l: int, a: Array) -> Array:
        if not alpha_share(self, l):
            return super().drop(l, a)
        return np.where(self.masks[l], a, -SELU_SCALE * SELU_ALPHA)

    def drop_backward(self, l: int, da: Array) -> Array:
        return da * self.masks[l] if alpha_share(self, l) else super().drop_backward(l, da)


class AlphaDropoutToZero(Mistake):
    title = "alpha dropout to 0"
    did = "Dropped units are set to 0, but all are shifted and scaled as if they were set to α'."
    why = "The shift is made for α' = -1.7581; with 0, the mean ends up above 0."
    fix = "Set dropped units to SELU's lower limit, α' = -λα."

    def drop(self, l: int, a: Array) -> Array:
        share = alpha_share(self, l)
        if not share:
            return super().drop(l, a)
        moved = np.where(self.masks[l], a, 0) + share * SELU_SCALE * SELU_ALPHA
        return regularisation.alpha_dropout_scale(share) * moved


class AlphaDropoutToAlpha(Mistake):
    title = "alpha dropout to -α"
    did = "SELU's α = 1.6733 is used for its lower limit, α' = -α, also in the correction."
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
