"""What a document says of a detector rule: what is watched, how, and what a finding means."""

from __future__ import annotations

from dataclasses import dataclass

from anomaly.detectors.parameters import Parameters
from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Urgency
from collectors.model import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorDefinition:
    """One rule, as defined.

    Attributes:
        name: Unique name.
        display_name: For people.
        description: From the document.
        expr: Stack-language expression; each of its lines is judged by itself.
        of: Expression of how many the lines of ``expr`` are a part, for a detector that asks; "".
        group_by: Keys that tell the lines apart.
        unit: Unit of the expression's values, for people: ``1/s``, ``ratio``, ``s``.
        detector: Name of the detector in the registry.
        parameters: Settings of the detector.
        urgency: What an anomaly means.
        when_missing: What it means that a series stops; None to ignore it.
        scope: Tags that every finding of this rule carries besides its group.
        evidence: Which traces to attach.
        source: ``file:line`` of the document.
        settle_ms: So long after an announced change to its service an anomaly wakes nobody.
    """

    name: str
    display_name: str
    description: str
    expr: str
    group_by: tuple[str, ...]
    unit: str
    detector: str
    parameters: Parameters
    urgency: Urgency
    when_missing: Urgency | None
    scope: Tags
    evidence: Evidence
    source: str
    of: str = ""
    settle_ms: int = 0
