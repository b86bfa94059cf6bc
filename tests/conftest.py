"""The implementations, loaded once for all tests."""

from __future__ import annotations

import importlib.util
import signal
import warnings
from types import ModuleType

import pytest

from threeways.implementations import PACKAGES, load

# In the background of a shell Ctrl-C is ignored; what the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def packages() -> dict[str, ModuleType]:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the frameworks' own, on import
        return load(PACKAGES)
