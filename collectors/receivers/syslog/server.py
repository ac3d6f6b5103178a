"""The sockets of syslog: datagrams and streams on one port, flushed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from collectors.errors import ConfigError, DecodeError, TocsinError
from collectors.limits import Limits
from collectors.log_batch import LogColumns, LogWriter
from collectors.receivers.sources.arrival import Arrival, speaks_for
from collectors.receivers.sources.ledger import MAX_SOURCES, SourceLedger, attributed_to
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.syslog.message import add_message

RECEIVER = "syslog"
MAX_MESSAGE_BYTES = 64 << 10
MAX_WAITING_MESSAGES = 50_000
MAX_STREAMS = 256
FLUSH_INTERVAL_S = 0.2
_DIGITS = 6
_log = structlog.get_logger(__name__)


class SyslogListener(asyncio.DatagramProtocol):
    """Takes messages, and delivers them a few times a second.

    Senders of syslog hear of nothing: what is refused, or comes beyond ``MAX_WAITING_MESSAGES``, is
    counted.

    Attributes:
        beside: Has another process take each message and its sender's address; None: none does.
    """

    beside: Callable[[bytes, str], None] | None = None

    def __init__(
        self,
        logs: LogWriter,
        limits: Limits,
        stats: ReceiverStats,
        sources: SourceLedger | None = None,
    ) -> None:
        self._logs = logs
        self._limits = limits
        self._stats = stats
        self._sources = sources
        self._columns = LogColumns()
        self._heard: dict[str, Arrival] = {}
        self._streams = 0
        self.port = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take the message of a datagram."""
        self.take(data, str(addr[0]) if isinstance(addr, tuple) else "")

    def take(self, message: bytes, peer: str, *, copied: bool = False) -> None:
        """Take a message; one that is ``copied`` came to another process first."""
        if self.beside is not None and not copied:
            self.beside(message, peer)
        if peer not in self._heard and len(self._heard) >= MAX_SOURCES:
            self._note_heard()
        with attributed_to(self._heard.setdefault(peer, Arrival(peer=peer))):
            if len(self._columns) >= MAX_WAITING_MESSAGES:
                detail = f"{MAX_WAITING_MESSAGES} messages wait to be stored already"
                self._stats.refuse(RECEIVER, "overloaded", detail=detail)
                return
            try:
                speaks_for(add_message(message[:MAX_MESSAGE_BYTES], self._columns, self._limits))
            except DecodeError as error:
                self._stats.refuse(RECEIVER, "invalidMessage", detail=error.message)

    async def stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the messages of a connection, framed by their length or by newlines (RFC 6587)."""
        peer = str((writer.get_extra_info("peername") or ("",))[0])
        if self._streams >= MAX_STREAMS:
            self._stats.refuse(RECEIVER, "tooManyStreams", detail=f"{MAX_STREAMS} are open")
            writer.close()
            return
        self._streams += 1
        try:
            while message := await self._next(reader):
                self.take(message, peer)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        except (ValueError, asyncio.LimitOverrunError) as error:
            self._stats.refuse(RECEIVER, "invalidFrame", detail=str(error))
        finally:
            self._streams -= 1
            writer.close()

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next message; empty at the end."""
        async with asyncio.timeout(self._limits.connection_idle_s * 60):
            first = await reader.read(1)
            while first in (b"\n", b"\r", b"\0"):
                first = await reader.read(1)
            if not first.isdigit():
                return first + await reader.readline() if first else b""
            length = first + await reader.readuntil(b" ")
            if len(length) > _DIGITS or not length.strip().isdigit():
                raise ValueError(f"{length[:20]!r} is not the length of a frame")
            count = int(length)
            if not 0 < count <= MAX_MESSAGE_BYTES:
                raise ValueError(f"a frame of {count} bytes; they have 1 to {MAX_MESSAGE_BYTES}")
            return await reader.readexactly(count)

    async def flush(self) -> None:
        """Deliver what has come."""
        self._note_heard()
        if not len(self._columns):
            return
        taken, self._columns = self._columns, LogColumns()
        batch = taken.batch()
        try:
            receipt = await asyncio.to_thread(self._logs.write_logs, batch)
        except TocsinError as error:
            self._stats.refuse(RECEIVER, "storage", len(batch), detail=error.message)
            _log.warning("syslog messages not kept", count=len(batch), reason=error.message)
        else:
            self._stats.accept(RECEIVER, receipt.accepted)
            self._stats.refuse_all(RECEIVER, receipt.rejected)

    def _note_heard(self) -> None:
        heard, self._heard = self._heard, {}
        if self._sources is not None:
            for arrival in heard.values():
                self._sources.note(arrival)

    async def flush_forever(self, interval_s: float) -> None:
        """Deliver every ``interval_s``."""
        while True:
            await asyncio.sleep(interval_s)
            try:
                await self.flush()
            except Exception:  # noqa: BLE001 - a defect must not end all flushes
                self._stats.refuse(RECEIVER, "internalError")
                _log.exception("syslog flush failed unexpectedly")


@asynccontextmanager
async def listening_syslog(
    listener: SyslogListener, host: str, port: int, interval_s: float = FLUSH_INTERVAL_S
) -> AsyncIterator[SyslogListener]:
    """Listen on a port for datagrams and connections until the end.

    Raises:
        ConfigError: The port is taken.
    """
    loop = asyncio.get_running_loop()
    try:
        server = await asyncio.start_server(listener.stream, host, port, limit=MAX_MESSAGE_BYTES)
        listener.port = server.sockets[0].getsockname()[1]
        transport, _ = await loop.create_datagram_endpoint(
            lambda: listener, local_addr=(host, listener.port)
        )
    except OSError as error:
        raise ConfigError(
            f"syslog can't listen on {host}:{port}: {error}; choose another port"
        ) from error
    flushing = asyncio.create_task(listener.flush_forever(interval_s))
    try:
        yield listener
    finally:
        server.close()
        transport.close()
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        await listener.flush()
