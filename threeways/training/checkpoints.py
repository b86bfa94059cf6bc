"""The files that training leaves in a folder: checkpoints to resume from, weights and histories.

For each implementation NAME that trained the case:

    NAME-checkpoint.npz     after each epoch: all that is needed to continue as if uninterrupted
    NAME-weights.npz        at the end: arrays W[0], b[0], …; not written if the run diverged
    NAME-history.json       loss and validation_loss; best_epoch, from 1, with early stopping;
                            diverged_at, the first step, from 0, whose loss was not finite
    NAME-history.csv        a line per epoch, from 1
    keras.keras             the trained model, for keras.models.load_model

If the case has layers transferred from another, that case's files are in a subfolder of its name.
A file appears, or replaces the previous one, only once it is complete. While a process trains into
a folder, it holds a lock on ``.threeways.lock`` there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from shared import (
    Array,
    Augmentation,
    Case,
    Checkpoint,
    History,
    InputError,
    Layer,
    Network,
    Parameters,
    Training,
    Weights,
)
from shared.errors import short
from shared.npz import MOST_MEMORY, read_npz
from shared.reading import opened, parse_json
from threeways.files import write_whole
from threeways.training.outcome import RunResult, are_finite, named_arrays

SCHEMA, VERSION = "threeways/checkpoint/v", 1
HISTORY_SCHEMA = "threeways/history/v1"

# Marks a digest in a description, instead of the arrays themselves.
DIGEST = "sha256:"
# Precedes the other implementation's name in the name of an array of distances.
DISTANCES = "apart_"

# A checkpoint holds at most so many arrays of the shape of each W and b: the values, the best ones
# and two slots.
MOST_COPIES = 4
# The slots that hold sums or means of squares.
SQUARES = ("accumulator", "velocity")
# How many differences between two runs a message names at most.
MOST_DIFFERENCES = 3

# The default of each field of a description that has one, by its name.
DEFAULTS = {
    field.name: field.default
    for described in (Network, Layer, Training, Augmentation)
    for field in described.__dataclass_fields__.values()
    if field.default is not dataclasses.MISSING
}


@dataclass(frozen=True, eq=False)
class SavedRun:
    """The content of a checkpoint file.

    Args:
        checkpoint: the state of the run after its last epoch.
        seconds: the duration of each epoch.
        distances: the distance from other implementations, by their names, a row for each of E
            epochs, (E, 1 + 4L) for L layers; see :class:`threeways.training.train.DistanceLog`.
    """

    checkpoint: Checkpoint
    seconds: list[float]
    distances: dict[str, Array]

    @property
    def epochs_done(self) -> int:
        """The number of epochs so far."""
        return len(self.checkpoint.history.loss)


class RunFiles:
    """The files of one implementation's run.

    Args:
        folder: the folder that they are in.
        case: the case that is trained.
        description: the case's, from :func:`describe`.
        name: the implementation.
    """

    def __init__(self, folder: Path, case: Case, description: dict[str, Any], name: str) -> None:
        self.case = case
        self.description = {"implementation": name, **description}
        self.last_saved = 0  # the epoch, from 1
        self.checkpoint = folder / f"{name}-checkpoint.npz"
        self.weights = folder / f"{name}-weights.npz"
        self.history_json = folder / f"{name}-history.json"
        self.history_csv = folder / f"{name}-history.csv"
        self.model = folder / "keras.keras" if name == "keras" else None
        paths = self.checkpoint, self.weights, self.history_json, self.history_csv, self.model
        self.paths = [path for path in paths if path]

    def read_checkpoint(self) -> SavedRun | None:
        """The run saved in the checkpoint file; None if there is no such file.

        Raises:
            InputError: it is damaged, from another version of this program, or of another run.
        """
        if not self.checkpoint.exists():
            return None
        header, arrays = _read(self.checkpoint, self.case)
        differences = _differences(header.get("run"), self.description)
        if shown := "; ".join(itertools.islice(differences, MOST_DIFFERENCES)):
            raise InputError(f"{self.checkpoint}: belongs to another run: {shown}")
        try:
            saved = _unpack(header, arrays, self.case)
        except (LookupError, TypeError, ValueError):
            raise _damaged(self.checkpoint) from None
        self.last_saved = saved.epochs_done
        return saved

    def write_checkpoint(self, saved: SavedRun) -> None:
        """Replace the checkpoint file.

        Raises:
            InputError: it cannot be written; the previous one is unchanged.
        """
        arrays = _pack(saved, self.description)
        self._write(self.checkpoint, lambda path: np.savez(path, **arrays))
        self.last_saved = saved.epochs_done

    def write_results(self, result: RunResult, net: Any) -> None:
        """Write the history of a run that is over and, unless it diverged, its weights.

        Raises:
            InputError: a file cannot be written.
        """
        history = result.history
        report = {
            "schema": HISTORY_SCHEMA,
            "case": self.case.name,
            "dtype": self.case.dtype,
            "implementation": result.name,
            "loss": [_json(loss) for loss in history.loss],
            "validation_loss": [_json(loss) for loss in history.validation_loss],
            "best_epoch": result.epoch + 1 if self.case.training.patience else None,
            "diverged_at": history.diverged_at,
        }
        text = json.dumps(report, indent=1, allow_nan=False) + "\n"
        self._write(self.history_json, lambda path: path.write_text(text))
        table = _csv(history)
        self._write(self.history_csv, lambda path: path.write_text(table))
        if not result.has_diverged:
            arrays: dict[str, Any] = {**named_arrays(result.parameters)}
            self._write(self.weights, lambda path: np.savez(path, **arrays))
            if self.model:
                self._write(self.model, net.save)

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        try:
            write_whole(path, write)
        except InputError as error:
            last = self.last_saved
            saved = f"epoch {last} is the last one saved" if last else "no epoch is saved"
            raise InputError(f"{error}; {saved}") from None


def describe(case: Case) -> dict[str, Any]:
    """A description that identifies a run of a case, except for its length; arrays are digests.

    Of two runs with the same description, the longer one begins with the shorter one.
    """
    training = dataclasses.asdict(case.training)
    del training["epochs"]
    description = {
        "case": case.name,
        "network": dataclasses.asdict(case.network),
        "training": training,
        "data": _digest([case.dataset.x, case.dataset.y]),
        "starting parameters": _digest(named_arrays(case.parameters).values()),
    }
    if case.transfer:
        source = case.transfer.source
        epochs = {"epochs": source.training.epochs}
        transfer = {"layers": case.transfer.layers, "source": describe(source) | epochs}
        description["transfer"] = transfer
    return json.loads(json.dumps(description))  # as it is read back: lists for tuples


def _digest(arrays: Iterable[Array]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return DIGEST + digest.hexdigest()


def _differences(there: Any, here: Any, at: str = "") -> Iterator[str]:
    """The differences between a saved description and the one at hand, in words."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in here | there:
            before = there.get(key, DEFAULTS.get(key))  # in a file older than the field
            yield from _differences(before, here.get(key), f"{at}.{key}" if at else key)
    elif isinstance(there, list) and isinstance(here, list):
        if len(there) != len(here):
            yield f"{len(there)} {at} there, {len(here)} here"
        for i, pair in enumerate(zip(there, here, strict=False)):
            yield from _differences(*pair, f"{at}[{i}]")
    elif there != here:
        is_digest = str(here).startswith(DIGEST)
        before = there if isinstance(there, str) else short(there)
        yield f"different {at}" if is_digest else f"{at} is {before} there, {here} here"


