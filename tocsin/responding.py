"""The people's half: the incident desk, what it may ask, and how it reaches people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from anomaly.engine.engine import Engine
from anomaly.rules.objective_rule import ObjectiveRule
from collectors.clock import Clock
from collectors.model import Frame
from collectors.stacklang.evaluation.batch import evaluate
from collectors.stacklang.lines.database import Database, Window
from runbooks.desk.desk import IncidentDesk
from runbooks.desk.settings import DeskSettings
from runbooks.desk.suggesting import Suggesting
from runbooks.escalation.policy import Policy
from runbooks.incidents.states import Severity
from runbooks.notifiers.card import Links
from runbooks.notifiers.mail import MailNotifier
from runbooks.notifiers.settling import ReadyNotifiers, ready
from runbooks.notifiers.slack import SlackParameters
from runbooks.oncall.duty import Duty
from runbooks.paging.routing import Routes, Target
from runbooks.slack.opening import answer_slack
from runbooks.status_page.office import StatusOffice
from tocsin.collecting import Collectors
from tocsin.configuration.reading import Configuration
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
_EDGE_WINDOW_MS = 15 * 60_000
_NEVER_S = float("inf")


class StoredMetrics:
    """Evaluates the expressions behind a post-mortem's numbers, at the store's own step."""

    def __init__(self, metrics: Database) -> None:
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
    desk = IncidentDesk(
        database_url=settings.database_url or _sqlite_url(settings.data_dir),
        clock=clock,
        notifiers=notifiers.notifiers,
        routes=routes_of(configuration, notifiers),
        library=configuration.runbooks,
        edges=lambda: _edges(collectors, clock),
        metrics=StoredMetrics(collectors.reading),
        measures=configuration.measures,
        links=Links(dashboard_url=settings.dashboard_url, api_url=api_url),
        post_mortem_dir=settings.data_dir / "post-mortems",
        settings=DeskSettings(
            auto_resolve_s=auto_resolve_s,
            ring_again_s=ring_again_s,
            update_every_s={
                Severity.SEV1: settings.update_sev1.seconds,
                Severity.SEV2: settings.update_sev2.seconds,
                Severity.SEV3: settings.update_sev3.seconds,
            },
            hourly_cost=settings.hourly_cost,
            public_link_s=settings.public_link_lasts.seconds,
        ),
        slack_signing_secret=_signing_secret(notifiers),
        duty=Duty.of(configuration.rota, configuration.people),
        faults=collectors.machine.faults,
        policies=policies_of(configuration, notifiers),
        allowed=configuration.automation,
    )
    desk.on_call.heartbeats.use(configuration.heartbeats)
    desk.alerting.muting.use(configuration.alert_rules, ())
    suggesting = Suggesting(desk.ledger, StoredMetrics(collectors.reading), lambda: desk.measures)
    desk.add_chore(suggesting.tick)
    if (slack := _told_slack(notifiers)) is not None:
        answer_slack(desk, slack)
    return desk


@contextmanager
def open_status_page(
    settings: Settings,
    configuration: Configuration,
    collectors: Collectors,
    engine: Engine,
    desk: IncidentDesk,
    *,
    start: bool = True,
) -> Iterator[StatusOffice]:
    """Open the status page over objectives and incidents, its thread running unless told not to."""
    made = ready(configuration.notifiers, settings.given_for)
    office = StatusOffice(
        desk,
        slos=lambda: engine.rows(ObjectiveRule.kind),
        metrics=StoredMetrics(collectors.reading),
        directory=settings.data_dir / "status",
        clock=desk.clock,
        file=configuration.status_page,
        public=settings.status_public,
        mailer=next((one for one in made.notifiers if isinstance(one, MailNotifier)), None),
    )
    if start:
        office.publisher.start()
    try:
        yield office
    finally:
        office.publisher.stop()


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
    return replace(routes.reaching(set_up), intervals=configuration.intervals)


def policies_of(configuration: Configuration, notifiers: ReadyNotifiers) -> dict[str, Policy]:
    """Return the escalation policies, the console in the place of what is not set up."""
    set_up = {notifier.name for notifier in notifiers.notifiers}
    found = configuration.policies.by_name
    return {name: policy.reaching(set_up) for name, policy in found.items()}


def _signing_secret(notifiers: ReadyNotifiers) -> str:
    """Return what verifies the interactions of Slack, which have a route of their own."""
    slack = _told_slack(notifiers)
    secret = slack.signing_secret if slack else None
    return secret.get_secret_value() if secret else ""


def _told_slack(notifiers: ReadyNotifiers) -> SlackParameters | None:
    """Return what Slack was told: more of it is set up here than a way for pages."""
    found = [told for told in notifiers.told.values() if isinstance(told, SlackParameters)]
    return found[0] if found else None


def _edges(collectors: Collectors, clock: Clock) -> set[tuple[str, str]]:
    now_ms = clock.now_ms()
    edges = collectors.spans.edges(now_ms - _EDGE_WINDOW_MS, now_ms)
    return {(edge.client, edge.server) for edge in edges}
