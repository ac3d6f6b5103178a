"""What a TraceQL query says, as data.

::

    Query
    ├── selection   Spansets: Filter { … } · Both && · Either || · Related >> > << < ~
    └── stages      Filter again · Aggregate count() > 2, avg(duration) > 1s

    Filter.condition   Compare field op literal · And · Or · Not · Always
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where an attribute is looked for."""

    ANY = "any"
    """On the span, else on its resource."""
    SPAN = "span"
    RESOURCE = "resource"
    INTRINSIC = "intrinsic"


class Intrinsic(StrEnum):
    """What every span has."""

    NAME = "name"
    STATUS = "status"
    STATUS_MESSAGE = "statusMessage"
    KIND = "kind"
    DURATION = "duration"
    ROOT_NAME = "rootName"
    ROOT_SERVICE = "rootServiceName"
    TRACE_DURATION = "traceDuration"
    NESTED_SET_PARENT = "nestedSetParent"
    """-1 for a root; of any other value only that it is not negative is said."""
    TRACE_ID = "trace:id"
    SPAN_ID = "span:id"


DURATIONS = frozenset({Intrinsic.DURATION, Intrinsic.TRACE_DURATION})
"""Intrinsics in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Field:
    """An intrinsic or an attribute of spans; ``column`` is where the query names it."""

    scope: Scope
    key: str
    column: int

    @property
    def is_number(self) -> bool:
        """Whether it is an intrinsic that has a number."""
        return self.scope is Scope.INTRINSIC and (
            self.key in DURATIONS or self.key == Intrinsic.NESTED_SET_PARENT
        )


@dataclass(frozen=True, slots=True)
class Compare:
    """``field op value``: with a text or a truth the span's text is compared, else its number.

    ``value`` None is nil: ``=`` holds where the field is missing, ``!=`` where it is there.
    """

    field: Field
    op: str
    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class And:
    """Both hold of the same span."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Or:
    """Either holds of the span."""

    left: Condition
    right: Condition


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold of the span."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class Always:
    """Holds of every span, or of none."""

    holds: bool = True


Condition = Compare | And | Or | Not | Always


@dataclass(frozen=True, slots=True)
class Filter:
    """``{ condition }``: the spans that it holds of."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Both:
    """``left && right``: the spans of both, in traces that have some of each."""

    left: Selection
    right: Selection


@dataclass(frozen=True, slots=True)
class Either:
    """``left || right``: the spans of both, in traces that have some of either."""

    left: Selection
    right: Selection


@dataclass(frozen=True, slots=True)
class Related:
    """The spans of ``right`` that stand to one of ``left`` as ``op`` says.

    ``>>`` below it, ``>`` its child, ``<<`` above it, ``<`` its parent, ``~`` its sibling.
    """

    op: str
    left: Selection
    right: Selection


Selection = Filter | Both | Either | Related


@dataclass(frozen=True, slots=True)
class Aggregate:
    """``name(field) op value`` of a trace's selected spans; durations in nanoseconds.

    Attributes:
        name: ``count``, ``avg``, ``min``, ``max`` or ``sum``.
        field: What is taken of each span; None for ``count``.
        op: The comparison.
        value: What it is compared with.
    """

    name: str
    field: Field | None
    op: str
    value: float


@dataclass(frozen=True, slots=True)
class Query:
    """A query; ``text`` as it was written, ``shown`` the fields that ``select()`` asks for."""

    text: str
    selection: Selection
    stages: tuple[Filter | Aggregate, ...] = ()
    shown: tuple[Field, ...] = ()
