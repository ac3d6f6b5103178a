"""Socket Mode: apps that connect to Slack and are sent over the socket what others get by HTTP.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import secrets

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from demo_stack.slack.rendering import Json

MAX_TICKETS = 100


class Sockets:
    """The connections of one app.

    Args:
        app_token: What opens one; empty: none can be opened.
        ack_timeout_s: How long an acknowledgement is waited for.
    """

    def __init__(self, app_token: str, ack_timeout_s: float) -> None:
        self.app_token = app_token
        self._ack_timeout_s = ack_timeout_s
        self._tickets: list[str] = []
        self._open: list[WebSocket] = []
        self._waiting: dict[str, asyncio.Future[Json]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def ticket(self) -> str:
        """Return what opens one connection."""
        self._tickets.append(secrets.token_urlsafe(16))
        del self._tickets[:-MAX_TICKETS]
        return self._tickets[-1]

    def route(self) -> WebSocketRoute:
        """Return where apps connect."""
        return WebSocketRoute("/link/", self.connect)

    async def connect(self, socket: WebSocket) -> None:
        """Serve one connection until it ends."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close(4001)
            return
        self._tickets.remove(ticket)
        await socket.accept()
        self._open.append(socket)
        try:
            hello: Json = {"type": "hello", "num_connections": len(self._open)}
            await socket.send_json(hello)
            while True:
                answer = await socket.receive_json()
                waiting = self._waiting.get(str(answer.get("envelope_id")))
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
        except (WebSocketDisconnect, RuntimeError, ValueError):
            pass
        finally:
            self._open.remove(socket)

    async def send(self, kind: str, payload: Json, *, repeated: int = 1) -> Json:
        """Send an envelope and wait until it is acknowledged; ``repeated`` sends it again."""
        envelope_id = secrets.token_hex(8)
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = waiting
        try:
            for _ in range(repeated):
                await self._open[-1].send_json(envelope)
            await asyncio.wait_for(waiting, self._ack_timeout_s)
        except (TimeoutError, RuntimeError, IndexError) as error:
            return {"ok": False, "error": "operation_timeout", "detail": repr(error)[:200]}
        finally:
            del self._waiting[envelope_id]
        return {"ok": True, "status": 200}

    async def refresh(self) -> None:
        """Tell every app to connect anew, as Slack does every few hours; it then ends this one."""
        for socket in [*self._open]:
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
