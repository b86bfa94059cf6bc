"""Hints for a quantity that is wrong: its formula, and the usual ways to get it wrong."""

from __future__ import annotations

from shared import Case

# The formula of each kind of quantity, and questions to ask of it; l is the layer, n = l + 1.
LOOK_AT = {
    "z": "z[{l}] = a[{l}] @ W[{l}] + b[{l}]: is W[{l}] the right way round? Is b[{l}] in it, once?",
    "z without b": "z[{l}] = a[{l}] @ W[{l}], without b: is W[{l}] the right way round?",
    "a": "a[{n}] = g(z[{l}]): is g {activation}, and applied once, to z[{l}]{rows}?",
    "loss": "loss = {loss}, as in impl_numpy/losses.py: is it the mean over the rows, with "
    "the same signs and factors (½, 1/K)?",
    "last dz": "dz[{l}] = ∂loss/∂a[{n}] · g'(z[{l}]): is {slope}? "
    "Is 1/N (or 1/NK) in it, once, and the g' of {activation}?",
    "logits dz": "dz[{l}] = ∂loss/∂z[{l}], of loss and {activation} together: is its difference "
    "a - y, not y - a? Is 1/N (or 1/NK) in it, once, and no other g'?",
    "hidden dz": "dz[{l}] = (dz[{n}] @ W[{n}].T) · g'(z[{l}]): is W[{n}] transposed, and from "
    "before the update? Is g' in it, that of {activation}?",
    "dW": "dW[{l}] = a[{l}].T @ dz[{l}]: is a[{l}] the input of this layer? Are the rows "
    "summed, with no other 1/N than that in dz[{l}]?",
    "db": "db[{l}] = Σ rows dz[{l}]: is the sum over the rows (axis 0), with no other 1/N "
    "than that in dz[{l}]?",
    "dx": "dx = dz[0] @ W[0].T: is W[0] transposed, and from before the update, with no g' here?",
    "W_next": "W_next[{l}] = W[{l}] - η dW[{l}]: is the sign a minus, and η in it once?",
    "b_next": "b_next[{l}] = b[{l}] - η db[{l}]: is the sign a minus, and η in it once?",
    "slot": "{quantity} is what {optimizer} keeps from step to step, as in "
    "impl_numpy/update_rules.py: are its first value and its rule the same?",
    "updated": "{quantity} = {before} as {optimizer} updates it, as in impl_numpy/update_rules.py: "
    "is every sign, power and ε in its place, and η as the schedule has it?",
    "fixed b_next": "b_next[{l}] = b[{l}]: this layer's bias is fixed; is it left as it is?",
    "frozen": "{quantity} = {before}: this layer is frozen; is it left as it is?",
    "penalised dW": "dW[{l}] = a[{l}].T @ dz[{l}] + l1 sign(W[{l}]) + 2 l2 W[{l}]: is the penalty "
    "in it, once, with its 2 and without 1/N?",
    "penalised loss": "loss = {loss} + l1 Σ|W| + l2 ΣW² of each layer that has them: are they in "
    "it, without biases and frozen layers, and without ½ or 1/N?",
}
# What to ask of ∂loss/∂a; where the loss is not here, it has a difference in it.
SLOPES = {
    "mean_absolute_error": "it the sign of a - y, not of y - a",
    "huber": "it a - y, not y - a, and ±δ where that is further from 0",
    "hinge": "it -y where y a < 1, and 0 elsewhere",
    "output": "it 1, as the loss is a itself",
}
# Questions to add where there is dropout.
DROPPED = " Is a[{l}] taken after dropout, masked and scaled?"
DROPPED_BACK = " Is it 0 for units that dropout drops, and scaled like a[{n}] for the rest?"


def look_at(quantity: str, case: Case) -> str:
    """One line with the formula of a quantity, such as ``dW[0]``, and what to look at in it."""
    kind, _, number = quantity.rstrip("]").partition("[")
    l = int(number or 0) - (kind == "a")
    network, optimizer = case.network, case.training.optimizer
    layer = network.layers[l]
    more = DROPPED if kind in ("z", "dW") and l and network.layers[l - 1].dropout_rate else ""
    if kind == "z" and not layer.use_bias:
        kind = "z without b"
    if kind == "dz":
        last = "logits dz" if network.loss_from_logits else "last dz"
        kind = last if l == len(network.layers) - 1 else "hidden dz"
        more = DROPPED_BACK if layer.dropout_rate else ""
    elif (kind == "dW" and layer.is_penalised) or (
        kind == "loss" and any(each.is_penalised for each in network.layers)
    ):
        kind = f"penalised {kind}"
    elif kind.endswith("_next") and not layer.trainable:
        kind = "frozen"
    elif kind == "b_next" and layer.fixed_bias:
        kind = "fixed b_next"
    elif kind.endswith("_next") and optimizer != "sgd":
        kind = "updated"
    elif kind not in LOOK_AT:
        kind = "slot"
    return (LOOK_AT[kind] + more).format(
        quantity=quantity,
        before=quantity.replace("_next", ""),
        l=l,
        n=l + 1,
        loss=network.loss,
        slope=SLOPES.get(network.loss, "its difference a - y, not y - a"),
        activation=layer.activation,
        rows=", over each row" if layer.activation == "softmax" else "",
        optimizer=optimizer,
    )
