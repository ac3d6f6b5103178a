"""Where pages get their data: one client and one feed for each address, shared by all sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from dashboards.asking.connected import (
    API_CA,
    API_URL,
    SLACK_PREVIEW_URL,
    acting_api,
    patient_api,
    release,
    shared,
    slack,
    slack_feed,
)
from dashboards.feed import Feed, Reading, system_now_ms
from dashboards.login.viewer import viewer
from dashboards.telemetry.instruments import Instrument, instruments_of
from dashboards.telemetry.service_panels import query_of
from dashboards.telemetry.services import Service, services_of
from tocsin.client.board_shapes import Board
from tocsin.client.charting.expected_shapes import ExpectedAnswer
from tocsin.client.charting.files import FilesState
from tocsin.client.client import ApiClient, metric_tags_address
from tocsin.client.conventions import NAMES, convention_of
from tocsin.client.graphs import Graph
from tocsin.client.health_shapes import Health
from tocsin.client.log_shapes import LogCounts, LogOverview, LogPage, PatternChanges
from tocsin.client.metric_shapes import MetricNames, MetricTags, Word
from tocsin.client.response.alert_shapes import Why
from tocsin.client.response.incident_shapes import PublicLinkList
from tocsin.client.response.paper_shapes import PostMortem, PostMortemList
from tocsin.client.response.run_shapes import Run, RunSummary
from tocsin.client.response.screen_shapes import Screen
from tocsin.client.response.silence_shapes import Silence
from tocsin.client.sender_shapes import Sources
from tocsin.client.service_health import ServiceHealthDetail, ServiceHealthList
from tocsin.client.shapes import (
    AnnouncedChange,
    DetectorRow,
    Incident,
    IncidentSummary,
    Runbook,
    ServiceMap,
    Slo,
    Trace,
    TraceSummary,
)
from tocsin.client.slack.preview import SlackPreviewClient
from tocsin.client.slack.shapes import SlackChannel
from tocsin.client.stack_words import equals, matches, one_of
from tocsin.client.trace_studies import (
    ComparedMap,
    Comparison,
    CriticalPaths,
    Funnel,
    HeatMap,
    Sessions,
    SessionStory,
)
from tocsin.client.transport import ParamValue
from tocsin.client.whoami import Whoami

T = TypeVar("T")

# Which metrics and tags there are changes slowly; a new service waits at most so long.
_SLOW_MS = 10_000
_LONG_MS = 60_000
# Two fragments of a page that tick at different moments share one answer.
_SCREEN_MS = 2_500
# Nor do viewers whose ticks fall between two of others see another step.
_GRAPH_MS = 2_000
# Beginnings move on by so much, that a question is the same one for a few ticks.
_GRAIN_MS = 60_000
_MAX_NAMES = 1_000
_MAX_INSTRUMENTS = 40
_MAX_SERVICES = 500
_MAX_RUNS = 5
_MAX_SESSIONS = 100
MAP_MINUTES = 5
__all__ = ["API_CA", "API_URL", "SLACK_PREVIEW_URL", "acting_api", "release", "slack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What follows a convention; ``left_out`` more metrics do and were not looked at."""

    found: tuple[Instrument, ...]
    left_out: int


def api() -> ApiClient:
    """Return the client of the API at ``TOCSIN_API_URL``."""
    return shared().api


def now_ms() -> int:
    """Return the time now, epoch milliseconds."""
    return system_now_ms()


def retry() -> None:
    """Ask everything anew at the next read."""
    _feed().forget()
    slack_feed().forget()


def forgetting() -> Callable[[], None]:
    """Return what has everything asked anew, for a thread that has no page."""
    return _feed().forget


def health() -> Reading[Health]:
    """Return what the server says of itself."""
    return _ask("health", api().health)


def step_ms() -> int | None:
    """Return the length of a step of the server, None while it is not known."""
    known = _ask("step", api().health, _LONG_MS).value
    return known["step_ms"] if known else None


def acting() -> str:
    """Return in whose name the viewer acts, as the server knows it; empty: nobody signed in."""
    signed_in = viewer()
    if signed_in is None or not signed_in.person:
        return signed_in.name if signed_in else ""
    known = whoami()
    return known["name"] if known and known["role"] else signed_in.name


def whoami() -> Whoami | None:
    """Return whom the server takes the viewer for, None while that is not known."""
    return _ask("whoami", api().whoami, _LONG_MS).value


def senders() -> Reading[Sources]:
    """Return who sends what."""
    return _ask("senders", api().sources)


