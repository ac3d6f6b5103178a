"""The people's half: the incident desk, what it may ask, and how it reaches people."""

from __future__ import annotations

from pathlib import Path

from collectors.clock import Clock
from collectors.errors import ConfigError
from collectors.model import Frame
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Window
from collectors.store.metric_store import MetricStore
from runbooks.desk.desk import DeskSettings, IncidentDesk
from runbooks.notifiers.card import Links
from runbooks.notifiers.console import ConsoleNotifier
from runbooks.notifiers.delivery import Notifier
from runbooks.notifiers.slack import SlackNotifier
from runbooks.paging.routing import Routes, Target
from tocsin.collecting import Collectors
from tocsin.configuration import Configuration
from tocsin.settings import Settings

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
        ConfigError: Slack is set up by half.
    """
    signing = settings.slack_signing_secret
    auto_resolve_s = settings.auto_resolve.seconds or _NEVER_S
    return IncidentDesk(
        database_url=settings.database_url or _sqlite_url(settings.data_dir),
        clock=clock,
        notifiers=_notifiers(settings),
        routes=configuration.routes or _default_routes(settings),
        library=configuration.runbooks,
        edges=lambda: _edges(collectors, clock),
        metrics=StoredMetrics(collectors.metrics),
        measures=configuration.measures,
        links=Links(dashboard_url=settings.dashboard_url, api_url=api_url),
        post_mortem_dir=settings.data_dir / "post-mortems",
        settings=DeskSettings(auto_resolve_s=auto_resolve_s),
        slack_signing_secret=signing.get_secret_value() if signing else "",
    )


def _sqlite_url(data_dir: Path) -> str:
    return f"sqlite:///{(data_dir / 'incidents.db').absolute()}"


def _notifiers(settings: Settings) -> list[Notifier]:
    """Slack when there is a token; the console always, as the last resort."""
    notifiers: list[Notifier] = [ConsoleNotifier()]
    token = settings.slack_bot_token
    if token is None:
        return notifiers
    if settings.slack_signing_secret is None:
        raise ConfigError(
            "TOCSIN_SLACK_BOT_TOKEN is set but TOCSIN_SLACK_SIGNING_SECRET is not: buttons could "
            "not be verified; copy the signing secret from the Slack app's basic information"
        )
    slack = SlackNotifier(token.get_secret_value(), base_url=settings.slack_base_url)
    return [slack, *notifiers]


def _default_routes(settings: Settings) -> Routes:
    """Slack's channel when there is a token, else the console."""
    if settings.slack_bot_token is None:
        return Routes()
    return Routes(default=(Target(notifier="slack", channel=settings.slack_channel),))


def _edges(collectors: Collectors, clock: Clock) -> set[tuple[str, str]]:
    now_ms = clock.now_ms()
    edges = collectors.spans.edges(now_ms - _EDGE_WINDOW_MS, now_ms)
    return {(edge.client, edge.server) for edge in edges}
