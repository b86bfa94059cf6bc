"""What an implementation is for: which layers, losses and optimizers.

Its author declares it, with ``@supports(layers=("relu", "softmax"), loss=…)``, or says it on the
command line, ``--network 4-5sigmoid-3softmax``. Only shared is imported here, since the module of
an implementation imports this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from shared import ACTIVATIONS, LOSSES, OPTIMIZERS, Array, Case, InputError, Layer
from shared.errors import Findings, unknown
from shared.losses import loss_named

T = TypeVar("T", bound=Callable[..., Any])

# The attribute of an implementation with what it declares about itself, by name, as JSON.
DECLARED = "__threeways__"

Names = str | Iterable[str] | None


@dataclass(frozen=True)
class Supports:
    """What an implementation is for; whatever is None or empty is not restricted.

    Args:
        n_layers: the number of layers.
        activations: the activation of each layer.
        widths: D[0..L], None where any will do.
        losses, optimizers: their names.
        biases: whether the network has biases.
    """

    n_layers: int | None = None
    activations: tuple[str, ...] = ()
    widths: tuple[int | None, ...] = ()
    losses: tuple[str, ...] = ()
    optimizers: tuple[str, ...] = ()
    biases: bool | None = None

    def fits(self, case: Case) -> bool:
        """Whether a case is of what it is for."""
        network = case.network
        activations = tuple(layer.activation for layer in network.layers)
        widths = zip(self.widths, network.widths, strict=False)
        return (
            self.n_layers in (None, len(activations))
            and (not self.activations or self.activations == activations)
            and all(wanted in (None, width) for wanted, width in widths)
            and (not self.losses or network.loss in self.losses)
            and (not self.optimizers or case.training.optimizer in self.optimizers)
            and self.biases in (None, has_biases(case))
        )

    def __bool__(self) -> bool:
        return self != Supports()

    def __str__(self) -> str:
        layers = f"{self.n_layers} layers" if self.n_layers else ""
        if self.activations:
            first, *units = [str(width or "") for width in self.widths or (0,)]
            units = units or [""] * len(self.activations)
            named = map("".join, zip(units, self.activations, strict=True))
            layers = "-".join([*([first] if first else []), *named])
        with_biases = {None: "", True: "with biases", False: "without biases"}[self.biases]
        parts = (layers, *self.losses, *self.optimizers, with_biases)
        return ", ".join(part for part in parts if part)


ANYTHING = Supports()


def has_biases(case: Case) -> bool:
    """Whether any layer of a case has a bias; one that is fixed at 0 is none."""
    layers = zip(case.network.layers, case.parameters, strict=True)
    return not all(has_no_bias(b, layer) for layer, (_, b) in layers)


def has_no_bias(b: Array, layer: Layer) -> bool:
    """Whether a layer has no bias, or one that is fixed at 0."""
    return not layer.use_bias or (layer.fixed_bias and not b.any())


def supports(
    *nothing: object,
    layers: int | str | Sequence[str] | None = None,
    loss: Names = None,
    optimizers: Names = None,
    biases: bool | None = None,
) -> Callable[[T], T]:
    """A decorator of a function or class that says what it is for; it is checked on nothing else.

    Args:
        layers: the number of layers; or the activation of each, ``("relu", "softmax")`` or
            ``"relu-softmax"``, with the number of its units where only one will do: ``"1sigmoid"``.
        loss: the loss, or several.
        optimizers: the optimizer, or several.
        biases: False for networks without biases, True for others.

    Raises:
        InputError: one of them does not exist, or does not go with another, or it is used bare.
    """
    if nothing:
        raise InputError('supports: expected @supports(layers="relu-softmax") or the like, by name')
    declared = declaration(layers, loss, optimizers)
    if biases is not None and not isinstance(biases, bool):
        raise InputError(f"supports: biases: expected True or False, not {biases!r:.40}")
    declared = replace(declared, biases=biases)

    def declare(implementation: T) -> T:
        before = getattr(implementation, DECLARED, {})
        setattr(implementation, DECLARED, {**before, "supports": asdict(declared)})
        return implementation

    return declare


def declaration(
    layers: object,
    loss: object,
    optimizers: object,
    names: tuple[str, str, str] = ("supports: layers", "supports: loss", "supports: optimizers"),
) -> Supports:
    """What an implementation is for, from the arguments of :func:`supports`.

    Args:
        layers, loss, optimizers: those arguments.
        names: what messages call them.

    Raises:
        InputError: one of them is wrong.
    """
    of_layers, of_loss, of_optimizers = names
    findings = Findings()
    n_layers: int | None = None
    activations: tuple[str, ...] = ()
    widths: tuple[int | None, ...] = ()
    losses: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    with findings:
        n_layers, activations, widths = _layers(layers, of_layers)
    with findings:
        output = activations[-1] if activations else ""
        losses = _names(loss, of_loss, "a loss", lambda name: _loss(name, output))
    with findings:
        rules = _names(optimizers, of_optimizers, "an optimizer", _optimizer)
    for each in losses if activations else ():
        if activations[-1] not in (fits := LOSSES[each].fits):
            with findings:
                raise InputError(
                    f"{of_loss}: {each!r} does not fit an output layer of {activations[-1]!r} "
                    f"units, only of {', '.join(fits)}"
                )
    findings.raise_any()
    return Supports(n_layers, activations, widths, losses, rules)


def from_declared(declared: object) -> Supports:
    """What an implementation declares, as it comes from the process that has loaded it.

    Raises:
        InputError: it is not what :func:`supports` makes.
    """
    try:
        fields: dict[str, Any] = dict(declared) if isinstance(declared, dict) else {}
        single = {"n_layers", "biases"}
        fields = {name: each if name in single else tuple(each) for name, each in fields.items()}
        return Supports(**fields)
    except (TypeError, ValueError):
        raise InputError("supports: expected what the decorator makes") from None


def _layers(
    layers: object, name: str
) -> tuple[int | None, tuple[str, ...], tuple[int | None, ...]]:
    """The number of layers, their activations and D[0..L], whatever of these is given."""
    if layers is None:
        return None, (), ()
    if isinstance(layers, int) and not isinstance(layers, bool):
        if layers < 1:
            raise InputError(f"{name}: a network has at least one layer, not {layers}")
        return layers, (), ()
    parts = layers.split("-") if isinstance(layers, str) else layers
    if not isinstance(parts, Sequence) or not all(isinstance(part, str) for part in parts):
        raise InputError(
            f"{name}: expected a number of layers, or the activation of each, not {layers!r:.40}"
        )
    found = [re.fullmatch(r"(\d{0,6})\s*([a-zA-Z_]\w*)?", part.strip()) for part in parts]
    first = found[0] if found else None
    has_inputs = bool(first and first[1] and not first[2])
    units = found[1:] if has_inputs else found
    if not units or not all(each and each[2] for each in units):
        shown = layers if isinstance(layers, str) else "-".join(parts)
        raise InputError(
            f"{name}: {shown!r:.60}: expected each layer's activation, with or without the number "
            "of its units, such as relu-softmax or 4-5sigmoid-3softmax"
        )
    findings = Findings()
    activations = tuple(each[2].lower() for each in units if each)
    for each in activations:
        if each not in ACTIVATIONS:
            with findings:
                raise InputError(f"{name}: {unknown(each, 'an activation', ACTIVATIONS)}")
    findings.raise_any()
    widths = [int(each[1]) if each and each[1] else None for each in units]
    if 0 in widths or (has_inputs and first and int(first[1]) == 0):
        raise InputError(f"{name}: a layer has at least one unit")
    inputs = int(first[1]) if has_inputs and first else None
    return len(units), activations, (inputs, *widths)


def _loss(name: str, output: str) -> str:
    """The loss of that name; of several, the one that fits the output layer, if that is known."""
    if not output and len({loss_named(name, each) for each in ("sigmoid", "softmax")}) > 1:
        raise ValueError(unknown(name, "a loss", LOSSES))
    return loss_named(name, output)


def _optimizer(name: str) -> str:
    if name not in OPTIMIZERS:
        raise ValueError(unknown(name, "an optimizer", OPTIMIZERS))
    return name


def _names(given: object, name: str, kind: str, named: Callable[[str], str]) -> tuple[str, ...]:
    """The names in this project of what somebody calls by one name or several."""
    if given is None:
        return ()
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Iterable):
        raise InputError(f"{name}: expected the name of {kind}, not {given!r:.40}")
    found: list[str] = []
    findings = Findings()
    for each in names:
        with findings:
            if not isinstance(each, str):
                raise InputError(f"{name}: expected the name of {kind}, not {each!r:.40}")
            try:
                found.append(named(each))
            except ValueError as error:
                raise InputError(f"{name}: {error}") from None
    findings.raise_any()
    return tuple(found)
