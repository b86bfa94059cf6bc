"""Networks as people write them by hand, for a fixed number of layers; most make one mistake."""

from __future__ import annotations

from typing import Any

import numpy as np


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def relu_softmax(network, parameters, x, y, learning_rate):
    """Right."""
    (W1, b1), (W2, b2) = parameters
    hidden = np.maximum(x @ W1 + b1, 0)
    p = softmax(hidden @ W2 + b2)
    d2 = (p - y) / len(x)
    d1 = (d2 @ W2.T) * (hidden > 0)
    return {
        "loss": -(y * np.log(p)).sum() / len(x),
        "dW[0]": x.T @ d1,
        "db[0]": d1.sum(axis=0),
        "dW[1]": hidden.T @ d2,
        "db[1]": d2.sum(axis=0),
    }


def biases_forgotten(network, parameters, x, y, learning_rate):
    """No bias is ever added."""
    (W1, b1), (W2, b2) = parameters
    answer = relu_softmax(network, ((W1, 0 * b1), (W2, 0 * b2)), x, y, learning_rate)
    return {name: answer[name] for name in ("loss", "dW[0]", "dW[1]")}


def bias_summed_over_units(network, parameters, x, y, learning_rate):
    """Each db is the sum of all of dz."""
    answer = relu_softmax(network, parameters, x, y, learning_rate)
    del answer["loss"]
    return answer | {
        f"db[{l}]": np.full_like(b, answer[f"db[{l}]"].sum()) for l, (_, b) in enumerate(parameters)
    }


def epsilon_in_log(network, parameters, x, y, learning_rate):
    """log(p + 1e-8), and db is divided by N twice."""
    (W1, b1), (W2, b2) = parameters
    hidden = np.maximum(x @ W1 + b1, 0)
    p = softmax(hidden @ W2 + b2)
    d2 = (p - y) / len(x)
    return {
        "loss": -np.sum(y * np.log(p + 1e-8)) / len(x),
        "dW[1]": hidden.T @ d2,
        "db[1]": d2.sum(axis=0) / len(x),
    }


def epsilon_in_log_all_given(network, parameters, x, y, learning_rate):
    """log(p + 1e-8), everything else right and there."""
    (W1, b1), (W2, b2) = parameters
    z1 = x @ W1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2 + b2
    p = softmax(z2)
    answer = relu_softmax(network, parameters, x, y, learning_rate)
    loss = -np.sum(y * np.log(p + 1e-8)) / len(x)
    dz = (p - y) / len(x)
    return answer | {"z[0]": z1, "a[1]": a1, "z[1]": z2, "a[2]": p, "dz[1]": dz, "loss": loss}


def error_passed_down_summed(network, parameters, x, y, learning_rate):
    """The error goes down in place of the delta, and nothing is divided by N."""
    (W1, b1), (W2, b2) = parameters
    a1 = sigmoid(x @ W1 + b1)
    a2 = sigmoid(a1 @ W2 + b2)
    d2 = (a2 - y) * a2 * (1 - a2)
    d1 = ((a2 - y) @ W2.T) * a1 * (1 - a1)
    return {"dW[1]": a1.T @ d2, "dW[0]": x.T @ d1}


def mean_twice(network, parameters, x, y, learning_rate):
    """Samples are columns; the hidden delta is divided by N, and its gradients once more."""
    N = len(x)
    (W1, W2), (b1, b2) = (
        [each.W.T for each in parameters],
        [each.b[:, None] for each in parameters],
    )
    A1 = np.tanh(W1 @ x.T + b1)
    A2 = sigmoid(W2 @ A1 + b2)
    d2 = A2 - y.T
    d1 = (W2.T @ d2) * (1 - A1**2) / N
    return {
        "a[1]": A1.T,
        "a[2]": A2.T,
        "dW[1]": (d2 @ A1.T / N).T,
        "db[1]": d2.sum(axis=1) / N,
        "dW[0]": (d1 @ x / N).T,
        "db[0]": d1.sum(axis=1) / N,
    }


