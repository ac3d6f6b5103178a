"""One session: sign in, browse, select, start a stream, watch a little."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from opentelemetry.trace import Status, StatusCode, Tracer

from demo_stack.chassis.client import Call, ServiceClient
from demo_stack.chassis.context import Sleep
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.oauth import challenge_of
from demo_stack.viewers.abr import Playhead, after_segment
from demo_stack.viewers.arrivals import Visitor
from demo_stack.viewers.policies import POLICIES, decide
from demo_stack.viewers.pulse import Pulse
from demo_stack.viewers.tastes import pick
from demo_stack.world.layout import Service

PATIENCE_S = 5.0
"""A viewer gives up on a request after this long."""

THINK_S = 0.25
WATCHED_SEGMENTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRoom:
    """What sessions share.

    Attributes:
        client: Reaches the gateway and the edge of the visitor's region.
        tracer: Opens the trace of each step.
        pulse: Counts stream starts.
        rng: Choices and pauses.
        sleep: Waits; takes seconds.
        reporting: Share of players that send heartbeats, 0 to 1: reports are sampled.
        wallet: Refresh tokens by account and device.
    """

    client: ServiceClient
    tracer: Tracer
    pulse: Pulse
    rng: Random
    sleep: Sleep
    reporting: float = 0.25
    wallet: dict[str, str] = field(default_factory=dict)


class Session:
    """What one visitor does."""

    def __init__(self, visitor: Visitor, room: SessionRoom) -> None:
        self._visitor = visitor
        self._room = room
        self._headers: dict[str, str] = {}
        self._head = Playhead()

    async def run(self) -> None:
        """Go through the whole session; a failure on the way is a failed start."""
        self._room.pulse.came(self._visitor)
        try:
            await self._sign_in()
            title = await self._browse()
            await self._select(title)
            manifest = await self._start(title)
        except ServiceError:
            self._room.pulse.failed(self._visitor)
            return
        await self._watch(manifest)
        if self._room.rng.random() < self._room.reporting:
            await self._report(manifest)

    async def _sign_in(self) -> None:
        """Use the refresh token of last time; without one, or with a stale one, sign in again."""
        account = f"{self._visitor.viewer}/{self._visitor.device}"
        with self._step("sign in"):
            kept = self._room.wallet.pop(account, "")  # it works only once: nobody else may try
            answer = await self._refresh(kept) if kept else None
            answer = answer or await self._authorise()
        self._room.wallet[account] = answer["refresh_token"]
        self._headers = {"authorization": f"Bearer {answer['access_token']}"}

    async def _refresh(self, token: str) -> Any:
        body = {"grant_type": "refresh_token", "refresh_token": token}
        try:
            return await self._ask("POST", "/token", json=body)
        except ServiceError as error:
            if error.status != 400:
                raise
            return None

    async def _authorise(self) -> Any:
        """OAuth 2's authorisation code with PKCE, as an app does it."""
        verifier = f"{self._room.rng.getrandbits(256):064x}"
        request = {
            "viewer": self._visitor.viewer,
            "device": self._visitor.device.value,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        code = (await self._ask("POST", "/authorize", json=request))["code"]
        proof = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        return await self._ask("POST", "/token", json=proof)

    async def _browse(self) -> str:
        with self._step("browse"):
            titles = (await self._ask("GET", "/browse"))["titles"]
        await self._think()
        if not titles:
            raise ServiceError("the row is empty", status=404)
        return pick(titles, self._visitor.viewer, self._room.rng)

    async def _select(self, title: str) -> None:
        with self._step("select"):
            await self._ask("GET", "/titles/{title}", path=f"/titles/{title}")
        await self._think()

    async def _start(self, title: str) -> dict[str, Any]:
        started = time.perf_counter()
        body = {"title": title, "device": self._visitor.device.value}
        with self._step("start stream"):
            manifest: dict[str, Any] = await self._ask("POST", "/playback", json=body)
            await self._segment(manifest, 0)
        self._room.pulse.started(self._visitor, time.perf_counter() - started)
        return manifest

    async def _watch(self, manifest: dict[str, Any]) -> None:
        for number in range(1, WATCHED_SEGMENTS + 1):
            await self._think()
            try:
                with self._step("watch"):
                    await self._segment(manifest, number)
            except ServiceError:
                return

    async def _report(self, manifest: dict[str, Any]) -> None:
        """Send the last heartbeat; whether it arrives changes nothing for the viewer."""
        head, ladder = self._head, manifest["renditions"]
        beat = {
            "position_s": head.played_s,
            "rebuffers": head.rebuffers,
            "stalled_s": head.stalled_s,
            "kbps": ladder[min(head.rung, len(ladder) - 1)]["kbps"],
            "ended": True,
        }
        path = f"/sessions/{manifest['session']}/heartbeats"
        with suppress(ServiceError), self._step("report"):
            await self._ask("POST", "/sessions/{session}/heartbeats", path=path, json=beat)

    async def _segment(self, manifest: dict[str, Any], number: int) -> None:
        """Fetch a segment in the rendition that the viewer's line bears."""
        ladder = manifest["renditions"]
        policy = POLICIES[self._visitor.device]
        rung = decide(policy, [one["kbps"] for one in ladder], self._head, manifest["segment_s"])
        rendition, kbps = ladder[rung]["name"], ladder[rung]["kbps"]
        asked = time.perf_counter()
        number = min(number, manifest["segments"] - 1)  # a miniature may be shorter than the visit
        picture_kbits = await self._fetch(manifest["title"], rendition, number)
        # Loopback is faster than any line: the line's share of the time is added here. It carries
        # the bits that came; a token's, those that it stands for.
        segment_s, scale = manifest["segment_s"], manifest.get("scale", 0)
        kbits = picture_kbits * scale if scale else kbps * segment_s
        if sound := manifest.get("sound"):  # pictures are miniatures, sound is not
            kbits += await self._fetch(manifest["title"], sound["name"], number)
            kbps += sound["kbps"] / scale
        line_s = kbits / self._visitor.line_kbps
        fetch_s = time.perf_counter() - asked + line_s
        before = self._head.stalled_s
        self._head = after_segment(
            self._head, rung, fetch_s=fetch_s, segment_s=segment_s, kbps=kbps
        )
        self._room.pulse.fetched(self._visitor, rendition, self._head.stalled_s - before)

    async def _fetch(self, title: str, rendition: str, number: int) -> float:
        """Fetch a segment from the edge; return its size in thousands of bits."""
        answer = await self._room.client.send(
            Call(
                service=Service.EDGE,
                method="GET",
                route="/segments/{title}/{rendition}/{number}",
                path=f"/segments/{title}/{rendition}/{number}",
                timeout_s=PATIENCE_S,
            )
        )
        if answer.is_error:
            raise ServiceError("the edge has no such segment", status=answer.status_code)
        return len(answer.content) * 8 / 1_000

    async def _ask(self, method: str, route: str, *, path: str = "", json: Any = None) -> Any:
        return await self._room.client.json(
            Call(
                service=Service.GATEWAY,
                method=method,
                route=route,
                path=path,
                json=json,
                headers=self._headers,
                timeout_s=PATIENCE_S,
            )
        )

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        """Open the trace of one step; a step that fails is an error of the whole trace."""
        attributes = {
            "session.id": self._visitor.session,
            "device": self._visitor.device.value,
            "cloud.region": self._visitor.region,
        }
        with self._room.tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except ServiceError as error:
                span.set_attribute("error.type", error.error_type)
                span.set_status(Status(StatusCode.ERROR, str(error)))
                raise

    async def _think(self) -> None:
        await self._room.sleep(self._room.rng.uniform(0.5, 1.5) * THINK_S)
