"""Other nodes over HTTP: connections that are kept, a deadline for each request, one token."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import orjson

from collectors.cluster.asking.questions import Question
from collectors.cluster.frames import Frame, packed, unpacked
from collectors.cluster.members import Membership
from collectors.cluster.sharing.shares import Share, packed_share, receipt_from
from collectors.errors import (
    CancelledError,
    DecodeError,
    InputError,
    OverloadedError,
    QueryError,
    StorageError,
    TooCostlyError,
    TooLargeError,
)
from collectors.model import Receipt

PREFIX = "/api/v2/cluster/shards"
ASK, KEEP = f"{PREFIX}/ask", f"{PREFIX}/keep"
DEADLINE_HEADER = "x-tocsin-deadline-ms"
MAX_ANSWER_BYTES = 256 << 20
"""Most that one node's answer may have."""

# Below the time after which a server closes a connection on which nothing is sent.
_IDLE_S = 3.0
_KEPT = 16
_KEEP_TIMEOUT_S = 8.0
_REFUSALS: Mapping[str, type[InputError]] = {
    kind.__name__: kind
    for kind in (CancelledError, DecodeError, InputError, QueryError, TooCostlyError, TooLargeError)
}


class Line:
    """Kept connections to one node; safe for many threads.

    Args:
        url: Of its API.
        token: That nodes show each other.
        verify: What verifies its certificate.
        now_s: A clock that never goes back.
    """

    def __init__(
        self,
        url: str,
        token: str,
        verify: ssl.SSLContext | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self._parts = urlsplit(url)
        self._headers = {"authorization": f"Bearer {token}"}
        self._verify = verify
        self._now_s = now_s
        self._lock = threading.Lock()
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []

    def post(
        self, path: str, body: bytes, timeout_s: float, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Return the status and the body of an answer.

        Raises:
            StorageError: The node can't be reached, or does not answer in time.
        """
        sent = {**self._headers, **(headers or {})}
        connection = self._kept() or self._fresh()
        try:
            connection.timeout = timeout_s
            if connection.sock is not None:
                connection.sock.settimeout(timeout_s)
            connection.request("POST", path, body, sent)
            answer = connection.getresponse()
            content = answer.read(MAX_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise StorageError(f"node at {self.url}: {error or type(error).__name__}") from error
        if len(content) > MAX_ANSWER_BYTES:
            connection.close()
            raise TooCostlyError(f"the answer of a node has more than {MAX_ANSWER_BYTES} bytes")
        self._keep(connection)
        return answer.status, content

    def _kept(self) -> http.client.HTTPConnection | None:
        oldest_s = self._now_s() - _IDLE_S
        with self._lock:
            while self._idle:
                since_s, connection = self._idle.pop()
                if since_s >= oldest_s:
                    return connection
                connection.close()
        return None

    def _fresh(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            context = self._verify or ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, context=context)
        return http.client.HTTPConnection(host, port)

    def _keep(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append((self._now_s(), connection))
                return
        connection.close()

    def close(self) -> None:
        """Close what is kept."""
        with self._lock:
            for _, connection in self._idle:
                connection.close()
            self._idle.clear()


class HttpNode:
    """Another node: asked for slots, and handed shares.

    Args:
        line: To it.
    """

    def __init__(self, line: Line) -> None:
        self._line = line

    def ask(self, question: Question, slots: Sequence[int] | None, timeout_s: float) -> Frame:
        """Return the answer for some slots, None: for everything.

        Raises:
            StorageError: It can't be reached, or can't answer.
            OverloadedError: It has too much to do, or lacks what it missed.
            InputError: The question is wrong, or asks for too much.
        """
        asked = Frame(head=[question.kind, dict(question.arguments), slots])
        deadline = {DEADLINE_HEADER: str(int(timeout_s * 1_000))}
        status, content = self._line.post(ASK, packed(asked), timeout_s, deadline)
        _check(status, content)
        return unpacked(content)

    def keep(self, share: Share) -> Receipt:
        """Return when the share is in its log; raises as :meth:`ask`."""
        status, content = self._line.post(KEEP, packed_share(share), _KEEP_TIMEOUT_S)
        _check(status, content)
        return receipt_from(orjson.loads(content))


def _check(status: int, content: bytes) -> None:
    if status == 200:
        return
    try:
        told = orjson.loads(content)
        kind, message = str(told["kind"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        kind, message = "", content[:200].decode("utf-8", "replace")
    refusal = _REFUSALS.get(kind)
    if refusal is QueryError:
        raise QueryError(message, kind=str(told.get("exception", "IllegalStateException")))
    if refusal is not None:
        raise refusal(message)
    if kind == OverloadedError.__name__:
        raise OverloadedError(message, retry_after_s=1)
    raise StorageError(f"a node answers {status}: {message}")


class Lines:
    """Lines to all nodes, made when they are needed.

    Args:
        membership: Where nodes are.
        token: That nodes show each other.
        verify: What verifies certificates.
    """

    def __init__(
        self, membership: Membership, token: str, verify: ssl.SSLContext | None = None
    ) -> None:
        self._membership = membership
        self._token = token
        self._verify = verify
        self._lines: dict[str, Line] = {}

    def node(self, name: str) -> HttpNode:
        """Return a node by its name.

        Raises:
            StorageError: There is none of that name.
        """
        url = next((node.url for node in self._membership.nodes() if node.name == name), None)
        if url is None:
            raise StorageError(f"there is no node {name!r}")
        line = self._lines.get(name)
        if line is None or line.url != url:
            # Two threads may make one each: the other is closed when it is idle no more.
            line = self._lines[name] = Line(url, self._token, self._verify)
        return HttpNode(line)

    def close(self) -> None:
        """Close all connections."""
        for line in self._lines.values():
            line.close()
