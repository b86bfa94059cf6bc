"""The plan of a training: which cases to train, in which folders, and from which checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared import Case, InputError
from threeways.files import check_writable, is_folder, locked, make_folder, remove_leftovers
from threeways.implementations import PACKAGES
from threeways.training.checkpoints import RunFiles, SavedRun, describe


@dataclass(frozen=True, eq=False)
class Stage:
    """One case to train, in all implementations.

    Args:
        case: the case.
        copied: how many of its layers the next stage's case starts from.
        files: the files that each implementation's run is saved in; empty if nothing is saved.
        saved: the saved runs to resume, by implementation; empty unless some are resumed.
    """

    case: Case
    copied: int = 0
    files: dict[str, RunFiles] = field(default_factory=dict)
    saved: dict[str, SavedRun] = field(default_factory=dict)


@contextmanager
def lock_folders(case: Case, folder: Path | None, resume: bool) -> Iterator[None]:
    """Keep other processes from training into the folders of a run, while the block runs.

    Args:
        case, folder, resume: as in :func:`plan`; the folders are made, unless there is nothing to
            resume.

    Raises:
        InputError: another process does already, or a folder cannot be written.
    """
    with ExitStack() as locks:
        exists = folder is not None and is_folder(folder)
        while folder and (exists or not resume):
            make_folder(folder)
            locks.enter_context(locked(folder, "is training into it"))
            if not case.transfer:
                break
            case = case.transfer.source
            folder = folder / case.name
        yield


def plan(
    case: Case, names: Sequence[str], folder: Path | None = None, resume: bool = False
) -> list[Stage]:
    """The stages of training a case, in order: cases whose layers are transferred come first.

    Args:
        case: the case of the last stage.
        names: the implementations.
        folder: where to save; made if needed.
        resume: whether to resume the runs saved there.

    Raises:
        InputError: the folder cannot be written, holds a run already, or has none to resume.
    """
    if folder is None:
        if resume:
            raise InputError("--resume: needs --save DIR, the folder of the run to resume")
        return list(_stages(case))
    stages = list(_stages(case, folder))
    if resume:
        stages = [dataclasses.replace(stage, saved=_saved(stage, names)) for stage in stages]
        if not any(stage.saved for stage in stages):
            raise InputError(f"{folder}: no checkpoint of {' or '.join(names)} to resume from")
        for stage in stages:
            for name in set(names) - stage.saved.keys():
                _check_no_weights(stage.files[name])
    else:
        for stage in reversed(stages):
            for files in stage.files.values():
                _check_unused(files)
    for path in [path for stage in stages for name in names for path in stage.files[name].paths]:
        make_folder(path.parent)
        check_writable(path)
        remove_leftovers(path)
    return stages


def _stages(case: Case, folder: Path | None = None, copied: int = 0) -> Iterator[Stage]:
    if case.transfer:
        source = case.transfer.source
        yield from _stages(source, folder and folder / source.name, case.transfer.layers)
    files = {}
    if folder:
        description = describe(case)
        # Of all implementations, not only those that train: any may have left a run there.
        files = {name: RunFiles(folder, case, description, name) for name in PACKAGES}
    yield Stage(case, copied, files)


def _saved(stage: Stage, names: Sequence[str]) -> dict[str, SavedRun]:
    """The saved runs of those implementations that have one."""
    found = {name: stage.files[name].read_checkpoint() for name in names}
    return {name: saved for name, saved in found.items() if saved}


def _check_unused(files: RunFiles) -> None:
    """Raise an InputError if any of the files exists."""
    for path in files.paths:
        if path.exists():
            saved = files.read_checkpoint()
            if saved is None:
                raise InputError(f"{path}: already exists; choose another folder")
            epochs = f"{saved.epochs_done} of {files.case.training.epochs} epochs"
            raise InputError(
                f"{path.parent}: holds a run of this case, {epochs}; --resume continues it"
            )


def _check_no_weights(files: RunFiles) -> None:
    """Raise an InputError if there are weights, although there is no run that they could be of."""
    for path in (files.weights, files.model):
        if path and path.exists():
            raise InputError(f"{path}: already exists, without a checkpoint to resume from")
