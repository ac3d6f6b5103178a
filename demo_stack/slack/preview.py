"""Endpoints that Slack doesn't have: what a person would see, and what they press and say."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from demo_stack.slack import asking
from demo_stack.slack.arguments import Arguments
from demo_stack.slack.faults import EVERY_METHOD, Answer, Fault, Faults
from demo_stack.slack.interactions import block_actions, signed_request
from demo_stack.slack.rendering import Json, preview_channel
from demo_stack.slack.response_urls import ResponseUrls
from demo_stack.slack.sockets import Sockets
from demo_stack.slack.web_api import bounded_body
from demo_stack.slack.workspace import Channel, Message, SlackError, Workspace

_PATHS = {"interactive": "/interactions", "slash_commands": "/commands", "events_api": "/events"}
Handler = Callable[[Request, Arguments], Awaitable[Json]]


class Preview:
    """The page behind the workspace.

    Args:
        workspace: What is shown.
        faults: Where ``POST /preview/faults`` arms them.
        signing_secret: Signs interactions.
        interactivity_url: The app's request URL; may be set later.
        sockets: Connections of an app, which then is sent everything over one of them.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        faults: Faults,
        signing_secret: str,
        interactivity_url: str,
        sockets: Sockets | None = None,
    ) -> None:
        self._sockets = Sockets("", 0.0) if sockets is None else sockets
        self._workspace = workspace
        self._faults = faults
        self._signing_secret = signing_secret
        self._interactivity_url = interactivity_url
        self._response_urls = ResponseUrls(workspace)

    def routes(self) -> list[Route]:
        """Return the preview's routes."""
        posts: dict[str, Handler] = {
            "/preview/click": self.click,
            "/preview/say": self.say,
            "/preview/command": self.command,
            "/preview/submit": self.submit,
            "/preview/shortcut": self.shortcut,
            "/preview/react": self.react,
            "/preview/refresh": self.refresh,
            "/preview/delete": self.delete,
            "/preview/faults": self.arm,
            "/preview/interactivity": self.set_interactivity,
        }
        return [
            Route("/preview/messages", self.messages, methods=["GET"]),
            Route("/response/{secret}", self._guarded(self.respond), methods=["POST"]),
            *(Route(path, self._guarded(h), methods=["POST"]) for path, h in posts.items()),
        ]

    async def messages(self, request: Request) -> Response:
        """``GET /preview/messages``: everything that a person would see."""
        del request
        channels = [preview_channel(c) for c in self._workspace.channels.values()]
        shown = {"channels": channels, "ephemeral": self._response_urls.ephemeral}
        shown |= {"views": [*self._workspace.views.values()]}
        return JSONResponse(shown)

    async def click(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/click``: press a button; answers what the app answered."""
        channel = self._workspace.channel(arguments.required("channel"), by_name=True)
        message = self._workspace.message(channel, arguments.required("ts"))
        user = arguments.text("user", "U01ONCALL")[:50] or "U01ONCALL"
        secret = self._response_urls.issue(channel, message, user)
        payload = block_actions(
            self._workspace,
            channel,
            message,
            action_id=arguments.required("action_id"),
            user=user,
            at=arguments.text("at"),
            response_url=str(request.base_url) + f"response/{secret}",
        )
        return await self._send(payload, "interactive", arguments)

    async def command(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/command``: a person writes ``/incident`` and ``text``."""
        channel = self._workspace.channel(arguments.required("channel"), by_name=True)
        user = arguments.required("user")[:50]
        trigger = arguments.text("trigger") or asking.new_trigger()  # the same: sent again
        self._workspace.issue_trigger(trigger)
        nothing = Message(ts=self._workspace.next_ts(), user=user, text="")
        secret = self._response_urls.issue(channel, nothing, user)
        url = f"{request.base_url}response/{secret}"
        text = arguments.text("text")
        fields = asking.command(self._workspace, channel, user, text, url, trigger)
        return await self._send(fields, "slash_commands", arguments)

    async def submit(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/submit``: a person sends a form with ``values`` by block."""
        del request
        view = self._workspace.views.pop(arguments.required("view"), None)
        values = arguments.structure("values", "invalid_arguments")
        if view is None or not isinstance(values, dict):
            raise SlackError("view_not_found")
        payload = asking.submission(view, arguments.required("user"), values)
        return await self._send(payload, "interactive", arguments)

    async def shortcut(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/shortcut``: a person takes a shortcut at a message."""
        channel, message = self._found(arguments)
        user = arguments.required("user")[:50]
        secret = self._response_urls.issue(channel, message, user)
        payload = asking.message_action(
            channel,
            message,
            user,
            arguments.required("callback_id"),
            f"{request.base_url}response/{secret}",
            self._workspace.next_ts(),
        )
        return await self._send(payload, "interactive", arguments)

    async def react(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/react``: a person puts an emoji under a message."""
        del request
        channel, message = self._found(arguments)
        user, name = arguments.required("user")[:50], arguments.required("reaction")
        message.reactions.setdefault(name, []).append(user)
        at = self._workspace.next_ts()
        event = asking.reaction_added(channel, message, user, name, at)
        return await self._send(event, "events_api", arguments)

    async def refresh(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/refresh``: Slack ends the connections of Socket Mode."""
        del request, arguments
        await self._sockets.refresh()
        return {"ok": True}

    def _found(self, arguments: Arguments) -> tuple[Channel, Message]:
        channel = self._workspace.channel(arguments.required("channel"), by_name=True)
        return channel, self._workspace.message(channel, arguments.required("ts"))

    async def say(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/say``: a person writes ``text`` into a channel or a thread."""
        del request
        channel = self._workspace.channel(arguments.required("channel"), by_name=True)
        message = Message(
            ts=self._workspace.next_ts(),
            user=arguments.required("user"),
            text=arguments.required("text")[: self._workspace.limits.text],
        )
        self._workspace.post(channel, message, arguments.text("thread_ts") or None)
        return {"ok": True, "ts": message.ts}

    async def delete(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/delete``: somebody deletes a top-level message with its thread."""
        del request
        channel = self._workspace.channel(arguments.required("channel"), by_name=True)
        message = self._workspace.message(channel, arguments.required("ts"))
        channel.messages = [kept for kept in channel.messages if kept is not message]
        return {"ok": True}

    async def arm(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/faults``: let the next calls of a method fail.

        ``error`` is a code of Slack's, ``fault`` one of the switches; with ``standing`` true all
        calls fail until it is false.
        """
        del request
        fault: Fault | Answer
        try:
            code = arguments.text("error")
            fault = Answer.error(code) if code else Fault(arguments.required("fault"))
        except ValueError as error:
            raise SlackError("unknown_fault", [f"one of {', '.join(Fault)}"]) from error
        standing = arguments.text("standing")
        if standing:
            method = arguments.text("method", EVERY_METHOD)
            self._faults.stand(fault, method) if standing == "true" else self._faults.mend(method)
            return {"ok": True}
        times = arguments.integer("times", 1, minimum=1, maximum=100, error="invalid_times")
        self._faults.arm(arguments.required("method"), fault, times)
        return {"ok": True}

    async def set_interactivity(self, request: Request, arguments: Arguments) -> Json:
        """``POST /preview/interactivity``: change the app's request URL."""
        del request
        self._interactivity_url = arguments.required("url")
        return {"ok": True}

    async def respond(self, request: Request, arguments: Arguments) -> Json:
        """``POST /response/…``: the app answers an interaction by its ``response_url``."""
        self._response_urls.answer(request.path_params["secret"], arguments)
        return {"ok": True}

    async def _send(self, payload: Json, kind: str, arguments: Arguments) -> Json:
        """Send over the socket if there is one; ``repeated`` sends it so often."""
        repeated = arguments.integer("repeated", 1, minimum=1, maximum=5, error="invalid_repeated")
        if len(self._sockets):
            return await self._sockets.send(kind, payload, repeated=repeated)
        if not self._interactivity_url:
            raise SlackError("no_interactivity_url")
        answers = [await self._post(payload, kind) for _ in range(repeated)]
        return answers[-1]

    async def _post(self, payload: Json, kind: str) -> Json:
        url = self._interactivity_url.replace("/interactions", _PATHS[kind])
        body, headers = signed_request(self._signing_secret, self._workspace.now(), payload, kind)
        timeout_s = self._workspace.limits.ack_timeout_s
        try:
            # Loopback only: no certificates to load (a tenth of a second each time), no proxy.
            plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            async with httpx2.AsyncClient(
                timeout=timeout_s, trust_env=False, verify=plain
            ) as client:
                answer = await client.post(url, content=body, headers=headers)
        except httpx2.HTTPError as error:
            return {"ok": False, "error": "operation_timeout", "detail": repr(error)[:200]}
        return {"ok": answer.is_success, "status": answer.status_code}

    def _guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Wrap ``handler``: bounded JSON in, errors as ``ok: false`` out."""

        async def endpoint(request: Request) -> Response:
            body = await bounded_body(request, self._workspace.limits.body_bytes)
            if body is None:
                return PlainTextResponse("Request entity too large", status_code=413)
            try:
                content_type = request.headers.get("content-type", "application/json")
                arguments = Arguments.parse(body, content_type, "")
                return JSONResponse(await handler(request, arguments))
            except SlackError as error:
                answer = {"ok": False, "error": error.error, "messages": error.messages}
                return JSONResponse(answer, status_code=400)

        return endpoint
