"""The people's half: the incident desk, what it may ask, and how it reaches people."""

from __future__ import annotations

from pathlib import Path

import structlog

from collectors.clock import Clock
from collectors.model import Frame
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.store.metric_store import MetricStore
from runbooks.desk.desk import DeskSettings, IncidentDesk
from runbooks.notifiers.card import Links
from runbooks.notifiers.settling import ReadyNotifiers, ready
from runbooks.notifiers.slack import SlackParameters
from runbooks.oncall.duty import Duty
from runbooks.paging.routing import Routes, Target
from tocsin.collecting import Collectors
from tocsin.configuration.reading import Configuration
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
_EDGE_WINDOW_MS = 15 * 60_000
_NEVER_S = float("inf")


class StoredMetrics:
    """Evaluates the expressions behind a post-mortem's numbers, at the store's own step."""

    def __init__(self, metrics: MetricStore) -> None:
        self._metrics = metrics

    def read(self, expression: str, start_ms: int, end_ms: int) -> Frame:
        """Return the lines of ``expression`` from ``start_ms`` to ``end_ms``.

        Raises:
            QueryError: The expression can't be evaluated.
        """
        step_ms = self._metrics.step_ms
        window = Window(
            start_ms=-(-start_ms // step_ms) * step_ms,
            end_ms=end_ms // step_ms * step_ms,
            step_ms=step_ms,
        )
        return evaluate(expression, self._metrics, window)


def open_desk(
    settings: Settings,
    configuration: Configuration,
    collectors: Collectors,
    clock: Clock,
    api_url: str,
) -> IncidentDesk:
    """Return the desk, its database opened; not started yet.

    Raises:
        ConfigError: A notifier is set up by half.
    """
    notifiers = ready(configuration.notifiers, settings.given_for)
    auto_resolve_s = settings.auto_resolve.seconds or _NEVER_S
    ring_again_s = settings.ring_again.seconds or _NEVER_S
    return IncidentDesk(
        database_url=settings.database_url or _sqlite_url(settings.data_dir),
        clock=clock,
        notifiers=notifiers.notifiers,
        routes=routes_of(configuration, notifiers),
        library=configuration.runbooks,
        edges=lambda: _edges(collectors, clock),
        metrics=StoredMetrics(collectors.metrics),
        measures=configuration.measures,
        links=Links(dashboard_url=settings.dashboard_url, api_url=api_url),
        post_mortem_dir=settings.data_dir / "post-mortems",
        settings=DeskSettings(auto_resolve_s=auto_resolve_s, ring_again_s=ring_again_s),
        slack_signing_secret=_signing_secret(notifiers),
        duty=Duty.of(configuration.rota, configuration.people),
    )


def _sqlite_url(data_dir: Path) -> str:
    return f"sqlite:///{(data_dir / 'incidents.db').absolute()}"


def routes_of(configuration: Configuration, notifiers: ReadyNotifiers) -> Routes:
    """Return the operator's routes, or to all that may be told without any; else to the console."""
    default = tuple(Target(notifier=name, channel=channel) for name, channel in notifiers.default)
    routes = configuration.routes or (Routes(default=default) if default else Routes())
    set_up = {notifier.name for notifier in notifiers.notifiers}
    if missing := routes.notifiers() - set_up:
        told = "the console is told in their place"
        _log.warning("routes to notifiers that are not set up", missing=sorted(missing), told=told)
    return routes.reaching(set_up)


def _signing_secret(notifiers: ReadyNotifiers) -> str:
    """Return what verifies the interactions of Slack, which have a route of their own."""
    found = [told for told in notifiers.told.values() if isinstance(told, SlackParameters)]
    secret = found[0].signing_secret if found else None
    return secret.get_secret_value() if secret else ""


def _edges(collectors: Collectors, clock: Clock) -> set[tuple[str, str]]:
    now_ms = clock.now_ms()
    edges = collectors.spans.edges(now_ms - _EDGE_WINDOW_MS, now_ms)
    return {(edge.client, edge.server) for edge in edges}
