"""SLO documents: window, budgeting method, objectives and alert policies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from anomaly.slo.documents.alerts import PolicyEntry
from anomaly.slo.documents.duration import Length, SliceLength
from anomaly.slo.documents.indicators import InlineSli
from anomaly.slo.documents.metadata import Described, Name, OpenSloDocument, OpenSloSection
from collectors.documents.section import Context, WrongValueError
from collectors.documents.values import (
    BareFlag,
    BareNumber,
    PureText,
    at_least_one,
    matching,
    one_of,
)
from collectors.errors import DocumentError

OPERATORS = ("lte", "gte", "lt", "gt")
Operator = Annotated[Literal["lte", "gte", "lt", "gt"], one_of(OPERATORS)]


class BudgetingMethod(StrEnum):
    """How the budget is counted: by events, by good slices of time, or by mean of slices."""

    OCCURRENCES = "Occurrences"
    TIMESLICES = "Timeslices"
    RATIO_TIMESLICES = "RatioTimeslices"


def _below(limit: int) -> AfterValidator:
    def check(number: Fraction) -> Fraction:
        if not 0 <= number < limit:
            raise WrongValueError(f"at least 0 and less than {limit}")
        return number

    return AfterValidator(check)


def _share(number: Fraction) -> Fraction:
    if not 0 < number <= 1:
        raise WrongValueError("more than 0 and at most 1")
    return number


def _positive(number: Fraction) -> Fraction:
    if number <= 0:
        raise WrongValueError("more than 0")
    return number


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongValueError("an IANA time zone such as Europe/Berlin") from None
    return name


TimeZone = Annotated[PureText, AfterValidator(_zone)]
"""The IANA name of a time zone."""

_TIME = "a time like 2026-01-31 12:30:00"
_START = "%Y-%m-%d %H:%M:%S"
_YEARS = (1970, 2199)


def _start(text: str) -> str:
    try:
        year = datetime.strptime(text, _START).year  # noqa: DTZ007 - the zone stands beside it
    except ValueError:
        raise WrongValueError(_TIME) from None
    if not _YEARS[0] <= year <= _YEARS[1]:
        raise WrongValueError("a time of the years {} to {}".format(*_YEARS))
    return text


class Calendar(OpenSloSection):
    """The first start of a calendar window, in the wall time of a time zone."""

    start_time: Annotated[
        PureText,
        matching(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", _TIME),
        AfterValidator(_start),
    ]
    """Such as 2026-01-31 12:30:00."""
    time_zone: TimeZone
    """IANA name such as Europe/Berlin."""

    @property
    def start(self) -> datetime:
        """The first start in wall time, without a zone."""
        return datetime.strptime(self.start_time, _START)  # noqa: DTZ007 - the zone stands beside it


class TimeWindow(OpenSloSection):
    """The period of a budget: rolling, or by the calendar."""

    duration: Length
    """Its length."""
    is_rolling: BareFlag | None = None
    """Whether it moves with the present; true unless there is a calendar."""
    calendar: Calendar | None = None
    """When it starts; without it the window rolls."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that it both rolls and starts, or neither."""
        del context
        if self.calendar is not None and self.is_rolling:
            told = "a calendar window does not roll: say false, or drop calendar"
            yield self.at("isRolling").error(told)
        if self.calendar is None and self.is_rolling is False:
            yield self.at("calendar").error("is required when the window does not roll")

    @property
    def rolling(self) -> bool:
        """Whether it moves with the present."""
        return self.calendar is None


