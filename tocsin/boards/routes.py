"""``GET /api/v2/dashboards``: the operator's dashboards as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tocsin.boards.document import DashboardFile, PanelShape, as_program


def board_routes(boards: Callable[[], Sequence[DashboardFile]]) -> list[Route]:
    """Return the route that answers what ``boards`` returns: a reload changes it."""

    async def dashboards(request: Request) -> JSONResponse:
        del request
        return JSONResponse({"dashboards": [_board(board) for board in boards()]})

    return [Route("/api/v2/dashboards", dashboards, methods=["GET"])]


def _board(board: DashboardFile) -> dict[str, Any]:
    spec, metadata = board.spec, board.metadata
    return {
        "name": metadata.name,
        "title": metadata.display_name or metadata.name,
        "description": spec.description,
        "pages": [page.value for page in spec.pages],
        "variables": [
            {"name": one.name, "tag": one.tag, "query": one.query} for one in spec.variables
        ],
        "rows": [
            {"title": row.title, "repeat": row.repeat, "panels": [*map(_panel, row.panels)]}
            for row in spec.rows
        ],
    }


def _panel(panel: PanelShape) -> dict[str, Any]:
    return {
        "title": panel.title,
        "expr": panel.expr or as_program(panel.promql),
        "unit": panel.unit,
        "stacked": panel.stack,
        "legend": panel.legend,
        "thresholds": [
            {"value": float(each.value), "name": each.name} for each in panel.thresholds
        ],
    }
