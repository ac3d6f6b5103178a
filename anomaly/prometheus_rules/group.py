"""What rule files say: groups of rules, in frozen shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """A series that is computed from others.

    Attributes:
        record: Its name.
        expr: What it is, in PromQL.
        labels: What its series get; an empty value takes a label away.
    """

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the rule is called."""
        return self.record


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingRule:
    """An alert for each element that an expression has.

    Attributes:
        alert: Its name.
        expr: In PromQL.
        for_ms: How long an element must be there before it fires.
        keep_firing_for_ms: How long it goes on to fire without one.
        labels: Templates of labels; they win over those of the element.
        annotations: Templates of what is said of it.
    """

    alert: str
    expr: str
    for_ms: int = 0
    keep_firing_for_ms: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the rule is called."""
        return self.alert


GroupedRule = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated together, one after the other.

    Attributes:
        group: Its name, unique within its file.
        file: The name of its file.
        rules: In their order.
        interval_ms: How often; None: in every step.
        limit: Alerts or series that one rule may have, 0 for any number.
        query_offset_ms: So long before their time expressions are asked.
        source: Where it stands, ``file:line``; empty when unknown.
    """

    group: str
    file: str
    rules: tuple[GroupedRule, ...]
    interval_ms: int | None = None
    limit: int = 0
    query_offset_ms: int = 0
    source: str = ""

    @property
    def name(self) -> str:
        """A name that no other group has: its file and its own."""
        return f"{self.file}/{self.group}"

    @property
    def group_by(self) -> tuple[str, ...]:
        """Labels that its alerts have besides those of their elements, which nobody knows."""
        return tuple(
            sorted(
                {name for one in self.rules if isinstance(one, AlertingRule) for name in one.labels}
            )
        )
