"""A row of titles for a viewer: what is popular, turned towards what the viewer has watched."""

from __future__ import annotations

from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.platform.context import ServiceContext
from demo_stack.platform.instrumented import service_app
from demo_stack.services.catalogue.titles import Title, make_titles

RANK_S = 0.008
ROW_LENGTH = 8
FAVOURITE_BOOST = 2.0
VIEWERS_REMEMBERED = 10_000


class Recommendations:
    """Ranks titles by popularity, those in genres the viewer watched before first."""

    def __init__(self, context: ServiceContext, titles: tuple[Title, ...]) -> None:
        self._context = context
        self._titles = {title.id: title for title in titles}
        self._watched: OrderedDict[str, set[str]] = OrderedDict()

    async def row(self, request: Request) -> Response:
        """``GET /viewers/{viewer}/row``: ids of titles, best first."""
        await self._context.points.reach("recommendations.rank")
        await self._context.work(RANK_S)
        genres = self._watched.get(request.path_params["viewer"], set())
        ranked = sorted(
            self._titles.values(),
            key=lambda title: -title.popularity * (FAVOURITE_BOOST if title.genre in genres else 1),
        )
        return JSONResponse({"titles": [title.id for title in ranked[:ROW_LENGTH]]})

    async def watched(self, request: Request) -> Response:
        """``POST /views {viewer, title}``: remember what was started."""
        body = await request.json()
        title = self._titles.get(body.get("title"))
        if title is not None:
            self._watched.setdefault(str(body.get("viewer")), set()).add(title.genre)
            while len(self._watched) > VIEWERS_REMEMBERED:
                self._watched.popitem(last=False)
        return Response(status_code=204)


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    service = Recommendations(context, make_titles(context.seed))
    routes = [
        Route("/viewers/{viewer}/row", service.row),
        Route("/views", service.watched, methods=["POST"]),
    ]
    return service_app([*routes], context.telemetry)
