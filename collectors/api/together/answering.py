"""One question of many, answered by the application as if it had come by itself."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from collectors.api.answers import UNEXPECTED, error_body
from collectors.api.formats.json_text import to_json
from collectors.api.together.asked import Question, is_version

_JSON: Final = b"application/json"
# Who asks, and for whom; what a part is answered in and whether it has changed is said anew.
_NOT_PASSED_ON = frozenset(
    {b"accept", b"accept-encoding", b"content-length", b"content-type", b"if-none-match"}
)
_TOLD_HEADERS = (b"x-nflx-atlas-next-offset",)
_VERSION_CHARS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of a question.

    Attributes:
        status: Of HTTP; 304: it is what is known already.
        body: JSON without a line break; empty with 304.
        version: Of the body; empty where there is none to be known.
        headers: Those that belong to the answer.
    """

    status: int
    body: bytes = b""
    version: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def lines(self) -> bytes:
        """Return the two lines that tell it: what it is, and its body."""
        told: dict[str, object] = {"status": self.status, "version": self.version}
        told |= {"headers": self.headers} if self.headers else {}
        return to_json(told) + b"\n" + self.body + b"\n"


def failed(status: int, message: str) -> Answered:
    """Return an answer that says why there is none."""
    return Answered(status=status, body=to_json(error_body(message)))


def too_large() -> Answered:
    """Return that there is no room for an answer beside the others."""
    message = "too large to be answered with others; ask it by itself"
    return failed(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


class _Stop(Exception):  # noqa: N818 - no failure: the rest is not wanted
    """No more of this answer is wanted."""


class _Taken:
    """Takes an answer down.

    Args:
        most_bytes: So large it may be.
    """

    def __init__(self, most_bytes: int) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = bytearray()
        self.is_too_large = False
        self._most_bytes = most_bytes

    @property
    def is_json(self) -> bool:
        """Whether it is an answer that can stand in a line."""
        return self.headers.get(b"content-type", b"").startswith(_JSON)

    async def send(self, message: Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {key.lower(): value for key, value in message.get("headers", ())}
            if not self.is_json and self.status != HTTPStatus.NOT_MODIFIED:
                raise _Stop
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if len(self.body) > self._most_bytes:
                self.is_too_large = True
                raise _Stop


async def answered(app: ASGIApp, asker: Scope, question: Question, most_bytes: int) -> Answered:
    """Return what ``app`` answers to one question.

    Args:
        app: With its gate: each question needs its own right.
        asker: Of the request that brought it; who asks stands in its headers.
        question: What is asked.
        most_bytes: The largest answer that is taken.
    """
    taken, begun = _Taken(most_bytes), False

    async def receive() -> Message:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # Whoever goes away has all questions cancelled.
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    try:
        await app(_scope(asker, question), receive, taken.send)
    except* _Stop:
        pass
    return _told(taken, question)


def _scope(asker: Scope, question: Question) -> Scope:
    headers = [pair for pair in asker["headers"] if pair[0].lower() not in _NOT_PASSED_ON]
    if question.known:
        headers.append((b"if-none-match", f'"{question.known}"'.encode()))
    kept = ("type", "asgi", "http_version", "scheme", "client", "server", "root_path")
    return {
        **{key: asker[key] for key in kept if key in asker},
        "method": "GET",
        "path": unquote(question.path),
        "raw_path": question.path.encode("ascii"),
        "query_string": question.query.encode("ascii"),
        "headers": headers,
        "state": dict(asker.get("state", {})),
    }


def _told(taken: _Taken, question: Question) -> Answered:
    if taken.status == HTTPStatus.NOT_MODIFIED:
        return Answered(status=taken.status, version=question.known)
    if taken.is_too_large:
        return too_large()
    if not taken.is_json and taken.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return failed(taken.status, UNEXPECTED)
    if not taken.is_json:
        message = "what answers this is no JSON, or a stream; ask it by itself"
        return failed(HTTPStatus.NOT_ACCEPTABLE, message)
    # Between the values of a JSON text a line break is a space like another.
    body = bytes(taken.body.replace(b"\n", b" "))
    if taken.status != HTTPStatus.OK:
        return Answered(status=taken.status, body=body)
    own = taken.headers.get(b"etag", b"").decode("latin-1").strip('"')
    version = own if is_version(own) else hashlib.sha256(body).hexdigest()[:_VERSION_CHARS]
    if version == question.known:
        return Answered(status=HTTPStatus.NOT_MODIFIED, version=version)
    headers = {k.decode(): taken.headers[k].decode() for k in _TOLD_HEADERS if k in taken.headers}
    return Answered(status=taken.status, body=body, version=version, headers=headers)
