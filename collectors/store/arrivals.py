"""When series were last heard of, who sends them, and what has changed since somebody last looked.

Data come late: an exporter speaks once a minute, a batch is sent again. Whoever judges a step wants
to know whether all that should be in it has come, and hears of what comes after all.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collectors.model import IndexArray, IntArray, Tags
from collectors.store.blocks.blocks import NEWS_BASE, HotBlocks
from collectors.store.series.plan import Plan
from collectors.store.series.table import SeriesTable
from collectors.store.series.tag_view import TagView

# What tells one process that exports from another, in the words of OpenTelemetry, Prometheus and
# Atlas. A series that has none of these is a sender of its own.
SENDER_KEYS = (
    "service.instance.id",
    "service.name",
    "host.name",
    "k8s.pod.name",
    "container.id",
    "instance",
    "job",
    "nf.node",
    "nf.asg",
    "tocsin.source",
)
NEVER_MS = np.iinfo(np.int64).max
_MAX_PLANS = 4_096
# Odd, so that no bit is lost, and one a key, so that equal texts of two keys don't cancel out.
_FACTORS = [
    np.uint64(0x9E3779B97F4A7C15 * (2 * i + 1) % 2**64 | 1) for i in range(len(SENDER_KEYS))
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """S series that match a request.

    Attributes:
        series: (S,) int32, ids, ascending.
        line: (S,) int32, position in ``tags`` of the line that each belongs to.
        tags: Tags of each line.
        sender: (S,) uint64, equal for series of one sender.
        newest_ms: (S,) int64, end of the newest step in which each has a value.
    """

    series: IndexArray
    line: IndexArray
    tags: Sequence[Tags]
    sender: NDArray[np.uint64]
    newest_ms: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was written since somebody last asked.

    Attributes:
        first_ms: (N,) int64, end of the oldest step written by series id, ``NEVER_MS`` for none.
    """

    first_ms: IntArray

    def oldest_ms(self, series: IndexArray) -> int:
        """Return the end of the oldest step written of some series, ``NEVER_MS`` for none."""
        known = series[series < len(self.first_ms)]
        return int(self.first_ms[known].min()) if len(known) else int(NEVER_MS)


class Senders:
    """Finds out who sends the series of a plan, and remembers it as long as the plan is the same.

    Args:
        table: The series and their tags.
    """

    def __init__(self, table: SeriesTable) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[Plan, NDArray[np.uint64]]] = OrderedDict()

    def of(self, plan: Plan, view: TagView) -> NDArray[np.uint64]:
        """Return a number for the sender of each series: the same in every process."""
        with self._lock:
            known = self._known.get(id(plan))
            if known is not None and known[0] is plan:
                self._known.move_to_end(id(plan))
                return known[1]
        found = self._find(plan.series, view)
        with self._lock:
            self._known[id(plan)] = plan, found
            if len(self._known) > _MAX_PLANS:
                self._known.popitem(last=False)
        return found

    def _find(self, series: IndexArray, view: TagView) -> NDArray[np.uint64]:
        # A number is the mixed digests of the texts, which no restart and no new word changes.
        digests = view.words.digests[:, 0]
        named = np.zeros(len(series), dtype=np.uint64)
        for key, factor in zip(SENDER_KEYS, _FACTORS, strict=True):
            words = view.values(series, key)
            # A series that came meanwhile may have a word that is newer than the view.
            mixed = digests.take(words, mode="clip") * factor
            named ^= np.where(words > 0, mixed, np.uint64(0))
        own = self._table.fingerprints(series)
        return np.where(named == 0, own, named)


def heard_of(plan: Plan, view: TagView, senders: Senders, blocks: HotBlocks) -> Heard:
    """Return when the series of ``plan`` were last heard of."""
    return Heard(
        series=plan.series,
        line=plan.group,
        tags=plan.tags,
        sender=senders.of(plan, view),
        newest_ms=blocks.arrays.seen[plan.series] * blocks.step_ms,
    )


def take_news(blocks: HotBlocks, top: int) -> News:
    """Return what was written since the last call, and start again."""
    news = blocks.arrays.news[:top]
    first = np.where(news > 0, (NEWS_BASE - news) * blocks.step_ms, NEVER_MS)
    news[:] = 0
    return News(first_ms=first)
