"""The Web API endpoint: authentication, rate limits, faults, then the method itself."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from demo_stack.slack import chat, conversations, rooms, views
from demo_stack.slack.arguments import Arguments
from demo_stack.slack.faults import Answer, Fault, Faults
from demo_stack.slack.limits import METHOD_RATES_PER_MIN, TIER_4
from demo_stack.slack.rate import Buckets
from demo_stack.slack.rendering import Json
from demo_stack.slack.sockets import Sockets
from demo_stack.slack.workspace import SlackError, Workspace

Method = Callable[[Workspace, Arguments], Json]
MAX_HELD_S = 60.0
_JSON = {"content-type": "application/json"}
Hangup = Callable[[Request], None]
"""Cuts the connection that a request came on."""

METHODS: Mapping[str, Method] = {
    "auth.test": conversations.auth_test,
    "bookmarks.add": rooms.add_bookmark,
    "bookmarks.list": rooms.bookmarks,
    "chat.getPermalink": chat.get_permalink,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.archive": rooms.archive,
    "conversations.create": conversations.create,
    "conversations.invite": rooms.invite,
    "conversations.setPurpose": rooms.set_purpose,
    "conversations.setTopic": rooms.set_topic,
    "conversations.history": conversations.history,
    "conversations.list": conversations.list_channels,
    "conversations.replies": conversations.replies,
    "pins.add": rooms.pin,
    "pins.list": rooms.pins,
    "reactions.add": chat.add_reaction,
    "views.open": views.open_view,
    "users.info": conversations.users_info,
}


class WebApi:
    """Slack's ``/api/<method>``.

    Args:
        workspace: Where messages go.
        token: The only token that is accepted.
        faults: Failures armed for the next calls.
        hangup: How to cut a connection; needed for the faults that lose something.
        sockets: Where apps connect in Socket Mode.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        token: str,
        faults: Faults,
        hangup: Hangup,
        sockets: Sockets | None = None,
    ) -> None:
        self._workspace = workspace
        self._sockets = sockets
        self._token = token
        self._faults = faults
        self._hangup = hangup
        self._buckets = Buckets(workspace.now)

    async def __call__(self, request: Request) -> Response:
        """Answer one call."""
        method = request.path_params["method"]
        try:
            body = await bounded_body(request, self._workspace.limits.body_bytes)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return PlainTextResponse("Request entity too large", status_code=413)
        fault = self._faults.next(method)
        if fault is Fault.LOSE_REQUEST:
            self._hangup(request)
            return Response()
        if fault is Fault.ERROR_500:
            return PlainTextResponse("Internal Server Error", status_code=500)
        if fault is Fault.RATE_LIMIT:
            return _too_many(1)
        if isinstance(fault, Answer):
            return Response(fault.body, fault.status, {**_JSON, **fault.headers})
        if fault is Fault.LATE:
            await asyncio.to_thread(self._faults.released.wait, MAX_HELD_S)
        answer = self._answer(request, method, body)
        if fault is Fault.LOSE_REPLY:
            self._hangup(request)
        return answer

    def _answer(self, request: Request, method: str, body: bytes) -> Response:
        try:
            content_type = request.headers.get("content-type", "")
            arguments = Arguments.parse(body, content_type, request.url.query)
            if method == "apps.connections.open":
                return JSONResponse({"ok": True, "url": self._link(request, arguments)})
            self._authorise(request, arguments, self._token)
            handler = METHODS.get(method, _unknown_method)
            if wait_s := self._wait_s(method, arguments):
                return _too_many(wait_s)
            return JSONResponse({"ok": True, **handler(self._workspace, arguments)})
        except SlackError as error:
            answer: Json = {"ok": False, "error": error.error}
            if error.messages:
                answer["response_metadata"] = {"messages": error.messages}
                answer["errors"] = error.messages
            return JSONResponse(answer)

    def _link(self, request: Request, arguments: Arguments) -> str:
        """Return where an app connects once, for the token of the app."""
        if self._sockets is None or not self._sockets.app_token:
            raise SlackError("not_allowed_token_type")
        self._authorise(request, arguments, self._sockets.app_token)
        address = str(request.base_url).replace("http", "ws", 1)
        return f"{address}link/?ticket={self._sockets.ticket()}"

    def _authorise(self, request: Request, arguments: Arguments, wanted: str) -> None:
        header = request.headers.get("authorization", "")
        scheme, _, given = header.partition(" ")
        token = given.strip() if scheme.lower() == "bearer" else arguments.text("token")
        if not token:
            raise SlackError("not_authed")
        if not hmac.compare_digest(token.encode(), wanted.encode()):
            raise SlackError("invalid_auth")

    def _wait_s(self, method: str, arguments: Arguments) -> int:
        limits = self._workspace.limits
        if method == "chat.postMessage":
            channel = self._workspace.channel(arguments.text("channel"), by_name=True)
            return self._buckets.take(
                channel.id, per_s=limits.message_rate_per_s, burst=limits.message_burst
            )
        per_min = METHOD_RATES_PER_MIN.get(method, TIER_4)
        return self._buckets.take(method, per_s=per_min / 60, burst=per_min)


def _unknown_method(workspace: Workspace, arguments: Arguments) -> Json:
    del workspace, arguments
    raise SlackError("unknown_method")


async def bounded_body(request: Request, max_bytes: int) -> bytes | None:
    """Read a request's body; None if it is longer than ``max_bytes`` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            return None
    return bytes(body)


def _too_many(wait_s: int) -> Response:
    answer = {"ok": False, "error": "ratelimited"}
    return JSONResponse(answer, status_code=429, headers={"Retry-After": str(wait_s)})
