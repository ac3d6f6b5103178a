"""A row of titles for a viewer. Reading and learning are apart (CQRS).

Reading asks the model; learning is a chore that follows the viewing events in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import Link, Span, SpanKind, get_current_span
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.eventlog.log import Record
from demo_stack.platform.context import ServiceContext
from demo_stack.platform.instrumented import service_app
from demo_stack.platform.propagation import incoming_context
from demo_stack.regions.backing import VIEWS
from demo_stack.services.catalogue.titles import Title, make_titles

RANK_S = 0.008
ROW_LENGTH = 8
LEARN_EVERY_S = 0.5
GROUP = "recommendations"
TRENDING_GROUP = "trending"


class Recommendations:
    """Suggests what similar viewers watched, filled up with what is popular."""

    def __init__(self, context: ServiceContext, titles: tuple[Title, ...]) -> None:
        self._context = context
        self._popular = [title.id for title in titles]
        self._member = context.identity.instance
        self._group = context.backing.group(GROUP, VIEWS)
        self._group.join(self._member)
        self._counted = context.backing.group(TRENDING_GROUP, VIEWS)
        self._counted.join(self._member)
        self._views = context.backing.views
        self.skipped = 0
        context.telemetry.meter.create_observable_gauge(
            "messaging.consumer.lag", [self._lag], unit="{message}"
        )

    async def row(self, request: Request) -> Response:
        """``GET /viewers/{viewer}/row``: ids of titles, best first."""
        await self._context.reach("recommendations.rank")
        await self._context.work(RANK_S)
        liked = self._context.backing.model.suggest(request.path_params["viewer"])
        trending = self._context.backing.trending[:1]
        row = list(dict.fromkeys([*liked[: ROW_LENGTH // 2], *trending, *self._popular]))
        return JSONResponse({"titles": row[:ROW_LENGTH]})

    async def learn(self) -> None:
        """Take new viewing events into the model."""
        await self._context.reach("recommendations.learn")
        records = self._group.poll(self._member)
        if not records:
            return
        with self._process(records):
            for record in records:
                self._take(record)
        self._group.commit(self._member)

    async def count(self) -> None:
        """Count views per title in windows; what was started most in the last one is trending."""
        for record in self._counted.poll(self._member):
            self._views.add(str(record.value.get("title", "")), record.time_ms)
        self._counted.commit(self._member)
        for _, counts in self._views.closed():
            self._context.backing.trending = [title for title, _ in counts.most_common() if title]

    def leave(self) -> None:
        """Hand over to the other instances."""
        self._group.leave(self._member)
        self._counted.leave(self._member)

    def _process(self, records: list[Record]) -> AbstractContextManager[Span]:
        causes = [_link(record.headers) for record in records[:16]]
        return self._context.telemetry.tracer.start_as_current_span(
            f"process {VIEWS}",
            kind=SpanKind.CONSUMER,
            links=[cause for cause in causes if cause is not None],
            attributes={
                "messaging.system": "eventlog",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": VIEWS,
                "messaging.consumer.group.name": GROUP,
                "messaging.batch.message_count": len(records),
            },
        )

    def _take(self, record: Record) -> None:
        try:
            self._context.backing.model.learn(record.value["viewer"], record.value["title"])
        except (KeyError, TypeError):
            self.skipped += 1  # a poison message must not stop those behind it

    def _lag(self, _: CallbackOptions) -> list[Observation]:
        attributes = {
            "messaging.destination.name": VIEWS,
            "messaging.consumer.group.name": GROUP,
        }
        return [Observation(self._group.lag, attributes)]


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    service = Recommendations(context, make_titles(context.seed))
    context.chores.every(LEARN_EVERY_S, service.learn)
    context.chores.every(LEARN_EVERY_S, service.count)
    context.chores.at_end(service.leave)
    return service_app([Route("/viewers/{viewer}/row", service.row)], context)


def _link(headers: Mapping[str, str]) -> Link | None:
    cause = get_current_span(incoming_context(headers)).get_span_context()
    return Link(cause) if cause.is_valid else None
