"""Every file that an operator may write, in one table, and all of them read at once.

``serve``, ``check-config``, ``schema`` and ``docs/reference/configuration-files.md`` go by this
table: what stands in it is read by the server, checked before, completed by editors and documented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from anomaly.kinds.table import RULE_KINDS, Definitions, RuleKind
from anomaly.rules.objective_rule import ObjectiveRule
from collectors.documents.reading import Mistakes
from collectors.documents.section import PLAIN, Context, Section
from collectors.errors import DocumentError
from collectors.receivers.prometheus.scrape.config import ScrapeConfig, load_scrape_config
from collectors.receivers.prometheus.scrape.shapes import ScrapeFile
from collectors.redacting.redaction_file import RedactionFile, load_redaction
from collectors.redacting.redactor import DEFAULT, Redaction
from collectors.store.history.rollup_policies import RollupsFile, load_rollup_policies
from collectors.store.history.rollups import RollupPolicy
from runbooks.alerts.inhibition import InhibitFile, InhibitRule, load_inhibit_rules
from runbooks.alerts.interval_loading import IntervalsFile, load_intervals
from runbooks.alerts.intervals import TimeInterval
from runbooks.alerts.maintenance import MaintenanceFile, Window, load_windows
from runbooks.alerts.rules import AlertRules
from runbooks.automation.allowing import Allowed, AutomationFile, load_allowed
from runbooks.automation.loading import BUILT_IN, load_library
from runbooks.automation.runbook import Runbook
from runbooks.automation.shapes import RunbookFile
from runbooks.escalation.loading import EscalationFile, Policies, load_policies, way_mistakes
from runbooks.heartbeats.heartbeat import Heartbeat
from runbooks.heartbeats.loading import HeartbeatsFile, load_heartbeats
from runbooks.notifiers.settling import (
    Parameters,
    load_notifiers,
    notifiers_file,
    unsettled,
)
from runbooks.oncall.loading import Rota, ScheduleFile, load_rota
from runbooks.oncall.people import PeopleFile, Person, load_people
from runbooks.paging.routing import Routes, RoutesFile, load_routes
from runbooks.postmortem.impact import ImpactMeasure
from runbooks.postmortem.impact_loading import ImpactFile, load_measures
from runbooks.status_page.document import StatusFile, StatusPageFile, load_status_page
from tocsin.boards.document import DashboardFile, load_boards

PAGE = "reference/configuration-files.md"

Load = Callable[[Path | None, Context], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """One row: a kind of file below the configuration directory.

    Attributes:
        kind: Its name for ``tocsin schema``.
        pattern: Path below the directory.
        field: Of :class:`Configuration`, or of its definitions: where what it says ends up.
        configures: What it is for, in a sentence.
        page: Reference page, below ``docs/``.
        models: Returns the shapes that a document may have.
        load: Reads all files of this kind below a directory, if there is one.
    """

    kind: str
    pattern: str
    field: str
    configures: str
    page: str = PAGE
    models: Callable[[], Sequence[type[Section]]]
    load: Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What all files say."""

    definitions: Definitions
    runbooks: tuple[Runbook, ...]
    automation: Allowed
    notifiers: Parameters
    people: tuple[Person, ...]
    rota: Rota
    policies: Policies
    heartbeats: tuple[Heartbeat, ...]
    routes: Routes | None
    measures: tuple[ImpactMeasure, ...]
    scrape: ScrapeConfig | None
    intervals: Mapping[str, TimeInterval]
    windows: tuple[Window, ...]
    inhibit: tuple[InhibitRule, ...]
    rollups: tuple[RollupPolicy, ...]
    redaction: Redaction
    boards: tuple[DashboardFile, ...]
    status_page: StatusPageFile | None

    @property
    def alert_rules(self) -> AlertRules:
        """What keeps findings from ringing."""
        return AlertRules(intervals=self.intervals, windows=self.windows, inhibit=self.inhibit)


