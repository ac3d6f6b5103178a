"""The operator's ``impact.yaml``: what counts as impact on this platform."""

from __future__ import annotations

from pathlib import Path

from runbooks.documents import Document, load_document
from runbooks.postmortem.impact import ImpactMeasure, MeasureKind


def load_measures(path: Path) -> tuple[ImpactMeasure, ...]:
    """Read ``impact.yaml``.

    Raises:
        DocumentError: With file, line and field.
    """
    document = load_document(path)
    document.only("measures")
    return tuple(_measure(item) for item in document.child("measures").items())


def _measure(document: Document) -> ImpactMeasure:
    document.only("id", "title", "kind", "expr", "unit", "total", "target", "window_s")
    kind = MeasureKind(document.choice("kind", MeasureKind))
    measure = ImpactMeasure(
        id=document.text("id"),
        title=document.text("title"),
        kind=kind,
        expr=document.text("expr"),
        unit=document.text("unit", ""),
    )
    if kind is not MeasureKind.BUDGET:
        return measure
    target, window_s = document.number("target"), document.number("window_s")
    if not 0 < target < 1:
        raise document.error(f"{target} must lie between 0 and 1", "target")
    if not window_s > 0:
        raise document.error(f"{window_s} must be a positive number of seconds", "window_s")
    return ImpactMeasure(
        id=measure.id,
        title=measure.title,
        kind=kind,
        expr=measure.expr,
        unit=measure.unit,
        total=document.text("total"),
        target=target,
        window_s=window_s,
    )