def incidents() -> Reading[list[IncidentSummary]]:
    """Return all incidents, newest first."""
    return _ask("incidents", lambda: sorted(api().incidents(), key=lambda i: -i["opened_ms"]))


def incident(incident_id: str) -> Reading[Incident]:
    """Return one incident."""
    return _ask(f"incident {incident_id}", lambda: api().incident(incident_id))


def public_links(incident_id: str) -> Reading[PublicLinkList]:
    """Return the public links of an incident."""
    return _ask(f"public links {incident_id}", lambda: api().public_links(incident_id))


def screen(incident_id: str) -> Reading[Screen]:
    """Return all that the war room draws of one incident, in one answer for all who watch."""

    def read(known: Screen | None) -> Screen:
        return api().screen(incident_id, known=known)

    return _feed().follow(f"screen {incident_id}", read, max_age_ms=_SCREEN_MS)


def why(incident_id: str) -> Reading[Why]:
    """Return the path of what was sent, or not, of one incident."""
    return _ask(f"why {incident_id}", lambda: api().alerts.why(incident_id))


def silences() -> Reading[list[Silence]]:
    """Return every silence that is kept, the active ones first."""
    return _ask("silences", api().silences.all)


def runbooks() -> Reading[list[Runbook]]:
    """Return the runbooks of the library; they change with a reload."""
    return _ask("runbooks", api().runbooks, max_age_ms=_SLOW_MS)


def runs(incident_id: str) -> Reading[list[Run]]:
    """Return the newest runs of an incident, each with its steps; what has ended is asked once."""

    def read(known: list[Run] | None) -> list[Run]:
        ended = {one["id"]: one for one in known or () if one["ended_ms"] is not None}

        def whole(one: RunSummary) -> Run:
            before = ended.get(one["id"])
            same = before is not None and before["ended_ms"] == one["ended_ms"]
            return before if before is not None and same else api().run(one["id"])

        return [whole(one) for one in api().runs(incident_id=incident_id)[:_MAX_RUNS]]

    return _feed().follow(f"runs {incident_id}", read)


def slos() -> Reading[list[Slo]]:
    """Return the objectives."""
    return _ask("slos", api().slos)


def boards() -> Reading[list[Board]]:
    """Return the operator's dashboards."""
    return _ask("boards", api().dashboards)


def files_state() -> Reading[FilesState]:
    """Return whether files of the configuration directory can be written."""
    return _ask("files", api().files.state, _SLOW_MS)


def tag_keys(query: str) -> Reading[list[str]]:
    """Return the tags of the series that match; an empty query matches all."""
    return _ask(f"tags {query}", lambda: api().tags(query=query or None), _SLOW_MS)


def tag_values(tag: str, query: str) -> Reading[list[str]]:
    """Return the values of a tag among the series that match; an empty query matches all."""
    return _ask(f"tag {tag} {query}", lambda: api().tags(tag, query=query or None), _SLOW_MS)


def instruments() -> Reading[Instruments]:
    """Return the metrics that follow a convention, with the services that have them."""

    def ask() -> Instruments:
        names = api().metrics(query=matches("name", NAMES), limit=_MAX_NAMES)
        following = [row["name"] for row in names["metrics"] if convention_of(row["name"])]
        asked = [equals("name", name) for name in following[:_MAX_INSTRUMENTS]]
        shared().together.ahead([metric_tags_address(one, limit=_MAX_SERVICES) for one in asked])
        tags = {
            name: api().metric_tags(equals("name", name), limit=_MAX_SERVICES)
            for name in following[:_MAX_INSTRUMENTS]
        }
        return Instruments(
            found=instruments_of(tags, _with_buckets(following)),
            left_out=max(0, len(following) - _MAX_INSTRUMENTS) + names["left_out"],
        )

    return _ask("instruments", ask, _SLOW_MS)


def _with_buckets(names: Sequence[str]) -> frozenset[str]:
    """Return which counts of classic histograms have buckets: summaries have none."""
    counts = [name for name in names if name.endswith("_count")]
    buckets = {f"{name.removesuffix('_count')}_bucket": name for name in counts}
    asked = api().metrics(query=one_of("name", buckets), limit=_MAX_NAMES) if buckets else None
    rows = asked["metrics"] if asked else []
    return frozenset(buckets[row["name"]] for row in rows if row["name"] in buckets)


