"""``GET /api/v1/targets``: what is scraped, how that goes and why not, in Prometheus's form.

Source: prometheus ``web/api/v1/api.go``, ``targets``. Grafana and others read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.receivers.prometheus.scrape.state import ScrapedTargets, Target
from collectors.redaction import redacted

_STATES = ("active", "dropped", "any")
_NEVER = "0001-01-01T00:00:00Z"
_UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def target_routes(shown: ScrapedTargets) -> list[Route]:
    """Return the route that tells of ``shown``."""

    async def targets(request: Request) -> Response:
        state = request.query_params.get("state", "any")
        if state not in _STATES:
            message = f"there is no state {state[:60]!r}; use one of {', '.join(_STATES)}"
            return _answer(400, {"status": "error", "errorType": "bad_data", "error": message})
        pool = request.query_params.get("scrapePool", "")
        dropped = [
            {"discoveredLabels": dict(labels), "scrapePool": job}
            for job, of_job in shown.dropped.items()
            for labels in of_job
            if pool in ("", job)
        ]
        data = {
            "activeTargets": redacted(_active(shown.targets, pool)) if state != "dropped" else [],
            "droppedTargets": dropped if state != "active" else [],
            "droppedTargetCounts": shown.dropped_counts,
        }
        return _answer(200, {"status": "success", "data": data})

    return [Route("/api/v1/targets", targets, methods=["GET"])]


def _active(targets: Sequence[Target], pool: str) -> list[dict[str, object]]:
    shown = [target for target in targets if pool in ("", target.job.name)]
    return [_shown(target) for target in sorted(shown, key=_place)]


def _place(target: Target) -> tuple[str, str]:
    return target.job.name, target.address.url


def _shown(target: Target) -> dict[str, object]:
    interval, timeout = _duration(target.job.interval_ms), _duration(target.job.timeout_ms)
    times = {"__scrape_interval__": interval, "__scrape_timeout__": timeout}
    return {
        "discoveredLabels": {**target.address.discovered, **times},
        "labels": dict(target.address.labels),
        "scrapePool": target.job.name,
        "scrapeUrl": target.address.url,
        "globalUrl": target.address.url,
        "lastError": target.error,
        "lastScrape": _time(target.last_scrape_ms) if target.scrapes else _NEVER,
        "lastScrapeDuration": round(target.last_duration_s, 9),
        "health": target.health.value,
        "scrapeInterval": interval,
        "scrapeTimeout": timeout,
    }


def _time(time_ms: int) -> str:
    moment = datetime.fromtimestamp(time_ms / 1_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _duration(duration_ms: int) -> str:
    """Return a duration as Prometheus writes one.

    >>> _duration(90_000)
    '1m30s'
    """
    parts, rest = [], duration_ms
    for unit, length_ms in _UNITS_MS:
        count, rest = divmod(rest, length_ms)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"


def _answer(status: int, content: object) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
