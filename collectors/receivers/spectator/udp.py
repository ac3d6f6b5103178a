"""spectatord's line protocol over UDP, usually on port 1234."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import anyio.to_thread
import structlog

from collectors.clock import Clock
from collectors.errors import ConfigError, TocsinError
from collectors.limits import Limits
from collectors.model import Batch, MetricWriter
from collectors.receivers.sources.arrival import Arrival
from collectors.receivers.sources.ledger import MAX_SOURCES, SourceLedger, attributed_to
from collectors.receivers.spectator.registry import RECEIVER, MeterRegistry
from collectors.receivers.stats import ReceiverStats

FLUSH_INTERVAL_MS = 1_000
_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
_log = structlog.get_logger(__name__)


class SpectatorListener(asyncio.DatagramProtocol):
    """An open socket, its meters and the task that flushes them; see :func:`listen_spectator`.

    Attributes:
        beside: Has another process take each datagram and its sender's address; None: none does.
    """

    beside: Callable[[bytes, str], None] | None = None

    def __init__(
        self,
        registry: MeterRegistry,
        metrics: MetricWriter,
        clock: Clock,
        sources: SourceLedger | None = None,
    ) -> None:
        self._registry = registry
        self._metrics = metrics
        self._clock = clock
        self._sources = sources or SourceLedger(clock)
        self._heard: dict[str, Arrival] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._flushing: asyncio.Task[None] | None = None
        self.port = 0
        self.stats = ReceiverStats()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take the lines of a datagram."""
        self.take(data, str(addr[0]) if isinstance(addr, tuple) else "")

    def take(self, message: bytes, peer: str, *, copied: bool = False) -> None:
        """Take the lines of a datagram; one that is ``copied`` came to another process first."""
        if self.beside is not None and not copied:
            self.beside(message, peer)
        # Datagrams are many and small: a sender's are added up until the next flush.
        if peer not in self._heard and len(self._heard) >= MAX_SOURCES:
            self._note_heard()
        with attributed_to(self._heard.setdefault(peer, Arrival(peer=peer))):
            self._registry.receive(message, self._clock.now_ms())

    def error_received(self, exc: Exception) -> None:
        """Log an error of the socket; the listener goes on."""
        _log.warning("spectator socket error", reason=str(exc))

    def start(
        self, transport: asyncio.DatagramTransport, stats: ReceiverStats, interval_ms: int
    ) -> None:
        """Begin to flush every ``interval_ms``; called once the socket is open."""
        self._transport = transport
        self.stats = stats
        self.port = transport.get_extra_info("sockname")[1]
        self._flushing = asyncio.create_task(self._flush_forever(interval_ms / 1_000))

    async def flush(self) -> None:
        """Deliver now what the meters have to say."""
        self._note_heard()
        for batch in self._registry.pieces(self._clock.now_ms()):
            if len(batch):
                await self._deliver(batch)

    def _note_heard(self) -> None:
        heard, self._heard = self._heard, {}
        for arrival in heard.values():
            self._sources.note(arrival)

    async def _deliver(self, batch: Batch) -> None:
        try:
            receipt = await anyio.to_thread.run_sync(self._metrics.write, batch)
        except TocsinError as error:
            # Counts are running totals: the next flush carries them again.
            self.stats.refuse(RECEIVER, "storeUnavailable", len(batch))
            _log.warning("spectator flush refused", reason=error.message)
        else:
            self.stats.refuse_all(RECEIVER, receipt.rejected)

    def close(self) -> None:
        """Stop listening and flushing."""
        if self._flushing is not None:
            self._flushing.cancel()
        if self._transport is not None:
            self._transport.close()

    async def _flush_forever(self, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            try:
                await self.flush()
            except Exception:  # noqa: BLE001 - a defect must not end all flushes
                self.stats.refuse(RECEIVER, "internalError")
                _log.exception("spectator flush failed unexpectedly")


async def listen_spectator(
    metrics: MetricWriter,
    clock: Clock,
    host: str = "127.0.0.1",
    port: int = 1234,
    *,
    limits: Limits | None = None,
    stats: ReceiverStats | None = None,
    sources: SourceLedger | None = None,
    flush_interval_ms: int = FLUSH_INTERVAL_MS,
) -> SpectatorListener:
    """Listen for lines and deliver samples every ``flush_interval_ms``.

    Args:
        metrics: Where samples go.
        clock: The present; samples carry its time.
        host: Address to listen on.
        port: Port to listen on, 0 for any free one.
        limits: Bounds on meters and tags.
        stats: Where lines accepted and refused are counted.
        sources: Where senders are kept.
        flush_interval_ms: How often meters are delivered.

    Returns:
        The listener, with ``port``, ``flush()`` and ``close()``.

    Raises:
        ConfigError: The port is taken.
    """
    limits, stats = limits or Limits(), stats or ReceiverStats()
    registry = MeterRegistry(limits, stats, clock.now_ms())
    listener = SpectatorListener(registry, metrics, clock, sources)
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: listener, local_addr=(host, port)
        )
    except OSError as error:
        raise ConfigError(
            f"spectator can't listen on udp {host}:{port}: {error}; choose another port"
        ) from error
    udp: socket.socket = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):  # a smaller buffer than asked for still works
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    listener.start(transport, stats, flush_interval_ms)
    return listener