def known_services() -> tuple[Service, ...]:
    """Return the services that metrics and spans name, as far as there are answers."""
    metrics = instruments().value
    return services_of(metrics.found if metrics else (), services(MAP_MINUTES).value)


def metrics_of(service: str) -> Reading[MetricNames]:
    """Return the metrics that a service sends."""
    asked = query_of(service)
    return _ask(f"metrics of {service}", lambda: api().metrics(query=asked, limit=1_000), _SLOW_MS)


def metrics(prefix: str, search: str) -> Reading[MetricNames]:
    """Return metrics by the beginning of their names and words in them."""
    return _ask(f"metrics {prefix} / {search}", lambda: api().metrics(prefix=prefix, search=search))


def metric_tags(query: str) -> Reading[MetricTags]:
    """Return the tags of the series that match, counted."""
    return _ask(f"metric-tags {query}", lambda: api().metric_tags(query))


def words_after(program: str) -> Reading[list[Word]]:
    """Return the words of the stack language that could follow a program."""
    return _ask(f"words {program}", lambda: api().complete(program), _SLOW_MS)


def changes(service: str, start_ms: int) -> Reading[list[AnnouncedChange]]:
    """Return the changes of a service, or of all (empty), since a time."""
    since_ms = start_ms - start_ms % _GRAIN_MS
    return _ask(
        f"changes {service} {since_ms}",
        lambda: api().changes(start_ms=since_ms, service=service or None),
    )


def detectors() -> Reading[list[DetectorRow]]:
    """Return the series that detector rules watch."""
    return _ask("detectors", api().detectors)


def service_health() -> Reading[ServiceHealthList]:
    """Return how every service is, the sickest first."""
    return _ask("service health", api().service_health)


def service_health_of(service: str) -> Reading[ServiceHealthDetail]:
    """Return how one service is, with its parts."""
    return _ask(f"service health {service}", lambda: api().service_health_of(service))


def graph(query: str, start: str | int, end: str | int = "now") -> Reading[Graph]:
    """Return the lines of an expression."""
    ask = partial(api().graph, query, start=start, end=end)
    return _ask(_graph_key(query, start, end), ask, _GRAPH_MS)


def expect_graphs(queries: Iterable[str], start: str | int, end: str | int = "now") -> None:
    """Ask for the lines of several expressions in one request; they are read in a moment."""
    api = shared().api
    path = {
        _graph_key(one, start, end): api.graph_url(one, start=start, end=end) for one in queries
    }
    _feed().expect({key: url.removeprefix(api.base_url) for key, url in path.items()})


def _graph_key(query: str, start: str | int, end: str | int) -> str:
    return f"graph {query} {start} {end}"


def slow_graph(query: str, start: str) -> Reading[Graph]:
    """Return the lines of an expression over weeks, which a minute changes little."""
    ask = partial(patient_api().graph, query, start=start)
    return _ask(f"slow graph {query} {start}", ask, _LONG_MS)


def expected(query: str, start: str | int, end: str | int = "now") -> Reading[ExpectedAnswer]:
    """Return between what the lines of an expression were usual."""
    return _ask(
        f"expected {query} {start} {end}", lambda: api().expected(query, start=start, end=end)
    )


def services(minutes: int) -> Reading[ServiceMap]:
    """Return the service map of the last minutes."""
    since_ms = now_ms() // _GRAIN_MS * _GRAIN_MS - minutes * 60_000
    return _ask(f"services {minutes}", lambda: api().services(start_ms=since_ms))


def traces(**criteria: str | int | float) -> Reading[list[TraceSummary]]:
    """Return the traces that match; see :meth:`tocsin.client.client.ApiClient.traces`."""
    return _ask(f"traces {sorted(criteria.items())}", lambda: api().traces(**criteria))


def critical_path(**criteria: str | int | float) -> Reading[CriticalPaths]:
    """Return what the traces that match wait for."""
    wanted = {key: value for key, value in criteria.items() if key != "limit"}
    return _ask(f"paths {sorted(wanted.items())}", lambda: api().studies.critical_path(**wanted))


def compared(**criteria: str | int | float) -> Reading[Comparison]:
    """Return what sets the spans that match apart from their like."""
    wanted = {key: value for key, value in criteria.items() if key != "limit"}
    return _ask(f"compared {sorted(wanted.items())}", lambda: api().studies.compared(**wanted))


