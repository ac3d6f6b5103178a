"""Which new series come in: validation, the rate of new series, and room for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.clock import Clock
from collectors.model import Rejection, Tags
from collectors.store.limits import StoreLimits
from collectors.store.series import SeriesTable, identity_of
from collectors.store.validation import TagRules

_MINUTE_MS = 60_000


@dataclass(slots=True)
class Resolved:
    """Ids of a batch's series; -1 where refused.

    Attributes:
        ids: One id a series.
        new: Series to register: id, identity and tags.
        refused: Reason by position in the batch.
        rows: Positions in the batch that were asked for, when not all of them.
    """

    ids: list[int]
    new: list[tuple[int, bytes, Tags]] = field(default_factory=list)
    refused: dict[int, Rejection] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)


class Admission:
    """Finds the ids of known series and decides on new ones.

    Args:
        table: The known series.
        limits: What is allowed.
        max_series: Series for which the hot blocks have room.
        clock: For the quota of new series a minute.
    """

    def __init__(
        self, table: SeriesTable, limits: StoreLimits, max_series: int, clock: Clock
    ) -> None:
        self._table = table
        self._limits = limits
        self._rules = TagRules(limits)
        self._max_series = max_series
        self._clock = clock
        self._minute = 0
        self._new_this_minute = 0

    def resolve(self, series: Sequence[Tags], identities: Sequence[bytes]) -> Resolved:
        """Find or prepare ids; nothing is registered yet, so a failing log leaves no trace."""
        find = self._table.find
        resolved = Resolved([find(identity) for identity in identities])
        unknown = [i for i, known in enumerate(resolved.ids) if known < 0]
        if unknown:
            self._prepare(series, identities, unknown, resolved)
        return resolved

    def _prepare(
        self,
        series: Sequence[Tags],
        identities: Sequence[bytes],
        unknown: list[int],
        resolved: Resolved,
    ) -> None:
        free_ids = iter(self._table.next_ids(len(unknown)))
        fresh: dict[bytes, int] = {}
        for i in unknown:
            if identities[i] in fresh:
                resolved.ids[i] = fresh[identities[i]]
                continue
            refused = self._rules.refuse(series[i]) or self._no_room(series[i], len(fresh))
            if refused is not None:
                resolved.refused[i] = refused
                continue
            resolved.ids[i] = fresh[identities[i]] = next(free_ids)
            resolved.new.append((resolved.ids[i], identities[i], series[i]))
        self._new_this_minute += len(fresh)

    def _no_room(self, tags: Tags, more: int) -> Rejection | None:
        minute = self._clock.now_ms() // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._new_this_minute = minute, 0
        held = len(self._table) + more
        if held >= self._max_series:
            detail = (
                f"{held} series are held and memory has room for {self._max_series}; "
                "raise max_series or memory_bytes, shorten the hot window, or drop tags"
            )
            return Rejection(reason="seriesLimit", detail=detail, tags=tags)
        quota = self._limits.new_series_per_minute
        if self._new_this_minute + more >= quota:
            detail = f"more than {quota} new series within a minute; look for a tag without bounds"
            return Rejection(reason="newSeriesLimit", detail=detail, tags=tags)
        return None


def identities_of(series: Sequence[Tags]) -> list[bytes]:
    """Return the identity of each tag set."""
    return [identity_of(tags) for tags in series]
