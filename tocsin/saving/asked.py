"""What a page asks to be written, read from JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from collectors.errors import DecodeError

MAX_WORDS = 300
"""Characters of a title."""
MAX_EXPRESSION = 4_000
"""Characters of an expression."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
Choice = TypeVar("Choice", bound=StrEnum)


class Kind(StrEnum):
    """What can be written."""

    DASHBOARD = "dashboard"
    DETECTOR = "detector"
    INSPECTION = "inspection"


class Urgency(StrEnum):
    """What an alert may mean."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class Direction(StrEnum):
    """Which side is wrong."""

    LOW = "low"
    HIGH = "high"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A file that somebody wants.

    Attributes:
        kind: What it is.
        name: Of the document; the file is called so, too.
        title: For people.
        expr: Expression in the stack language.
        unit: Of its values.
        legend: Tag that names a line of a chart; empty: the expression's own legend.
        stack: Whether a chart's lines stand upon each other.
        panel: Title of the chart.
        urgency: What an alert means.
        direction: For a detector: which side is wrong.
        above: For a threshold: values above it are bad.
        below: For a threshold: values below it are bad.
        lasting: For a threshold: how long it must be bad, such as ``5m``.
    """

    kind: Kind
    name: str
    expr: str
    title: str = ""
    unit: str = ""
    legend: str = ""
    stack: bool = False
    panel: str = ""
    urgency: Urgency = Urgency.TICKET
    direction: Direction = Direction.BOTH
    above: float | None = None
    below: float | None = None
    lasting: str = field(default="5m")


def read_wish(body: object) -> Wish:
    """Read what is wanted.

    Raises:
        DecodeError: With the field and what was expected.
    """
    if not isinstance(body, dict):
        raise DecodeError('the body must be an object such as {"kind": "dashboard", "name": …}')
    return Wish(
        kind=_choice(body, "kind", Kind, None),
        name=name_of(body.get("name")),
        expr=_text(body, "expr", MAX_EXPRESSION, needed=True),
        title=_text(body, "title"),
        unit=_text(body, "unit"),
        legend=_text(body, "legend"),
        stack=body.get("stack") is True,
        panel=_text(body, "panel"),
        urgency=_choice(body, "urgency", Urgency, Urgency.TICKET),
        direction=_choice(body, "direction", Direction, Direction.BOTH),
        above=_number(body, "above"),
        below=_number(body, "below"),
        lasting=_text(body, "for", 20) or "5m",
    )


def kind_of(word: object) -> Kind:
    """Return a kind by its name.

    Raises:
        DecodeError: There is none, or it can't be written here.
    """
    return _choice({"kind": word}, "kind", Kind, None)


def name_of(given: object) -> str:
    """Return a name that a file can have.

    Raises:
        DecodeError: It is another.
    """
    if isinstance(given, str) and _NAME.fullmatch(given):
        return given
    told = "lower-case letters, digits and dashes, at most 63"
    raise DecodeError(f"'name' must be {told}, not {str(given)[:80]!r}")


def _text(
    body: Mapping[str, object], name: str, longest: int = MAX_WORDS, *, needed: bool = False
) -> str:
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest or (needed and not value.strip()):
        raise DecodeError(f"{name!r} must be a text of at most {longest} characters")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value):
        raise DecodeError(f"{name!r} must be one line of text")
    return value.strip()


def _number(body: Mapping[str, object], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        raise DecodeError(f"{name!r} must be a number, not {str(value)[:40]!r}")
    return float(value)


def _choice(
    body: Mapping[str, object], name: str, choices: type[Choice], default: Choice | None
) -> Choice:
    value = body.get(name, default)
    try:
        return choices(str(value))
    except ValueError:
        known = ", ".join(choices)
        raise DecodeError(f"{name!r} must be one of {known}, not {str(value)[:40]!r}") from None
