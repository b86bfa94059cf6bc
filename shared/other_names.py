"""Names that books and other libraries use for what is here under another."""

from __future__ import annotations

# Losses that are the very same, and so are taken; of several, the one that fits the output layer.
# Without capitals, underscores and a "loss" at the end.
SAME_LOSSES: dict[str, tuple[str, ...]] = {
    "mse": ("mean_squared_error",),
    "mae": ("mean_absolute_error",),
    "l1": ("mean_absolute_error",),
    "bce": ("binary_crossentropy",),
    "bcewithlogits": ("binary_crossentropy",),
    "cce": ("categorical_crossentropy",),
    "crossentropy": ("categorical_crossentropy", "binary_crossentropy"),
    "ce": ("categorical_crossentropy", "binary_crossentropy"),
    "log": ("categorical_crossentropy", "binary_crossentropy"),
    "softmaxcrossentropy": ("categorical_crossentropy",),
    "sigmoidcrossentropy": ("binary_crossentropy",),
}

# These are only suggested.
# Of several, the one that is meant depends on what is asked for; none is nothing like what is here.
OTHER_NAMES: dict[str, tuple[str, ...]] = {
    # initialisation
    "xavier": ("glorot_uniform",),
    "xavier_uniform": ("glorot_uniform",),
    "xavier_normal": ("glorot_normal",),
    "glorot": ("glorot_uniform",),
    "kaiming": ("he_normal",),
    "kaiming_uniform": ("he_uniform",),
    "kaiming_normal": ("he_normal",),
    "he": ("he_normal",),
    "lecun": ("lecun_normal",),
    "zero": ("zeros",),
    "one": ("ones",),
    "gaussian": ("normal",),
    "random": ("normal",),
    "random_normal": ("normal",),
    "random_uniform": ("uniform",),
    # activations
    "logistic": ("sigmoid",),
    "identity": ("linear",),
    "none": ("linear", "constant"),
    "heaviside": ("step",),
    "threshold": ("step",),
    "ltu": ("step",),
    "signum": ("sign",),
    "rectifier": ("relu",),
    "hyperbolic_tangent": ("tanh",),
    "gelu": (),
    "silu": (),
    "swish": (),
    # losses
    "l2_loss": ("mean_squared_error",),
    "rmse": ("mean_squared_error",),
    "sse": ("half_squared_error",),
    "smooth_l1": ("huber",),
    "smooth_l1_loss": ("huber",),
    "sparse_categorical_crossentropy": ("categorical_crossentropy",),
    "nll": ("categorical_crossentropy",),
    "nll_loss": ("categorical_crossentropy",),
    "negative_log_likelihood": ("categorical_crossentropy",),
    "squared_hinge": (),
    "categorical_hinge": (),
    "log_cosh": (),
    "kl_divergence": (),
    # optimizers and schedules
    "gd": ("sgd",),
    "gradient_descent": ("sgd",),
    "sgd_momentum": ("momentum",),
    "sgd_with_momentum": ("momentum",),
    "heavy_ball": ("momentum",),
    "adamw": (),
    "nag": ("nesterov",),
    "sgd_nesterov": ("nesterov",),
    "step_decay": ("step",),
    "staircase": ("step",),
    "cosine_annealing": ("cosine",),
    # keys, dtypes and implementations
    "lr": ("learning_rate",),
    "eta": ("learning_rate",),
    "neurons": ("units",),
    "nodes": ("units",),
    "name": ("title",),
    "double": ("float64",),
    "single": ("float32",),
    "float": ("float32",),
    "tensorflow": ("tf",),
}
