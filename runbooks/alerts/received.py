"""Alerts that a Prometheus, or whatever speaks to an Alertmanager, tells us of: each is a finding.

Semantics of Alertmanager (``api/v2/api.go``, ``alert/alert.go``): an alert is known by its labels;
without a start it starts now; without an end it ends ``RESOLVE_TIMEOUT_MS`` after it was last told
of; of several tellings the earliest start and the newest annotations count.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from anomaly.alert_labels import alert_scope, alert_title
from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from collectors.errors import InputError
from collectors.stacklang.text.lexer import escape
from runbooks.alerts.labels import ALERTNAME, prometheus_labels

MAX_ALERTS = 20_000
"""Alerts that are known at once; further ones are refused."""

RESOLVE_TIMEOUT_MS = 300_000
TOLD_ONCE_MS = 86_400_000
"""An Alertmanager's webhook tells of an alert again after hours, and of its end."""

_URGENCIES: Mapping[str, Urgency] = {
    "warning": Urgency.TICKET,
    "ticket": Urgency.TICKET,
    "minor": Urgency.TICKET,
    "info": Urgency.INFO,
    "none": Urgency.INFO,
}
"""By the label ``severity``; whatever else it says, or does not say, pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What a client tells of.

    Attributes:
        labels: By which it is known; none of them is empty.
        annotations: What it says to people.
        starts_ms: Epoch milliseconds; None: not told.
        ends_ms: When it ended or will end; None: not told.
        generator_url: Where it comes from; empty: not told.
        lasts_ms: How long it holds without an end, milliseconds.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    starts_ms: int | None = None
    ends_ms: int | None = None
    generator_url: str = ""
    lasts_ms: int = RESOLVE_TIMEOUT_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An alert that fires, with its finding and when it ends unless it is told of again."""

    alert: Alert
    finding: Finding
    ends_ms: int


class ReceivedAlerts:
    """Those that fire; may be used by several threads. After a start, incidents tell of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Received] = {}

    def take(self, alerts: Iterable[Alert], now_ms: int) -> list[Finding]:
        """Take alerts in; return the findings that are new, have changed or are over.

        Raises:
            InputError: More than ``MAX_ALERTS`` fire; those that were known are taken in.
        """
        changed: list[Finding] = []
        refused = 0
        with self._lock:
            for alert in alerts:
                print_ = fingerprint(alert.labels)
                known = self._known.get(print_)
                if known is None and len(self._known) >= MAX_ALERTS:
                    refused += 1
                    continue
                finding = self._taken(print_, alert, known, now_ms)
                if finding is not None:
                    changed.append(finding)
        if refused:
            raise TooManyAlertsError(
                f"{refused} alerts refused: {MAX_ALERTS} fire already", changed
            )
        return changed

    def ended(self, now_ms: int) -> list[Finding]:
        """Return the findings of alerts that ended without being told of again."""
        with self._lock:
            due = [print_ for print_, one in self._known.items() if one.ends_ms <= now_ms]
            return [self._ended(self._known.pop(print_), now_ms, told=False) for print_ in due]

    def restore(self, findings: Iterable[Finding], now_ms: int) -> None:
        """Know alerts again that fired before a restart: they end unless told of soon."""
        with self._lock:
            for finding in findings:
                if finding.kind is not FindingKind.ALERT or finding.state is FindingState.RESOLVED:
                    continue
                alert = Alert(labels=prometheus_labels(finding), starts_ms=finding.started_ms)
                ends_ms = now_ms + RESOLVE_TIMEOUT_MS
                one = Received(alert=alert, finding=finding, ends_ms=ends_ms)
                self._known.setdefault(_print_of(finding), one)

    def get(self, finding: Finding) -> Received | None:
        """Return what is known of a finding's alert, None when it is none."""
        if finding.kind is not FindingKind.ALERT:
            return None
        return self._known.get(_print_of(finding))

    def _taken(
        self, print_: str, alert: Alert, known: Received | None, now_ms: int
    ) -> Finding | None:
        ends_ms = alert.ends_ms if alert.ends_ms is not None else now_ms + alert.lasts_ms
        if ends_ms <= now_ms:
            if known is None:
                return None
            over = replace(known, ends_ms=max(ends_ms, known.finding.started_ms))
            del self._known[print_]
            return self._ended(over, now_ms, told=True)
        finding = _finding(print_, alert, known.finding if known else None, now_ms)
        self._known[print_] = Received(alert=alert, finding=finding, ends_ms=ends_ms)
        if known is not None and replace(known.finding, updated_ms=now_ms) == finding:
            return None
        return finding

    def _ended(self, known: Received, now_ms: int, *, told: bool) -> Finding:
        why = "" if told else " It ended because nobody told of it again, not because it was told."
        return replace(
            known.finding,
            state=FindingState.RESOLVED,
            explanation=f"{known.finding.explanation}{why}",
            updated_ms=now_ms,
            ended_ms=max(known.ends_ms, known.finding.started_ms),
        )


class TooManyAlertsError(InputError):
    """More alerts fire than are known at once.

    Args:
        message: What was refused.
        changed: The findings of those that were not.
    """

    status = 503

    def __init__(self, message: str, changed: list[Finding]) -> None:
        super().__init__(message)
        self.changed = changed


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Prometheus's fingerprint of labels: FNV-1a of names and values, each ended by 0xff.

    >>> fingerprint({})
    'cbf29ce484222325'
    """
    found = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in b"%s\xff%s\xff" % (name.encode(), labels[name].encode()):
            found = ((found ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"


def _print_of(finding: Finding) -> str:
    return finding.id.split("/")[1]


_NAMELESS = "alert"


def _finding(print_: str, alert: Alert, known: Finding | None, now_ms: int) -> Finding:
    told_ms = alert.starts_ms if alert.starts_ms is not None else now_ms
    started_ms = min(told_ms, now_ms, known.started_ms if known else now_ms)
    rule = alert.labels.get(ALERTNAME, _NAMELESS)
    said = alert.annotations
    source = f" Source: {alert.generator_url}" if alert.generator_url else ""
    text = said.get("description") or said.get("message") or said.get("summary") or "No text."
    return Finding(
        id=known.id if known else f"alert/{print_}/{started_ms}",
        rule=rule,
        kind=FindingKind.ALERT,
        state=FindingState.FIRING,
        urgency=_URGENCIES.get(alert.labels.get("severity", "").lower(), Urgency.PAGE),
        title=said.get("summary") or alert_title(rule, alert.labels),
        explanation=f"{text}{source}",
        scope=alert_scope(alert.labels),
        started_ms=started_ms,
        detected_ms=known.detected_ms if known else now_ms,
        updated_ms=now_ms,
        ended_ms=None,
        # Prometheus's own series of its alerts, there when it writes here, too.
        expression=f"name,ALERTS,:eq,alertname,{escape(rule)},:eq,:and,:max",
        window_ms=0,
        observed=math.nan,
        baseline=None,
        unit="",
    )
