"""How the scrapes of one target went, and which of it is news."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

import structlog

from collectors.errors import TocsinError
from collectors.model import Receipt, Rejection
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.history import TargetHistory
from collectors.receivers.prometheus.scrape.target import TargetAddress

_log = structlog.get_logger(__name__)
# What differs from page to page in the same failure: places, counts, quoted text.
_PASSING = re.compile(r"(?<!answered )\b\d+|['\"].*", re.DOTALL)


class TargetHealth(StrEnum):
    """Prometheus's words for it."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


@dataclass(slots=True, eq=False)
class Target:
    """One target and how its last scrape went.

    Attributes:
        job: How it is scraped.
        address: Where it is.
        history: Its series.
        error: Why the last scrape failed, empty if it did not.
        flaws: What of the last page was refused, or kept with a warning, by reason.
        scrapes: How many there were.
        last_scrape_ms: When the last one began, epoch milliseconds.
        last_duration_s: How long it took.
        task: What scrapes it on time.
    """

    job: ScrapeJob
    address: TargetAddress
    history: TargetHistory
    error: str = ""
    flaws: dict[str, Rejection] = field(default_factory=dict)
    scrapes: int = 0
    last_scrape_ms: int = 0
    last_duration_s: float = 0.0
    task: asyncio.Task[None] | None = None

    @property
    def health(self) -> TargetHealth:
        """Whether the last scrape succeeded; unknown before the first."""
        if not self.scrapes:
            return TargetHealth.UNKNOWN
        return TargetHealth.DOWN if self.error else TargetHealth.UP

    @property
    def up(self) -> bool:
        """Whether the last scrape succeeded."""
        return self.health is TargetHealth.UP

    def note(self, time_ms: int, error: str, receipt: Receipt) -> None:
        """Take in how a scrape that began at ``time_ms`` went; log what is new about it."""
        tell = _log.bind(job=self.job.name, url=self.address.url)
        if error and _kind(error) != _kind(self.error):
            tell.warning("scrape failed", reason=error)
        elif self.error and not error:
            tell.info("scrape succeeds again", reason_before=self.error)
        flaws: dict[str, Rejection] = {}
        for flaw in chain(receipt.rejected, receipt.warnings):
            flaws.setdefault(flaw.reason, flaw)
        for reason in sorted(flaws.keys() - self.flaws.keys()):
            tell.warning("part of a page is wrong", reason=reason, detail=flaws[reason].detail)
        self.error = error
        if not error:
            self.flaws = flaws
        self.scrapes += 1
        self.last_scrape_ms = time_ms


@dataclass(slots=True, eq=False)
class ScrapedTargets:
    """What a scraper works on, for whoever wants to look.

    Attributes:
        targets: All that are scraped now.
        dropped: By job, labels of targets that relabelling dropped, before it did; at most 1,000.
        dropped_counts: How many it dropped, by job.
    """

    targets: list[Target] = field(default_factory=list)
    dropped: dict[str, list[Mapping[str, str]]] = field(default_factory=dict)
    dropped_counts: dict[str, int] = field(default_factory=dict)


def describe(error: Exception, timeout_s: float) -> str:
    """Return one sentence on why a scrape failed."""
    if isinstance(error, TimeoutError):
        return f"no whole answer within {timeout_s:g} s"
    if isinstance(error, TocsinError):
        return error.message
    return str(error) or type(error).__name__


def _kind(error: str) -> str:
    return _PASSING.sub("", error)
