"""Who may watch: the plan's number of streams, and a licence for this one."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Any
from urllib.parse import quote

from demo_stack.chassis.client import Call
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import DependencyError
from demo_stack.services.playback.profiles import label_of
from demo_stack.services.playback.streams import StreamTable, TooManyStreamsError
from demo_stack.world.layout import Service

BELIEVED_S = 900.0
"""How long what billing says of an account is believed, in seconds."""

REMEMBERED = 2_000
UNKNOWN_STREAMS = 1
"""Streams of an account that billing does not know: a guest."""

DOUBT_STREAMS = 4
"""Streams of an account while billing can't be asked: nobody pays for our outage."""

ENTITLEMENT_TIMEOUT_S = 1.0


class Rights:
    """Asks billing and the licence service on behalf of playback."""

    def __init__(self, context: ServiceContext, streams: StreamTable) -> None:
        self._context = context
        self._streams = streams
        self._limits: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._refusals = context.telemetry.meter.create_counter(
            "playback.refusals", unit="{start}", description="Streams that a plan does not allow."
        )

    async def admit(self, viewer: str, device: str, title: str, session: str) -> dict[str, Any]:
        """Open a stream; return its licence.

        Raises:
            ServiceError: The plan allows no more streams, or there is no licence to be had.
        """
        limit = await self._limit(viewer)
        try:
            self._streams.open(session, viewer, device, title, limit)
        except TooManyStreamsError as error:
            self._refusals.add(1, {"device": label_of(device), "error.type": error.error_type})
            raise
        body = {"title": title, "device": device, "session": session}
        call = Call(service=Service.LICENCES, method="POST", route="/licences", json=body)
        try:
            licence: dict[str, Any] = await self._context.client.json(call)
        except DependencyError:
            self._streams.close(session)
            raise
        return licence

    async def renew(self, token: str, device: str, title: str, session: str) -> dict[str, Any]:
        """Return a licence that is good for longer.

        Raises:
            DependencyError: The licence service refuses, or does not answer.
        """
        body = {"token": token, "title": title, "device": device, "session": session}
        call = Call(service=Service.LICENCES, method="POST", route="/renewals", json=body)
        licence: dict[str, Any] = await self._context.client.json(call)
        return licence

    async def _limit(self, viewer: str) -> int:
        """Return how many streams an account may have: asked now, or known from before."""
        known_s, known = self._limits.get(viewer, (-BELIEVED_S, DOUBT_STREAMS))
        if time.monotonic() - known_s < BELIEVED_S:
            return known
        call = Call(
            service=Service.BILLING,
            method="GET",
            route="/accounts/{account}/entitlement",
            path=f"/accounts/{quote(viewer, safe='')}/entitlement",
            timeout_s=ENTITLEMENT_TIMEOUT_S,
        )
        try:
            limit = int((await self._context.client.json(call))["streams"])
        except DependencyError as error:
            if error.status != 404:
                return known
            limit = UNKNOWN_STREAMS
        self._limits[viewer] = (time.monotonic(), limit)
        if len(self._limits) > REMEMBERED:
            self._limits.popitem(last=False)
        return limit
