"""Typed client of tocsin's HTTP API, for the command line, the dashboards and scripts.

Answers are plain dictionaries with the shapes of :mod:`tocsin.client.shapes`; only graphs are
turned into columns. Every failure is a :class:`tocsin.client.errors.ClientError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, cast
from urllib.parse import quote

from tocsin.client.audit_shapes import Audit
from tocsin.client.board_shapes import Board
from tocsin.client.canary_shapes import Canary
from tocsin.client.charting.expected_shapes import ExpectedAnswer
from tocsin.client.charting.files import Files
from tocsin.client.explained.groups import ExplainedGroups
from tocsin.client.explained.objective import ExplainedObjective
from tocsin.client.explained.series import Explained
from tocsin.client.forecast_shapes import ForecastAnswer
from tocsin.client.graphs import Graph, graph_columns
from tocsin.client.health_shapes import ConfigurationState, Health
from tocsin.client.logs import LogCalls
from tocsin.client.metric_shapes import MetricNames, MetricTags, RunningQuery, Word
from tocsin.client.own.calls import OwnCalls
from tocsin.client.response.alerts import AlertCalls
from tocsin.client.response.incidents import IncidentCalls, incident_path
from tocsin.client.response.noise import NoiseCalls
from tocsin.client.response.oncall import OncallCalls
from tocsin.client.response.papers import Papers
from tocsin.client.response.runs import RunsOfRunbooks
from tocsin.client.response.silences import SilenceCalls
from tocsin.client.response.status_page import StatusPage
from tocsin.client.rule_shapes import PrometheusRuleRow
from tocsin.client.sender_shapes import Sources
from tocsin.client.service_health import (
    InspectionRow,
    ServiceHealthDetail,
    ServiceHealthList,
)
from tocsin.client.shapes import (
    AnnouncedChange,
    ChangeReceipt,
    DetectorRow,
    Finding,
    Runbook,
    ServiceMap,
    Slo,
    Trace,
    TraceSummary,
)
from tocsin.client.trace_studies import TraceStudies
from tocsin.client.transport import (
    JsonObject,
    ParamValue,
    Transport,
    address,
    json_list,
    json_object,
    list_in,
    parsed,
)
from tocsin.client.whoami import WHOAMI, Whoami

MAX_PAGES = 100
_METRIC_TAGS = "/api/v2/metric-tags"
_NEXT_OFFSET = "x-nflx-atlas-next-offset"


class ApiClient(IncidentCalls, RunsOfRunbooks, OncallCalls, OwnCalls):
    """Everything the API on port 7101 offers.

    Args:
        base_url: For example ``http://127.0.0.1:7101``.
        timeout_s: Longest wait for one answer, seconds.
        token: Of ``tocsin token create``; empty: none is sent.
        person: E-mail address of whom the token speaks for; empty: for itself.
        ca: File of the certificates that may sign the server's; empty: the machine's own.
        transport: HTTP to ask by; one of its own if None.

    Raises:
        UnreachableError: ``ca`` can't be read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 5.0,
        token: str = "",
        person: str = "",
        ca: str = "",
        transport: Transport | None = None,
    ) -> None:
        super().__init__(
            transport or Transport(base_url, timeout_s=timeout_s, token=token, person=person, ca=ca)
        )
        self.alerts = AlertCalls(self._transport)
        self.logs = LogCalls(self._transport)
        self.noise = NoiseCalls(self._transport)
        self.silences = SilenceCalls(self._transport)
        self.studies = TraceStudies(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """Address without a trailing slash."""
        return self._transport.base_url

    def whoami(self) -> Whoami:
        """Return who the server takes us for."""
        return cast("Whoami", self._transport.get(WHOAMI))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def health(self) -> Health:
        """Return version, step, number of series and spans, uptime."""
        return cast("Health", self._transport.get("/health"))

    def sources(self) -> Sources:
        """Return who sends what, and what was kept and refused of it in the last hour."""
        path = "/api/v2/sources"
        answer = self._transport.get(path)
        list_in(answer, "sources", path)
        return cast("Sources", answer)

    def graph(
        self, query: str, *, start: str | int, end: str | int = "now", step_s: int | None = None
    ) -> Graph:
        """Evaluate a stack-language expression.

        Args:
            query: Expression such as ``name,cpu,:eq,:sum``.
            start: Epoch milliseconds or relative, such as ``e-15m``.
            end: Epoch milliseconds or relative, such as ``now``.
            step_s: Length of a step in seconds; the server's own when None.
        """
        params = _graph_params(query, start, end, step_s)
        return graph_columns(self._transport.get("/api/v1/graph", params))

    def explain(self, query: str) -> Explained:
        """Return who feeds the series of an expression."""
        return cast("Explained", self._transport.get("/api/v1/explain", {"q": query}))

    def explain_groups(self, query: str, params: Mapping[str, ParamValue]) -> ExplainedGroups:
        """Return which tags explain what an expression did; ``params`` as the API has them."""
        answer = self._transport.get("/api/v2/explain-groups", {**params, "q": query})
        return cast("ExplainedGroups", answer)

    def canary(self, params: Mapping[str, ParamValue]) -> Canary:
        """Return how an experiment stands against its control; ``params`` as the API has them."""
        return cast("Canary", self._transport.get("/api/v2/canary", params))

    def forecast(self, query: str, params: Mapping[str, ParamValue]) -> ForecastAnswer:
        """Return where an expression is heading; ``params`` as the API has them."""
        answer = self._transport.get("/api/v2/forecast", {**params, "q": query})
        return cast("ForecastAnswer", answer)

    def graph_bytes(self, params: Mapping[str, ParamValue]) -> bytes:
        """Return a graph in whatever ``format`` the parameters ask for: png, csv, std.json."""
        return self._transport.send("GET", "/api/v1/graph", params=params).content

    def graph_url(self, query: str, *, start: str | int, end: str | int = "now") -> str:
        """Return the address that gives a graph's data as ``std.json``."""
        return self.base_url + address("/api/v1/graph", _graph_params(query, start, end, None))

    def tags(self, key: str | None = None, *, query: str | None = None) -> list[str]:
        """Return the tag keys, or the values of ``key``, of the series that match ``query``.

        The server answers in pages of a thousand; ``MAX_PAGES`` of them are read.
        """
        path = "/api/v1/tags" if key is None else f"/api/v1/tags/{quote(key, safe='')}"
        found: list[str] = []
        params: dict[str, ParamValue] = {"q": query} if query else {}
        for _ in range(MAX_PAGES):
            answer = self._transport.send("GET", path, params=params)
            values = json_list(answer)
            found += [str(value) for value in values]
            following = answer.headers.get(_NEXT_OFFSET)
            if following is None:
                break
            params["offset"] = following
        return found

    def queries(self) -> list[RunningQuery]:
        """Return the queries that are running or wait, the oldest first."""
        return cast("list[RunningQuery]", self._listed("/api/v1/queries", "queries", {}))

    def cancel_query(self, number: int) -> RunningQuery:
        """Have a query stop; raise :class:`MissingError` when there is none of this number."""
        answer = self._transport.send("DELETE", f"/api/v1/queries/{number}")
        return cast("RunningQuery", json_object(answer))

    def traces(self, **criteria: ParamValue) -> list[TraceSummary]:
        """Search traces.

        Args:
            **criteria: ``service``, ``operation``, ``error="true"``, ``min_duration_ms``,
                ``max_duration_ms``, ``start_ms``, ``end_ms``, ``tag="key:value"``, ``limit``.
        """
        return cast("list[TraceSummary]", self._listed("/api/v2/traces", "traces", criteria))

    def trace(self, trace_id: str) -> Trace:
        """Return the spans of one trace; raise :class:`MissingError` when it is not kept."""
        return cast("Trace", self._transport.get(f"/api/v2/traces/{quote(trace_id, safe='')}"))

    def services(self, *, start_ms: int, end_ms: int | None = None) -> ServiceMap:
        """Return the services seen between two times, or up to now, and who called whom."""
        params = {"start_ms": start_ms} | ({} if end_ms is None else {"end_ms": end_ms})
        return cast("ServiceMap", self._transport.get("/api/v2/services", params))

    def metrics(
        self, *, prefix: str = "", search: str = "", query: str = "", limit: int = 200
    ) -> MetricNames:
        """Return names of metrics with units and numbers of series.

        Args:
            prefix: What the names begin with.
            search: Words that the names hold.
            query: A query that a series must match.
            limit: Most names.
        """
        params: dict[str, ParamValue] = {"prefix": prefix, "search": search, "limit": limit}
        params |= {"q": query} if query else {}
        return cast("MetricNames", self._transport.get("/api/v2/metrics", params))

    def metric_tags(self, query: str, *, limit: int = 20) -> MetricTags:
        """Return the tags of the series that match, with at most ``limit`` values a key."""
        return cast("MetricTags", self._transport.get(_METRIC_TAGS, {"q": query, "limit": limit}))

    def complete(self, program: str) -> list[Word]:
        """Return the words of the stack language that could follow ``program``."""
        answer = self._transport.send("GET", "/api/v1/expr/complete", params={"q": program})
        return cast("list[Word]", parsed(answer))

    def changes(
        self, *, start_ms: int, end_ms: int | None = None, service: str | None = None
    ) -> list[AnnouncedChange]:
        """Return the changes announced between two times, or up to now, oldest first."""
        params: dict[str, ParamValue] = {"start_ms": start_ms}
        params |= {} if end_ms is None else {"end_ms": end_ms}
        params |= {"service": service} if service else {}
        return cast("list[AnnouncedChange]", self._listed("/api/v2/changes", "changes", params))

    def dashboards(self) -> list[Board]:
        """Return the dashboards of the configuration directory."""
        return cast("list[Board]", self._listed("/api/v2/dashboards", "dashboards"))

    def expected(self, query: str, *, start: str | int, end: str | int = "now") -> ExpectedAnswer:
        """Return between what the lines of an expression were usual.

        Args:
            query: An expression of the stack language.
            start: As of :meth:`graph`.
            end: As of :meth:`graph`.
        """
        params: dict[str, ParamValue] = {"q": query, "s": start, "e": end}
        return cast("ExpectedAnswer", self._transport.get("/api/v2/expected", params))

    def detectors(self) -> list[DetectorRow]:
        """Return each series that a detector rule watches."""
        return cast("list[DetectorRow]", self._listed("/api/v2/detectors", "detectors"))

    def service_health(self) -> ServiceHealthList:
        """Return how every service is, the sickest first."""
        return cast("ServiceHealthList", self._transport.get("/api/v2/health/services"))

    def service_health_of(self, service: str) -> ServiceHealthDetail:
        """Return how one service is; raise :class:`MissingError` when nothing names it."""
        path = f"/api/v2/health/services/{quote(service, safe='')}"
        return cast("ServiceHealthDetail", self._transport.get(path))

    def inspections(self) -> list[InspectionRow]:
        """Return each inspection, whether its metrics are there, and where it fires."""
        return cast("list[InspectionRow]", self._listed("/api/v2/inspections", "inspections"))

    def prometheus_rules(self) -> list[PrometheusRuleRow]:
        """Return each rule of Prometheus's rule files, and how it stands."""
        rows = self._listed("/api/v2/prometheus-rules", "prometheus-rules")
        return cast("list[PrometheusRuleRow]", rows)

    def slos(self) -> list[Slo]:
        """Return each objective with its burn rates and the budget left."""
        return cast("list[Slo]", self._listed("/api/v2/slos", "slos"))

    def explain_slo(self, name: str, *, at: str | int = "now") -> ExplainedObjective:
        """Return why an objective fired at a moment, or did not.

        Args:
            name: Of the objective.
            at: Epoch milliseconds or a time such as ``now-2h``.
        """
        path = f"/api/v2/slos/{quote(name, safe='')}/explain"
        return cast("ExplainedObjective", self._transport.get(path, {"at": at}))

    def findings(self, *, state: str = "firing") -> list[Finding]:
        """Return the findings that are ``firing``, or ``all``."""
        return cast("list[Finding]", self._listed("/api/v2/findings", "findings", {"state": state}))

    def announce(self, change: JsonObject) -> ChangeReceipt:
        """Announce a change; see ``docs/how-to/announce-changes.md`` for its fields."""
        return cast("ChangeReceipt", self._transport.post("/api/v2/changes", change))

    def reload(self) -> ConfigurationState:
        """Have the server read its configuration directory again; return what changed.

        Raises:
            RefusedError: The files have mistakes; the message has a line for each.
        """
        return cast("ConfigurationState", self._transport.post("/api/v2/reload", {}))

    def audit(self) -> Audit:
        """Return who changed what, newest first."""
        return cast("Audit", self._transport.get("/api/v2/audit"))

    def post_mortem(self, incident_id: str, *, form: str = "md") -> str:
        """Return the post-mortem as Markdown (``md``) or as a page (``html``)."""
        return self._transport.text(incident_path(incident_id, "post-mortem"), {"format": form})

    @property
    def files(self) -> Files:
        """Files of the configuration directory."""
        return Files(self._transport)

    @property
    def papers(self) -> Papers:
        """Post-mortems and action items."""
        return Papers(self._transport)

    @property
    def status_page(self) -> StatusPage:
        """What users are told."""
        return StatusPage(self._transport)

    def runbooks(self) -> list[Runbook]:
        """Return the runbooks in the library."""
        return cast("list[Runbook]", self._listed("/api/v2/runbooks", "runbooks"))

    def _listed(
        self, path: str, key: str, params: Mapping[str, ParamValue] | None = None
    ) -> list[JsonObject]:
        return list_in(self._transport.get(path, params), key, path)


def metric_tags_address(query: str, *, limit: int) -> str:
    """Return what :meth:`ApiClient.metric_tags` asks for, to be asked together with others."""
    return address(_METRIC_TAGS, {"q": query, "limit": limit})


def _graph_params(
    query: str, start: str | int, end: str | int, step_s: int | None
) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {"q": query, "s": start, "e": end, "format": "std.json"}
    return params if step_s is None else params | {"step": f"{step_s}s"}
