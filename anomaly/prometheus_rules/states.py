"""Where rules stand: alerts that are pending or fire, series that were written, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LabelKey = tuple[tuple[str, str], ...]
"""A label set, its names sorted."""


class AlertState(StrEnum):
    """How an alert is; one that is over is not kept."""

    PENDING = "pending"
    FIRING = "firing"


class Health(StrEnum):
    """How a rule's last evaluation went, in Prometheus's words."""

    UNKNOWN = "unknown"
    OK = "ok"
    ERROR = "err"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlert:
    """An alert that is pending or fires.

    Attributes:
        labels: Its labels, ``alertname`` among them: by them it is known.
        element: The labels that the expression's element had, without its name.
        annotations: What is said of it.
        value: The element's value when it was last there.
        state: Pending or firing.
        active_ms: Since when the element is there, epoch milliseconds.
        fired_ms: Since when it fires; 0: it does not.
        kept_ms: Since when it fires although the element is gone; 0: it is there.
    """

    labels: Mapping[str, str]
    element: Mapping[str, str]
    annotations: Mapping[str, str]
    value: float
    state: AlertState
    active_ms: int
    fired_ms: int = 0
    kept_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """Where a rule stands.

    Attributes:
        alerts: What is pending or fires, by its labels.
        series: What its last evaluation wrote: what is not written again is ended.
        health: How that went.
        error: Why it failed, empty when it did not.
        failing_ms: Since when it fails, epoch milliseconds; 0: it does not.
        evaluated_ms: When it was, epoch milliseconds; 0: never.
        took_s: How long it took, seconds.
        ever: Whether its expression, or what it asks for, has ever had anything.
    """

    alerts: Mapping[LabelKey, ActiveAlert] = field(default_factory=dict)
    series: frozenset[LabelKey] = frozenset()
    health: Health = Health.UNKNOWN
    error: str = ""
    failing_ms: int = 0
    evaluated_ms: int = 0
    took_s: float = 0.0
    ever: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """Where a group stands.

    Attributes:
        rules: The state of each rule, in their order.
        evaluated_ms: When the group was last evaluated, epoch milliseconds; 0: never.
        took_s: How long that took, seconds.
    """

    rules: tuple[RuleState, ...]
    evaluated_ms: int = 0
    took_s: float = 0.0


def key_of(labels: Mapping[str, str]) -> LabelKey:
    """Return a label set as something to look up; empty labels are none."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))
