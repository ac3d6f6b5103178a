"""One accepted request, as it goes to the other node and as it is kept until then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

PREFIX = "/api/v2/cluster/copies"
"""A copy goes to its own path behind this one, at the other node's API."""

ID = b"x-tocsin-copy"
"""Header with the request's id, under which a second try is known."""

FROM = b"x-tocsin-copy-from"
"""Header with the address of who sent the request first."""

AT = b"x-tocsin-copy-at"
"""Header with the time at which the first node accepted it, epoch milliseconds."""

KEPT_HEADERS = frozenset(
    {
        b"content-type",
        b"content-encoding",
        b"user-agent",
        b"x-prometheus-remote-write-version",
        b"x-b3-sampled",
    }
)
"""Headers that say how a body is to be read, or who sent it."""

MAX_HEADER_BYTES = 1_000
"""Of one header that goes along; a longer one stays behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A request.

    Attributes:
        id: Its own, whenever and how often it is brought.
        target: Path and query string, as it came.
        headers: Those that matter, names in lower case.
        body: As it came, compressed or not.
        at_ms: When it came, epoch milliseconds.
        peer: Address of who sent it; empty where it is not known.
    """

    id: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    at_ms: int
    peer: str = ""

    def sent_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return the headers with which it goes to the other node."""
        own = (ID, self.id.encode()), (AT, b"%d" % self.at_ms), (FROM, self.peer.encode("latin-1"))
        return (*self.headers, *own)

    def encoded(self) -> bytes:
        """Return it as bytes, to be kept."""
        head = orjson.dumps(
            [
                self.id,
                self.target,
                [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers],
                self.at_ms,
                self.peer,
            ]
        )
        return len(head).to_bytes(4, "little") + head + self.body


def decoded(data: bytes) -> Copy:
    """Return a copy from what :meth:`Copy.encoded` gave.

    Raises:
        ValueError: It is none.
    """
    end = 4 + int.from_bytes(data[:4], "little")
    name, target, headers, at_ms, peer = orjson.loads(data[4:end])
    return Copy(
        id=name,
        target=target,
        headers=tuple((n.encode("latin-1"), v.encode("latin-1")) for n, v in headers),
        body=data[end:],
        at_ms=at_ms,
        peer=peer,
    )


def kept_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that go along with a copy."""
    return tuple(
        (name, value)
        for name, value in headers
        if name in KEPT_HEADERS and len(value) <= MAX_HEADER_BYTES
    )
