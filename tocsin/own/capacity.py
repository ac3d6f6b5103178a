"""``GET /api/v2/capacity``: how near each bound is, what the rules cost, what the disk holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import psutil
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from anomaly.engine.engine import Engine
from collectors.receivers.sources.ledger import WINDOW_MS
from tocsin.collecting import Collectors
from tocsin.own.disk_use import DiskLook, DiskUse

MAX_RULES = 100
"""Rules that are told with their costs, the dearest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How near something is to its bound.

    Attributes:
        name: Which bound.
        title: What is bounded, for people.
        used: How much of it there is.
        most: How much there may be.
        unit: ``bytes`` or what is counted.
        then: What happens at the bound.
        fills: Whether to be full is how it works, since the oldest gives way to the newest.
        query: Its course as an expression of the stack language; "" where that is not kept.
    """

    name: str
    title: str
    used: float
    most: float
    unit: str
    then: str
    fills: bool = False
    query: str = ""


def capacity_route(collectors: Collectors, engine: Engine) -> Route:
    """Return the route."""
    disk = DiskLook(collectors.data_dir, collectors.clock)

    def told() -> dict[str, object]:
        use = _disk(disk)
        return {
            "now_ms": collectors.clock.now_ms(),
            "step_ms": collectors.metrics.step_ms,
            "bounds": [asdict(bound) for bound in bounds(collectors, use)],
            "disk": None if use is None else asdict(use),
            "process": _process(),
            "rules": _rules(engine),
            "accepted": _accepted(collectors),
        }

    async def capacity(request: Request) -> JSONResponse:
        del request
        return JSONResponse(await run_in_threadpool(told))

    return Route("/api/v2/capacity", capacity, methods=["GET"])


def bounds(collectors: Collectors, disk: DiskUse | None) -> Iterator[Bound]:
    """Yield every bound that a growing installation meets."""
    yield from _series(collectors)
    yield from _held(collectors)
    open_now = collectors.connections.as_json()
    yield Bound(
        name="connections",
        title="HTTP connections",
        used=float(str(open_now["open"])),
        most=float(str(open_now["most"])),
        unit="connections",
        then="the one that is idle for longest is closed",
    )
    machine = psutil.virtual_memory()
    yield Bound(
        name="machine_memory",
        title="Memory of the machine",
        used=machine.total - machine.available,
        most=machine.total,
        unit="bytes",
        then="the system ends a process, or the container's limit does before",
    )
    if disk is not None:
        yield Bound(
            name="disk",
            title="Disk of the data directory",
            used=disk.total - disk.free,
            most=disk.total,
            unit="bytes",
            then="nothing more is acknowledged, and tocsin pages about itself",
        )


def _series(collectors: Collectors) -> Iterator[Bound]:
    admission = collectors.metrics.admission
    yield Bound(
        name="series",
        title="Series held",
        used=collectors.metrics.series_count,
        most=admission.max_series,
        unit="series",
        then="new series are refused; known ones go on",
        query="name,tocsin.store.series,:eq,:max",
    )
    yield Bound(
        name="new_series",
        title="New series within this minute",
        used=admission.new_this_minute,
        most=collectors.limits.new_series_per_minute,
        unit="series",
        then="more are refused until the minute is over",
    )
    yield Bound(
        name="tag_texts",
        title="Texts of tags",
        used=admission.texts_bytes,
        most=admission.max_texts_bytes,
        unit="bytes",
        then="new series are refused",
    )


def _held(collectors: Collectors) -> Iterator[Bound]:
    """Yield what lets the oldest go when it is full."""
    spans, logs, limits = collectors.spans, collectors.logs.store, collectors.limits
    yield Bound(
        name="spans",
        title="Spans in memory",
        used=spans.span_count,
        most=limits.max_spans,
        unit="spans",
        then="the oldest traces go, those with errors and slow ones last",
        fills=True,
        query="name,tocsin.store.spans,:eq,:max",
    )
    yield Bound(
        name="span_bytes",
        title="Size of these spans",
        used=spans.size,
        most=limits.max_span_bytes,
        unit="bytes",
        then="the oldest traces go, those with errors and slow ones last",
        fills=True,
    )
    yield Bound(
        name="logs",
        title="Log records in memory",
        used=logs.size,
        most=limits.max_log_bytes,
        unit="bytes",
        then="the oldest are asked of history instead",
        fills=True,
    )


def _disk(look: DiskLook) -> DiskUse | None:
    try:
        return look.use()
    except OSError:
        return None


def _process() -> dict[str, float]:
    own = psutil.Process()
    with own.oneshot():
        spent = own.cpu_times()
        return {
            "memory_bytes": own.memory_info().rss,
            "cpu_s": spent.user + spent.system,
            "cores": psutil.cpu_count() or 1,
            "threads": own.num_threads(),
        }


def _rules(engine: Engine) -> dict[str, object]:
    costs = sorted(engine.costs(), key=lambda one: -one.a_step_s)
    return {
        "count": len(costs),
        "a_step_s": sum(one.a_step_s for one in costs),
        "dearest": [asdict(one) | {"a_step_s": one.a_step_s} for one in costs[:MAX_RULES]],
    }


def _accepted(collectors: Collectors) -> dict[str, object]:
    """Return what each receiver kept within the last hour, over all senders that are known."""
    kept: dict[str, int] = {}
    for source in collectors.sources.sources():
        kept[source.key.receiver] = kept.get(source.key.receiver, 0) + source.accepted
    return {"window_ms": WINDOW_MS, "by_receiver": kept}
