"""What pages about people, alerts, the machine and the public ask, through the shared feed."""

from __future__ import annotations

from collections.abc import Callable

from dashboards import sources
from dashboards.feed import Reading
from tocsin.client.explained.groups import ExplainedGroups
from tocsin.client.forecast_shapes import ForecastAnswer
from tocsin.client.own.cluster_shapes import ClusterState
from tocsin.client.own.shapes import Capacity, SettingInForce
from tocsin.client.response.alert_shapes import Alert
from tocsin.client.response.incident_shapes import IncidentReport
from tocsin.client.response.oncall_shapes import AskedOverride, Escalation, Oncall
from tocsin.client.response.status_shapes import StatusPageState
from tocsin.client.service_health import InspectionRow
from tocsin.client.shapes import AnnouncedChange, Finding, FindingDecision

_SLOW_MS = 10_000
_RARE_MS = 60_000
_MAX_DECISIONS = 300
_DAY_MS = 86_400_000


def report(days: int) -> Reading[IncidentReport]:
    """Return how the last days went."""
    return sources.ask(f"report {days}", lambda: sources.api().incident_report(days=days), _SLOW_MS)


def oncall(days: int) -> Reading[Oncall]:
    """Return who is on call for some days."""
    return sources.ask(f"oncall {days}", lambda: sources.api().oncall(days=days))


def overrides() -> Reading[list[AskedOverride]]:
    """Return who takes over from whom, as people have asked."""
    return sources.ask("overrides", sources.api().overrides)


def escalations() -> Reading[list[Escalation]]:
    """Return the escalation policies, and whom they would ring now."""
    return sources.ask("escalations", sources.api().escalations, _SLOW_MS)


def calendar(name: str, days: int) -> Callable[[], bytes]:
    """Return what gives a schedule as iCalendar when somebody takes it."""
    client = sources.api()
    return lambda: client.oncall_calendar(name, days=days).encode()


def alerts() -> Reading[list[Alert]]:
    """Return what fires now, of findings and of alerts that others send."""
    return sources.ask("alerts", sources.api().alerts.all)


def decisions() -> Reading[list[FindingDecision]]:
    """Return what became of the newest findings."""
    client = sources.api()
    return sources.ask("decisions", lambda: client.finding_decisions(limit=_MAX_DECISIONS))


def findings() -> Reading[list[Finding]]:
    """Return what fires now."""
    return sources.ask("findings", sources.api().findings)


def inspections() -> Reading[list[InspectionRow]]:
    """Return how every inspection stands."""
    return sources.ask("inspections", sources.api().inspections)


def cluster() -> Reading[ClusterState]:
    """Return how the nodes of a cluster stand."""
    return sources.ask("cluster", sources.api().cluster)


def capacity() -> Reading[Capacity]:
    """Return how near each bound is."""
    return sources.ask("capacity", sources.api().capacity)


def forecast(query: str, limit: float) -> Reading[ForecastAnswer]:
    """Return when a line reaches a limit, looking a week ahead from two."""
    wanted: dict[str, str | int | float] = {"limit": limit, "past": "14d", "horizon": "7d"}
    client = sources.api()
    return sources.ask(
        f"forecast {query} {limit}", lambda: client.forecast(query, wanted), _RARE_MS
    )


def set_apart(query: str, of: str, start_ms: int, end_ms: int) -> Reading[ExplainedGroups]:
    """Return which tags the part of ``query`` has that is worse than before, of how many."""
    params: dict[str, str | int] = {
        "of": of,
        "by": "*",
        "s": start_ms,
        "e": end_ms,
        "before": "30m",
        "direction": "up",
    }
    key = f"set apart {query} {of} {start_ms} {end_ms // _SLOW_MS}"
    return sources.ask(key, lambda: sources.api().explain_groups(query, params), _SLOW_MS)


def settings() -> Reading[list[SettingInForce]]:
    """Return every setting and where it comes from."""
    return sources.ask("settings", sources.api().settings, _RARE_MS)


def changes(days: int) -> Reading[list[AnnouncedChange]]:
    """Return the changes of the last days, oldest first."""

    def ask() -> list[AnnouncedChange]:
        end_ms = sources.now_ms()
        return sources.api().changes(start_ms=end_ms - days * _DAY_MS, end_ms=end_ms)

    return sources.ask(f"changes of {days}", ask)


def status_page() -> Reading[StatusPageState]:
    """Return what the public is told."""
    return sources.ask("status page", sources.api().status_page.state)
