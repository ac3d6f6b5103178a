"""Syslog: what a message becomes, and both ways by which it comes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.log_batch import LogColumns, unpack
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.syslog.message import add_message
from collectors.receivers.syslog.server import RECEIVER, SyslogListener, listening_syslog
from collectors.receivers.testing.fakes import FakeStore

PLAIN = b"<165>1 2003-10-11T22:14:15.003Z host.example.com evntslog - ID47 - no stock"


@pytest.mark.parametrize(
    ("raw", "severity", "service", "body", "attributes"),
    [
        (
            b"<34>1 2003-10-11T22:14:15.003Z mymachine su - ID47 - \xef\xbb\xbf'su root' failed",
            21,
            "su",
            "'su root' failed",
            {"syslog.msgid": "ID47", "syslog.facility": "4"},
        ),
        (
            rb'<165>1 - - - 12 - [e@1 a="1" b="x\"\]"][p@2 c=""] An event',
            10,
            "unknown_service",
            "An event",
            {
                "e@1.a": "1",
                "e@1.b": 'x"]',
                "p@2.c": "",
                "syslog.procid": "12",
                "syslog.facility": "20",
            },
        ),
        (b"<7>1 - h app - - -", 5, "app", "", {"syslog.facility": "0"}),
    ],
)
def test_messages_of_rfc_5424(
    raw: bytes, severity: int, service: str, body: str, attributes: dict[str, str]
) -> None:
    """A router's or a database's lines would come without level, name or fields."""
    columns = LogColumns()
    assert add_message(raw, columns, Limits()) == service
    found = columns.batch()
    assert (found.severity[0], found.bodies[0]) == (severity, body)
    assert unpack(found.attributes[0]) == attributes


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", b"<192>1 - - - - - - x", b"<34>Oct 11 22:14:15 su: x", b"<34>1 x - a - - -"],
)
def test_anything_else_is_refused(raw: bytes) -> None:
    """Noise on an open port would stand among the lines."""
    with pytest.raises(DecodeError):
        add_message(raw, LogColumns(), Limits())


def test_a_refusal_tells_no_secret() -> None:
    """What a line may not hold would stand on the page of senders."""
    raw = b"<34>Oct 11 22:14:15 su: password=hunter22"
    with pytest.raises(DecodeError) as refused:
        add_message(raw, LogColumns(), Limits())
    assert "hunter22" not in refused.value.message


@pytest.mark.parametrize("sent", [b"0 <34>", b"99999 <34>", b"1234567 <34>", b"1x <34>"])
def test_a_frame_that_can_not_be_is_told(sent: bytes) -> None:
    """A sender that counts wrongly would be cut off, and nobody would know why."""

    async def read() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(sent)
        reader.feed_eof()
        return await SyslogListener(FakeStore(), Limits(), ReceiverStats())._next(reader)

    with pytest.raises(ValueError, match="frame"):
        asyncio.run(read())


def test_datagrams_and_streams_are_taken_and_noise_is_counted() -> None:
    """Half of the senders would be unheard, and nobody would know."""
    store, stats = FakeStore(), ReceiverStats()

    async def send() -> None:
        listener = SyslogListener(store, Limits(), stats)
        async with listening_syslog(listener, "127.0.0.1", 0, interval_s=3_600):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.sendto(PLAIN, ("127.0.0.1", listener.port))
                udp.sendto(b"noise", ("127.0.0.1", listener.port))
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            framed = str(len(PLAIN)).encode() + b" " + PLAIN
            writer.write(PLAIN + b"\n" + framed + framed)
            await writer.drain()
            async with asyncio.timeout(30):
                while len(store.bodies()) < 4 or not stats.refused(RECEIVER):
                    await listener.flush()
                    await asyncio.sleep(0)
            writer.close()

    asyncio.run(send())
    assert store.bodies() == ["no stock"] * 4
    assert stats.accepted(RECEIVER) == 4
    assert stats.refusals(RECEIVER) == {"invalidMessage": 1}
