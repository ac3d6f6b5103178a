"""An endpoint that names targets can't hold up the others, nor can a clock that is put back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest

from collectors.receivers.prometheus.scrape.config import HttpDiscovery, ScrapeJob
from collectors.receivers.prometheus.scrape.discovery import Discovery

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer without end, a byte at a time, so that no single read takes long."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD)
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b'[{"targets": ["a:1"]}]')


Endpoint = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(endpoint: Endpoint) -> AsyncIterator[asyncio.Server]:
    """Serve ``endpoint``; afterwards every connection is closed."""
    answering: list[asyncio.Task[None]] = []

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        answering.append(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await endpoint(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    yield server
    server.close()
    for task in answering:
        task.cancel()
    await asyncio.gather(*answering, return_exceptions=True)


async def ask(endpoint: Endpoint, times_ms: list[int]) -> list[list[str]]:
    """Return the targets found at each time."""
    async with listening(endpoint) as server:
        return await ask_server(server, times_ms)


async def ask_server(server: asyncio.Server, times_ms: list[int]) -> list[list[str]]:
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    job = ScrapeJob(name="j", http=(HttpDiscovery(url=url, refresh_ms=60_000),))
    async with httpx2.AsyncClient(trust_env=False) as http:
        discovery = Discovery(job, http)
        found = []
        for at, time_ms in enumerate(times_ms):
            groups = await discovery.groups(time_ms)
            found.append([target for group in groups for target in group.targets])
            if at == 0:
                server.close()  # whoever asks again keeps what was said before
        asked_ms = discovery._asked_ms[url]
    return [*found, [str(asked_ms)]]


def test_an_answer_without_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slow discovery would stop all scraping."""
    monkeypatch.setattr("collectors.receivers.prometheus.scrape.discovery.TIMEOUT_S", 0.2)
    assert asyncio.run(ask(drip, [0])) == [[], ["0"]]
    assert "no answer within 0.2 s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("second_ms", "asked_ms"), [(100_000, 100_000), (159_999, 100_000), (40_000, 40_000)]
)
def test_a_clock_that_is_put_back_asks_again(second_ms: int, asked_ms: int) -> None:
    """After a step of the clock, targets would not be asked for until it catches up."""
    found = asyncio.run(ask(answer, [100_000, second_ms]))
    assert found == [["a:1"], ["a:1"], [str(asked_ms)]]
