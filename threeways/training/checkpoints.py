"""What training leaves in a folder: checkpoints to go on from, then weights and histories.

An implementation NAME leaves there, of the case that is trained:

    NAME-checkpoint.npz     after each epoch, all that it takes to go on as if it had not stopped
    NAME-weights.npz        in the end, arrays W[0], b[0], …; none if it diverged
    NAME-history.json       loss and validation_loss; best_epoch, from 1, with early stopping;
                            diverged_at, the first step, from 0, whose loss is not a finite number
    NAME-history.csv        a line an epoch, from 1
    keras.keras             the weights as a model, for keras.models.load_model

A case whose layers are transferred leaves the same in a folder of its name within. Each file takes
its place only once it is whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from shared import Array, Case, Checkpoint, History, InputError, Parameters, Weights
from threeways.files import check_writable, make_folder, write_whole
from threeways.implementations import PACKAGES
from threeways.training.outcome import Trained

SCHEMA, VERSION = "threeways/checkpoint/v", 1
HISTORY_SCHEMA = "threeways/history/v1"
DIGEST = "sha256:"
APART = "apart_"

# Of how many differences a message tells.
MOST_DIFFERENCES = 3


@dataclass(frozen=True, eq=False)
class Saved:
    """What a checkpoint holds.

    Args:
        checkpoint: where the run stands.
        seconds: what each of its epochs took.
        apart: how far it was from other implementations, by their names, (E, 1 + 4L).
    """

    checkpoint: Checkpoint
    seconds: list[float]
    apart: dict[str, Array]

    @property
    def made(self) -> int:
        """How many epochs the run has made."""
        return len(self.checkpoint.history.loss)


class Files:
    """The files of one implementation's run.

    Args:
        folder: where they are.
        case: what is trained.
        about_case: what makes its run what it is.
        name: of the implementation.
    """

    def __init__(self, folder: Path, case: Case, about_case: dict[str, Any], name: str) -> None:
        self.case = case
        self.about = {"implementation": name, **about_case}
        self.last_safe = 0
        self.checkpoint = folder / f"{name}-checkpoint.npz"
        self.weights = folder / f"{name}-weights.npz"
        self.history_json = folder / f"{name}-history.json"
        self.history_csv = folder / f"{name}-history.csv"
        self.model = folder / "keras.keras" if name == "keras" else None
        paths = self.checkpoint, self.weights, self.history_json, self.history_csv, self.model
        self.paths = [path for path in paths if path]

    def read(self) -> Saved | None:
        """What the checkpoint holds, if there is one.

        Raises:
            InputError: it is damaged, of a newer version of this program, or of another run.
        """
        if not self.checkpoint.exists():
            return None
        header, arrays = _read(self.checkpoint)
        found = list(_differences(header.get("run"), self.about))
        if found:
            told = "; ".join(found[:MOST_DIFFERENCES])
            raise InputError(f"{self.checkpoint}: is of another run: {told}")
        try:
            saved = _unpacked(header, arrays, self.case)
        except (LookupError, TypeError, ValueError):
            raise _damaged(self.checkpoint) from None
        self.last_safe = saved.made
        return saved

    def write_checkpoint(self, saved: Saved) -> None:
        """Write a checkpoint in the place of the last one.

        Raises:
            InputError: it cannot be written; the last one is as it was.
        """
        header = {"schema": f"{SCHEMA}{VERSION}", "run": self.about}
        content = _npz(_packed(header, saved))
        self._write(self.checkpoint, lambda part: part.write_bytes(content))
        self.last_safe = saved.made

    def write_results(self, trained: Trained, net: Any) -> None:
        """Write what there is to keep of a run that is over.

        Raises:
            InputError: it cannot be written.
        """
        history = trained.history
        epochs = itertools.zip_longest(history.loss, history.validation_loss, fillvalue="")
        lines = [f"{epoch},{loss},{more}" for epoch, (loss, more) in enumerate(epochs, start=1)]
        report = {
            "schema": HISTORY_SCHEMA,
            "case": self.case.name,
            "dtype": self.case.dtype,
            "implementation": trained.name,
            "loss": [_json(loss) for loss in history.loss],
            "validation_loss": [_json(loss) for loss in history.validation_loss],
            "best_epoch": trained.epoch + 1 if self.case.training.patience else None,
            "diverged_at": history.diverged_at,
        }
        text = json.dumps(report, indent=1, allow_nan=False)
        self._write(self.history_json, lambda part: part.write_text(text + "\n"))
        table = "\n".join(["epoch,loss,validation_loss", *lines, ""])
        self._write(self.history_csv, lambda part: part.write_text(table))
        if not trained.has_diverged:
            content = _npz(_named("", trained.parameters))
            self._write(self.weights, lambda part: part.write_bytes(content))
            if self.model:
                self._write(self.model, net.save)

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        try:
            write_whole(path, write)
        except InputError as error:
            last = self.last_safe
            safe = f"epoch {last} is the last that is safe" if last else "no epoch is safe"
            raise InputError(f"{error}; {safe}") from None


@dataclass(frozen=True, eq=False)
class Stage:
    """A case to train.

    Args:
        case: the case.
        copied: how many of its layers the next case starts from.
        files: where each implementation's run is saved, by its name; empty if it is not.
        saved: what was saved before, of those that go on.
    """

    case: Case
    copied: int = 0
    files: dict[str, Files] = field(default_factory=dict)
    saved: dict[str, Saved] = field(default_factory=dict)


def plan(
    case: Case, names: Sequence[str], folder: Path | None = None, resume: bool = False
) -> list[Stage]:
    """The cases to train, one after the other: first those whose layers are transferred.

    Args:
        case: the last of them.
        names: the implementations.
        folder: where to save; made if needed.
        resume: whether to go on from what is saved there.

    Raises:
        InputError: the folder cannot be written, holds a run already, or has none to go on from.
    """
    if folder is None:
        if resume:
            raise InputError("--resume: needs --save DIR, the folder of the run to go on with")
        return list(_stages(case))
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, not a folder")
    stages = list(_stages(case, folder))
    if resume:
        for stage in stages:
            found = {name: stage.files[name].read() for name in names}
            stage.saved.update({name: saved for name, saved in found.items() if saved})
        if not any(stage.saved for stage in stages):
            raise InputError(f"{folder}: no checkpoint of {' or '.join(names)} to go on from")
    else:
        for stage in reversed(stages):
            for files in stage.files.values():
                _check_unused(files)
    for path in [path for stage in stages for name in names for path in stage.files[name].paths]:
        make_folder(path.parent)
        check_writable(path)
    return stages


def _stages(case: Case, folder: Path | None = None, copied: int = 0) -> Iterator[Stage]:
    if case.transfer:
        source = case.transfer.source
        yield from _stages(source, folder and folder / source.name, case.transfer.layers)
    if folder:
        described = about(case)
        files = {name: Files(folder, case, described, name) for name in PACKAGES}
        yield Stage(case, copied, files)
    else:
        yield Stage(case, copied)


def _check_unused(files: Files) -> None:
    """Raise if there is anything in the files' place."""
    for path in files.paths:
        if path.exists():
            saved = files.read()
            if saved is None:
                raise InputError(f"{path}: is there already; choose another folder")
            epochs = f"{saved.made} of {files.case.training.epochs} epochs"
            raise InputError(
                f"{path.parent}: holds a run of this case, {epochs}; --resume goes on with it"
            )


