"""The labels of a finding: what silences, routes and inhibition ask. Pure."""

from __future__ import annotations

import re

from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from runbooks.alerts.severity import assess

ALERTNAME = "alertname"
_NO_NAME = re.compile(r"[^a-zA-Z0-9_]")


def labels_of(finding: Finding) -> dict[str, str]:
    """Return the labels of a finding.

    Those are its scope and ``alertname`` (its rule), ``kind``, ``urgency`` (page, ticket, info) and
    ``severity`` (that an incident of it alone would have), unless its scope has some of that name.
    A label whose name Prometheus could not write is there under such a name, too:
    ``service.name`` also as ``service_name``.
    """
    severity, _ = assess([finding])
    labels = {
        ALERTNAME: finding.rule,
        "kind": str(finding.kind),
        "urgency": str(finding.urgency),
        "severity": str(severity),
        **finding.scope,
    }
    return {**{prometheus_name(name): value for name, value in labels.items()}, **labels}


def prometheus_labels(finding: Finding) -> dict[str, str]:
    """Return the labels under names that Prometheus can write, sorted; an alert's as it came."""
    if finding.kind is FindingKind.ALERT:
        labels = {ALERTNAME: finding.rule, **finding.scope}
    else:
        labels = labels_of(finding)
    return {name: labels[name] for name in sorted(labels) if name == prometheus_name(name)}


def prometheus_name(name: str) -> str:
    """Return a label's name as Prometheus can write it.

    >>> prometheus_name("service.name"), prometheus_name("1st")
    ('service_name', '_1st')
    """
    plain = _NO_NAME.sub("_", name)
    return f"_{plain}" if plain[:1].isdigit() else plain


def pages(finding: Finding) -> bool:
    """Whether somebody is to be woken by a finding now."""
    return finding.state is FindingState.FIRING and finding.urgency is Urgency.PAGE


def still_pages(finding: Finding) -> bool:
    """Whether a finding that wakes people is not over: it fires, or its data stopped."""
    return finding.state is not FindingState.RESOLVED and finding.urgency is Urgency.PAGE


def is_own(finding: Finding) -> bool:
    """Whether a finding is about tocsin itself."""
    return finding.kind is FindingKind.OWN_FAULT
