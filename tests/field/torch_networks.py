"""Networks in PyTorch, each with a mistake."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def one_layer(parameters):
    (W, b), *_ = parameters
    return torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True)


def answer(loss, W, b):
    loss.backward()
    return {"loss": loss.detach().numpy(), "dW[0]": W.grad.numpy(), "db[0]": b.grad.numpy()}


def nll_of_logits(network, parameters, x, y, learning_rate):
    """The negative log-likelihood of what is no log-probability."""
    W, b = one_layer(parameters)
    return answer(F.nll_loss(torch.tensor(x) @ W + b, torch.tensor(y).argmax(1)), W, b)


def softmax_twice(network, parameters, x, y, learning_rate):
    """Probabilities go to a loss that takes the softmax itself."""
    W, b = one_layer(parameters)
    p = F.softmax(torch.tensor(x) @ W + b, dim=1)
    numbers = answer(F.cross_entropy(p, torch.tensor(y).argmax(1)), W, b)
    return numbers | {"a[1]": p.detach().numpy()}


class NeverReset:
    """Sigmoids under SGD, whose gradients pile up."""

    def __init__(self, network, parameters):
        self.w = [torch.tensor(each, requires_grad=True) for layer in parameters for each in layer]
        self.optimizer = None

    def step(self, x, y, training):
        if self.optimizer is None:
            self.optimizer = torch.optim.SGD(self.w, lr=training.learning_rate)
        a = torch.tensor(x)
        for W, b in zip(self.w[::2], self.w[1::2], strict=True):
            a = torch.sigmoid(a @ W + b)
        loss = ((a - torch.tensor(y)) ** 2).sum() / (2 * len(x))
        loss.backward()
        self.optimizer.step()
        weights = enumerate(self.w[::2])
        return {"loss": loss.detach().numpy()} | {
            f"W_next[{l}]": W.detach().numpy().copy() for l, W in weights
        }
