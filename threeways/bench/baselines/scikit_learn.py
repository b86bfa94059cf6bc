"""scikit-learn as its users write it: ``MLPClassifier``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shared import Parameters, Weights
from threeways.bench.baselines.base import AfterEpoch, Baseline, LeftOut, import_library


class ScikitLearn(Baseline):
    """``MLPClassifier``, an epoch at a time."""

    name = "scikit-learn"
    activations = ("linear", "sigmoid", "tanh", "relu")
    losses = ("binary_crossentropy", "categorical_crossentropy")
    optimizers = ("sgd",)

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if len({layer.activation for layer in self.layers}) > 1:
            yield "several activations"
        loss, n_outputs = self.case.network.loss, self.case.network.widths[-1]
        if n_outputs == 2 or (n_outputs > 2 and loss == "binary_crossentropy"):
            yield f"{n_outputs} outputs and {loss}"
        if not np.isin(self.case.dataset.y, (0, 1)).all():
            yield "targets that are no classes"

    def build(self) -> None:
        names = {"linear": "identity", "sigmoid": "logistic"}
        kind = self.layers[0].activation if self.layers else "linear"
        n_outputs = self.y.shape[1]
        self.classes = self.y.argmax(axis=1) if n_outputs > 1 else self.y[:, 0].astype(int)
        self.model = import_library("sklearn.neural_network").MLPClassifier(
            [layer.units for layer in self.layers],
            activation=names.get(kind, kind),
            solver="sgd",
            momentum=0,
            alpha=0,
            batch_size=min(self.batch_size, len(self.x)),
            learning_rate_init=self.training.learning_rate,
            shuffle=self.training.seed is not None,
            random_state=0,
        )
        # It has no weights before its first epoch.
        self.model.partial_fit(self.x, self.classes, classes=np.arange(max(n_outputs, 2)))
        for l, (W, b) in enumerate(self.case.parameters):
            self.model.coefs_[l][:] = W
            self.model.intercepts_[l][:] = b

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        losses = []
        for _ in range(self.training.epochs):
            try:
                self.model.partial_fit(self.x, self.classes)
            except ValueError as error:  # it does not go on when weights are not finite
                raise LeftOut(f"{self.name}: left out; {error}") from None
            losses.append(self.model.loss_)
            after_epoch()
        return losses

    @property
    def parameters(self) -> Parameters:
        return tuple(
            Weights(W.copy(), b.copy())
            for W, b in zip(self.model.coefs_, self.model.intercepts_, strict=True)
        )
