"""What the machine knew when a post-mortem was last written: words and hashes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from runbooks.postmortem.document import machine_sections
from runbooks.postmortem.known import Drawn, Known
from tocsin.client.wording import duration, moment

EVIDENCE: Mapping[str, str] = {
    "impact": "impact",
    "timeline": "timeline",
    "signals": "signals",
    "candidates": "candidates for factors",
    "pages": "pages",
    "runbook": "runbook",
}
"""Machine sections that people's words rest on, and how each is called."""

SILENT_MS = 1_800_000
"""A longer silence in the timeline is remarked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A snapshot.

    Attributes:
        title: Of the incident.
        severity: Of the incident.
        generated_ms: When it was taken, epoch milliseconds.
        sections: Bodies of the machine sections, Markdown, by name.
        charts: Of the window.
        remarks: What a reader would miss.
    """

    title: str
    severity: str
    generated_ms: int
    sections: Mapping[str, str]
    charts: Sequence[Drawn]
    remarks: Sequence[str]

    @property
    def evidence(self) -> dict[str, str]:
        """Hashes of what people's words rest on, by section."""
        return {name: _hash(self.sections.get(name, "")) for name in EVIDENCE}

    def changed_since(self, evidence: Mapping[str, str]) -> tuple[str, ...]:
        """Return what is not as it was when those hashes were taken, in words."""
        now = self.evidence
        return tuple(
            words
            for name, words in EVIDENCE.items()
            if name in evidence and evidence[name] != now[name]
        )


def facts_of(known: Known, now_ms: int) -> Facts:
    """Word what is known."""
    return Facts(
        title=known.incident.title,
        severity=known.incident.severity.value,
        generated_ms=now_ms,
        sections=dict(machine_sections(known)),
        charts=tuple(known.charts),
        remarks=tuple(_remarks(known)),
    )


def facts_to_json(facts: Facts) -> dict[str, Any]:
    """Return what a database keeps: the facts and, apart from them, the charts."""
    found = asdict(facts)
    charts = found.pop("charts")
    return {"facts": found, "charts": charts, "generated_ms": facts.generated_ms}


def facts_from_json(data: Mapping[str, Any], charts: Sequence[Mapping[str, str]] = ()) -> Facts:
    """Return what a database kept."""
    return Facts(
        title=data["title"],
        severity=data["severity"],
        generated_ms=data["generated_ms"],
        sections=data["sections"],
        charts=tuple(Drawn(**chart) for chart in charts),
        remarks=tuple(data["remarks"]),
    )


def _remarks(known: Known) -> Iterator[str]:
    end_ms = known.incident.resolved_ms
    times = [row.time_ms for row in known.timeline if end_ms is None or row.time_ms <= end_ms]
    inside = [t for t in times if t >= known.incident.impact_start_ms]
    for before, after in pairwise(inside):
        if after - before > SILENT_MS:
            gap = duration((after - before) / 1_000)
            yield f"the timeline is silent for {gap} from {moment(before)}: what happened then?"
    if not any(figure.value is not None for figure in known.figures):
        yield "the impact has no number: list measures in impact.yaml, or write what is known"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