def about(case: Case) -> dict[str, Any]:
    """What makes a run what it is, but for how many epochs it has: of arrays, their digests."""
    training = dataclasses.asdict(case.training)
    del training["epochs"]
    described = {
        "case": case.name,
        "network": dataclasses.asdict(case.network),
        "training": training,
        "data": _digest([case.dataset.x, case.dataset.y]),
        "starting parameters": _digest([part for weights in case.parameters for part in weights]),
    }
    if case.transfer:
        source = case.transfer.source
        epochs = {"epochs": source.training.epochs}
        described["transfer"] = {"layers": case.transfer.layers, "source": about(source) | epochs}
    return json.loads(json.dumps(described))


def _digest(arrays: Sequence[Array]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return DIGEST + digest.hexdigest()


def _differences(there: Any, here: Any, at: str = "") -> Iterator[str]:
    """What differs between two descriptions, in words."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in here | there:
            yield from _differences(there.get(key), here.get(key), f"{at}.{key}" if at else key)
    elif isinstance(there, list) and isinstance(here, list):
        if len(there) != len(here):
            yield f"{at} are {len(there)} there, {len(here)} here"
        for i, pair in enumerate(zip(there, here, strict=False)):
            yield from _differences(*pair, f"{at}[{i}]")
    elif there != here:
        is_digest = str(here).startswith(DIGEST)
        yield f"other {at}" if is_digest else f"{at} is {there} there, {here} here"


def _named(prefix: str, parameters: Parameters) -> dict[str, Array]:
    return {
        f"{prefix}{letter}[{l}]": part
        for l, weights in enumerate(parameters)
        for letter, part in zip("Wb", weights, strict=True)
    }


def _npz(arrays: dict[str, Any]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def _packed(header: dict[str, Any], saved: Saved) -> dict[str, Any]:
    checkpoint = saved.checkpoint
    named = {
        "about": np.array(json.dumps(header | {"steps": checkpoint.steps})),
        "loss": np.array(checkpoint.history.loss),
        "validation_loss": np.array(checkpoint.history.validation_loss),
        "seconds": np.array(saved.seconds),
        **{f"{APART}{name}": rows for name, rows in saved.apart.items()},
        **_named("", checkpoint.parameters),
        **_named("best_", checkpoint.best),
    }
    for slot, arrays in checkpoint.slots.items():
        named |= {f"{slot}[{l}]": part for l, part in enumerate(arrays)}
    return named


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """A checkpoint's header and its arrays, whichever run they are of.

    Raises:
        InputError: it is damaged, no checkpoint at all, or of a newer version of this program.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            if file.zip.testzip():
                raise ValueError
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("about").item())
        version = int(header["schema"].removeprefix(SCHEMA))
    except Exception:  # of many kinds: a damaged archive, a damaged array, another file altogether
        raise _damaged(path) from None
    if version != VERSION:
        raise InputError(
            f"{path}: is of another version of threeways, {SCHEMA}{version}; "
            f"this one reads {SCHEMA}{VERSION}"
        )
    return header, arrays


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: is damaged, or no checkpoint")


def _unpacked(header: dict[str, Any], arrays: dict[str, Array], case: Case) -> Saved:
    """What a checkpoint holds.

    Raises:
        LookupError, TypeError, ValueError: it is not what a checkpoint of the case holds.
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
        return tuple(take(f"{name}[{l}]", part) for l, part in enumerate(like))

    each_epoch = np.zeros(len(arrays["loss"]))
    validation = each_epoch if case.training.validation else np.zeros(0)
    return Saved(
        Checkpoint(
            history=History(
                take("loss", each_epoch).tolist(), take("validation_loss", validation).tolist()
            ),
            parameters=parameters(""),
            best=parameters("best_"),
            steps=int(header["steps"]),
            slots={
                f"{name}_{letter}": slot(f"{name}_{letter}", letter)
                for name in case.training.slots
                for letter in "Wb"
            },
        ),
        seconds=take("seconds", each_epoch).tolist(),
        apart={
            name.removeprefix(APART): take(
                name, np.zeros((len(rows), 1 + 4 * len(case.parameters)))
            )
            for name, rows in arrays.items()
            if name.startswith(APART)
        },
    )


def _json(number: float) -> float | None:
    return number if math.isfinite(number) else None
