"""PyTorch as its users write it: a loop over the batches in Python."""

from __future__ import annotations

import itertools
from typing import Any

from shared import Parameters, Weights
from threeways.bench.baselines.base import AfterEpoch, Baseline, import_library


class PyTorch(Baseline):
    """The usual loop: ``zero_grad``, forward, ``backward``, ``step``, with batches by index."""

    name = "PyTorch"

    def build(self) -> None:
        self.torch = torch = import_library("torch")
        modules = {
            "linear": torch.nn.Identity,
            "sigmoid": torch.nn.Sigmoid,
            "tanh": torch.nn.Tanh,
            "relu": torch.nn.ReLU,
            "leaky_relu": torch.nn.LeakyReLU,
            "elu": torch.nn.ELU,
            "selu": torch.nn.SELU,
        }
        losses = {
            "mean_squared_error": torch.nn.MSELoss(),
            "half_squared_error": lambda a, y: ((a - y) ** 2).sum() / (2 * len(y)),
            "binary_crossentropy": torch.nn.BCEWithLogitsLoss(),
            "categorical_crossentropy": torch.nn.CrossEntropyLoss(),
        }
        self.loss = losses[self.case.network.loss]
        self.x, self.y = torch.from_numpy(self.x), torch.from_numpy(self.y)
        self.dense = []
        parts = []
        for layer, (W, b) in itertools.zip_longest(self.layers, self.case.parameters):
            dense = torch.nn.Linear(*W.shape, dtype=self.x.dtype)
            dense.load_state_dict({"weight": torch.tensor(W.T), "bias": torch.tensor(b)})
            self.dense.append(dense)
            parts.append(dense)
            if layer:
                parts.append(modules[layer.activation](*layer.arguments.values()))
        self.model = torch.nn.Sequential(*parts)
        self.optimizer = self.make_optimizer()

    def make_optimizer(self) -> Any:
        training, parameters = self.training, self.model.parameters()
        if training.optimizer == "adam":
            beta_1, beta_2, epsilon = training.hyperparameters.values()
            return self.torch.optim.Adam(
                parameters, training.learning_rate, (beta_1, beta_2), epsilon
            )
        nesterov = training.optimizer == "nesterov"
        return self.torch.optim.SGD(
            parameters, training.learning_rate, nesterov=nesterov, **training.hyperparameters
        )

    def fit(self, after_epoch: AfterEpoch) -> list[float]:
        losses = []
        for epoch in range(self.training.epochs):
            order = self.torch.from_numpy(self.training.order(epoch, len(self.x)))
            total = 0.0
            for rows in order.split(self.batch_size):
                self.optimizer.zero_grad()
                loss = self.loss(self.model(self.x[rows]), self.y[rows])
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(rows)
            losses.append(total / len(self.x))
            after_epoch()
        return losses

    @property
    def parameters(self) -> Parameters:
        return tuple(
            Weights(dense.weight.detach().numpy().T, dense.bias.detach().numpy())
            for dense in self.dense
        )
