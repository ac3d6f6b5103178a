"""Typed client of tocsin's HTTP API, for the command line, the dashboards and scripts.

::

    ClientError              anything that kept us from an answer
    ├── UnreachableError     nobody answered: refused, reset or too slow
    ├── AnswerError          the server answered with a status of 400 or more
    │   ├── MissingError     ... 404: no such thing
    │   └── RefusedError     ... 409: not possible in the present state, with the reason
    └── UnreadableError      an answer that is not what the API promises

Answers are plain dictionaries with the shapes of :mod:`tocsin.answers`; only graphs are turned
into columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar, cast
from urllib.parse import quote, urlencode

import httpx2
import numpy as np
from numpy.typing import NDArray

from tocsin.answers import (
    BurnRate,
    ChartQuery,
    Finding,
    Health,
    Incident,
    IncidentSummary,
    NearChange,
    Runbook,
    RunbookStep,
    ServiceEdge,
    ServiceMap,
    SlackChannel,
    SlackMessage,
    Slo,
    SpanAnswer,
    TimelineEntry,
    Trace,
    TraceSummary,
)

__all__ = [
    "AnswerError",
    "ApiClient",
    "BurnRate",
    "ChartQuery",
    "ClientError",
    "Finding",
    "Graph",
    "Health",
    "Incident",
    "IncidentSummary",
    "Line",
    "MissingError",
    "NearChange",
    "RefusedError",
    "Runbook",
    "RunbookStep",
    "ServiceEdge",
    "ServiceMap",
    "SlackChannel",
    "SlackMessage",
    "SlackPreviewClient",
    "Slo",
    "SpanAnswer",
    "TimelineEntry",
    "Trace",
    "TraceSummary",
    "UnreachableError",
    "UnreadableError",
    "graph_columns",
]

JsonObject = dict[str, Any]
ParamValue = str | int | float
T = TypeVar("T")

_LONGEST_MESSAGE = 500
_NO_DATA = "NO DATA"  # Atlas's legend for the line that stands for no line


class ClientError(Exception):
    """Base of what the client raises. ``message`` is written for people."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnreachableError(ClientError):
    """Nobody answered in time at the address."""


class AnswerError(ClientError):
    """The server answered with an error; ``status`` is the HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class MissingError(AnswerError):
    """The thing asked for does not exist (404)."""


class RefusedError(AnswerError):
    """The command is not possible in the present state (409)."""


class UnreadableError(ClientError):
    """The answer is not JSON or lacks what the API promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a graph.

    Attributes:
        label: Legend as the server worded it.
        tags: Tags common to all series of the line.
        values: Shape (steps,), float64, NaN where there is no data.
    """

    label: str
    tags: Mapping[str, str]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Lines over one regular time grid; column ``i`` ends at ``start_ms + i * step_ms``."""

    start_ms: int
    step_ms: int
    lines: tuple[Line, ...]

    @property
    def times_ms(self) -> NDArray[np.int64]:
        """Ends of the intervals, epoch milliseconds, shape (steps,)."""
        steps = len(self.lines[0].values) if self.lines else 0
        return self.start_ms + np.arange(steps, dtype=np.int64) * self.step_ms


