"""The types of configuration fields, which pydantic checks; NumPy scalars count as Python's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt
from pydantic import AfterValidator, AllowInfNan, BeforeValidator, Strict

from shared.errors import unknown


def _python_scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def one_of(kind: str, known: Collection[str]) -> AfterValidator:
    """A validator that takes only the names in ``known`` and suggests the nearest to any other."""

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(unknown(name, kind, known))
        return name

    return AfterValidator(check)


_Scalar = BeforeValidator(_python_scalar)
Text = Annotated[str, Strict()]
Flag = Annotated[bool, Strict()]
NaturalInt = Annotated[int, Strict(), Ge(0), _Scalar]
PositiveInt = Annotated[int, Strict(), Gt(0), Lt(2**31), _Scalar]
FiniteFloat = Annotated[float, Strict(), AllowInfNan(False), _Scalar]
PositiveFloat = Annotated[FiniteFloat, Gt(0)]
NotNegativeFloat = Annotated[FiniteFloat, Ge(0)]
Share = Annotated[FiniteFloat, Ge(0), Lt(1)]  # [0, 1)
