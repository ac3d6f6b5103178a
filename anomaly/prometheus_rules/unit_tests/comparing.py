"""What was expected against what there is, in sentences. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from anomaly.prometheus_rules.judging import NAME, Element
from anomaly.prometheus_rules.states import ActiveAlert, LabelKey, key_of
from anomaly.prometheus_rules.templates.values import float_text
from collectors.promql.language.printing import quoted

Told = tuple[LabelKey, LabelKey]
"""An alert's labels and annotations."""


def told_of(alerts: Iterable[ActiveAlert]) -> list[Told]:
    """Return labels and annotations of alerts, in order."""
    return sorted((key_of(one.labels), key_of(one.annotations)) for one in alerts)


def same_alerts(expected: Sequence[Told], found: Sequence[Told]) -> bool:
    """Whether the same alerts say the same."""
    return sorted(expected) == sorted(found)


def same_elements(
    expected: Sequence[Element], found: Sequence[Element], *, fuzzy: bool = False
) -> bool:
    """Whether there are the same label sets with the same values.

    Args:
        expected: What should be there.
        found: What is.
        fuzzy: Neighbouring floating-point numbers are the same.
    """
    left, right = (sorted(side, key=_place) for side in (expected, found))
    return [key_of(one.labels) for one in left] == [key_of(one.labels) for one in right] and all(
        _same(a.value, b.value, fuzzy=fuzzy) for a, b in zip(left, right, strict=True)
    )


def _place(one: Element) -> tuple[LabelKey, float]:
    return key_of(one.labels), one.value


def _same(left: float, right: float, *, fuzzy: bool) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    if left == right:
        return True
    return fuzzy and right in (math.nextafter(left, math.inf), math.nextafter(left, -math.inf))


def alerts_text(alerts: Sequence[Told]) -> str:
    """Return alerts as messages show them."""
    lines = [
        f"labels {labels_text(dict(labels))} annotations {labels_text(dict(annotations))}"
        for labels, annotations in sorted(alerts)
    ]
    return "\n      ".join(lines) or "none"


def elements_text(elements: Sequence[Element]) -> str:
    """Return elements as messages show them."""
    ordered = sorted(elements, key=_place)
    return (
        ", ".join(f"{labels_text(one.labels)} {float_text(one.value)}" for one in ordered) or "none"
    )


def labels_text(labels: Mapping[str, str]) -> str:
    """Return a label set as PromQL writes it.

    >>> labels_text({"__name__": "up", "job": "api"})
    'up{job="api"}'
    """
    pairs = ", ".join(f"{k}={quoted(v)}" for k, v in sorted(labels.items()) if k != NAME)
    name = labels.get(NAME, "")
    return name if name and not pairs else f"{name}{{{pairs}}}"
