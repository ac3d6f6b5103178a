"""A row of titles for a viewer. Reading and learning are apart (CQRS).

Reading asks the model; learning is a chore that follows the viewing events in the log. A model that
begins empty, as after the death of a region, is read from the log's beginning (event sourcing).
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.instrumented import service_app
from demo_stack.eventlog.log import Record
from demo_stack.eventlog.topics import VIEWS
from demo_stack.eventlog.traced import Subscription, TracedConsumer
from demo_stack.services.recommendations.rebuilding import Rebuilding
from demo_stack.services.recommendations.stores import RecommendationStores
from demo_stack.world.titles import Title, make_titles

RANK_S = 0.008
ROW_LENGTH = 8
LEARN_EVERY_S = 0.5
MEASURE_EVERY_S = 1.0
GROUP = "recommendations"
TRENDING_GROUP = "trending"


class Recommendations:
    """Suggests what similar viewers watched, filled up with what is popular."""

    def __init__(
        self, context: ServiceContext, stores: RecommendationStores, titles: tuple[Title, ...]
    ) -> None:
        self._context = context
        self._stores = stores
        self._popular = [title.id for title in titles]
        self._learning = self._subscribe(GROUP, self._take)
        self._counting = self._subscribe(TRENDING_GROUP, self._count)
        self.skipped = 0
        self._skips = context.telemetry.meter.create_counter(
            "messaging.skipped.messages",
            unit="{message}",
            description="Events that could not be read and were passed over.",
        )
        self._skips.add(0)

    async def row(self, request: Request) -> Response:
        """``GET /viewers/{viewer}/row``: ids of titles, best first."""
        await self._context.reach("recommendations.rank")
        await self._context.work(RANK_S)
        liked = self._stores.model.suggest(request.path_params["viewer"])
        trending = self._stores.trending[:1]
        row = list(dict.fromkeys([*liked[: ROW_LENGTH // 2], *trending, *self._popular]))
        return JSONResponse({"titles": row[:ROW_LENGTH]})

    async def learn(self) -> None:
        """Take new viewing events into the model."""
        await self._context.reach("recommendations.learn")
        await self._learning.work()

    async def count(self) -> None:
        """Count views per title in windows; what was started most in the last one is trending."""
        await self._counting.work()
        for _, counts in self._stores.views.closed():
            self._stores.trending = [title for title, _ in counts.most_common() if title]

    async def measure(self) -> None:
        """Report how far behind the log learning and counting are."""
        await self._learning.measure()
        await self._counting.measure()

    def leave(self) -> None:
        """Hand over to the other instances."""
        self._learning.leave()
        self._counting.leave()

    def rebuilding(self) -> Rebuilding:
        """Return what reads every viewing event again, into a model that knows nothing."""
        return Rebuilding(self._stores.log, VIEWS, self._take, self._context.identity.instance)

    def _subscribe(self, group: str, take: Callable[[Record], None]) -> TracedConsumer:
        who = Subscription(group=group, topic=VIEWS, member=self._context.identity.instance)
        return TracedConsumer(self._stores.log, who, self._context.telemetry, take)

    def _take(self, record: Record) -> None:
        try:
            self._stores.model.learn(record.value["viewer"], record.value["title"])
        except (KeyError, TypeError):
            self.skipped += 1  # a poison message must not stop those behind it
            self._skips.add(1)

    def _count(self, record: Record) -> None:
        self._stores.views.add(str(record.value.get("title", "")), record.time_ms)


def build(context: ServiceContext, stores: RecommendationStores) -> ASGIApp:
    """Return the application."""
    service = Recommendations(context, stores, make_titles(context.seed))
    context.chores.every(LEARN_EVERY_S, service.learn)
    context.chores.every(LEARN_EVERY_S, service.count)
    context.chores.every(MEASURE_EVERY_S, service.measure)
    if not stores.model.begun:
        stores.model.begun = True
        past = service.rebuilding()
        context.chores.every(LEARN_EVERY_S, past.work)
        context.chores.at_end(past.leave)
    context.chores.at_end(service.leave)
    return service_app([Route("/viewers/{viewer}/row", service.row)], context)
