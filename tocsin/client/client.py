"""Typed client of tocsin's HTTP API, for the command line, the dashboards and scripts.

Answers are plain dictionaries with the shapes of :mod:`tocsin.client.shapes`; only graphs are
turned into columns. Every failure is a :class:`tocsin.client.errors.ClientError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, cast
from urllib.parse import quote, urlencode

from tocsin.client.audit_shapes import Audit
from tocsin.client.board_shapes import Board
from tocsin.client.errors import UnreadableError
from tocsin.client.explained import Explained
from tocsin.client.graphs import Graph, graph_columns
from tocsin.client.health_shapes import ConfigurationState, Health
from tocsin.client.metric_shapes import MetricNames, MetricTags, RunningQuery, Word
from tocsin.client.oncall_shapes import Oncall
from tocsin.client.sender_shapes import Sources
from tocsin.client.shapes import (
    AnnouncedChange,
    ChangeReceipt,
    DetectorRow,
    Finding,
    Incident,
    IncidentSummary,
    Runbook,
    ServiceMap,
    Slo,
    Trace,
    TraceSummary,
)
from tocsin.client.transport import (
    JsonObject,
    ParamValue,
    Transport,
    json_object,
    list_in,
    parsed,
    shortened,
)

MAX_PAGES = 100
_NEXT_OFFSET = "x-nflx-atlas-next-offset"


class ApiClient:
    """Everything the API on port 7101 offers.

    Args:
        base_url: For example ``http://127.0.0.1:7101``.
        timeout_s: Longest wait for one answer, seconds.
        token: Of ``tocsin token create``; empty: none is sent.
    """

    def __init__(self, base_url: str, *, timeout_s: float = 5.0, token: str = "") -> None:
        self._transport = Transport(base_url, timeout_s=timeout_s, token=token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """Address without a trailing slash."""
        return self._transport.base_url

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

    def graph_bytes(self, params: Mapping[str, ParamValue]) -> bytes:
        """Return a graph in whatever ``format`` the parameters ask for: png, csv, std.json."""
        return self._transport.send("GET", "/api/v1/graph", params=params).content

    def graph_url(self, query: str, *, start: str | int, end: str | int = "now") -> str:
        """Return the address that gives a graph's data as ``std.json``."""
        return f"{self.base_url}/api/v1/graph?{urlencode(_graph_params(query, start, end, None))}"

    def tags(self, key: str | None = None, *, query: str | None = None) -> list[str]:
        """Return the tag keys, or the values of ``key``, of the series that match ``query``.

        The server answers in pages of a thousand; ``MAX_PAGES`` of them are read.
        """
        path = "/api/v1/tags" if key is None else f"/api/v1/tags/{quote(key, safe='')}"
        found: list[str] = []
        params: dict[str, ParamValue] = {"q": query} if query else {}
        for _ in range(MAX_PAGES):
            answer = self._transport.send("GET", path, params=params)
            values = parsed(answer)
            if not isinstance(values, list):
                raise UnreadableError(f"{answer.url} answered no list but {shortened(answer.text)}")
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

    def services(self, *, start_ms: int, end_ms: int) -> ServiceMap:
        """Return the services seen between two times, and who called whom."""
        params = {"start_ms": start_ms, "end_ms": end_ms}
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
        params: dict[str, ParamValue] = {"q": query, "limit": limit}
        return cast("MetricTags", self._transport.get("/api/v2/metric-tags", params))

    def complete(self, program: str) -> list[Word]:
        """Return the words of the stack language that could follow ``program``."""
        answer = self._transport.send("GET", "/api/v1/expr/complete", params={"q": program})
        return cast("list[Word]", parsed(answer))

    def changes(
        self, *, start_ms: int, end_ms: int, service: str | None = None
    ) -> list[AnnouncedChange]:
        """Return the changes announced between two times, oldest first."""
        params: dict[str, ParamValue] = {"start_ms": start_ms, "end_ms": end_ms}
        params |= {"service": service} if service else {}
        return cast("list[AnnouncedChange]", self._listed("/api/v2/changes", "changes", params))

    def dashboards(self) -> list[Board]:
        """Return the dashboards of the configuration directory."""
        return cast("list[Board]", self._listed("/api/v2/dashboards", "dashboards"))

    def detectors(self) -> list[DetectorRow]:
        """Return each series that a detector rule watches."""
        return cast("list[DetectorRow]", self._listed("/api/v2/detectors", "detectors"))

    def slos(self) -> list[Slo]:
        """Return each objective with its burn rates and the budget left."""
        return cast("list[Slo]", self._listed("/api/v2/slos", "slos"))

    def findings(self, *, state: str = "firing") -> list[Finding]:
        """Return the findings that are ``firing``, or ``all``."""
        return cast("list[Finding]", self._listed("/api/v2/findings", "findings", {"state": state}))

    def incidents(self, *, state: str = "all") -> list[IncidentSummary]:
        """Return the incidents that are ``open``, or ``all``."""
        found = self._listed("/api/v2/incidents", "incidents", {"state": state})
        return cast("list[IncidentSummary]", found)

    def incident(self, incident_id: str) -> Incident:
        """Return all that is known of one incident."""
        return cast("Incident", self._transport.get(_incident_path(incident_id)))

    def command(
        self, incident_id: str, command: str, *, actor: str, text: str = "", value: str = ""
    ) -> Incident:
        """Give a command, such as ``acknowledge``, and return the incident afterwards.

        Raises:
            RefusedError: The incident's state does not allow it; the message says why.
        """
        body = {"command": command, "actor": actor, "text": text, "value": value}
        return cast("Incident", self._transport.post(_incident_path(incident_id, "commands"), body))

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

    def oncall(self, *, days: int = 14) -> Oncall:
        """Return who is on call by every schedule, and how the next days are covered."""
        return cast("Oncall", self._transport.get("/api/v2/oncall", {"days": days}))

    def oncall_calendar(self, name: str, *, days: int = 14) -> str:
        """Return a schedule as iCalendar."""
        return self._transport.text(f"/api/v2/oncall/{quote(name, safe='')}.ics", {"days": days})

    def post_mortem(self, incident_id: str, *, form: str = "md") -> str:
        """Return the post-mortem as Markdown (``md``) or as a page (``html``)."""
        return self._transport.text(_incident_path(incident_id, "post-mortem"), {"format": form})

    def runbooks(self) -> list[Runbook]:
        """Return the runbooks in the library."""
        return cast("list[Runbook]", self._listed("/api/v2/runbooks", "runbooks"))

    def _listed(
        self, path: str, key: str, params: Mapping[str, ParamValue] | None = None
    ) -> list[JsonObject]:
        return list_in(self._transport.get(path, params), key, path)


def _graph_params(
    query: str, start: str | int, end: str | int, step_s: int | None
) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {"q": query, "s": start, "e": end, "format": "std.json"}
    return params if step_s is None else params | {"step": f"{step_s}s"}


def _incident_path(incident_id: str, *rest: str) -> str:
    return "/".join(["/api/v2/incidents", quote(incident_id, safe=""), *rest])
