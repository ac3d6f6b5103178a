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
from fractions import Fraction
from typing import Any

from anomaly.detectors.detector import Direction
from anomaly.detectors.kind import DetectorKind
from anomaly.detectors.parameters import Parameters, settings_of
from anomaly.detectors.registry import detectors
from anomaly.documents import Node, read_documents
from anomaly.evidence.exemplars import Evidence
from anomaly.fields import Section, boolean, description, items, nonempty, number, one_of, whole
from anomaly.findings import Urgency
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.slo.documents.headers import metadata
from collectors.model import Tags

API_VERSION = "tocsin/v1"


def read_rules(source: str, *, file: str) -> tuple[DetectorDefinition, ...]:
    """Return the detector rules in ``source``.

    Args:
        source: YAML or JSON, one or several documents.
        file: Path for messages.

    Raises:
        DocumentError: The first mistake found.
    """
    return tuple(_rule(node) for node in read_documents(source, file))


def _rule(node: Node) -> DetectorDefinition:
    document = Section(node)
    document.required("apiVersion", one_of(API_VERSION))
    document.required("kind", one_of("Detector"))
    meta = document.required("metadata", lambda n: metadata(n, strict=False))
    spec = document.required("spec", Section)
    document.finish()
    group_by = spec.optional("group_by", _keys) or ()
    kind = detectors()[spec.required("detector", one_of(*detectors()))]
    rule = DetectorDefinition(
        name=meta.name,
        display_name=meta.display_name or meta.name,
        description=spec.optional("description", description) or "",
        expr=_grouped(spec.required("expr", nonempty), group_by),
        group_by=group_by,
        unit=spec.optional("unit", nonempty) or "1/s",
        detector=kind.name,
        parameters=_parameters(spec, kind),
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


def _parameters(spec: Section, kind: DetectorKind[Any]) -> Parameters:
    """Read the settings that this kind of detector has; those of others are refused."""
    values: dict[str, Any] = {
        "direction": Direction(spec.optional("direction", one_of(*Direction)) or Direction.BOTH)
    }
    for each in settings_of(kind.parameters):
        value = spec.optional(each.name, _between(each.low, each.high, integer=each.whole))
        if value is not None:
            values[each.name] = int(value) if each.whole else float(value)
        elif each.required:
            spec.fail(each.name, f"is required for {kind.name}: {each.required}")
    _refuse_foreign(spec, kind)
    parameters: Parameters = kind.parameters(**values)
    contradiction = parameters.contradiction()
    if contradiction is not None:
        spec.fail(*contradiction)
    return parameters


def _refuse_foreign(spec: Section, kind: DetectorKind[Any]) -> None:
    """Say of a setting of another detector that this one would not heed it."""
    own = [each.name for each in settings_of(kind.parameters)]
    others = (each for other in detectors().values() for each in settings_of(other.parameters))
    for name in {each.name for each in others}.difference(own).intersection(spec.names()):
        spec.fail(name, f"is not a setting of {kind.name}; it has direction, {', '.join(own)}")


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
