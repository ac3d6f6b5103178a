"""The server side of a call: one span and one duration per request."""

from __future__ import annotations

import time

from opentelemetry import context as otel_context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.propagation import incoming_context

SLOW_S = 1.0
"""A request that takes longer is worth a line."""

UNTRACED = frozenset({"/metrics", "/hystrix.stream"})
"""Pages that only machinery reads are never traced."""


def service_app(routes: list[BaseRoute], context: ServiceContext) -> ASGIApp:
    """Return an application of ``routes`` whose requests are measured and traced."""
    handlers = {ServiceError: _answer_error, ClientDisconnect: _nobody_waits}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type] # ours
    return InstrumentedApp(app, context)


class InstrumentedApp:
    """An ASGI application around another; names as in the HTTP semantic conventions 1.44."""

    def __init__(self, app: Starlette, context: ServiceContext) -> None:
        self._app = app
        self._context = context
        self._telemetry = context.telemetry
        who = context.identity
        self._served = context.load.open(who.instance, who.service, who.version)
        context.chores.at_end(lambda: context.load.close(who.instance))
        self._point = f"{context.identity.service}.request"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        token = otel_context.attach(incoming_context(Headers(scope=scope)))
        try:
            await self._traced(scope, receive, send)
        finally:
            otel_context.detach(token)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                self._served.sent_bytes += len(message.get("body", b""))
            await send(message)

        attributes = {
            "http.request.method": method,
            "url.path": scope["path"],
            "url.scheme": "http",
        }
        with self._telemetry.tracer.start_as_current_span(
            method, kind=SpanKind.SERVER, attributes=attributes
        ) as span:
            try:
                await self._serve(scope, receive, watch)
            finally:
                route = self._route(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
                labels = {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                    **_describe(span, status, scope.get("platform.error")),
                }
                seconds = time.perf_counter() - started
                self._telemetry.server_duration.record(seconds, labels)
                self._served.requests += 1
                self._served.failures += status >= 500
                self._served.seconds += seconds
                self._show(method, route, status, seconds)
                self._tell(f"{method} {route}", status, seconds, scope.get("platform.error"))

    def _tell(self, what: str, status: int, seconds: float, error: ServiceError | None) -> None:
        """Say what failed, and what took long: all that an instance knows of it."""
        log = self._telemetry.log
        if status >= 500:
            kind, why = error.error_type if error else str(status), str(error or "no reason")
            log.error(
                "{request} failed: {reason}", request=what, reason=why, **{"error.type": kind}
            )
        elif seconds >= SLOW_S:
            log.warning("{request} took {seconds} s", request=what, seconds=f"{seconds:.1f}")

    def _show(self, method: str, route: str, status: int, seconds: float) -> None:
        """Offer the request to whoever watches the live stream."""
        watchers = self._context.requests
        if watchers.watched:
            who = self._context.identity
            watchers.publish(
                {
                    "service": who.service,
                    "instance": who.instance,
                    "region": who.region,
                    "method": method,
                    "route": route,
                    "status": status,
                    "duration_ms": round(seconds * 1_000, 2),
                }
            )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._context.reach(self._point)
        except ServiceError as error:
            answer = await _answer_error(Request(scope), error)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _route(self, scope: Scope) -> str:
        """Return the template that matched, or would have matched had the request got so far."""
        for route in [scope["route"]] if "route" in scope else self._app.routes:
            if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
                return route.path
        return "unmatched"


def _describe(span: Span, status: int, error: ServiceError | None) -> dict[str, str]:
    """Write the outcome on the span; return what the metric says of an error."""
    span.set_attribute("http.response.status_code", status)
    if status < 500:
        return {}
    kind = error.error_type if error else str(status)
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, str(error) if error else ""))
    return {"error.type": kind}


async def _answer_error(request: Request, error: ServiceError) -> Response:
    request.scope["platform.error"] = error
    return JSONResponse({"error": str(error), "type": error.error_type}, status_code=error.status)


async def _nobody_waits(_request: Request, _error: ClientDisconnect) -> Response:
    return Response(status_code=499)  # the caller hung up while it sent its body
