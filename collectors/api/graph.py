"""``/api/v1/graph``: an expression in, a picture or its data out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from collectors.api.answers import error_message
from collectors.api.charting import ChartBuilder, shown_lines
from collectors.api.evaluating import evaluate_request
from collectors.api.format_choice import write_chart
from collectors.api.graph_request import GraphRequest, read_graph_request
from collectors.api.parameters import Parameters
from collectors.api.reading import MetricReader
from collectors.clock import Clock
from collectors.errors import QueryError, TocsinError
from collectors.graph.chart import Chart
from collectors.graph.message import draw_message
from collectors.missing import found_missing
from collectors.stacklang.lines.database import Database

MAX_LINES = 1_024
MAX_DATAPOINTS = 500_000

_BROWSER = re.compile(r"mozilla|msie|gecko|chrome|opera|webkit", re.IGNORECASE)


def graph_answer(store: MetricReader, clock: Clock) -> Callable[[Request], Response]:
    """Return the answer to a graph request over ``store``."""

    def answer(request: Request) -> Response:
        try:
            parameters = Parameters.of(request)
            now_ms = clock.now_ms()
            wanted = read_graph_request(parameters, primary_ms=store.step_ms, now_ms=now_ms)
            body, media_type = write_chart(make_chart(wanted, store, now_ms), wanted.format)
        except TocsinError as error:
            if not shows_errors_as_image(request):
                raise
            return Response(error_image(error), media_type="image/png")
        return Response(body, media_type=media_type)

    return answer


def make_chart(wanted: GraphRequest, database: Database, now_ms: int) -> Chart:
    """Evaluate the request's expressions and put them together as a chart.

    Raises:
        QueryError: The program is wrong or the answer is over a limit.
    """
    expressions = evaluate_request(wanted, database, now_ms)
    check_limits(shown_lines(expressions), wanted.window.steps)
    chart, missing = ChartBuilder(wanted).build(expressions), found_missing()
    return replace(chart, warnings=(*chart.warnings, *missing), partial=bool(missing))


def shows_errors_as_image(request: Request) -> bool:
    """Return whether the answer will stand in a page as an image, where JSON would be lost."""
    wants_image = request.query_params.get("format", "png") == "png"
    return wants_image and _BROWSER.search(request.headers.get("user-agent", "")) is not None


def error_image(error: TocsinError) -> bytes:
    """Return an image of the error's message."""
    return draw_message(error_message(error))


def check_limits(lines: int, steps: int) -> None:
    """Raise ``QueryError`` when an answer would be too large."""
    if lines > MAX_LINES:
        raise QueryError(f"too many lines: {lines} > {MAX_LINES}; group by fewer keys or filter")
    if lines * steps > MAX_DATAPOINTS:
        raise QueryError(
            f"too many datapoints: {lines * steps} > {MAX_DATAPOINTS}; "
            "take a larger step, a shorter range or fewer lines"
        )
