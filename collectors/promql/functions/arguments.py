"""What a function is called with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray
from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import Call, Node
from collectors.promql.vectors.context import Context
from collectors.promql.vectors.selecting import Windows
from collectors.promql.vectors.values import Scalar, Text, Value, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """A call and the values of its arguments.

    Attributes:
        context: Where it is evaluated.
        node: The call.
        values: Of each argument; None for a range vector.
        windows: The range vector, if there is one.
    """

    context: Context
    node: Call
    values: Sequence[Value | None]
    windows: Windows | None

    def vector(self, number: int = 0) -> Vector:
        """Return an argument that is an instant vector."""
        found = self.values[number]
        if not isinstance(found, Vector):
            raise PromqlError(f"{self.node.function}: argument {number + 1} is no instant vector")
        return found

    def scalar(self, number: int) -> FloatArray:
        """Return an argument that is a number: (T,)."""
        found = self.values[number]
        if not isinstance(found, Scalar):
            raise PromqlError(f"{self.node.function}: argument {number + 1} is no scalar")
        return found.values

    def text(self, number: int) -> str:
        """Return an argument that is a text."""
        found = self.values[number]
        if not isinstance(found, Text):
            raise PromqlError(f"{self.node.function}: argument {number + 1} is no string")
        return found.value

    def ranges(self) -> Windows:
        """Return the argument that is a range vector."""
        if self.windows is None:
            raise PromqlError(f"{self.node.function}: no range vector")
        return self.windows

    def place(self, number: int) -> Node:
        """Return an argument's node, which warnings name the place of."""
        return self.node.args[number]

    def given(self, number: int) -> bool:
        """Return whether there are as many arguments."""
        return number < len(self.values)


Function = Callable[[Arguments], Value]


def names_of(vector: Vector) -> list[str]:
    """Return the metric name of each series."""
    return vector.labels.values(NAME_LABEL)


def each_step(values: FloatArray, steps: int) -> FloatArray:
    """Return (T,) of a number that may be given once for all steps."""
    return np.broadcast_to(values, (steps,))
