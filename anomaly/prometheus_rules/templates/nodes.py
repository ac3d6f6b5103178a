"""The parts of a template, and of the expressions in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Constant = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Constant


@dataclass(frozen=True, slots=True)
class Dot:
    """``.``: what the template stands on."""


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``; ``$`` is what the whole template stands on."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of a value, one below the other: ``.Labels.job``."""

    value: Operand
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A function, or a value, with its arguments."""

    args: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each given what the one before it made.

    Attributes:
        commands: In their order.
        names: Variables that are given the result.
        assigns: Whether they exist already.
    """

    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    assigns: bool = False


Operand = Literal | Dot | Variable | Function | Chain | Pipe


@dataclass(frozen=True, slots=True)
class Text:
    """What stands there as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """A pipe whose value is written."""

    pipe: Pipe


class Word(StrEnum):
    """What may open a block."""

    IF = "if"
    WITH = "with"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class Block:
    """``if``, ``with`` or ``range``."""

    word: Word
    pipe: Pipe
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """``template "name"``, standing on a value."""

    name: str
    pipe: Pipe | None


class Leave(StrEnum):
    """What leaves a turn of a range, or all of them."""

    BREAK = "break"
    CONTINUE = "continue"


Node = Text | Action | Block | Call | Leave


@dataclass(frozen=True, slots=True)
class Template:
    """A template, with those that it defines."""

    body: tuple[Node, ...]
    defined: Mapping[str, tuple[Node, ...]]
