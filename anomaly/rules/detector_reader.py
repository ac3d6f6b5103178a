"""Reading detector rules from YAML; every mistake with its file, line and field.

::

    apiVersion: tocsin/v1
    kind: Detector
    metadata:
      name: sps-by-region
      displayName: Stream starts by region
    spec:
      expr: name,stream.starts,:eq,outcome,success,:eq,:and,:sum
      group_by: [cloud.region]
      detector: counts
      direction: low
      urgency: page
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from fractions import Fraction

from anomaly.detectors.detector import Direction
from anomaly.detectors.parameters import Parameters
from anomaly.detectors.registry import DETECTORS
from anomaly.documents import Node, read_documents
from anomaly.evidence.exemplars import Evidence
from anomaly.fields import Section, boolean, description, items, nonempty, number, one_of, whole
from anomaly.findings import Urgency
from anomaly.rules.detector_definition import DetectorRule
from anomaly.slo.documents.headers import metadata
from collectors.model import Tags

API_VERSION = "tocsin/v1"

# Lowest and highest value accepted, by parameter.
_BOUNDS: dict[str, tuple[float, float]] = {
    "min_steps": (2, 100_000),
    "threshold": (0.5, 100),
    "confirm_steps": (1, 1_000),
    "extreme": (1, 1_000),
    "clear_steps": (1, 1_000),
    "missing_steps": (1, 1_000),
    "half_life_steps": (1, 100_000),
    "scale_floor": (0, 10),
    "min_change": (0, 10),
    "relearn_steps": (10, 1_000_000),
    "period_steps": (2, 20_160),
    "change_to": (0.01, 100),
    "evidence": (1, 100),
}
_WHOLE = {f.name for f in fields(Parameters) if f.type == "int"}


def read_rules(source: str, *, file: str) -> tuple[DetectorRule, ...]:
    """Return the detector rules in ``source``.

    Args:
        source: YAML or JSON, one or several documents.
        file: Path for messages.

    Raises:
        DocumentError: The first mistake found.
    """
    return tuple(_rule(node) for node in read_documents(source, file))


def _rule(node: Node) -> DetectorRule:
    document = Section(node)
    document.required("apiVersion", one_of(API_VERSION))
    document.required("kind", one_of("Detector"))
    meta = document.required("metadata", lambda n: metadata(n, strict=False))
    spec = document.required("spec", Section)
    document.finish()
    group_by = spec.optional("group_by", _keys) or ()
    detector = spec.required("detector", one_of(*DETECTORS))
    rule = DetectorRule(
        name=meta.name,
        display_name=meta.display_name or meta.name,
        description=spec.optional("description", description) or "",
        expr=_grouped(spec.required("expr", nonempty), group_by),
        group_by=group_by,
        unit=spec.optional("unit", nonempty) or "1/s",
        detector=detector,
        parameters=_checked(spec, detector, _parameters(spec)),
        urgency=Urgency(spec.optional("urgency", one_of(*Urgency)) or Urgency.TICKET),
        when_missing=_missing(spec.optional("when_missing", one_of("ignore", *Urgency))),
        scope=spec.optional("scope", _tags) or {},
        evidence=_evidence(spec),
        source=f"{node.file}:{node.line}",
    )
    spec.finish()
    return rule


def _missing(word: str | None) -> Urgency | None:
    if word == "ignore":
        return None
    return Urgency(word) if word else Urgency.TICKET


def _keys(node: Node) -> tuple[str, ...]:
    return tuple(nonempty(item) for item in items(node))


def _grouped(expression: str, keys: Sequence[str]) -> str:
    words = [word.strip() for word in expression.split(",")]
    if keys and ":by" not in words:
        words += ["(", *keys, ")", ":by"]
    return ",".join(words)


def _parameters(spec: Section) -> Parameters:
    direction = spec.optional("direction", one_of(*Direction)) or Direction.BOTH
    values: dict[str, float] = {}
    for name, (low, high) in _BOUNDS.items():
        value = spec.optional(name, _between(low, high, integer=name in _WHOLE))
        if value is not None:
            values[name] = int(value) if name in _WHOLE else float(value)
    integers = {k: int(v) for k, v in values.items() if k in _WHOLE}
    floats = {k: v for k, v in values.items() if k not in _WHOLE}
    return Parameters(direction=Direction(direction), **integers, **floats)  # type: ignore[arg-type]


def _checked(spec: Section, detector: str, parameters: Parameters) -> Parameters:
    """Refuse settings that contradict each other."""
    if detector == "counts":
        falls = parameters.change_to < 1
        if parameters.direction is Direction.BOTH:
            spec.fail("direction", "must be low or high for counts: write two rules for both")
        if falls is not (parameters.direction is Direction.LOW) or parameters.change_to == 1:
            spec.fail("change_to", "must be below 1 for direction low and above 1 for high")
    if detector == "seasonal" and "period_steps" not in spec:
        spec.fail("period_steps", "is required for seasonal: steps in a day, or in a week")
    return parameters


def _between(low: float, high: float, *, integer: bool) -> Callable[[Node], Fraction]:
    def read(node: Node) -> Fraction:
        value = Fraction(whole(node)) if integer else number(node)
        if not low <= value <= high:
            node.fail(f"must be from {low:g} to {high:g}, got {node.value}")
        return value

    return read


def _tags(node: Node) -> Tags:
    section = Section(node)
    return {name: section.required(name, nonempty) for name in section.names()}


def _evidence(spec: Section) -> Evidence:
    errors = spec.optional("exemplar_errors", boolean)
    slow = spec.optional("exemplar_min_duration_ms", number)
    return Evidence(
        errors=slow is None if errors is None else errors,
        min_duration_ms=None if slow is None else float(slow),
        service=spec.optional("exemplar_service", nonempty),
    )
