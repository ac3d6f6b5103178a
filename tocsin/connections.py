"""Connections to the HTTP servers: how many there may be, and how long each may keep us waiting."""

from __future__ import annotations

import asyncio
import fcntl
import resource
import termios
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from collectors.limits import Limits

# Files that are not connections: the log, the history, libraries, connections to others.
_OTHER_FILES = 256
LOW_FILES = 4_096
# How many idle connections are asked whether they have just spoken before one goes.
_LOOKED_AT = 1_024
_log = structlog.get_logger(__name__)


def raise_file_limit() -> int:
    """Let this process open as many files as it may; return how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError) as error:
            _log.warning("the limit on open files stays", soft=soft, hard=hard, reason=str(error))
    files = open_file_limit()
    if files < LOW_FILES:
        _log.warning("few files may be open; raise it with ulimit -n", limit=files)
    return files


def open_file_limit() -> int:
    """Return how many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20


@dataclass(slots=True, kw_only=True)
class Connections:
    """All connections of a process to its HTTP servers.

    Attributes:
        limits: Bounds.
        files: How many files may be open.
        refused: Connections closed at once, as all others were at work.
        evicted: Idle ones closed for a new one.
        timed_out: Ones closed as their client kept us waiting, by what was waited for.
    """

    limits: Limits
    files: int
    refused: int = 0
    evicted: int = 0
    timed_out: Counter[str] = field(default_factory=Counter)
    _peers: Counter[str] = field(default_factory=Counter)
    # In the order in which they became idle: those that never asked anything go first.
    _silent: dict[Deadlined, str] = field(default_factory=dict)
    _idle: dict[Deadlined, str] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """How many there may be."""
        return max(16, min(self.limits.max_connections, self.files - _OTHER_FILES))

    @property
    def open(self) -> int:
        """How many there are."""
        return self._peers.total()

    def enter(self, connection: Deadlined, peer: str) -> bool:
        """Take a new connection in, in place of an idle one if need be; False: there is no room."""
        if self._peers[peer] >= min(self.limits.max_peer_connections, self.most - self.most // 4):
            room = self._evict(peer)
        else:
            room = self.open < self.most or self._evict(None)
        if not room:
            self.refused += 1
            return False
        self._peers[peer] += 1
        self._silent[connection] = peer
        return True

    def leave(self, connection: Deadlined, peer: str) -> None:
        """Forget a connection."""
        self.busy(connection)
        self._peers[peer] -= 1
        if self._peers[peer] <= 0:
            del self._peers[peer]

    def busy(self, connection: Deadlined) -> None:
        """Note that a request has begun to be answered."""
        self._silent.pop(connection, None)
        self._idle.pop(connection, None)

    def idle(self, connection: Deadlined, peer: str) -> None:
        """Note that a connection has nothing to do."""
        self._idle[connection] = peer

    def _evict(self, peer: str | None) -> bool:
        """Close the connection that has been idle for longest, of a peer or of all.

        One whose words we have not read yet is not idle, unless all that are looked at have such.
        """
        every = chain(self._silent.items(), self._idle.items())
        idle = [*islice((c for c, of in every if peer in (None, of)), _LOOKED_AT)]
        found = next((one for one in idle if not one.has_unread), idle[0] if idle else None)
        if found is None:
            return False
        self.evicted += 1
        found.cut()
        return True

    def as_json(self) -> dict[str, Any]:
        """Return the state for ``/health``."""
        return {
            "open": self.open,
            "most": self.most,
            "refused": self.refused,
            "evicted": self.evicted,
            "timed_out": dict(self.timed_out),
            "files": self.files,
            "files_low": self.files < LOW_FILES,
        }


class Deadlined(HttpToolsProtocol):
    """uvicorn's protocol, with a deadline on whatever it waits for.

    One timer a connection: for the head of a request from when it begins (or the connection does),
    for its body from when the head is there, for the client to read from when it stops reading.
    """

    def __init__(self, register: Connections, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._register = register
        self._limits = register.limits
        self._peer = ""
        self._entered = False
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._in_head = True

    @property
    def has_unread(self) -> bool:
        """Whether the client has sent what we have not read."""
        count = array("i", [0])
        try:
            fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.FIONREAD, count)
        except (OSError, ValueError):
            return False  # it is closed
        return count[0] > 0

    def connection_made(self, transport: Any) -> None:
        """Take the connection in, or close it."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._entered = self._register.enter(self, self._peer)
        if self._entered:
            self._wait("head", self._limits.header_timeout_s)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._stop_writing()
        if self._entered:
            self._entered = False
            self._register.leave(self, self._peer)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head grows beyond its bound."""
        if self._in_head:
            self._header_bytes += len(data)
            if self._header_bytes > self._limits.max_header_bytes + len(data):
                self.send_400_response("The head of the request is too large.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Wait for the head from its first byte."""
        if self._timer is None:
            self._wait("head", self._limits.header_timeout_s)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait for the body from now on."""
        self._in_head, self._header_bytes = False, 0
        self._register.busy(self)
        self._wait("body", self._limits.body_timeout_s + 5)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing: the next word is ours."""
        self._in_head = True
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Begin to be idle."""
        super().on_response_complete()
        if self._entered and not self.pipeline:
            self._register.idle(self, self._peer)

    def pause_writing(self) -> None:
        """The client does not read: it has a while to begin again."""
        super().pause_writing()
        self._writing = self._after(self._limits.write_timeout_s, "reader")

    def resume_writing(self) -> None:
        """It reads again."""
        self._stop_writing()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for too long; one that does not read goes as well."""
        self.cut()

    def cut(self) -> None:
        """Close the connection at once."""
        if self._entered:
            self._entered = False
            self._register.leave(self, self._peer)
        self.transport.abort()

    def _wait(self, what: str, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self._after(seconds, what)

    def _after(self, seconds: float, what: str) -> asyncio.TimerHandle:
        return self.loop.call_later(seconds, self._too_late, what)

    def _too_late(self, what: str) -> None:
        self._register.timed_out[what] += 1
        self.cut()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None


def deadlined(register: Connections) -> Callable[..., Deadlined]:
    """Return what makes the protocol of each connection."""

    def make(*given: Any, **named: Any) -> Deadlined:
        return Deadlined(register, *given, **named)

    return make