class Transport:
    """HTTP with one kind of failure: every problem becomes a :class:`ClientError`.

    Args:
        base_url: Scheme, host and port.
        timeout_s: Longest wait for an answer, seconds.
    """

    def __init__(self, base_url: str, *, timeout_s: float) -> None:
        self.base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        # An HTTP proxy in the environment must not swallow requests to loopback.
        self._http = httpx2.Client(timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def text(self, path: str, params: Mapping[str, ParamValue] | None = None) -> str:
        """Return the body of ``GET path``."""
        return self.send("GET", path, params=params).text

    def get(self, path: str, params: Mapping[str, ParamValue] | None = None) -> JsonObject:
        """Return the JSON object that ``GET path`` answers."""
        return _object(self.send("GET", path, params=params))

    def post(self, path: str, body: JsonObject) -> JsonObject:
        """Return the JSON object that ``POST path`` answers."""
        return _object(self.send("POST", path, json=body))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, ParamValue] | None = None,
        json: JsonObject | None = None,
    ) -> httpx2.Response:
        """Return the answer to one request, whose status is below 400."""
        url = self.base_url + path
        try:
            answer = self._http.request(method, url, params=dict(params or {}), json=json)
        except httpx2.TimeoutException as error:
            raise UnreachableError(f"{url} did not answer within {self._timeout_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise UnreachableError(f"{self.base_url} can't be reached: {error}") from error
        if answer.status_code >= 400:
            raise _answer_error(answer)
        return answer


class ApiClient:
    """Everything the API on port 7101 offers.

    Args:
        base_url: For example ``http://127.0.0.1:7101``.
        timeout_s: Longest wait for one answer, seconds.
    """

    def __init__(self, base_url: str, *, timeout_s: float = 5.0) -> None:
        self._transport = Transport(base_url, timeout_s=timeout_s)

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

    def graph_bytes(self, params: Mapping[str, ParamValue]) -> bytes:
        """Return a graph in whatever ``format`` the parameters ask for: png, csv, std.json."""
        return self._transport.send("GET", "/api/v1/graph", params=params).content

    def graph_url(self, query: str, *, start: str | int, end: str | int = "now") -> str:
        """Return the address that gives a graph's data as ``std.json``."""
        return f"{self.base_url}/api/v1/graph?{urlencode(_graph_params(query, start, end, None))}"

    def tags(self, key: str | None = None, *, query: str | None = None) -> list[str]:
        """Return the tag keys, or the values of ``key``, of the series that match ``query``."""
        path = "/api/v1/tags" if key is None else f"/api/v1/tags/{quote(key, safe='')}"
        answer = self._transport.send("GET", path, params={"q": query} if query else None)
        values = _parsed(answer)
        if not isinstance(values, list):
            raise UnreadableError(f"{answer.url} answered no list but {_shortened(answer.text)}")
        return [str(value) for value in values]

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

    def post_mortem(self, incident_id: str, *, form: str = "md") -> str:
        """Return the post-mortem as Markdown (``md``) or as a page (``html``)."""
        return self._transport.text(_incident_path(incident_id, "post-mortem"), {"format": form})

    def runbooks(self) -> list[Runbook]:
        """Return the runbooks in the library."""
        return cast("list[Runbook]", self._listed("/api/v2/runbooks", "runbooks"))

    def _listed(
        self, path: str, key: str, params: Mapping[str, ParamValue] | None = None
    ) -> list[JsonObject]:
        return _list_in(self._transport.get(path, params), key, path)


class SlackPreviewClient:
    """The local Slack server's two doors for people: look and click.

    Args:
        base_url: Address of ``python -m demo_stack.slack``.
        timeout_s: Longest wait for one answer, seconds.
    """

    def __init__(self, base_url: str, *, timeout_s: float = 5.0) -> None:
        self._transport = Transport(base_url, timeout_s=timeout_s)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def channels(self) -> list[SlackChannel]:
        """Return the channels with their messages and threads."""
        path = "/preview/messages"
        return cast("list[SlackChannel]", _list_in(self._transport.get(path), "channels", path))

    def click(self, *, channel: str, ts: str, action_id: str, user: str) -> JsonObject:
        """Press a message's button as ``user``; the answer carries the app's HTTP status."""
        body = {"channel": channel, "ts": ts, "action_id": action_id, "user": user}
        return self._transport.post("/preview/click", body)


def graph_columns(answer: JsonObject) -> Graph:
    """Turn Atlas's ``std.json`` into columns.

    ``std.json`` writes NaN and infinities as strings, one row a step.

    >>> graph = graph_columns({"start": 0, "step": 5000, "legend": ["a"],
    ...                        "metrics": [{"name": "a"}], "values": [[1.0], ["NaN"]]})
    >>> graph.lines[0].values
    array([ 1., nan])
    """
    try:
        legend = [str(label) for label in answer["legend"]]
        rows = np.asarray(answer["values"], dtype=object).astype(np.float64)
        values = rows.reshape(-1, max(len(legend), 1))
        tags = [dict(tags) for tags in answer["metrics"]]
        lines = tuple(
            Line(label=label, tags=tags[i], values=np.ascontiguousarray(values[:, i]))
            for i, label in enumerate(legend)
            if label != _NO_DATA
        )
        return Graph(start_ms=int(answer["start"]), step_ms=int(answer["step"]), lines=lines)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise UnreadableError(f"the graph's answer is not std.json: {error!r}") from error


def _graph_params(
    query: str, start: str | int, end: str | int, step_s: int | None
) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {"q": query, "s": start, "e": end, "format": "std.json"}
    return params if step_s is None else params | {"step": f"{step_s}s"}


def _incident_path(incident_id: str, *rest: str) -> str:
    return "/".join(["/api/v2/incidents", quote(incident_id, safe=""), *rest])


def _answer_error(answer: httpx2.Response) -> AnswerError:
    kinds = {404: MissingError, 409: RefusedError}
    kind = kinds.get(answer.status_code, AnswerError)
    return kind(_server_message(answer), status=answer.status_code)


def _server_message(answer: httpx2.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        body = None
    message = body.get("message") or body.get("error") if isinstance(body, dict) else None
    return str(message) if message else f"HTTP {answer.status_code}: {_shortened(answer.text)}"


def _parsed(answer: httpx2.Response) -> object:
    try:
        return answer.json()
    except ValueError as error:
        text = _shortened(answer.text)
        raise UnreadableError(f"{answer.url} answered no JSON but {text}") from error


def _object(answer: httpx2.Response) -> JsonObject:
    body = _parsed(answer)
    if not isinstance(body, dict):
        raise UnreadableError(f"{answer.url} answered no object but {_shortened(answer.text)}")
    return body


def _list_in(answer: JsonObject, key: str, path: str) -> list[JsonObject]:
    found = answer.get(key)
    if not isinstance(found, list):
        raise UnreadableError(f"{path} answered without a list {key!r}: {_shortened(str(answer))}")
    return found


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"
