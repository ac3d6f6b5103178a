"""A defect of ours in one round of a receiver's loop does not end the loop."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import httpx2

from collectors.clock import SystemClock
from collectors.model import Batch, Receipt
from collectors.receivers.prometheus.scrape.config import ScrapeConfig, ScrapeJob, TargetGroup
from collectors.receivers.prometheus.scrape.scraper import Scraper
from collectors.receivers.spectator.udp import listen_spectator
from collectors.receivers.stats import ReceiverStats


class DefectiveAtFirst:
    """A metric store that breaks unexpectedly once, then tells of every write."""

    def __init__(self) -> None:
        self.broken = False
        self._loop = asyncio.get_running_loop()
        self.written = asyncio.Event()

    def write(self, batch: Batch) -> Receipt:
        """Break the first time."""
        if not self.broken:
            self.broken = True
            raise ZeroDivisionError("a defect of ours")
        self._loop.call_soon_threadsafe(self.written.set)
        return Receipt(accepted=len(batch))


async def _scraped(stats: ReceiverStats) -> None:
    job = ScrapeJob(
        name="shop", interval_ms=50, timeout_ms=50, static=(TargetGroup(targets=("127.0.0.1:9",)),)
    )
    store = DefectiveAtFirst()
    async with httpx2.AsyncClient(trust_env=False) as http:
        scraper = Scraper(ScrapeConfig(jobs=(job,)), store, SystemClock(), http, stats=stats)
        task = asyncio.create_task(scraper.run())
        await asyncio.wait_for(store.written.wait(), 20)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _flushed(stats: ReceiverStats) -> None:
    store = DefectiveAtFirst()
    listener = await listen_spectator(
        store, SystemClock(), port=0, stats=stats, flush_interval_ms=20
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"g:cpu:1", ("127.0.0.1", listener.port))
    await asyncio.wait_for(store.written.wait(), 20)
    listener.close()


def _went_on(run: Callable[[ReceiverStats], Awaitable[None]], receiver: str) -> None:
    stats = ReceiverStats()

    async def whole() -> None:
        await run(stats)

    asyncio.run(whole())
    assert stats.refusals(receiver)["internalError"] == 1


def test_a_target_is_scraped_again() -> None:
    """One failure within a scrape would end scraping for good."""
    _went_on(_scraped, "prometheus.scrape")


def test_meters_are_flushed_again() -> None:
    """One failure within a flush would end flushing for good."""
    _went_on(_flushed, "spectator")
