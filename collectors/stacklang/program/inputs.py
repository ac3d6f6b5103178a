"""Inputs of words: what is taken from the stack, as typed values.

A word names its parameters and what it does with their values in one go, so that the types of the
parameters are those of the function's arguments:

>>> from collectors.stacklang.program.datatypes import INT, STRING
>>> inputs = takes(Parameter(type=STRING, name="text"), Parameter(type=INT, name="n"))
>>> repeat = inputs.leaves(lambda text, count: text * count)
>>> repeat.values(["ab", "3"])
['ab', 3]
>>> repeat.values(["ab", "c"]) is None
True
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, TypeVarTuple, overload

from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import SERIES, DataType, Mismatch

_T_co = TypeVar("_T_co", covariant=True)
_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
_D = TypeVar("_D")
_Values = TypeVarTuple("_Values")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter(Generic[_T_co]):
    """An input of a word. An unnamed one is shown by its type alone."""

    type: DataType[_T_co]
    name: str = ""
    summary: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.type.name}" if self.name else self.type.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a word takes, deepest in the stack first, and what it does with it.

    ``run`` gets the context, the parameters popped, and the parameters' values. Where the word
    wants its parameters ``as_found``, the values are the items of the stack themselves.
    """

    parameters: tuple[Parameter[object], ...]
    run: Callable[[Context, Sequence[Any]], None]
    as_found: bool = False

    def values(self, items: Sequence[object], *, styled: bool = False) -> list[object] | None:
        """Return the parameters' values, None if the items can't be taken for them.

        Args:
            items: As many as there are parameters, deepest first.
            styled: Whether a styled expression is taken for its lines where lines are expected.
        """
        values = []
        for parameter, item in zip(self.parameters, items, strict=True):
            value: object
            if styled and isinstance(item, StyleExpr) and parameter.type is SERIES:
                value = item.expr
            else:
                value = parameter.type.extract(item)
            if isinstance(value, Mismatch):
                return None
            values.append(item if self.as_found else value)
        return values


@dataclass(frozen=True, slots=True)
class Inputs(Generic[*_Values]):
    """Parameters whose values have the types ``_Values``; see :func:`takes`."""

    parameters: tuple[Parameter[object], ...]

    def leaves(self, make: Callable[[*_Values], object]) -> Action:
        """Return the action that pushes what ``make`` returns for the values."""

        def run(context: Context, values: Sequence[Any]) -> None:
            context.push(make(*values))

        return Action(parameters=self.parameters, run=run)

    def does(self, act: Callable[[Context, *_Values], None]) -> Action:
        """Return the action that hands the context and the values to ``act``."""

        def run(context: Context, values: Sequence[Any]) -> None:
            act(context, *values)

        return Action(parameters=self.parameters, run=run)


@overload
def takes() -> Inputs[()]: ...
@overload
def takes(first: Parameter[_A], /) -> Inputs[_A]: ...
@overload
def takes(first: Parameter[_A], second: Parameter[_B], /) -> Inputs[_A, _B]: ...
@overload
def takes(
    first: Parameter[_A], second: Parameter[_B], third: Parameter[_C], /
) -> Inputs[_A, _B, _C]: ...
@overload
def takes(
    first: Parameter[_A], second: Parameter[_B], third: Parameter[_C], fourth: Parameter[_D], /
) -> Inputs[_A, _B, _C, _D]: ...
def takes(*parameters: Parameter[object]) -> Inputs[*tuple[Any, ...]]:
    """Return the inputs of a word, deepest in the stack first."""
    return Inputs(parameters)


def takes_as_found(
    *parameters: Parameter[object], act: Callable[[Context, Sequence[object]], None]
) -> Action:
    """Return an action that gets the items of the stack themselves.

    The parameters say only what fits, so that for instance a query stays a query where lines are
    expected.
    """
    return Action(parameters=parameters, run=act, as_found=True)
