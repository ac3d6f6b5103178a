"""Copies reach the other node before the answer, later if it is away, and count once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from collectors.clock import ManualClock
from collectors.receivers.accepted import AcceptedClock
from collectors.receivers.testing.fakes import serve
from tocsin.cluster.mirror.datagrams import MAX_BUNDLE_BYTES, Datagrams
from tocsin.cluster.mirror.debt import Debt
from tocsin.cluster.mirror.doors import Copies, Mirrored
from tocsin.cluster.mirror.line import Line
from tocsin.cluster.mirror.mirror import Mirror
from tocsin.cluster.mirror.seen import Seen

NOW_MS = 1_000
SECRET = "Bearer shh"


class Store:
    """A receiver that keeps bodies, and does as it is told."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.times: list[int] = []
        self.peers: list[str] = []
        self.statuses: list[int] = []
        self.cuts = 0
        self.clock = AcceptedClock(ManualClock(9_999))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.bodies.append(body)
            self.times.append(self.clock.now_ms())
            self.peers.append(scope["client"][0])
        start = {"type": "http.response.start", "status": status}
        await send({**start, "headers": [(b"content-length", b"2")]})
        if self.cuts:
            self.cuts -= 1
            raise ConnectionResetError("cut")
        await send({"type": "http.response.body", "body": b"ok"})


class Other:
    """The other node: can be away."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.store = Store()
        self.receivers: dict[str, ASGIApp] = {"/write": self.store}
        self.secret = SECRET
        self._directory = directory
        self._stack = stack
        self.url = "http://127.0.0.1:1"  # nobody listens there

    def begin(self) -> None:
        """Be there."""
        seen = Seen(self._directory)
        self._stack.callback(seen.close)

        def admits(given: str) -> bool:
            return given == self.secret

        def receiver(path: str) -> ASGIApp | None:
            return self.receivers.get(path)

        async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
            raise AssertionError(scope["path"])

        self.url = self._stack.enter_context(serve(Copies(nothing, receiver, admits, seen)))


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    with ExitStack() as stack:
        yield Other(tmp_path / "taken", stack)


Act = Callable[[httpx2.AsyncClient, Mirror, Store], Any]


def played(other: Other, directory: Path, act: Act) -> Store:
    """Act before a node whose other is ``other``; return what it has kept itself."""
    own = Store()
    lines: dict[str, Line] = {}

    def line() -> Line:
        return lines.setdefault(other.url, Line(other.url, SECRET))

    async def main() -> None:
        mirror = Mirror(Debt(directory / "owed"), line, wait_s=30.0)
        app = Mirrored(own, {"/write"}, mirror, "a", ManualClock(NOW_MS))
        transport = httpx2.ASGITransport(app, client=("10.0.0.9", 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://a") as http:
            await act(http, mirror, own)
        await mirror.close()

    asyncio.run(main())
    return own


async def wrote(http: httpx2.AsyncClient, body: bytes) -> int:
    """Return the status of a write."""
    return (await http.post("/write?x=1", content=body)).status_code


async def paid(mirror: Mirror) -> None:
    """Wait until nothing is owed."""
    async with asyncio.timeout(20):
        await mirror.caught_up()


def test_both_have_it_before_the_answer(other: Other, tmp_path: Path) -> None:
    """A 2xx would be worth one disk alone."""
    other.begin()

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        for n in range(3):
            assert await wrote(http, b"%d" % n) == 200
            assert other.store.bodies == own.bodies
        assert await wrote(http, bytes(3 << 20)) == 200
        assert mirror.counts.sent == 4

    played(other, tmp_path, act)
    assert other.store.bodies[-1] == bytes(3 << 20)
    assert set(other.store.times) == {NOW_MS}  # judged by when it was accepted
    assert set(other.store.peers) == {"10.0.0.9"}


def test_a_node_that_was_away_gets_all_in_order(other: Other, tmp_path: Path) -> None:
    """What came meanwhile would be known to one node for ever."""

    async def alone(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        for n in range(20):
            assert await wrote(http, b"%d" % n) == 200
        assert mirror.is_behind
        assert mirror.owed == (20, mirror.owed[1])
        assert "127.0.0.1:1" in mirror.why

    played(other, tmp_path, alone)
    other.begin()

    async def again(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        assert mirror.is_behind  # as the process before has left it
        assert await wrote(http, b"20") == 200
        await paid(mirror)
        assert await wrote(http, b"21") == 200
        assert mirror.owed == (0, 0)

    played(other, tmp_path, again)
    assert other.store.bodies == [b"%d" % n for n in range(22)]
    assert set(other.store.times) == {NOW_MS}


def test_a_lost_reply_counts_once(other: Other, tmp_path: Path) -> None:
    """Sums would be counted twice whenever a connection breaks at the wrong moment."""
    other.begin()
    other.store.cuts = 1

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        assert await wrote(http, b"one") == 200
        await paid(mirror)

    played(other, tmp_path, act)
    assert other.store.bodies == [b"one"]


def test_what_was_refused_here_counts_once_there(other: Other, tmp_path: Path) -> None:
    """A sender that tries again after a 503 would be counted twice by the other node."""
    other.begin()

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        own.statuses = [503]
        assert await wrote(http, b"one") == 503
        assert await wrote(http, b"one") == 200
        assert await wrote(http, b"one") == 200  # as much as somebody sends it twice

    own = played(other, tmp_path, act)
    assert (own.bodies, other.store.bodies) == ([b"one"] * 2, [b"one"] * 2)


def test_an_overloaded_node_gets_it_later(other: Other, tmp_path: Path) -> None:
    """A node that is busy for a second would lack that second."""
    other.begin()
    other.store.statuses = [503, 503]

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        assert await wrote(http, b"one") == 200
        assert "answers 503" in mirror.why
        await paid(mirror)

    played(other, tmp_path, act)
    assert other.store.bodies == [b"one"]


def test_who_refuses_for_good_is_not_asked_again(other: Other, tmp_path: Path) -> None:
    """One body that the other node can't read would keep all others from it."""
    other.begin()
    other.store.statuses = [400]

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        assert await wrote(http, b"one") == 200
        assert await wrote(http, b"two") == 200
        assert (mirror.counts.refused, mirror.is_behind) == (1, False)

    played(other, tmp_path, act)
    assert other.store.bodies == [b"two"]


