"""Annotations in the domain ``tocsin.dev`` that say what OpenSLO v1 has no field for.

========================================  =====================================================
``tocsin.dev/group-by``                   keys, comma separated: each combination of values has
                                          its own budget and its own findings
``tocsin.dev/min-bad-events``             bad events that the long window must hold (default 5; 2
                                          where steps or slices of time are counted)
``tocsin.dev/min-coverage``               measured share of the long window, 0 to 1 (default 0)
``tocsin.dev/min-events``                 events before anything may fire: warm-up (default 0)
``tocsin.dev/urgency``                    ``ticket``: nobody is woken, however fast it burns
``tocsin.dev/exemplar-min-duration-ms``   attach slow traces instead of erroneous ones
``tocsin.dev/exemplar-service``           service that an attached trace must pass through
========================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict

from anomaly.evidence.exemplars import Evidence
from anomaly.slo.objective import Guards
from collectors.documents.nodes import Place, Scalar, Table
from collectors.documents.reading import validated
from collectors.documents.section import Section, WrongValueError
from collectors.documents.values import Number, Written, between, matching, one_of

PREFIX = "tocsin.dev/"
_KEYS = r"\s*[A-Za-z0-9._-]{1,80}\s*(,\s*[A-Za-z0-9._-]{1,80}\s*)*"
_GUARDS = Guards()


def _at_least_zero(number: Fraction) -> Fraction:
    if number < 0:
        raise WrongValueError("at least 0")
    return number


_Amount = Annotated[Number, AfterValidator(_at_least_zero)]


def _field_of(name: str) -> str:
    return PREFIX + name.replace("_", "-")


class TocsinAnnotations(Section):
    """Annotations of the domain tocsin.dev; others are not ours."""

    model_config = ConfigDict(alias_generator=_field_of)

    group_by: Annotated[Written, matching(_KEYS, "tag keys separated by commas")] = ""
    """Keys, comma separated: each combination of values has its own budget and findings."""
    min_bad_events: _Amount | None = None
    """Bad events, steps or slices that the long window must hold (5; 2 unless it counts events)."""
    min_coverage: Annotated[Number, between(0, 1)] | None = None
    """Measured share of the long window, 0 to 1 (0)."""
    min_events: _Amount | None = None
    """Events before anything may fire: warm-up (0)."""
    urgency: Annotated[Literal["page", "ticket"], one_of(("page", "ticket"))] = "page"
    """page, or ticket: nobody is woken, however fast it burns (page)."""
    exemplar_min_duration_ms: Number | None = None
    """Attach slow traces instead of erroneous ones."""
    exemplar_service: Written | None = None
    """Service that an attached trace must pass through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the annotations of one SLO say."""

    group_by: tuple[str, ...]
    guards: Guards
    evidence: Evidence
    own_min_bad: bool = False
    """Whether the document says how many bad events it takes."""
    wakes: bool = True
    """Whether fast burning pages."""


NO_SETTINGS = Settings(group_by=(), guards=_GUARDS, evidence=Evidence())


def settings_of(annotations: Mapping[str, Scalar], place: Place, service: str) -> Settings:
    """Read the annotations; an unknown one of our domain is an error, others are not ours.

    Args:
        annotations: All of an SLO.
        place: Where they stand.
        service: The SLO's service.

    Raises:
        DocumentError: All mistakes.
    """
    ours = {key: value for key, value in annotations.items() if key.startswith(PREFIX)}
    lines = {key: value.place.line for key, value in ours.items()}
    read = validated(Table(ours, place, lines), TocsinAnnotations)
    slow_ms = read.exemplar_min_duration_ms
    return Settings(
        group_by=tuple(key.strip() for key in read.group_by.split(",") if key.strip()),
        guards=Guards(
            min_bad_events=_or(read.min_bad_events, _GUARDS.min_bad_events),
            min_coverage=_or(read.min_coverage, _GUARDS.min_coverage),
            min_events=_or(read.min_events, _GUARDS.min_events),
        ),
        wakes=read.urgency == "page",
        own_min_bad=read.min_bad_events is not None,
        evidence=Evidence(
            errors=slow_ms is None,
            min_duration_ms=None if slow_ms is None else float(slow_ms),
            service=service if read.exemplar_service is None else read.exemplar_service,
        ),
    )


def _or(number: Fraction | None, default: float) -> float:
    return default if number is None else float(number)
