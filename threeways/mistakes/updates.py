"""Mistakes in the update of weights and biases, and with frozen layers and fixed biases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from impl_numpy import regularisation
from shared import Array, Layer, Network, Parameters, Training
from threeways.mistakes.base import Mistake, with_layers

# What is updated, and by how much.


class LearningRateTwice(Mistake):
    title = "learning rate used twice"
    did = "dW ← η dW and db ← η db, and then W ← W - η dW and b ← b - η db."
    why = "The step is η² times the gradient: for η = 0.1, a tenth of what was asked for."
    fix = "Multiply by η in one place only, the update."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) * training.learning_rate


class LearningRateForgotten(Mistake):
    title = "learning rate forgotten"
    did = "W ← W - dW and b ← b - db."
    why = "That is a learning rate of 1, usually far too large: the loss jumps about or grows."
    fix = "W ← W - η dW and b ← b - η db."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) / training.learning_rate


class LearningRateElsewhere(Mistake):
    title = "learning rate from another place"
    did = "The update uses a hard-coded η = {value}, or an optimizer's default of {value}."
    why = "The learning rate that was set is ignored, and changing it has no effect."
    fix = "Pass the learning rate to the update or the optimizer."
    values = (0.01, 0.001, 0.1)

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) / training.learning_rate * self.value


class LearningRateTenth(Mistake):
    title = "learning rate a tenth of what it should be"
    did = "W ← W - η/10 dW and b ← b - η/10 db: 0.01 for 0.1."
    why = "Every step is ten times too small, and learning ten times too slow."
    fix = "Check where the learning rate is set, and look for a zero too many or too few."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) / 10


class LearningRateTenfold(Mistake):
    title = "learning rate ten times what it should be"
    did = "W ← W - 10η dW and b ← b - 10η db: 0.1 for 0.01."
    why = "Every step is ten times too large: the loss may jump about or grow."
    fix = "Check where the learning rate is set, and look for a zero too many or too few."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) * 10


class RateDividedByN(Mistake):
    title = "learning rate divided by N"
    did = "W ← W - η/N dW and b ← b - η/N db, though dW and db are means over the rows already."
    why = "The mean is taken twice, once in the gradient and once in the update."
    fix = "W ← W - η dW and b ← b - η db."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) / self.n_rows


class RateTimesN(Mistake):
    title = "learning rate times N"
    did = "The step is made with the sum of the rows' gradients, though dW and db are their mean."
    why = "Every step is N times as long as it should be, and grows with the batch."
    fix = "W ← W - η dW and b ← b - η db."

    def rate(self, training: Training, eta: float, t: int) -> float:
        return super().rate(training, eta, t) * self.n_rows


class UpdatedTwice(Mistake):
    title = "update made twice"
    did = (
        "The same gradients are applied twice in a step: by optimizer.step(), and by hand as well."
    )
    why = "Every step is twice as long as it should be, and an optimizer counts two."
    fix = "Update once in each step."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        again = [each.copy() for each in dW], [each.copy() for each in db]
        super().update(dW, db, training)
        super().update(*again, training)


class WeightsFrozen(Mistake):
    title = "weights never updated"
    did = "b ← b - η db, and W stays as it was."
    why = "Only the thresholds of the units learn; what they respond to stays random."
    fix = "W ← W - η dW."

    def applied(self, l: int, dW: Array, db: Array) -> tuple[Array, Array]:
        dW, db = super().applied(l, dW, db)
        return np.zeros_like(dW), db


class BiasFrozen(Mistake):
    title = "biases never updated"
    did = "W ← W - η dW, and b stays as it was."
    why = "Biases are parameters just like weights: db says how to move them."
    fix = "b ← b - η db."

    def applied(self, l: int, dW: Array, db: Array) -> tuple[Array, Array]:
        dW, db = super().applied(l, dW, db)
        return dW, np.zeros_like(db)


class FirstLayerNotUpdated(Mistake):
    title = "first layer never updated"
    did = "The loop over the updates starts one layer late: range(1, L)."
    why = "The first layer keeps its random weights, and the others have to make do with them."
    fix = "range(L): layers are counted from 0."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        before = self.W[0].copy(), self.b[0].copy()
        super().update(dW, db, training)
        if self.last > 0:
            self.W[0], self.b[0] = before


class LastLayerNotUpdated(Mistake):
    title = "output layer never updated"
    did = "The loop over the updates ends one layer early: range(L - 1)."
    why = "Only the layers below learn, and adapt to an output layer that stays random."
    fix = "range(L) ends at L - 1 by itself."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        before = self.W[-1].copy(), self.b[-1].copy()
        super().update(dW, db, training)
        if self.last > 0:
            self.W[-1], self.b[-1] = before


class FixedBiasUpdated(Mistake):
    title = "fixed biases updated"
    did = "b ← b - η db, even in layers whose biases are fixed."
    why = "The example keeps its biases: from the second step on, every number differs."
    fix = "Leave b alone where the layer says fixed_bias."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        gradients = [each.copy() for each in db]
        super().update(dW, db, training)
        for l, layer in enumerate(self.network.layers):
            if layer.fixed_bias:
                self.b[l] -= training.learning_rate * gradients[l]


class BiasLearned(Mistake):
    title = "biases learned in a layer without them"
    did = "The layer has a bias that starts at 0 and is updated: Linear(…) without bias=False."
    why = "From the second step on, z contains a bias that the layer should not have."
    fix = "use_bias=False in Keras, bias=False in PyTorch; by hand, z = a @ W."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(network, parameters)
        layers = self.network.layers
        self.fixed = [l for l in self.fixed if layers[l].use_bias or not layers[l].trainable]


class UpdateLost(Mistake):
    title = "update made to a copy"
    did = "for W, dW in zip(…): W = W - η dW, which only gives the name W to a new array."
    why = "The network's own weights are not touched; the loss is the same in every epoch."
    fix = "Change them in place, W -= η dW, or store the new array where the old one was."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        self.optimizer_for(training).t += 1


# Frozen layers, and fixed biases.


class FrozenUpdated(Mistake):
    title = "frozen layer updated"
    did = "W ← W - η dW and b ← b - η db in a layer that should stay as it is."
    why = "What the layer has learned elsewhere, and was frozen to keep, is lost."
    fix = "layer.trainable = False before compile, or requires_grad = False for each parameter."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        def changed(l: int, layer: Layer) -> dict[str, Any]:
            return {} if layer.trainable else {"trainable": True}

        super().__init__(with_layers(network, changed), parameters)


class FrozenBiasUpdated(Mistake):
    title = "frozen layer's bias updated"
    did = "Only the weights of the frozen layer are left alone; b ← b - η db."
    why = "With a different bias, the same weights make a different layer."
    fix = "Freeze both W and b."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        super().__init__(network, parameters)
        layers = self.network.layers
        self.fixed = [l for l in self.fixed if layers[l].fixed_bias or not layers[l].use_bias]


class LastFrozenUpdated(Mistake):
    title = "last frozen layer updated"
    did = "The loop that freezes the layers ends one layer early: range(n - 1)."
    why = "The layer that the new ones build on changes beneath them."
    fix = "range(n) ends at n - 1 by itself."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        frozen = [l for l, layer in enumerate(network.layers) if not layer.trainable]

        def changed(l: int, layer: Layer) -> dict[str, Any]:
            return {"trainable": True} if len(frozen) > 1 and l == frozen[-1] else {}

        super().__init__(with_layers(network, changed), parameters)


class OneLayerTooManyFrozen(Mistake):
    title = "one layer too many frozen"
    did = "The loop that freezes the layers ends one layer late: range(n + 1)."
    why = "The first layer that should learn keeps its random weights."
    fix = "range(n) covers the first n layers."

    def __init__(self, network: Network, parameters: Parameters) -> None:
        frozen = [l for l, layer in enumerate(network.layers) if not layer.trainable]

        def changed(l: int, layer: Layer) -> dict[str, Any]:
            return {"trainable": False} if frozen and l == frozen[-1] + 1 else {}

        super().__init__(with_layers(network, changed), parameters)


class FrozenDecayed(Mistake):
    title = "weight decay of a frozen layer"
    did = "Its gradients are 0, but the optimizer's weight_decay goes on: W ← W - η 2 l2 W."
    why = "A frozen layer should keep its weights, but these shrink towards 0."
    fix = "Leave frozen parameters out of the optimizer."

    def update(self, dW: Sequence[Array], db: Sequence[Array], training: Training) -> None:
        eta = self.next_rate(training)
        super().update(dW, db, training)
        for l in self.frozen:
            layer = self.network.layers[l]
            self.W[l] -= eta * regularisation.penalty_gradient(self.W[l], layer.l1, layer.l2)


class GradientStoppedAtFrozen(Mistake):
    title = "gradient stopped at a frozen layer"
    did = "The frozen layer runs without gradients (torch.no_grad(), stop_gradient): dz = 0 below."
    why = "Its weights do not move, but the layers below learn through it."
    fix = "Freeze the parameters only, and pass dz[l] @ W[l].T on."

    def hidden_delta(self, l: int, dz_next: Array, z: Array, a: Array) -> Array:
        dz = super().hidden_delta(l, dz_next, z, a)
        return np.zeros_like(dz) if l + 1 in self.frozen else dz

    def input_gradient(self, dz: list[Array]) -> Array:
        dx = super().input_gradient(dz)
        return np.zeros_like(dx) if 0 in self.frozen else dx


class FrozenDerivativeForgotten(Mistake):
    title = "frozen layer's derivative forgotten"
    did = "dz[l] = dz[l+1] @ W[l+1].T in a frozen layer, whose g' is skipped on the way back."
    why = "It does not learn, but its activation lies between the loss and the layers below."
    fix = "Multiply by g'(z[l]) in every layer, frozen or not."

    def activation_backward(self, l: int, da: Array, z: Array, a: Array) -> Array:
        return da if l in self.frozen else super().activation_backward(l, da, z, a)


class FrozenGradientsZero(Mistake):
    title = "gradients of a frozen layer taken as 0"
    did = "dW = 0 and db = 0 in a layer that is frozen."
    why = "They are derivatives of the loss, used or not; only the update leaves them out."
    fix = "Compute dW and db everywhere, and leave W and b alone."

    def whole_weight_gradient(self, l: int, a: Array, dz: Array) -> Array:
        dW = super().whole_weight_gradient(l, a, dz)
        return np.zeros_like(dW) if l in self.frozen else dW

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        db = super().whole_bias_gradient(l, dz)
        return np.zeros_like(db) if l in self.frozen else db


class FixedBiasGradientZero(Mistake):
    title = "gradient of a fixed bias taken as 0"
    did = "db = 0 in a layer whose biases are fixed."
    why = "It is a derivative of the loss, used or not; only the update leaves it out."
    fix = "Compute db everywhere, and leave b alone where the layer says fixed_bias."

    def whole_bias_gradient(self, l: int, dz: Array) -> Array:
        db = super().whole_bias_gradient(l, dz)
        return np.zeros_like(db) if self.network.layers[l].fixed_bias else db
