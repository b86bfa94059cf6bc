"""Record training steps of a PyTorch network: ``python record_pytorch.py``, then
``threeways check steps.json``.
"""

import json

import torch
from torch import nn


def record(model, loss, x, y, optimizer):
    """One step's test in the form of threeways' test vectors; the step updates the model.

    The model is an ``nn.Sequential`` of Linear layers, each followed by an activation and, if need
    be, by Dropout. PyTorch stores a layer's weights transposed, (units, inputs).
    """
    linears = [module for module in model if isinstance(module, nn.Linear)]
    parameters = [weights(layer, "W", "b") for layer in linears]

    given = x.clone().requires_grad_()
    values = [given]  # x, then z and a of each layer
    masks = {}
    for module in model:
        if isinstance(module, nn.Dropout):
            scale = module(torch.ones_like(given))
            masks[f"a[{len(values) // 2}]"] = (scale > 0).int().tolist()
            given = given * scale
        else:
            given = module(given)
            given.retain_grad()
            values.append(given)
    optimizer.zero_grad()
    value = loss(given, y)
    value.backward()
    optimizer.step()

    quantities = {"loss": value.item(), "dx": values[0].grad.tolist()}
    for l, layer in enumerate(linears):
        z, a = values[2 * l + 1], values[2 * l + 2]
        quantities |= {
            f"z[{l}]": z.tolist(),
            f"a[{l + 1}]": a.tolist(),
            f"dz[{l}]": z.grad.tolist(),
        }
        if layer.weight.requires_grad:  # it is not frozen
            quantities[f"dW[{l}]"] = layer.weight.grad.T.tolist()
            if layer.bias is not None:
                quantities[f"db[{l}]"] = layer.bias.grad.tolist()
        quantities |= weights(layer, f"W_next[{l}]", f"b_next[{l}]")
    return {"parameters": parameters, "masks": masks, "quantities": quantities}


def weights(layer, W, b):
    found = {W: layer.weight.T.tolist()}
    return found if layer.bias is None else found | {b: layer.bias.tolist()}


def main():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    model = nn.Sequential(
        nn.Linear(2, 3), nn.Tanh(), nn.Dropout(0.4), nn.Linear(3, 1), nn.Sigmoid()
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
    y = torch.tensor([[0], [1], [1], [0]], dtype=torch.float64)
    group = {
        "title": "XOR in PyTorch",
        "network": {
            "n_features": 2,
            "layers": [
                {"units": 3, "activation": "tanh", "dropout": 0.4},
                {"units": 1, "activation": "sigmoid"},
            ],
            "loss": "mean_squared_error",
            "dtype": "float64",
        },
        "chained": True,
        "learning_rate": 0.1,
        "x": x.tolist(),
        "y": y.tolist(),
        "tests": [record(model, nn.MSELoss(), x, y, optimizer) for _ in range(3)],
    }
    with open("steps.json", "w") as file:
        json.dump({"schema": "threeways/vectors/v1", "groups": [group]}, file, indent=1)


if __name__ == "__main__":
    main()
