"""A small real HTTP server on loopback that answers as tocsin's API does, from synthetic data."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from threading import Thread
from typing import Any, Self

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from dashboards.testing import (
    catalogue,
    fake_logs,
    fake_screen,
    papers,
    service_health,
    story,
    synthetic,
)
from dashboards.testing.fake_files import FakeFiles
from dashboards.testing.fake_links import FakeLinks
from dashboards.testing.fake_papers import FakePapers
from dashboards.testing.fake_runs import FakeRuns
from dashboards.testing.fake_silences import FakeSilences
from dashboards.testing.fake_studies import study_answers
from dashboards.testing.fake_together import FakeTogether
from dashboards.testing.operations import FakeOperations
from dashboards.testing.synthetic import INCIDENT_ID, STEP_MS, JsonObject, World

_STOP_WITHIN_S = 5
_MAX_POINTS = 700
_ALL = ("administer", "command", "read", "respond", "send")


class FakeApi:
    """The API and the Slack preview in one server; a context manager.

    Args:
        world: What it answers from; tests may replace it at any time.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.commands: list[JsonObject] = []
        self.runs = FakeRuns(world)
        self.papers = FakePapers(world)
        self.links = FakeLinks()
        self.silences = FakeSilences(world)
        self.files = FakeFiles()
        self.operations = FakeOperations(lambda: self.world)
        self.asked: list[str] = []
        self.requests: list[str] = []
        """Addresses as they came: those of questions that came together once."""
        self.slow_s = 0.0
        """How long the answer to a command is awaited, seconds."""
        self.refusal = ""
        """Why every command is refused; empty: none is."""
        self.rights: tuple[str, ...] = _ALL
        """What whoever asks may do."""
        self._broken: dict[str, tuple[int, str]] = {}
        # asyncio turns Nagle off only where the protocol is named; else each answer waits 40 ms.
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(self._app(), log_config=None, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away: connections are refused from now on."""
        self._server.should_exit = True
        self._thread.join(_STOP_WITHIN_S)
        self._socket.close()

    def reset(self, world: World) -> None:
        """Answer from another world, mend what was broken, forget what was asked."""
        self.world = self.runs.world = self.silences.world = self.papers.world = world
        self.operations.reset()
        self.papers.texts.clear()
        self.links.longest_days = 0.0
        self.links.kept.clear()
        self.papers.put.clear()
        self.runs.run = None
        self.files.reset()
        self.silences.kept.clear()
        self.silences.put.clear()
        self.runs.decided.clear()
        self.commands.clear()
        self.slow_s, self.refusal, self.rights = 0.0, "", _ALL
        self.asked.clear()
        self.requests.clear()
        self._broken.clear()

    def answer_with(self, path: str, status: int, body: str) -> None:
        """Answer ``GET path`` with this status and body from now on."""
        self._broken[path] = (status, body)

    def _app(self) -> Starlette:
        answers: dict[str, Callable[[Request], Response]] = {
            "/health": self._health,
            "/api/v1/graph": self._graph,
            "/api/v2/expected": self._expected,
            "/api/v1/explain": lambda _: JSONResponse({"series": [], "more": False}),
            "/api/v1/tags": lambda _: JSONResponse(["name", "cloud.region"]),
            "/api/v1/tags/{key}": lambda _: JSONResponse(list(synthetic.REGIONS)),
            "/api/v1/expr/complete": lambda _: JSONResponse(_WORDS),
            "/api/v2/whoami": lambda _: JSONResponse(
                {"name": "anybody", "role": "", "rights": list(self.rights)}
            ),
            "/api/v2/metrics": self._metrics,
            "/api/v2/metric-tags": self._metric_tags,
            "/api/v2/dashboards": lambda _: JSONResponse(
                {"dashboards": catalogue.boards(self.world)}
            ),
            "/api/v2/changes": self._changes,
            "/api/v2/detectors": lambda _: JSONResponse(
                {"detectors": catalogue.detectors(self.world)}
            ),
            "/api/v2/traces": self._traces,
            "/api/v2/traces/{id}": self._trace,
            "/api/v2/services": self._services,
            **fake_logs.answers(lambda: self.world),
            "/api/v2/slos": lambda _: JSONResponse({"slos": synthetic.slos(self.world)}),
            "/api/v2/health/services": lambda _: JSONResponse(service_health.listed(self.world)),
            "/api/v2/health/services/{name}": self._service_health,
            "/api/v2/sources": lambda _: JSONResponse(synthetic.sources(self.world)),
            "/api/v2/findings": self._findings,
            "/api/v2/incidents": self._incidents,
            "/api/v2/incidents/{id}": self._incident,
            "/api/v2/incidents/{id}/screen": self._screen,
            "/api/v2/incidents/{id}/post-mortem": self._post_mortem,
            "/api/v2/post-mortems": self._post_mortems,
            "/api/v2/runbooks": lambda _: JSONResponse({"runbooks": [story.runbook()]}),
            "/api/v2/alerts/why": lambda _: JSONResponse(story.why(self.world)),
            "/preview/messages": self._messages,
        }
        # Before the path of one trace, which fits everything below.
        answers = {**study_answers(lambda: self.world.empty), **answers}
        answers |= self.operations.answers()
        routes = [Route(path, self._guarded(answer)) for path, answer in answers.items()]
        command = "/api/v2/incidents/{id}/commands"
        routes.append(Route(command, self._command, methods=["POST"]))
        routes += [
            *self.runs.routes(),
            *self.silences.routes(),
            *self.papers.routes(),
            *self.links.routes(),
            *self.files.routes(),
            *self.operations.routes(),
        ]
        routes.append(Route("/api/v2/incidents", self._command, methods=["POST"]))
        routes.append(Route("/preview/click", self._click, methods=["POST"]))
        together = FakeTogether(lambda: app, self.requests.append)
        app = Starlette(routes=[*routes, *together.routes()])
        return app

    def _guarded(self, answer: Callable[[Request], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            self.asked.append(str(request.url))
            if not request.scope.get("together"):
                self.requests.append(str(request.url))
            if request.url.path in self._broken:
                status, body = self._broken[request.url.path]
                return PlainTextResponse(body, status)
            return answer(request)

        return endpoint

    def _service_health(self, request: Request) -> Response:
        name = request.path_params["name"]
        found = [row for row in service_health.rows(self.world) if row["service"] == name]
        told = {"type": "error", "message": f"no service {name!r}"}
        return JSONResponse(found[0]) if found else JSONResponse(told, status_code=404)

    def _health(self, _: Request) -> Response:
        series = 0 if self.world.empty else 1840
        body = {"status": "ok", "version": "0.1.0", "step_ms": STEP_MS, "series": series}
        watch = {"rules": 3, "lag_s": 7.4, "slowest": "playback-start-availability", "age_s": 12.4}
        watch |= {"steps_judged_again": 0, "too_late": 0}
        read: dict[str, object] = {
            "directory": None,
            "read_ms": 0,
            "refused": False,
            "changes": [],
            "problems": [],
        }
        received = {} if self.world.empty else {"otlp.metrics": {"accepted": 1840, "refused": 2}}
        held = {"spans": 120, "uptime_s": 4000.0, "receivers": received, "rules_failing": {}}
        delivery = {"failing": [], "dropped_findings": 0}
        waiting = {"open": 1, "unacknowledged": 1, "open_tasks": 1, "overdue_tasks": 0}
        told = {
            "response": waiting | {"on_duty": True},
            "watch": watch,
            "delivery": delivery,
            "configuration": read,
        }
        clock = {"ahead_ms": 0, "steps": 0, "last_step": None}
        connections = {"open": 3, "most": 4096, "refused": 0, "evicted": 0, "timed_out": {}}
        connections |= {"files": 65_536, "files_low": False}
        warming: dict[str, Any] = {"loading": [], "failed": {}}
        access = {"tokens": False, "tls": False, "refused": {}, "audit_lost": 0}
        machine = {
            "access": access,
            "post_mortems": {"overdue_actions": 0},
            "cluster": None,
            "clock": clock,
            "faults": [],
            "warming": warming,
            "connections": connections,
        }
        return JSONResponse(body | held | told | machine)

    def _graph(self, request: Request) -> Response:
        query = request.query_params["q"]
        if ":nonsense" in query:
            return _error(400, "IllegalStateException: unknown word ':nonsense'")
        start_ms = _moment(request.query_params["s"], self.world.now_ms)
        end_ms = _moment(request.query_params["e"], self.world.now_ms)
        step_ms = _step_ms(end_ms - start_ms)
        first = start_ms - start_ms % step_ms + step_ms
        times = np.arange(first, end_ms + 1, step_ms, dtype=np.int64)
        lines = [] if self.world.empty else _lines(self.world, query, times)
        rows = np.array([values for _, values in lines]).reshape(len(lines), len(times)).T
        return JSONResponse(
            {
                "start": int(first),
                "step": step_ms,
                "legend": [", ".join(tags.values()) for tags, _ in lines],
                "metrics": [tags for tags, _ in lines],
                "values": [["NaN" if v != v else v for v in row] for row in rows.tolist()],
                "notices": [],
            }
        )

    def _expected(self, request: Request) -> Response:
        query = request.query_params["q"]
        start_ms = _moment(request.query_params["s"], self.world.now_ms)
        end_ms = _moment(request.query_params["e"], self.world.now_ms)
        step_ms = _step_ms(end_ms - start_ms)
        first = start_ms - start_ms % step_ms + step_ms
        times = np.arange(first, end_ms + 1, step_ms, dtype=np.int64)
        lines = [] if self.world.empty else _lines(self.world, query, times)
        rows = [
            {
                "tags": tags,
                "low": [None if v != v else float(v) * 0.8 for v in values],
                "high": [None if v != v else float(v) * 1.2 for v in values],
            }
            for tags, values in lines
        ]
        told = {"query": query, "start_ms": int(first), "step_ms": step_ms, "method": "level"}
        return JSONResponse({**told, "lines": rows})

    def _metrics(self, request: Request) -> Response:
        asked = request.query_params
        prefix, search = asked.get("prefix", ""), asked.get("search", "")
        return JSONResponse(catalogue.metrics(self.world, prefix, search, asked.get("q", "")))

    def _metric_tags(self, request: Request) -> Response:
        return JSONResponse(catalogue.metric_tags(self.world, request.query_params["q"]))

    def _changes(self, request: Request) -> Response:
        found = catalogue.changes(self.world, request.query_params.get("service", ""))
        return JSONResponse({"changes": found, "left_out": 0})

    def _traces(self, request: Request) -> Response:
        if self.world.empty or request.query_params.get("service") == "nobody":
            return JSONResponse({"traces": []})
        traces = [_summary(self.world, trace_id) for trace_id in _TRACE_IDS]
        if request.query_params.get("error") == "true":
            traces = [trace for trace in traces if trace["error_count"]]
        return JSONResponse({"traces": traces})

    def _trace(self, request: Request) -> Response:
        trace_id = request.path_params["id"]
        if trace_id not in _TRACE_IDS:
            return _error(404, f"no trace {trace_id!r} is kept")
        return JSONResponse(story.trace(self.world, trace_id))

    def _services(self, _: Request) -> Response:
        nothing: JsonObject = {"services": [], "edges": []}
        return JSONResponse(nothing if self.world.empty else story.services())

    def _findings(self, _: Request) -> Response:
        found = [] if self.world.status is None else [synthetic.finding(self.world)]
        return JSONResponse({"findings": found})

    def _incidents(self, _: Request) -> Response:
        found = [] if self.world.status is None else [story.summary(self.world)]
        return JSONResponse({"incidents": found})

    def _incident(self, request: Request) -> Response:
        if self.world.status is None or request.path_params["id"] != INCIDENT_ID:
            return _error(404, f"no incident {request.path_params['id']!r}")
        return JSONResponse(story.incident(self.world))

    def _screen(self, request: Request) -> Response:
        runs = [self.runs.run] if self.runs.run else []
        return fake_screen.answer(self.world, runs, request)

    def _post_mortem(self, request: Request) -> Response:
        if not self.world.is_over:
            return _error(404, "no post-mortem yet: the incident is not resolved")
        if request.query_params.get("format") == "json":
            return JSONResponse(self.papers.whole())
        if request.query_params.get("format") == "html":
            return HTMLResponse("<h1>Post-mortem INC-7 (synthetic)</h1>")
        return PlainTextResponse(papers.MARKDOWN)

    def _post_mortems(self, _: Request) -> Response:
        rows = [papers.row(self.world)] if self.world.is_over else []
        return JSONResponse({"post_mortems": rows, "overdue": len(rows)})

    def _messages(self, _: Request) -> Response:
        return JSONResponse({"channels": story.slack_channels(self.world)})

    async def _command(self, request: Request) -> Response:
        body = await request.json()
        await asyncio.sleep(self.slow_s)
        self.commands.append(body)
        if self.refusal:
            return _error(409, self.refusal)
        if self.world.is_over and body.get("command") == "acknowledge":
            return _error(409, "the incident is resolved; reopen it first")
        _apply(self.world, body)
        return JSONResponse(story.incident(self.world))

    async def _click(self, request: Request) -> Response:
        body = await request.json()
        self.world.clicks.append(body)
        _apply(self.world, {"command": body["action_id"], "actor": body["user"], "text": ""})
        return JSONResponse({"ok": True, "status": 200})


_WORDS = [{"name": "sum", "signature": "Query -- DataExpr", "description": "Adds up."}]
_TRACE_IDS = (synthetic.TRACE_ID, synthetic.SLOW_TRACE_ID)


def _apply(world: World, body: JsonObject) -> None:
    command = body.get("command", "declare")
    if command == "declare":
        world.status = world.status or "triage"
    elif command == "acknowledge":
        world.acknowledged_by = body["actor"]
        world.status = "investigating"
    elif command == "resolve":
        world.status = "resolved"
    elif command == "reopen":
        world.status = "investigating"
    elif command == "set_step":
        world.steps_done.add(body["value"].removesuffix(":done"))
    elif command == "note":
        world.notes.append((body["actor"], body["text"]))
    elif command == "pin":
        world.pins.append(int(body["value"]))
    elif command == "unpin":
        world.pins.remove(int(body["value"]))
    elif command == "set_severity":
        world.severity = body["value"]


def _step_ms(span_ms: int) -> int:
    """Return the length of steps of which few enough fit, as the server chooses it."""
    return STEP_MS * max(1, -(-span_ms // (STEP_MS * _MAX_POINTS)))


def _lines(
    world: World, query: str, times: np.ndarray[Any, np.dtype[np.int64]]
) -> list[tuple[dict[str, str], Any]]:
    asked, offset, _ = query.partition(",1w,:offset")
    if offset:
        return [(tags, values * 0.85) for tags, values in _lines(world, asked, times)]
    if ":percentiles" in query and "(,service.name,),:by" in query:
        return [
            ({"name": catalogue.REQUESTS, "service.name": s}, synthetic.latency_s(world, times, 99))
            for s in catalogue.SERVICES
        ]
    if ":percentiles" in query:
        name = "http.server.request.duration"
        return [
            ({"name": name, "percentile": f"{p:5.1f}"}, synthetic.latency_s(world, times, p))
            for p in (50, 99)
        ]
    if ":nothing" in query:
        return []
    if f"name,{catalogue.REQUESTS}" in query or "db.client" in query:
        return _by_service(world, query, times)
    wanted = [region for region in synthetic.REGIONS if region in query] or synthetic.REGIONS
    if "stream.starts" not in query:
        return [({"name": "playback.errors"}, synthetic.latency_s(world, times, 50))]
    return [
        ({"name": "stream.starts", "cloud.region": r}, synthetic.starts(world, times, r))
        for r in wanted
    ]


def _by_service(
    world: World, query: str, times: np.ndarray[Any, np.dtype[np.int64]]
) -> list[tuple[dict[str, str], Any]]:
    """Return requests, failed ones or mean durations: a line a service, or one."""
    key = next((k for k in ("service.name", "http.route") if f"(,{k},),:by" in query), "")
    values = synthetic.latency_s(world, times, 50)
    values = values if "status_code" in query else values * 1_000
    if not key:
        return [({"name": catalogue.REQUESTS}, values)]
    lines = catalogue.SERVICES if key == "service.name" else ("/v1/play", "/v1/titles")
    return [({"name": catalogue.REQUESTS, key: one}, values) for one in lines]


def _summary(world: World, trace_id: str) -> JsonObject:
    trace = story.trace(world, trace_id)
    spans = trace["spans"]
    return {
        "trace_id": trace_id,
        "root_service": spans[0]["service"],
        "root_name": spans[0]["name"],
        "start_ms": trace["start_ms"],
        "duration_ms": trace["duration_ms"],
        "span_count": len(spans),
        "error_count": sum(span["status"] == "error" for span in spans),
        "dropped_spans": trace["dropped_spans"],
        "services": list(dict.fromkeys(span["service"] for span in spans)),
    }


def _moment(text: str, now_ms: int) -> int:
    if text == "now":
        return now_ms
    if text.startswith("e-"):
        return now_ms - int(text[2:-1]) * 60_000
    return int(text)


def _error(status: int, message: str) -> Response:
    return JSONResponse({"type": "error", "message": message}, status_code=status)
