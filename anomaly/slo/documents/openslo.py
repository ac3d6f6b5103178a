"""The shapes of OpenSLO v1 documents (https://github.com/OpenSLO/OpenSLO, version v1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from anomaly.documents import Node
from anomaly.slo.documents.duration import Duration


class BudgetingMethod(StrEnum):
    """How the budget is counted: by events, by good slices of time, or by mean of slices."""

    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"
    RATIO_TIMESLICES = "RatioTimeslices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Name, human name, labels (each a list of values) and annotations."""

    name: str
    display_name: str | None
    labels: Mapping[str, Sequence[str]]
    annotations: Mapping[str, Node]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSource:
    """Where a number comes from. ``spec`` is the source's own business and kept as it is."""

    source_ref: str | None
    type: str | None
    spec: Mapping[str, Node]
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioMetric:
    """Good or bad events over all events, or a ratio that is already one (``raw``)."""

    counter: bool
    good: MetricSource | None
    bad: MetricSource | None
    total: MetricSource | None
    raw: MetricSource | None
    raw_type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sli:
    """A service level indicator: exactly one of ``threshold`` and ``ratio`` is given."""

    metadata: Metadata
    description: str
    threshold: MetricSource | None
    ratio: RatioMetric | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The first start of a calendar window, in the wall time of an IANA time zone."""

    start_time: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """The period of a budget: rolling, or by the calendar."""

    duration: Duration
    rolling: bool
    calendar: Calendar | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SloObjective:
    """One target of an SLO. ``target`` is exact: 99.9 % is 999/1000."""

    display_name: str | None
    op: str | None
    value: Fraction | None
    target: Fraction
    time_slice_target: Fraction | None
    time_slice_window: Duration | None
    indicator: Sli | None
    indicator_ref: str | None
    weight: Fraction
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCondition:
    """When an alert is due: the burn rate over ``lookback`` compared with ``threshold``."""

    metadata: Metadata
    description: str
    severity: str
    op: str
    threshold: Fraction
    lookback: Duration
    alert_after: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNotificationTarget:
    """Who is told, by what kind of channel."""

    metadata: Metadata
    description: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPolicy:
    """One condition and whom to tell; either may stand inline or be a reference by name."""

    metadata: Metadata
    description: str
    when_no_data: bool
    when_resolved: bool
    when_breaching: bool
    condition: AlertCondition | str
    targets: Sequence[AlertNotificationTarget | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A service level objective."""

    metadata: Metadata
    description: str
    service: str
    indicator: Sli | None
    indicator_ref: str | None
    time_window: TimeWindow | None
    budgeting_method: BudgetingMethod
    objectives: Sequence[SloObjective]
    alert_policies: Sequence[AlertPolicy | str]
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Something that SLOs are about."""

    metadata: Metadata
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A named source that metric sources refer to."""

    metadata: Metadata
    description: str
    type: str
    connection: Node


OpenSloObject = (
    Slo | Sli | Service | DataSource | AlertPolicy | AlertCondition | AlertNotificationTarget
)
