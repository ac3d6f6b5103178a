"""Finds targets, fetches their pages on time, and commits each scrape whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx2
import structlog

from collectors.clock import Clock
from collectors.errors import InputError, TocsinError
from collectors.limits import Limits
from collectors.model import Batch, MetricWriter, Receipt, Rejection
from collectors.receivers.body import decompress, read_body
from collectors.receivers.prometheus.scrape.claims import SeriesClaims
from collectors.receivers.prometheus.scrape.config import ScrapeConfig, ScrapeJob, TargetGroup
from collectors.receivers.prometheus.scrape.discovery import Discovery
from collectors.receivers.prometheus.scrape.history import Scraped, TargetHistory
from collectors.receivers.prometheus.scrape.state import ScrapedTargets, Target, describe
from collectors.receivers.prometheus.scrape.target import TargetAddress, relabelled
from collectors.receivers.sources.ledger import SourceLedger
from collectors.receivers.stats import ReceiverStats

RECEIVER = "prometheus.scrape"
REFRESH_INTERVAL_S = 5.0
MAX_TARGETS = 10_000
# Dropped targets whose labels are kept to be shown, of each job; the others are counted.
MAX_SHOWN_DROPPED = 1_000
# Names come as they are, rather than with underscores, from whoever can write them so.
_ACCEPT = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.9,"
    "application/openmetrics-text;version=1.0.0;q=0.8,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, InputError)
_log = structlog.get_logger(__name__)


class Scraper:
    """Scrapes the targets of a configuration.

    Args:
        config: The jobs.
        metrics: Where samples go.
        clock: The present; samples without their own time carry it.
        http: The client that fetches pages and asks discovery endpoints.
        limits: Bounds on tags.
        stats: Where samples accepted and refused are counted.
        shown: Kept up to date with what is scraped and how that goes.
        sources: Where targets are noted as senders.
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
        shown: ScrapedTargets | None = None,
        sources: SourceLedger | None = None,
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._http = http
        self._limits = limits or Limits()
        self.stats = stats or ReceiverStats()
        self._discoveries = [(job, Discovery(job, http)) for job in config.jobs]
        self._targets: dict[object, Target] = {}
        self._claims = SeriesClaims()
        self._shown = shown or ScrapedTargets()
        self._sources = sources or SourceLedger(clock)
        self._beyond: dict[str, int] = {}
        self._running = False

    @property
    def targets(self) -> list[Target]:
        """The targets known now."""
        return list(self._targets.values())

    def use(self, config: ScrapeConfig) -> None:
        """Go on with another configuration; targets whose job did not change keep their series."""
        self._shown.dropped.clear()
        self._shown.dropped_counts.clear()
        self._discoveries = [(job, Discovery(job, self._http)) for job in config.jobs]

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
        found = [
            (job, address)
            for job, discovery in self._discoveries
            for address in self._found(job, await discovery.groups(self._clock.now_ms()))
        ]
        present: dict[object, Target] = {}
        for job, address in found:
            key = (job.name, address.key)
            known = self._targets.get(key)
            if known is None or known.job != job:
                known = self._begin(job, address)
            present[key] = known
        gone = [t for key, t in self._targets.items() if present.get(key) is not t]
        self._targets = present
        self._shown.targets = list(present.values())
        for target in gone:
            await self._end(target)

    def _found(self, job: ScrapeJob, groups: Sequence[TargetGroup]) -> Sequence[TargetAddress]:
        """Return where a job's targets are, as many as it may have; note the others."""
        discovered = relabelled(job, groups)
        self._shown.dropped[job.name] = discovered.dropped[:MAX_SHOWN_DROPPED]
        self._shown.dropped_counts[job.name] = len(discovered.dropped)
        limit = job.limits.targets or MAX_TARGETS
        beyond = max(0, len(discovered.kept) - limit)
        if beyond:
            self.stats.refuse(RECEIVER, "targetLimit", beyond)
        if beyond and self._beyond.get(job.name) != beyond:
            _log.warning("target_limit exceeded", job=job.name, limit=limit, left_out=beyond)
        self._beyond[job.name] = beyond
        return discovered.kept[:limit]

    async def scrape_all(self) -> None:
        """Scrape every known target once, now."""
        for target in self.targets:
            await self.scrape(target)

    async def scrape(self, target: Target) -> None:
        """Scrape one target and write what it gave, or markers and ``up`` 0 if it failed."""
        url = target.address.url
        with self._sources.arriving(urlsplit(url).hostname or "") as arrival:
            arrival.named.add((target.job.name, url))
            await self._scrape(target)

    async def _scrape(self, target: Target) -> None:
        time_ms = self._clock.now_ms()
        began = time.perf_counter()
        scraped, error = None, ""
        try:
            body, openmetrics = await self._fetch(target)
            scraped = await anyio.to_thread.run_sync(
                target.history.take, body, openmetrics, time_ms
            )
        except _FAILURES as failure:
            error = describe(failure, target.job.timeout_ms / 1_000)
            self.stats.refuse(RECEIVER, "scrapeFailed", detail=error)
        batch = scraped.batch if scraped else target.history.lose(time_ms)
        stored = await self._write(batch)
        target.last_duration_s = time.perf_counter() - began
        reported = await self._report(target, time_ms, scraped)
        receipt = Receipt(
            accepted=stored.accepted + reported.accepted,
            rejected=[
                *(scraped.rejections if scraped else ()),
                *stored.rejected,
                *reported.rejected,
            ],
            warnings=scraped.warnings if scraped else (),
        )
        self.stats.take(RECEIVER, receipt)
        target.note(time_ms, error, receipt)

    async def _report(self, target: Target, time_ms: int, scraped: Scraped | None) -> Receipt:
        """Write the series that tell how a scrape went."""
        counts = (scraped.scraped, scraped.kept, scraped.added) if scraped else (0, 0, 0)
        values = (float(scraped is not None), target.last_duration_s, *map(float, counts))
        batch, refused = target.history.report(time_ms, values)
        stored = await self._write(batch)
        return Receipt(accepted=stored.accepted, rejected=[*refused, *stored.rejected])

    async def _end(self, target: Target) -> None:
        if target.task is not None:
            target.task.cancel()
            # A page that is just being read would otherwise claim its series again.
            await asyncio.gather(target.task, return_exceptions=True)
        markers = target.history.end(self._clock.now_ms())
        self.stats.take(RECEIVER, await self._write(markers))

    def _begin(self, job: ScrapeJob, address: TargetAddress) -> Target:
        target = Target(job, address, TargetHistory(job, address, self._limits, self._claims))
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
                target.error = "internal error; the log has more"

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

    async def _write(self, batch: Batch) -> Receipt:
        if not len(batch):
            return Receipt(accepted=0)
        try:
            return await anyio.to_thread.run_sync(self._metrics.write, batch)
        except TocsinError as error:
            refusal = Rejection(reason="storeUnavailable", detail=error.message, count=len(batch))
            return Receipt(accepted=0, rejected=[refusal])