def _pack(saved: SavedRun, description: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a checkpoint file by name; ``"about"`` holds the header as JSON."""
    checkpoint = saved.checkpoint
    header = {"schema": f"{SCHEMA}{VERSION}", "run": description, "steps": checkpoint.steps}
    best = named_arrays(checkpoint.best)
    return {
        "about": np.array(json.dumps(header)),
        "loss": np.array(checkpoint.history.loss),
        "validation_loss": np.array(checkpoint.history.validation_loss),
        "seconds": np.array(saved.seconds),
        **{f"{DISTANCES}{name}": rows for name, rows in saved.distances.items()},
        **named_arrays(checkpoint.parameters),
        **{f"best_{name}": array for name, array in best.items()},
        **{
            f"{slot}[{l}]": array
            for slot, arrays in checkpoint.slots.items()
            for l, array in enumerate(arrays)
        },
    }


def _unpack(header: dict[str, Any], arrays: dict[str, Array], case: Case) -> SavedRun:
    """The saved run in a checkpoint's header and arrays.

    Raises:
        LookupError, TypeError, ValueError: something is missing or has the wrong shape or dtype.
    """

    def take(name: str, like: Array) -> Array:
        if (arrays[name].shape, arrays[name].dtype) != (like.shape, like.dtype):
            raise ValueError(name)
        return arrays[name]

    def parameters(prefix: str) -> Parameters:
        return tuple(
            Weights(take(f"{prefix}W[{l}]", W), take(f"{prefix}b[{l}]", b))
            for l, (W, b) in enumerate(case.parameters)
        )

    def slot(name: str, letter: str) -> tuple[Array, ...]:
        like = (getattr(weights, letter) for weights in case.parameters)
        return tuple(take(f"{name}_{letter}[{l}]", part) for l, part in enumerate(like))

    def distances(name: str) -> Array:
        return take(name, np.zeros((len(arrays[name]), 1 + 4 * len(case.parameters))))

    per_epoch = np.zeros(len(arrays["loss"]))
    validation = per_epoch if case.training.validation else np.zeros(0)
    saved = SavedRun(
        Checkpoint(
            history=History(
                take("loss", per_epoch).tolist(), take("validation_loss", validation).tolist()
            ),
            parameters=parameters(""),
            best=parameters("best_"),
            steps=header["steps"],
            slots={
                f"{name}_{letter}": slot(name, letter)
                for name in case.training.slots
                for letter in "Wb"
            },
        ),
        seconds=take("seconds", per_epoch).tolist(),
        distances={
            name.removeprefix(DISTANCES): distances(name)
            for name in arrays
            if name.startswith(DISTANCES)
        },
    )
    if not _is_possible(saved, case):
        raise ValueError("numbers that no run leaves")
    return saved


def _is_possible(saved: SavedRun, case: Case) -> bool:
    """Whether a run of the case can have left these numbers: only sound epochs are saved."""
    checkpoint, epochs = saved.checkpoint, saved.epochs_done
    squares = [
        array
        for slot, arrays in checkpoint.slots.items()
        for array in arrays
        if slot.rpartition("_")[0] in SQUARES
    ]
    return (
        type(checkpoint.steps) is int
        and epochs > 0
        and checkpoint.steps == epochs * case.training.steps_per_epoch(len(case.dataset))
        and all(map(math.isfinite, checkpoint.history.loss))
        and all(0 <= seconds < math.inf for seconds in saved.seconds)
        and are_finite(checkpoint.parameters)
        and are_finite(checkpoint.best)
        and not any((array < 0).any() for array in squares)
        and all(_are_distances(rows, epochs) for rows in saved.distances.values())
    )


def _are_distances(rows: Array, epochs: int) -> bool:
    """Whether the rows are of different epochs, in their order, and no distance is negative."""
    of = rows[:, 0]
    in_order = (of[:1] >= 1).all() and (np.diff(of) >= 1).all() and (of[-1:] <= epochs).all()
    return bool((rows >= 0).all() and in_order and (of == np.round(of)).all())


def _read(path: Path, case: Case) -> tuple[dict[str, Any], dict[str, Array]]:
    """The header and the arrays of a checkpoint file, whichever run it belongs to.

    Raises:
        InputError: it is damaged, not a checkpoint, or from another version of this program; or it
            is much larger than one of this case.
    """
    of_case = sum(array.nbytes for array in named_arrays(case.parameters).values())
    most = MOST_MEMORY + MOST_COPIES * of_case
    try:
        with opened(path, most) as file:
            content = _content(file, most)
    except InputError as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if content is None:
        raise _damaged(path)
    header, arrays, version = content
    if version != VERSION:
        raise InputError(
            f"{path}: was written by another version of threeways, as {SCHEMA}{version}; "
            f"this one reads {SCHEMA}{VERSION}"
        )
    return header, arrays


def _content(file: BinaryIO, most: int) -> tuple[dict[str, Any], dict[str, Array], int] | None:
    """The header, the arrays and the version of a checkpoint file; None if it is damaged."""
    try:
        arrays = read_npz(file, most)
        header = parse_json(arrays.pop("about").item())
        return header, arrays, int(header["schema"].removeprefix(SCHEMA))
    except MemoryError:
        raise
    except Exception:  # of many kinds: a damaged archive, a damaged array, any other file
        return None


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: is damaged, or not a checkpoint")


def _csv(history: History) -> str:
    epochs = itertools.zip_longest(history.loss, history.validation_loss, fillvalue="")
    lines = [f"{epoch},{loss},{more}" for epoch, (loss, more) in enumerate(epochs, start=1)]
    return "\n".join(["epoch,loss,validation_loss", *lines, ""])


def _json(number: float) -> float | None:
    return number if math.isfinite(number) else None