def heat_map(minutes: int, **criteria: str | int | float) -> Reading[HeatMap]:
    """Return when the spans that match began, and how long they took.

    Of the last so many minutes, where the criteria name no ``start_ms``.
    """
    wanted = {key: value for key, value in criteria.items() if key != "limit"}
    times = {} if "start_ms" in wanted else {"last_ms": minutes * 60_000}
    key = f"heat map {minutes} {sorted(wanted.items())}"
    return _ask(key, lambda: api().studies.heat_map(**times, **wanted))


def compared_map(minutes: int) -> Reading[ComparedMap]:
    """Return who calls whom, in the last minutes and an hour before."""
    key = f"service map {minutes}"
    return _ask(key, lambda: api().studies.service_map(last_ms=minutes * 60_000))


def sessions(by: str, failed: bool, hours: int = 0) -> Reading[Sessions]:
    """Return the sessions that ended last, of so many hours; of what memory holds if 0."""

    def ask() -> Sessions:
        wanted: dict[str, str | int] = {"by": by, "limit": _MAX_SESSIONS}
        wanted |= {"failed": "true"} if failed else {}
        return api().studies.sessions(**wanted, **_since(hours))

    return _ask(f"sessions {by} {failed} {hours}", ask)


def session(value: str, by: str) -> Reading[SessionStory]:
    """Return one session."""
    return _ask(f"session {by} {value}", lambda: api().studies.session(value, by=by))


def funnel(steps: tuple[str, ...], by: str, hours: int = 0) -> Reading[Funnel]:
    """Return how many sessions got through each step, of so many hours; of memory if 0."""

    def ask() -> Funnel:
        return api().studies.funnel(steps, by=by, **_since(hours))

    return _ask(f"funnel {by} {steps} {hours}", ask)


def _since(hours: int) -> dict[str, int]:
    return {"start_ms": now_ms() - hours * 3_600_000} if hours else {}


def trace(trace_id: str) -> Reading[Trace]:
    """Return one trace."""
    return _ask(f"trace {trace_id}", lambda: api().trace(trace_id))


def log_lines(**wanted: ParamValue) -> Reading[LogPage]:
    """Return a page of lines; see :class:`tocsin.client.logs.LogCalls`."""
    return _ask(f"log lines {sorted(wanted.items())}", lambda: api().logs.search(**wanted))


def log_counts(**wanted: ParamValue) -> Reading[LogCounts]:
    """Return how many lines match, by time and severity."""
    return _ask(f"log counts {sorted(wanted.items())}", lambda: api().logs.histogram(**wanted))


def log_overview() -> Reading[LogOverview]:
    """Return whose lines there are."""
    return _ask("log overview", api().logs.overview, _SLOW_MS)


def log_patterns(start_ms: int, end_ms: int, names: tuple[str, ...]) -> Reading[PatternChanges]:
    """Return which patterns of lines are new in a window, and which have grown."""

    def ask() -> PatternChanges:
        return api().logs.patterns(start_ms=start_ms, end_ms=end_ms, service=names)

    return _ask(f"log patterns {start_ms} {end_ms // _SLOW_MS} {names}", ask, _SLOW_MS)


def post_mortems() -> Reading[PostMortemList]:
    """Return all post-mortems with their stages."""
    return _ask("post-mortems", api().papers.all)


def paper(incident_id: str) -> Reading[PostMortem]:
    """Return one post-mortem with its sections, warnings, charts and action items."""
    return _ask(f"paper {incident_id}", lambda: api().papers.whole(incident_id))


def post_mortem_file(incident_id: str, form: str) -> Callable[[], bytes]:
    """Return what gives a post-mortem as a file when somebody takes it, who is asking now."""
    client = api()
    return lambda: client.papers.exported(incident_id, form)


def post_mortem(incident_id: str, form: str) -> Reading[str]:
    """Return a post-mortem as ``md`` or ``html``."""
    return _ask(
        f"post-mortem {incident_id} {form}", lambda: api().post_mortem(incident_id, form=form)
    )


def slack_channels(client: SlackPreviewClient) -> Reading[list[SlackChannel]]:
    """Return the local Slack server's channels."""
    return slack_feed().read("channels", client.channels)


def ask(key: str, fetch: Callable[[], T], max_age_ms: int | None = None) -> Reading[T]:
    """Return the answer to a question of a page's own; see :meth:`dashboards.feed.Feed.read`."""
    return _ask(key, fetch, max_age_ms)


def _ask(key: str, fetch: Callable[[], T], max_age_ms: int | None = None) -> Reading[T]:
    return _feed().read(key, fetch, max_age_ms=max_age_ms)


def _feed() -> Feed:
    return shared().feed
