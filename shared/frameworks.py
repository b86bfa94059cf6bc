"""The start of TensorFlow and Keras: quiet, with Keras on TensorFlow, and its errors in a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.quiet import silent_stderr

# Whether this package imported TensorFlow, and its first operation, which looks for devices, ran.
_is_ours = False
_is_started = False


@contextmanager
def importing_frameworks() -> Iterator[None]:
    """A block that imports TensorFlow or Keras, without what they log.

    They log what they like where they are imported already, where ``TF_CPP_MIN_LOG_LEVEL`` is 0, or
    where there are flags for XLA: a wrong one ends the process, and only the log says why.

    Raises:
        ImportError: one of them is not installed, or its import failed with any other error.
    """
    global _is_ours
    settings = _settings()
    if "tensorflow" not in sys.modules:
        level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        _is_ours = level != "0" and not os.environ.keys() & {"XLA_FLAGS", "TF_XLA_FLAGS"}
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # TensorFlow imports Keras, too
    with silent_tensorflow():
        try:
            yield
        except MemoryError:
            raise
        except ModuleNotFoundError as error:
            if error.name in ("tensorflow", "keras"):
                raise
            raise ImportError(_failed(error, settings)) from error
        except Exception as error:  # any kind, as from a wrong setting in the environment
            raise ImportError(_failed(error, settings)) from error


@contextmanager
def silent_tensorflow() -> Iterator[None]:
    """A block in which TensorFlow logs nothing, if it was imported by this package."""
    if not _is_ours:
        yield
        return
    with silent_stderr():
        yield


@contextmanager
def starting_tensorflow() -> Iterator[None]:
    """A block that may hold TensorFlow's first operation, which looks for devices and logs them."""
    global _is_started
    if _is_started:
        yield
        return
    with silent_tensorflow():
        yield
    _is_started = True


def _settings() -> list[str]:
    """The user's settings that the frameworks read when they start."""
    found = [name for name in sorted(os.environ) if name.startswith(("KERAS_", "TF_", "XLA_"))]
    file = Path(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json").expanduser()
    return [*found, str(file)] if file.exists() else found


def _failed(error: Exception, settings: list[str]) -> str:
    """The line that says that an import failed, and which settings to look at."""
    lines = [line for line in str(error).splitlines() if line[:1].strip()]
    # TensorFlow's message may hold a traceback; it ends in a line that says what is wrong.
    text = next((line for line in lines if not line.startswith("Traceback")), "")
    kind = type(error).__name__
    what = text if text.startswith(kind) else f"{kind}: {text}" if text else kind
    hint = f"; check {', '.join(settings)}" if settings else ""
    return f"TensorFlow or Keras fails to start ({what}){hint}"
