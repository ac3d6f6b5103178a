"""What players report while they play, and how their licences are kept alive."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from opentelemetry.metrics import CallbackOptions, Observation
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo_stack.chassis.bodies import read_object
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.services.playback.profiles import label_of
from demo_stack.services.playback.quality import RebufferRatio
from demo_stack.services.playback.rights import Rights
from demo_stack.services.playback.streams import Beat, StreamTable

BITRATE_BOUNDS_KBPS = (50, 100, 200, 400, 800, 1_500, 3_000, 6_000, 12_000, 25_000)
MAX_POSITION_S = 86_400.0
MAX_REBUFFERS = 1_000
MAX_KBPS = 1_000_000.0


class Heartbeats:
    """``POST /sessions/{session}/heartbeats``."""

    def __init__(
        self,
        context: ServiceContext,
        streams: StreamTable,
        rights: Rights,
        quality: RebufferRatio,
    ) -> None:
        self._quality = quality
        self._context = context
        self._rights = rights
        self._streams = streams
        meter = context.telemetry.meter
        self._beats = meter.create_counter(
            "playback.heartbeats", unit="{heartbeat}", description="Heartbeats of players."
        )
        self._rebuffers = meter.create_counter(
            "playback.rebuffers", unit="{rebuffer}", description="Waits for data, as players say."
        )
        self._bitrate = meter.create_histogram(
            "playback.bitrate",
            unit="kbit/s",
            description="Bit rate that players show.",
            explicit_bucket_boundaries_advisory=BITRATE_BOUNDS_KBPS,
        )

        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            return [Observation(len(self._streams))]

        meter.create_observable_gauge(
            "playback.sessions.active", [observe], unit="{session}", description="Open streams."
        )

    async def beat(self, request: Request) -> Response:
        """Take what a player says; answer with a licence.

        It says ``{viewer, position_s, rebuffers, stalled_s, kbps, ended, licence}``, all but the
        viewer optional; ``ended`` in the last one. A licence that is sent along is renewed.
        """
        body = await read_object(request)
        session, viewer = request.path_params["session"], str(body.get("viewer", ""))
        await self._context.reach("playback.heartbeat")
        beat = Beat(
            position_s=_number(body, "position_s", MAX_POSITION_S),
            rebuffers=int(_number(body, "rebuffers", MAX_REBUFFERS)),
            kbps=_number(body, "kbps", MAX_KBPS),
        )
        stream = self._streams.beat(session, viewer, beat)
        labels = {"device": label_of(stream.device)}
        self._beats.add(1, labels)
        self._rebuffers.add(beat.rebuffers, labels)
        stalled_s = _number(body, "stalled_s", MAX_POSITION_S)
        await self._quality.report(viewer, stream.device, beat.position_s, stalled_s)
        if beat.kbps:
            self._bitrate.record(beat.kbps, labels)
        answer: dict[str, Any] = {}
        if body.get("ended") is True:
            self._streams.close(session)
        elif token := body.get("licence"):
            answer["licence"] = await self._rights.renew(
                str(token), stream.device, stream.title, session
            )
        return JSONResponse(answer)


def _number(body: dict[str, Any], name: str, maximum: float) -> float:
    """Return a number of a heartbeat, 0 when it is not said.

    Raises:
        ServiceError: It is none, or no player can mean it.
    """
    value = body.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ServiceError(f"{name} must be a number, not {str(value)[:40]!r}", status=400)
    if not 0 <= value <= maximum:
        raise ServiceError(f"{name} must lie between 0 and {maximum:g}, not {value!r}", status=400)
    return float(value)
