"""What an operator's files say of who rings nobody, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runbooks.alerts.inhibition import InhibitRule
from runbooks.alerts.intervals import TimeInterval
from runbooks.alerts.maintenance import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """Intervals by name, windows of maintenance, and inhibition."""

    intervals: Mapping[str, TimeInterval] = field(default_factory=dict)
    windows: tuple[Window, ...] = ()
    inhibit: tuple[InhibitRule, ...] = ()
