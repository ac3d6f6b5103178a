"""People who watch a page, without their browsers: what the page's server does for them alone."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.typing import Origin, Subprotocol

_MILLI = 1_000
_WITHIN_S = 120.0
_MOST_BYTES = 64 << 20


@dataclass(slots=True)
class Viewer:
    """One session, as the script of a page keeps it: runs what the server wants run again.

    Attributes:
        url: Of the dashboard.
        page: Its path, without a slash.
        query: What follows the question mark.
        page_hash: Of the page's script, as the server told it.
        lengths_ms: How long each run took, from its request until the server said that it is over.
        received_bytes: So much was sent for them.
        due_s: When each fragment is to run again, by its id.
        every_s: How often.
    """

    url: str
    page: str
    query: str = ""
    page_hash: str = ""
    lengths_ms: list[float] = field(default_factory=list)
    received_bytes: int = 0
    due_s: dict[str, float] = field(default_factory=dict)
    every_s: dict[str, float] = field(default_factory=dict)

    async def watch(self, opened: asyncio.Barrier, seconds: float) -> None:
        """Open the page, wait for all others to have done so, then watch it."""
        address = f"{self.url.replace('http', 'ws', 1)}/_stcore/stream"
        async with websockets.connect(
            address,
            subprotocols=[Subprotocol("streamlit")],
            max_size=_MOST_BYTES,
            origin=Origin(self.url),
        ) as connection:
            await self._run(connection, "")
            await opened.wait()
            self.lengths_ms, self.received_bytes = [], 0
            end_s = time.monotonic() + seconds
            while (now_s := time.monotonic()) < end_s:
                due = min(self.due_s, key=lambda one: self.due_s[one], default="")
                if not due or self.due_s[due] > now_s:
                    await asyncio.sleep(0.05)
                    continue
                self.due_s[due] = now_s + self.every_s[due]
                await self._run(connection, due)

    async def _run(self, connection: websockets.ClientConnection, fragment: str) -> None:
        """Have the page, or one fragment of it, run; and wait until it has."""
        begun_s = time.monotonic()
        told = BackMsg()
        told.rerun_script.page_name = self.page
        told.rerun_script.page_script_hash = self.page_hash
        told.rerun_script.query_string = self.query
        told.rerun_script.fragment_id = fragment
        told.rerun_script.is_auto_rerun = bool(fragment)
        await connection.send(told.SerializeToString())
        async with asyncio.timeout(_WITHIN_S):
            while not self._take(await connection.recv(decode=False)):
                continue
        self.lengths_ms.append((time.monotonic() - begun_s) * _MILLI)

    def _take(self, payload: bytes) -> bool:
        """Take a message of the server, and say whether the run is over."""
        self.received_bytes += len(payload)
        message = ForwardMsg()
        message.ParseFromString(payload)
        match message.WhichOneof("type"):
            case "navigation":
                self.page_hash = message.navigation.page_script_hash
            case "auto_rerun":
                name, every_s = message.auto_rerun.fragment_id, message.auto_rerun.interval
                self.every_s[name] = every_s
                self.due_s.setdefault(name, time.monotonic() + every_s)
            case "script_finished":
                # One that ends because the page wants to begin anew is followed by that.
                early = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN
                if message.script_finished != early:
                    return True
                self.due_s.clear()
        return False
