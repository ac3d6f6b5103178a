"""Annotations in the domain ``tocsin.dev`` that say what OpenSLO v1 has no field for.

========================================  =====================================================
``tocsin.dev/group-by``                   keys, comma separated: each combination of values has
                                          its own budget and its own findings
``tocsin.dev/min-bad-events``             bad events that the long window must hold (default 5)
``tocsin.dev/min-coverage``               measured share of the long window, 0 to 1 (default 0.5)
``tocsin.dev/min-events``                 events before anything may fire: warm-up (default 0)
``tocsin.dev/exemplar-min-duration-ms``   attach slow traces instead of erroneous ones
``tocsin.dev/exemplar-service``           service that an attached trace must pass through
========================================  =====================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from anomaly.documents import Node
from anomaly.evidence.exemplars import Evidence
from anomaly.fields import number
from anomaly.slo.objective import Guards

PREFIX = "tocsin.dev/"
_KEY = re.compile(r"[A-Za-z0-9._-]{1,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the annotations of one SLO say."""

    group_by: tuple[str, ...]
    guards: Guards
    evidence: Evidence


def settings_of(annotations: Mapping[str, Node], service: str) -> Settings:
    """Read the annotations; an unknown one of our domain is an error, others are not ours."""
    ours = {k.removeprefix(PREFIX): n for k, n in annotations.items() if k.startswith(PREFIX)}
    for name, node in ours.items():
        if name not in _KNOWN:
            node.fail(f"unknown annotation; known: {', '.join(PREFIX + k for k in _KNOWN)}")
    slow = ours.get("exemplar-min-duration-ms")
    through = ours.get("exemplar-service")
    return Settings(
        group_by=_keys(ours["group-by"]) if "group-by" in ours else (),
        guards=Guards(
            min_bad_events=_at_least_zero(ours, "min-bad-events", Guards().min_bad_events),
            min_coverage=_share(ours, "min-coverage", Guards().min_coverage),
            min_events=_at_least_zero(ours, "min-events", Guards().min_events),
        ),
        evidence=Evidence(
            errors=slow is None,
            min_duration_ms=_number(slow) if slow is not None else None,
            service=str(through.value) if through is not None else service,
        ),
    )


_KNOWN = (
    "group-by",
    "min-bad-events",
    "min-coverage",
    "min-events",
    "exemplar-min-duration-ms",
    "exemplar-service",
)


def _keys(node: Node) -> tuple[str, ...]:
    keys = tuple(part.strip() for part in str(node.value).split(","))
    for key in keys:
        if _KEY.fullmatch(key) is None:
            node.fail(f"must be tag keys separated by commas, got {node.value!r}")
    return keys


def _number(node: Node) -> float:
    # Annotations are text in OpenSLO; a quoted number is the usual way to write one.
    text = str(node.value)
    tag = "float" if re.fullmatch(r"[-+0-9.eE]+", text) else node.tag
    plain = Node(value=text, tag=tag, file=node.file, line=node.line, path=node.path)
    return float(number(plain))


def _at_least_zero(ours: Mapping[str, Node], name: str, default: float) -> float:
    node = ours.get(name)
    if node is None:
        return default
    value = _number(node)
    if value < 0:
        node.fail(f"must be at least 0, got {node.value}")
    return value


def _share(ours: Mapping[str, Node], name: str, default: float) -> float:
    node = ours.get(name)
    if node is None:
        return default
    value = _number(node)
    if not 0 <= value <= 1:
        node.fail(f"must be from 0 to 1, got {node.value}")
    return value
