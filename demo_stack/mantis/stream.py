"""Subscribers to the stream: each has its own filter, sample and bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo_stack.mantis.filters import FilterError, Predicate, parse_filter

QUEUE = 200
MAX_SUBSCRIBERS = 10


class Subscription:
    """One subscriber's filter, and the events that wait for it.

    Args:
        predicate: What it wants.
        sample: Share of it that it wants, 0 to 1.
        rng: Draws the sample.
    """

    def __init__(self, predicate: Predicate, sample: float, rng: Random) -> None:
        self._predicate = predicate
        self._sample = sample
        self._rng = rng
        self.waiting: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(QUEUE)
        self.dropped = 0

    def offer(self, event: Mapping[str, Any]) -> None:
        """Take an event if it is wanted; a slow subscriber loses events, it never slows others."""
        if not self._predicate(event) or self._rng.random() >= self._sample:
            return
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1


class RequestStream:
    """All subscribers of one region. Without any, publishing costs next to nothing.

    Args:
        rng: Draws the samples.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.subscriptions: list[Subscription] = []

    @property
    def watched(self) -> bool:
        """Whether there is a subscriber."""
        return bool(self.subscriptions)

    def publish(self, event: Mapping[str, Any]) -> None:
        """Offer an event to every subscriber."""
        for subscription in self.subscriptions:
            subscription.offer(event)

    def subscribe(self, expression: str, sample: float) -> Subscription:
        """Add a subscriber.

        Raises:
            FilterError: The expression is wrong, the share is none, or there are too many
                subscribers.
        """
        subscription = self.prepare(expression, sample)
        self.subscriptions.append(subscription)
        return subscription

    def prepare(self, expression: str, sample: float) -> Subscription:
        """Return a subscription that is not one of the stream's yet.

        Raises:
            FilterError: As :meth:`subscribe`.
        """
        if len(self.subscriptions) >= MAX_SUBSCRIBERS:
            raise FilterError(f"there are {MAX_SUBSCRIBERS} subscribers already; end one")
        if not 0.0 < sample <= 1.0:
            raise FilterError(f"sample is a share above 0 and up to 1, not {sample:g}")
        return Subscription(parse_filter(expression), sample, self._rng)

    def leave(self, subscription: Subscription) -> None:
        """Remove a subscriber."""
        self.subscriptions.remove(subscription)


def stream_route(stream: RequestStream) -> Route:
    """Return ``GET /requests?filter=&sample=``: server-sent events, one request each."""

    async def requests(request: Request) -> Response:
        try:
            sample = float(request.query_params.get("sample", "1"))
            subscription = stream.prepare(request.query_params.get("filter", ""), sample)
        except (FilterError, ValueError) as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        return StreamingResponse(_events(stream, subscription), media_type="text/event-stream")

    return Route("/requests", requests)


async def _events(stream: RequestStream, subscription: Subscription) -> AsyncIterator[bytes]:
    """Yield what a subscriber reads; it is one from its first read to its last."""
    stream.subscriptions.append(subscription)
    told = 0
    try:
        yield b": open\n\n"
        while True:
            event = await subscription.waiting.get()
            if subscription.dropped > told:
                told = subscription.dropped
                yield b"event: dropped\ndata: " + orjson.dumps({"dropped": told}) + b"\n\n"
            yield b"data: " + orjson.dumps(event) + b"\n\n"
    finally:
        stream.leave(subscription)
