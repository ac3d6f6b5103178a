"""Atlas's publish API: ``POST /api/v1/publish`` and ``/api/v1/publish-fast``.

Answers as Atlas does: 200 without a body when all is kept, 202 with a ``partial`` message when some
is refused, 400 with an ``error`` message when all is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.clock import Clock
from collectors.limits import Limits
from collectors.model import MetricWriter, Rejection, Tags
from collectors.receivers.atlas.payload import Datapoint, decode_payload
from collectors.receivers.atlas.rules import refuse_atlas
from collectors.receivers.batch_builder import BatchBuilder
from collectors.receivers.door import Door, Refused
from collectors.receivers.endpoint import Endpoint, Intake
from collectors.receivers.gate import Place
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.work.lanes import Lanes
from collectors.receivers.work.opening import Opened
from collectors.receivers.work.refusals import Refusals

RECEIVER = "atlas.publish"
_MAX_MESSAGES = 5
_MAX_SHOWN_CHARS = 1_000
# What the store takes at once: others who deliver don't wait for more.
_TURN_SAMPLES = 20_000


def publish_routes(
    metrics: MetricWriter,
    limits: Limits | None,
    clock: Clock,
    step_ms: int,
    stats: ReceiverStats | None = None,
    lanes: Lanes | None = None,
) -> list[Route]:
    """Return the two publish routes.

    Args:
        metrics: Where samples go.
        limits: Bounds on what is accepted.
        clock: Judges the age of datapoints.
        step_ms: Datapoints further than this from the present are refused, as in Atlas.
        stats: Where acceptances and refusals are counted.
        lanes: Threads to decode in; own ones by default.
    """
    publisher = _Publisher(
        metrics, limits or Limits(), clock, step_ms, stats or ReceiverStats(), lanes or Lanes()
    )
    return [
        Route(path, publisher.answer, methods=["POST"])
        for path in ("/api/v1/publish", "/api/v1/publish-fast")
    ]


class _Publisher:
    def __init__(
        self,
        metrics: MetricWriter,
        limits: Limits,
        clock: Clock,
        step_ms: int,
        stats: ReceiverStats,
        lanes: Lanes,
    ) -> None:
        self._metrics = metrics
        self._limits = limits
        self._clock = clock
        self._max_age_ms = step_ms
        self._stats = stats
        self._lanes = lanes
        self._door = Door(RECEIVER, limits, stats)

    async def answer(self, request: Request) -> Response:
        """Answer a publish request."""

        async def work(place: Place) -> Response:
            sent = await self._door.sent(request, place, None)
            # One time for all, from before the body waits its turn: nothing grows old here.
            take = partial(self._publish, now_ms=self._clock.now_ms())
            return await self._lanes.decode(sent, take)

        return await self._door.answer(work, _refusal)

    def _publish(self, opened: Opened, *, now_ms: int) -> Response:
        refused, builders = Refusals(), [BatchBuilder()]
        interned: dict[frozenset[tuple[str, str]], Tags] = {}
        found_all = decode_payload(opened.body, self._limits.max_batch_samples)
        for found in opened.budget.watch(found_all):
            refusal = found if isinstance(found, Rejection) else self._refuse(found, now_ms)
            if refusal is not None:
                refused.append(refusal)
            elif isinstance(found, Datapoint):
                tags = interned.setdefault(frozenset(found.tags.items()), found.tags)
                if len(builders[-1]) >= _TURN_SAMPLES:
                    builders.append(BatchBuilder())
                builders[-1].add(tags, found.time_ms, found.value)
        if not len(builders[0]) and not refused:
            return _message(400, {"type": "error", "message": "empty payload"})
        return self._store(builders, refused)

    def _store(self, builders: Sequence[BatchBuilder], refused: Refusals) -> Response:
        accepted = 0
        for builder in builders:
            if len(builder):
                receipt = self._metrics.write(builder.build())
                accepted += receipt.accepted
                refused.extend(receipt.rejected)
        self._stats.accept(RECEIVER, accepted)
        self._stats.refuse_all(RECEIVER, refused)
        if not refused:
            return Response(status_code=200)
        messages = [_describe(rejection) for rejection in refused[:_MAX_MESSAGES]]
        count = sum(rejection.count for rejection in refused)
        if accepted:
            return _message(202, {"type": "partial", "errorCount": count, "message": messages})
        return _message(400, {"type": "error", "errorCount": count, "message": messages})

    def _refuse(self, point: Datapoint, now_ms: int) -> Rejection | None:
        age_ms = now_ms - point.time_ms
        if age_ms > self._max_age_ms:
            detail = (
                f"data is too old: now = {now_ms}, timestamp = {point.time_ms},"
                f" {age_ms} > {self._max_age_ms}"
            )
            return Rejection(reason="DataTooOld", detail=detail, tags=point.tags)
        if -age_ms > self._max_age_ms:
            detail = f"data is from future: now = {now_ms}, timestamp = {point.time_ms}"
            return Rejection(reason="DataFromFuture", detail=detail, tags=point.tags)
        reason = refuse_atlas(point.tags)
        if reason is not None:
            return Rejection(reason="invalidTags", detail=reason, tags=point.tags)
        return None


def _describe(rejection: Rejection) -> str:
    tags = orjson.dumps(dict(rejection.tags), option=orjson.OPT_SORT_KEYS).decode()
    return f"{rejection.detail} (tags={tags[:_MAX_SHOWN_CHARS]})"


def _refusal(error: Refused, retry_after_s: int) -> Response:
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else None
    return _message(error.status, {"type": "error", "message": error.message}, headers)


def _message(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def _routes(intake: Intake) -> list[Route]:
    return publish_routes(
        intake.metrics,
        intake.limits,
        intake.clock,
        intake.step_ms,
        intake.stats,
        intake.lanes,
    )


ENDPOINT = Endpoint(name=RECEIVER, routes=_routes)
