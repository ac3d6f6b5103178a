"""What a person who opens an address that ``serve`` printed sees: what answers here, and what next.

Plain text: a browser and ``curl`` both show it.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tocsin.cli import package_version

_API = """tocsin {version}: the API.

/health                                     how it is, and how far behind rules judge
/api/v1/tags/name                           metrics that are held
/api/v1/graph?q=EXPRESSION&s=e-1h           a graph as PNG; format=json, csv, txt, std.json
/api/v2/services                            services seen in traces, and who calls whom
/api/v2/traces?service=NAME&error=true      traces
/api/v2/slos, /api/v2/detectors             how objectives and detectors stand
/api/v2/findings, /api/v2/incidents         what is wrong
/api/v2/changes                             what was announced
/api/v1/publish, /api/v1/write              POST: Atlas publish, Prometheus remote write

The pages for people are at {dashboard} (`tocsin dashboard` opens them).
"""


def front_route(dashboard_url: str) -> Route:
    """Return ``GET /`` of the API's port."""
    text = _API.format(version=package_version(), dashboard=dashboard_url)

    async def front(request: Request) -> PlainTextResponse:
        del request
        return PlainTextResponse(text)

    return Route("/", front, methods=["GET"])
