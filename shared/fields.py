"""The types of configuration fields, which pydantic checks; NumPy scalars count as Python's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt
from pydantic import AfterValidator, AllowInfNan, BeforeValidator, Strict

from shared.errors import short, unknown


def _python_scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"should be printable characters on one line, not {short(text)}")
    return text


def one_of(kind: str, known: Collection[str], listed_by: str = "") -> AfterValidator:
    """A validator that takes only the names in ``known`` and suggests the nearest to any other."""

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(unknown(name, kind, known, listed_by))
        return name

    return AfterValidator(check)


_Scalar = BeforeValidator(_python_scalar)
Prose = Annotated[str, Strict()]  # of any length, and never printed
Text = Annotated[str, Strict(), AfterValidator(_one_line)]
Flag = Annotated[bool, Strict()]
NaturalInt = Annotated[int, Strict(), Ge(0), Lt(2**128), _Scalar]
PositiveInt = Annotated[int, Strict(), Gt(0), Lt(2**31), _Scalar]
FiniteFloat = Annotated[float, Strict(), AllowInfNan(False), _Scalar]
PositiveFloat = Annotated[FiniteFloat, Gt(0)]
NotNegativeFloat = Annotated[FiniteFloat, Ge(0)]
Share = Annotated[FiniteFloat, Ge(0), Lt(1)]  # [0, 1)