def one_wrong_shape(network, parameters, x, y, learning_rate):
    """db[0] is a row and all 0."""
    (W, b), *_ = parameters
    return {"z[0]": x @ W + b, "db[0]": np.zeros((1, len(b)))}


def summed_squares(network, parameters, x, y, learning_rate):
    """Right for its own loss, Σ(a - y)²: tanh, then linear."""
    (W1, b1), (W2, b2) = parameters
    a1 = np.tanh(x @ W1 + b1)
    a2 = a1 @ W2 + b2
    d2 = 2 * (a2 - y)
    d1 = (d2 @ W2.T) * (1 - a1**2)
    return {
        "loss": np.sum((a2 - y) ** 2),
        "dW[1]": a1.T @ d2,
        "db[1]": d2.sum(axis=0),
        "dW[0]": x.T @ d1,
        "db[0]": d1.sum(axis=0),
    }


def sign_inside_loss(network, parameters, x, y, learning_rate):
    """-y log a + (1 - y) log(1 - a), where both terms want a minus; one layer or two, of sigmoids."""
    a = [x]
    for W, b in parameters:
        a.append(sigmoid(a[-1] @ W + b))
    d = (a[-1] - y) / len(x)
    answer = {"loss": np.sum(-y * np.log(a[-1]) + (1 - y) * np.log(1 - a[-1])) / len(x)}
    for l in reversed(range(len(parameters))):
        answer |= {f"dW[{l}]": a[l].T @ d, f"db[{l}]": d.sum(axis=0)}
        d = (d @ parameters[l].W.T) * a[l] * (1 - a[l])
    return answer


def derivative_forgotten_in_one_gradient(network, parameters, x, y, learning_rate):
    """2-2-1 for one row, number by number; the output's σ' is missing in dW[1] alone."""
    W1, W2 = parameters[0].W, parameters[1].W[:, 0]
    h = [sigmoid(W1[0, i] * x[0, 0] + W1[1, i] * x[0, 1]) for i in range(2)]
    out = sigmoid(W2[0] * h[0] + W2[1] * h[1])
    error = out - y[0, 0]
    d = error * out * (1 - out)
    dW1 = [[d * W2[i] * h[i] * (1 - h[i]) * x[0, j] for i in range(2)] for j in range(2)]
    return {
        "a[2]": np.array([[out]]),
        "dW[0]": np.array(dW1),
        "dW[1]": np.array([[error * h[0]], [error * h[1]]]),
    }


class AdamWithoutPower:
    """Adam on sigmoid and linear; its correction is 1 - β at every step."""

    def __init__(self, network, parameters):
        self.w = [array.copy() for weights in parameters for array in weights]
        self.m = [np.zeros_like(w) for w in self.w]
        self.v = [np.zeros_like(w) for w in self.w]

    def step(self, x, y, training):
        W1, b1, W2, b2 = self.w
        a = sigmoid(x @ W1 + b1)
        out = a @ W2 + b2
        d2 = (out - y) / len(x)
        d1 = (d2 @ W2.T) * a * (1 - a)
        gradients = [x.T @ d1, d1.sum(axis=0), a.T @ d2, d2.sum(axis=0)]
        epsilon = 1e-7 / np.sqrt(1 - 0.999)  # beside √v̂, what Keras's is beside √v
        for i, g in enumerate(gradients):
            self.m[i] = 0.9 * self.m[i] + 0.1 * g
            self.v[i] = 0.999 * self.v[i] + (1 - 0.999) * g**2
            root = np.sqrt(self.v[i] / (1 - 0.999)) + epsilon
            self.w[i] = self.w[i] - training.learning_rate * (self.m[i] / (1 - 0.9)) / root
        return {
            "loss": ((out - y) ** 2).sum() / (2 * len(x)),
            "dW[0]": gradients[0],
            "W_next[0]": self.w[0],
            "W_next[1]": self.w[2],
        }