def test_what_was_kept_in_part_is_owed(other: Other, tmp_path: Path) -> None:
    """Remote write keeps what it can and answers 400: the other node would lack that."""

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        assert await wrote(http, b"one") == 200
        own.statuses = [400, 503]
        assert await wrote(http, b"in part") == 400
        assert await wrote(http, b"not at all") == 503
        assert mirror.owed[0] == 2

    played(other, tmp_path, act)


def test_another_token_is_said_and_nothing_is_lost(other: Other, tmp_path: Path) -> None:
    """A pair whose tokens differ would look like one that works."""
    other.begin()
    other.secret = "Bearer other"

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        assert await wrote(http, b"one") == 200
        assert "TOCSIN_CLUSTER_TOKEN" in mirror.why
        other.secret = SECRET
        await paid(mirror)

    played(other, tmp_path, act)
    assert other.store.bodies == [b"one"]


def test_datagrams_go_along_in_bundles(other: Other, tmp_path: Path) -> None:
    """What syslog says would be known to the node alone that it was sent to."""
    heard: list[tuple[bytes, str]] = []
    arrived = threading.Event()

    def take(message: bytes, peer: str, *, copied: bool = False) -> None:
        assert copied
        heard.append((message, peer))
        if len(heard) == 3:
            arrived.set()

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        clock = ManualClock(NOW_MS)
        there = Datagrams("/lines", take, mirror, "b", clock, keep=True)
        other.receivers["/lines"] = there.receiver()
        here = Datagrams("/lines", take, mirror, "a", clock, keep=True)
        here.beside(b"one\xff", "10.0.0.1")
        here.beside(b"two", "10.0.0.2")
        here.beside(bytes(MAX_BUNDLE_BYTES), "")
        assert await asyncio.to_thread(arrived.wait, 20)
        assert not mirror.is_behind

    other.begin()
    played(other, tmp_path, act)
    assert heard[:2] == [(b"one\xff", "10.0.0.1"), (b"two", "10.0.0.2")]


def test_what_the_other_does_not_know_holds_up_nothing(other: Other, tmp_path: Path) -> None:
    """A node without a port for syslog, or of an older version, would get nothing any more."""
    del other.receivers["/write"]
    other.begin()

    async def act(http: httpx2.AsyncClient, mirror: Mirror, own: Store) -> None:
        assert await wrote(http, b"one") == 200
        assert (mirror.counts.refused, mirror.is_behind) == (1, False)

    played(other, tmp_path, act)


@contextmanager
def knowing(directory: Path) -> Iterator[Seen]:
    """Open what is known of copies, and close it."""
    seen = Seen(directory)
    yield seen
    seen.close()


def test_ids_are_known_after_a_restart(tmp_path: Path) -> None:
    """What was owed when this node was killed would be counted twice."""
    with knowing(tmp_path) as seen:
        assert asyncio.run(seen.begins("a/1"))
        seen.ends("a/1", taken=True)
        seen.note("a/1")
    with knowing(tmp_path) as seen:
        assert not asyncio.run(seen.begins("a/1"))
        assert asyncio.run(seen.begins("a/2"))


def test_a_second_try_waits_for_the_first(tmp_path: Path) -> None:
    """A copy that is slow would be taken twice at the same time."""

    async def main() -> None:
        with knowing(tmp_path) as seen:
            assert await seen.begins("a/1")
            second = asyncio.create_task(seen.begins("a/1"))
            await asyncio.sleep(0)
            assert not second.done()
            seen.ends("a/1", taken=False)
            assert await second  # the first came to nothing
            third = asyncio.create_task(seen.begins("a/1"))
            await asyncio.sleep(0)
            seen.ends("a/1", taken=True)
            assert not await third

    asyncio.run(main())