class SloObjective(OpenSloSection):
    """One target of an SLO, given as `target` or as `targetPercent`."""

    display_name: PureText | None = None
    """Name for people."""
    op: Operator | None = None
    """For a thresholdMetric: how it is compared."""
    value: BareNumber | None = None
    """For a thresholdMetric: with what."""
    ratio: Annotated[BareNumber, _below(1)] | None = Field(None, alias="target")
    """Share of good events, from 0 to less than 1."""
    target_percent: Annotated[BareNumber, _below(100)] | None = None
    """The same in percent: 99.9."""
    time_slice_target: Annotated[BareNumber, AfterValidator(_share)] | None = None
    """For slices of time: what makes one good."""
    time_slice_window: SliceLength | None = None
    """For slices of time: their length."""
    indicator: InlineSli | None = None
    """What is measured, where not the whole SLO says it."""
    indicator_ref: Name | None = None
    """Name of an SLI, where not the whole SLO says it."""
    composite_weight: Annotated[BareNumber, AfterValidator(_positive)] = Fraction(1)
    """Weight of this objective in a composite."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that the target is not given, or twice."""
        del context
        if (self.ratio is None) == (self.target_percent is None):
            told = "exactly one of target and targetPercent must be given"
            yield self.at("target").error(told)

    @property
    def target(self) -> Fraction:
        """The share of good events, exactly: 99.9 % is 999/1000."""
        return self.ratio if self.ratio is not None else (self.target_percent or Fraction()) / 100


class SloSpec(Described):
    """What is promised."""

    service: Name
    """Name of the service."""
    indicator: InlineSli | None = None
    """What is measured; or name it by `indicatorRef`."""
    indicator_ref: Name | None = None
    """Name of an SLI."""
    time_window: tuple[TimeWindow, ...] = ()
    """Exactly one window."""
    budgeting_method: Annotated[BudgetingMethod, one_of(tuple(BudgetingMethod))]
    """How the budget is counted: by events, by slices of time, or by the share of each slice."""
    objectives: Annotated[
        tuple[SloObjective, ...], at_least_one("must hold at least one objective")
    ]
    """The targets."""
    alert_policies: tuple[PolicyEntry, ...] = ()
    """When it alerts, instead of by pairs of windows: by name, or whole."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what the parts lack for each other."""
        count = len(self.time_window)
        if count > 1 or (context.strict and count == 0):
            told = f"must hold exactly one window, got {count}"
            yield self.at("timeWindow").error(told)
        if self.indicator is not None and self.indicator_ref is not None:
            yield self.at("indicatorRef").error("can't stand beside indicator: keep one")
        for objective in self.objectives:
            yield from self._slices(objective)
            yield from self._measured(objective, context)
        for index, policy in enumerate(self.alert_policies):
            if context.strict and isinstance(policy, str):
                told = WrongValueError("a mapping of fields").told(repr(policy))
                yield self.at("alertPolicies", index).error(told)

    def _slices(self, objective: SloObjective) -> Iterator[DocumentError]:
        method = self.budgeting_method
        if method is BudgetingMethod.TIMESLICES and objective.time_slice_target is None:
            yield objective.at("timeSliceTarget").error("is required for Timeslices")
        if method is not BudgetingMethod.OCCURRENCES and objective.time_slice_window is None:
            yield objective.at("timeSliceWindow").error(f"is required for {method}")

    def _measured(self, objective: SloObjective, context: Context) -> Iterator[DocumentError]:
        own = self.indicator is not None or self.indicator_ref is not None
        has = objective.indicator is not None or objective.indicator_ref is not None
        if has == own:
            wanted = "in spec or in each objective, not in both" if has else "in spec"
            told = f"an indicator or indicatorRef must stand {wanted}"
            yield objective.at("indicator").error(told)
        indicator = objective.indicator or self.indicator
        if indicator is None:
            return
        compared = objective.op is not None and objective.value is not None
        if indicator.spec.threshold_metric is not None and not compared:
            told = "a thresholdMetric needs op and value in each objective"
            yield objective.at("value").error(told)
        if context.strict and indicator.spec.ratio_metric and objective.op is not None:
            yield objective.at("op").error("is for thresholdMetric only")


class Slo(OpenSloDocument):
    """A service level objective."""

    kind: Annotated[Literal["SLO"], one_of(("SLO",))]
    """What it is."""
    spec: SloSpec
    """What is promised."""
