"""The same training as users of other libraries write it, to measure ours by: a file a library.

A baseline starts from the same parameters as a case and makes the same updates on the same batches;
only keras.fit and scikit-learn draw the order of the rows themselves. Its library need not be
installed.
"""

from __future__ import annotations

from threeways.bench.baselines.bare_products import BareProducts
from threeways.bench.baselines.base import Baseline
from threeways.bench.baselines.jax_scan import Jax
from threeways.bench.baselines.keras_fit import KerasFit
from threeways.bench.baselines.pytorch import PyTorch
from threeways.bench.baselines.scikit_learn import ScikitLearn

__all__ = ["BASELINES"]

BASELINES: dict[str, type[Baseline]] = {
    baseline.name: baseline for baseline in (KerasFit, Jax, PyTorch, ScikitLearn, BareProducts)
}