def read_configuration(directory: Path | None, context: Context = PLAIN) -> Configuration:
    """Read every file of the table.

    Args:
        directory: Where they are; without one there is only what is built in.
        context: Whether expressions are parsed.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    found: dict[str, Any] = {
        file.field: mistakes.attempt(partial(file.load, directory, context), None) for file in FILES
    }
    mistakes.raise_any()
    Mistakes([*_unresolved(found)]).raise_any()
    definitions = {kind.name: found.pop(kind.name) for kind in RULE_KINDS}
    return Configuration(definitions=definitions, **found)


def _unresolved(found: Mapping[str, Any]) -> Iterator[DocumentError]:
    """Yield what one file says of another that is not so."""
    people, rota, policies = found["people"], found["rota"], found["policies"]
    yield from rota.mistakes(people)
    yield from way_mistakes(people, rota.schedules.values(), found["notifiers"])
    yield from policies.mistakes(people, rota.schedules, found["notifiers"])
    yield from found["automation"].mistakes(found["runbooks"])
    if routes := found["routes"]:
        schedules, policies = rota.schedules, policies.by_name
        yield from routes.mistakes(found["notifiers"], schedules, found["intervals"], policies)
    for window in found["windows"]:
        yield from window.mistakes(found["intervals"])
    if (page := found["status_page"]) and found[ObjectiveRule.kind] is not None:
        yield from page.mistakes({one.name for one in found[ObjectiveRule.kind]})


def _file(name: str, load: Callable[[Path, Context], Any], absent: object) -> Load:
    """Return what loads the file or the directory ``name``, ``absent`` if there is none."""

    def read(directory: Path | None, context: Context) -> Any:
        path = directory / name if directory else None
        return load(path, context) if path is not None and path.exists() else absent

    return read


def _library(directory: Path | None, context: Context) -> tuple[Runbook, ...]:
    own = [directory / "runbooks"] if directory else []
    return load_library(BUILT_IN, *own, context=context)


def _notifiers(directory: Path | None, context: Context) -> Parameters:
    path = directory / "notifiers.yaml" if directory else None
    return load_notifiers(path, context) if path is not None and path.exists() else unsettled()


def _rules(kind: RuleKind[Any]) -> ConfigFile:
    return ConfigFile(
        kind=kind.document,
        pattern=f"{kind.name}/*.yaml",
        field=kind.name,
        configures=kind.configures,
        models=kind.shapes,
        load=_or_stock(kind),
    )


def _or_stock(kind: RuleKind[Any]) -> Load:
    """Return what loads the documents of rules, or what is there without any."""

    def read(directory: Path | None, context: Context) -> Any:
        path = directory / kind.name if directory else None
        return kind.load(path, context) if path is not None and path.exists() else kind.stock()

    return read


FILES = (
    *(_rules(kind) for kind in RULE_KINDS),
    ConfigFile(
        kind="runbook",
        pattern="runbooks/*.yaml",
        field="runbooks",
        configures="What to do: proposed to whoever handles an incident that it applies to.",
        models=lambda: (RunbookFile,),
        load=_library,
    ),
    ConfigFile(
        kind="automation",
        pattern="automation.yaml",
        field="automation",
        configures="What steps of runbooks may reach: hosts and programs by name. What it does not "
        "name is refused. Texts may hold `${NAME}` and `${NAME:-default}`, variables of the "
        "environment.",
        models=lambda: (AutomationFile,),
        load=_file("automation.yaml", load_allowed, Allowed()),
    ),
    ConfigFile(
        kind="notifiers",
        pattern="notifiers.yaml",
        field="notifiers",
        configures="Ways to reach people, and what each must be told. Settings come before it. "
        "Texts may hold `${NAME}` and `${NAME:-default}`, variables of the environment.",
        models=lambda: (notifiers_file(),),
        load=_notifiers,
    ),
    ConfigFile(
        kind="routes",
        pattern="routes.yaml",
        field="routes",
        configures="Where pages go. Without it all go to Slack's channel if there is a token, "
        "else to the console.",
        models=lambda: (RoutesFile,),
        load=_file("routes.yaml", lambda path, _: load_routes(path), None),
    ),
    ConfigFile(
        kind="intervals",
        pattern="intervals.yaml",
        field="intervals",
        configures="Names for times at which routes are mute or active, in Alertmanager's form.",
        models=lambda: (IntervalsFile,),
        load=_file("intervals.yaml", lambda path, _: load_intervals(path), {}),
    ),
    ConfigFile(
        kind="maintenance",
        pattern="maintenance.yaml",
        field="windows",
        configures="When work that is known before rings nobody; incidents close all the same.",
        models=lambda: (MaintenanceFile,),
        load=_file("maintenance.yaml", lambda path, _: load_windows(path), ()),
    ),
    ConfigFile(
        kind="inhibit",
        pattern="inhibit.yaml",
        field="inhibit",
        configures="What rings nobody while something else fires, in Alertmanager's form.",
        models=lambda: (InhibitFile,),
        load=_file("inhibit.yaml", lambda path, _: load_inhibit_rules(path), ()),
    ),
    ConfigFile(
        kind="people",
        pattern="people.yaml",
        field="people",
        configures="Who may be on call, and how each is mentioned.",
        models=lambda: (PeopleFile,),
        load=_file("people.yaml", lambda path, _: load_people(path), ()),
    ),
    ConfigFile(
        kind="oncall",
        pattern="oncall/*.yaml",
        field="rota",
        configures="Who is on call, and when: layers that take turns, swaps and overrides.",
        models=lambda: (ScheduleFile,),
        load=_file("oncall", lambda path, _: load_rota(path), Rota()),
    ),
    ConfigFile(
        kind="escalation",
        pattern="escalation/*.yaml",
        field="policies",
        configures="Who is rung while nobody answers: levels of people, schedules and channels.",
        models=lambda: (EscalationFile,),
        load=_file("escalation", lambda path, _: load_policies(path), Policies()),
    ),
    ConfigFile(
        kind="heartbeats",
        pattern="heartbeats.yaml",
        field="heartbeats",
        configures="Jobs that must report, and are missed when they do not.",
        models=lambda: (HeartbeatsFile,),
        load=_file("heartbeats.yaml", lambda path, _: load_heartbeats(path), ()),
    ),
    ConfigFile(
        kind="impact",
        pattern="impact.yaml",
        field="measures",
        configures="What counts as impact on people: the figures of a post-mortem.",
        models=lambda: (ImpactFile,),
        load=_file("impact.yaml", load_measures, ()),
    ),
    ConfigFile(
        kind="scrape",
        pattern="scrape.yaml",
        field="scrape",
        configures="Which pages of metrics to read, and how often, in Prometheus's form. Texts "
        "may hold `${NAME}` and `${NAME:-default}`, variables of the environment.",
        models=lambda: (ScrapeFile,),
        load=_file("scrape.yaml", lambda path, _: load_scrape_config(path), None),
    ),
    ConfigFile(
        kind="rollups",
        pattern="rollups.yaml",
        field="rollups",
        configures="Which tags old series lose, so that years of history take little space.",
        models=lambda: (RollupsFile,),
        load=_file("rollups.yaml", lambda path, _: load_rollup_policies(path), ()),
    ),
    ConfigFile(
        kind="redaction",
        pattern="redaction.yaml",
        field="redaction",
        configures="Which secrets are taken out of log records before they are kept.",
        models=lambda: (RedactionFile,),
        load=_file("redaction.yaml", lambda path, _: load_redaction(path), DEFAULT),
    ),
    ConfigFile(
        kind="dashboard",
        pattern="dashboards/*.yaml",
        field="boards",
        configures="Charts of your own: on the page of dashboards, and on overview and war room if "
        "they say so.",
        models=lambda: (DashboardFile,),
        load=_file("dashboards", load_boards, ()),
    ),
    ConfigFile(
        kind="status",
        pattern="status.yaml",
        field="status_page",
        configures="The status page for users: components, and how the state of each is known.",
        models=lambda: (StatusFile,),
        load=_file("status.yaml", load_status_page, None),
    ),
)
"""The table."""
