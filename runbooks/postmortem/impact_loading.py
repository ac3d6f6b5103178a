"""The operator's ``impact.yaml``: what counts as impact on this platform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from collectors.documents.reading import load_section
from collectors.documents.section import PLAIN, Context, Section, WrongValueError
from collectors.documents.values import Number, Words, checked_expression, one_of
from collectors.errors import DocumentError
from runbooks.incidents.states import Severity
from runbooks.postmortem.impact import ImpactMeasure, MeasureKind, scoped_everywhere

_Expression = Annotated[Words, checked_expression(scoped_everywhere)]


def _share(number: Fraction) -> Fraction:
    if not 0 < number < 1:
        raise WrongValueError("between 0 and 1")
    return number


def _positive(number: Fraction) -> Fraction:
    if number <= 0:
        raise WrongValueError("a positive number of seconds")
    return number


class ThresholdShape(Section):
    """From how much on an incident is how bad."""

    level: Annotated[Severity, one_of(tuple(Severity))]
    """`SEV1` is the worst."""
    at_least: Number
    """What is counted so far, in the measure's own unit; of a budget the share that is spent."""


class MeasureShape(Section):
    """Something that is counted in a post-mortem."""

    id: Words
    """What the post-mortem refers to it by."""
    title: Words
    """What people read."""
    kind: Annotated[MeasureKind, one_of(tuple(MeasureKind))]
    """`integral` adds up, `shortfall` compares with what is usual, `budget` says how much of an
    error budget is spent."""
    expr: _Expression
    """Expression of one line; `{scope}` stands for a query of the affected regions."""
    unit: Words = ""
    """What is counted."""
    total: _Expression | None = None
    """For `budget`: all events, as `expr` counts the bad ones."""
    target: Annotated[Number, AfterValidator(_share)] | None = None
    """For `budget`: the promised share of good events, such as 0.999."""
    window_s: Annotated[Number, AfterValidator(_positive)] | None = None
    """For `budget`: the period that the target is promised for, in seconds."""

    severity: tuple[ThresholdShape, ...] = ()
    """While an incident lasts, its severity rises to the worst that is reached; to a person who has
    set it, the worse one is suggested."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what a budget lacks."""
        del context
        if self.kind is MeasureKind.BUDGET:
            for name in ("total", "target", "window_s"):
                if getattr(self, name) is None:
                    yield self.at(name).error("is required for a budget")


class ImpactFile(Section):
    """`impact.yaml`: what counts as impact on people, for post-mortems."""

    measures: tuple[MeasureShape, ...]
    """In the order of the post-mortem."""


def load_measures(path: Path, context: Context = PLAIN) -> tuple[ImpactMeasure, ...]:
    """Read ``impact.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    return tuple(_measure(shape) for shape in load_section(path, ImpactFile, context).measures)


def _measure(shape: MeasureShape) -> ImpactMeasure:
    measure = ImpactMeasure(
        id=shape.id,
        title=shape.title,
        kind=shape.kind,
        expr=shape.expr,
        unit=shape.unit,
        severities=tuple((one.level, float(one.at_least)) for one in shape.severity),
    )
    if measure.kind is not MeasureKind.BUDGET:
        return measure
    return replace(
        measure,
        total=shape.total or "",
        target=float(shape.target or 0),
        window_s=float(shape.window_s or 0),
    )
