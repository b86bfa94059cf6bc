"""Networks, cases, data sets and training runs, the same for all implementations; NumPy only.

Notation, in code and docs: N rows in a batch; D[0..L] widths; x (N, D[0]); W[l] (D[l], D[l+1]);
b[l] (D[l+1],); z[l] = a[l] @ W[l] + b[l]; a[l+1] = g(z[l]), a[0] = x; dz, dW, db, dx are the
derivatives of the loss. Targets y are always 2-D, (N, D[L]).
"""

from shared.activations import ACTIVATIONS
from shared.arrays import Array, check_inputs, check_targets
from shared.augmentation import Augmentation, augment
from shared.case import Case, ChainRuleCase, Figure, Goal, Transfer
from shared.case_file import case_names, load_case
from shared.chain_rule import CHAIN_RULES, ChainRule, check_chain_rule
from shared.datasets import DATASETS, Dataset, load_dataset
from shared.errors import InputError
from shared.losses import LOSSES
from shared.metrics import accuracy
from shared.model import Masks, Model, Optimizer
from shared.network import DTYPES, Layer, Network, check_perceptron
from shared.optimizers import CLIPS, OPTIMIZERS, SCHEDULES
from shared.parameters import (
    SCHEMES,
    Parameters,
    Weights,
    check_parameters,
    copy_layers,
    initialise,
)
from shared.quantities import shapes
from shared.run import Checkpoint, History, OnEpoch, Run
from shared.trace import Derivatives, Slots, Trace
from shared.training import StepTraining, Training

__all__ = [
    "ACTIVATIONS",
    "CHAIN_RULES",
    "CLIPS",
    "DATASETS",
    "DTYPES",
    "LOSSES",
    "OPTIMIZERS",
    "SCHEDULES",
    "SCHEMES",
    "Array",
    "Augmentation",
    "Case",
    "ChainRule",
    "ChainRuleCase",
    "Checkpoint",
    "Dataset",
    "Derivatives",
    "Figure",
    "Goal",
    "History",
    "InputError",
    "Layer",
    "Masks",
    "Model",
    "Network",
    "OnEpoch",
    "Optimizer",
    "Parameters",
    "Run",
    "Slots",
    "StepTraining",
    "Trace",
    "Training",
    "Transfer",
    "Weights",
    "accuracy",
    "augment",
    "case_names",
    "check_chain_rule",
    "check_inputs",
    "check_parameters",
    "check_perceptron",
    "check_targets",
    "copy_layers",
    "initialise",
    "load_case",
    "load_dataset",
    "shapes",
]
