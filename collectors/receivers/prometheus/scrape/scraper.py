"""Finds targets, fetches their pages on time, and commits each scrape whole."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import anyio
import anyio.to_thread
import httpx2
import structlog

from collectors.clock import Clock
from collectors.errors import InputError, TocsinError
from collectors.limits import Limits
from collectors.model import Batch, MetricWriter
from collectors.receivers.body import decompress, read_body
from collectors.receivers.prometheus.scrape.config import ScrapeConfig, ScrapeJob
from collectors.receivers.prometheus.scrape.discovery import Discovery
from collectors.receivers.prometheus.scrape.history import TargetHistory
from collectors.receivers.prometheus.scrape.target import TargetAddress, addresses
from collectors.receivers.stats import ReceiverStats

RECEIVER = "prometheus.scrape"
REFRESH_INTERVAL_S = 5.0
MAX_TARGETS = 10_000
_ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Target:
    """One target and how its last scrape went."""

    job: ScrapeJob
    address: TargetAddress
    history: TargetHistory
    error: str = ""
    scrapes: int = 0
    task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether the last scrape succeeded."""
        return self.scrapes > 0 and not self.error


class Scraper:
    """Scrapes the targets of a configuration.

    Args:
        config: The jobs.
        metrics: Where samples go.
        clock: The present; samples without their own time carry it.
        http: The client that fetches pages and asks discovery endpoints.
        limits: Bounds on tags.
        stats: Where samples accepted and refused are counted.
    """

    def __init__(
        self,
        config: ScrapeConfig,
        metrics: MetricWriter,
        clock: Clock,
        http: httpx2.AsyncClient,
        *,
        limits: Limits | None = None,
        stats: ReceiverStats | None = None,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._http = http
        self._limits = limits or Limits()
        self.stats = stats or ReceiverStats()
        self._discoveries = [(job, Discovery(job, http)) for job in config.jobs]
        self._targets: dict[object, Target] = {}
        self._running = False

    @property
    def targets(self) -> list[Target]:
        """The targets known now."""
        return list(self._targets.values())

    async def run(self) -> None:
        """Find and scrape targets until cancelled."""
        self._running = True
        try:
            while True:
                try:
                    await self.refresh()
                except Exception:  # noqa: BLE001 - nor one job's discovery all the others
                    self.stats.refuse(RECEIVER, "internalError")
                    _log.exception("targets not refreshed")
                await asyncio.sleep(REFRESH_INTERVAL_S)
        finally:
            self._running = False
            for target in self.targets:
                if target.task is not None:
                    target.task.cancel()

    async def refresh(self) -> None:
        """Ask the discoveries, start on new targets and let go of those that are gone."""
        present: dict[object, Target] = {}
        for job, discovery in self._discoveries:
            found = addresses(job, await discovery.groups(self._clock.now_ms()))
            limit = job.limits.targets or MAX_TARGETS
            if len(found) > limit:
                self.stats.refuse(RECEIVER, "targetLimit", len(found) - limit)
                _log.warning("target_limit exceeded", job=job.name, targets=len(found))
                found = found[:limit]
            for address in found:
                key = (job.name, address.key)
                present[key] = self._targets.get(key) or self._begin(job, address)
        gone = [target for key, target in self._targets.items() if key not in present]
        self._targets = present
        for target in gone:
            if target.task is not None:
                target.task.cancel()
            await self._write(target.history.lose(self._clock.now_ms()))

    async def scrape_all(self) -> None:
        """Scrape every known target once, now."""
        for target in self.targets:
            await self.scrape(target)

    async def scrape(self, target: Target) -> None:
        """Scrape one target and write what it gave, or markers and ``up`` 0 if it failed."""
        time_ms = self._clock.now_ms()
        began = time.perf_counter()
        counts = (0, 0, 0)
        try:
            body, openmetrics = await self._fetch(target)
            scraped = await anyio.to_thread.run_sync(
                target.history.take, body, openmetrics, time_ms
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, InputError) as error:
            target.error = str(error) or type(error).__name__
            self.stats.refuse(RECEIVER, "scrapeFailed")
            batch = target.history.lose(time_ms)
        else:
            target.error = ""
            batch = scraped.batch
            counts = (scraped.scraped, scraped.kept, scraped.added)
            self.stats.refuse_all(RECEIVER, scraped.rejections)
        target.scrapes += 1
        await self._write(batch)
        values = (float(target.up), time.perf_counter() - began, *map(float, counts))
        await self._write(target.history.report(time_ms, values))

    def _begin(self, job: ScrapeJob, address: TargetAddress) -> Target:
        target = Target(job, address, TargetHistory(job, address, self._limits))
        if self._running:
            target.task = asyncio.create_task(self._scrape_forever(target))
        return target

    async def _scrape_forever(self, target: Target) -> None:
        interval_ms = target.job.interval_ms
        offset_ms = target.address.offset_ms(interval_ms)
        while True:
            wait_ms = (offset_ms - self._clock.now_ms()) % interval_ms or interval_ms
            await asyncio.sleep(wait_ms / 1_000)
            try:
                await self.scrape(target)
            except Exception:  # noqa: BLE001 - a defect must not end this target for good
                self.stats.refuse(RECEIVER, "internalError")
                _log.exception("scrape failed unexpectedly", url=target.address.url)

    async def _fetch(self, target: Target) -> tuple[bytes, bool]:
        """Return the page and whether it is OpenMetrics."""
        timeout_s = target.job.timeout_ms / 1_000
        limit = target.job.limits.body_bytes
        headers = {
            "Accept": _ACCEPT,
            "Accept-Encoding": "gzip",
            "X-Prometheus-Scrape-Timeout-Seconds": f"{timeout_s:g}",
        }
        if target.job.authorization:
            headers["Authorization"] = target.job.authorization
        with anyio.fail_after(timeout_s):
            async with self._http.stream(
                "GET",
                target.address.url,
                headers=headers,
                timeout=timeout_s,
                follow_redirects=True,
            ) as response:
                if response.status_code != 200:
                    raise InputError(f"{target.address.url} answered {response.status_code}")
                raw = await read_body(response.aiter_raw(), limit)
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = response.headers.get("content-encoding", "")
        body = await anyio.to_thread.run_sync(decompress, raw, encoding, limit)
        return body, media == "application/openmetrics-text"

    async def _write(self, batch: Batch) -> None:
        if not len(batch):
            return
        try:
            receipt = await anyio.to_thread.run_sync(self._metrics.write, batch)
        except TocsinError as error:
            self.stats.refuse(RECEIVER, "storeUnavailable", len(batch))
            _log.warning("scraped samples refused", reason=error.message)
        else:
            self.stats.accept(RECEIVER, receipt.accepted)
            self.stats.refuse_all(RECEIVER, receipt.rejected)
