"""The table of senders: how often each speaks, and what was kept and refused of it lately."""

from __future__ import annotations

import statistics
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from collectors.clock import Clock
from collectors.receivers.sources.arrival import CURRENT, Arrival

WINDOW_MS = 3_600_000
MAX_SOURCES = 2_000
MAX_REASONS = 20
OTHER_REASONS = "otherReasons"
# A sender that is silent for longer is forgotten; until then it is shown as overdue.
KEPT_MS = 86_400_000
_MINUTE_MS = 60_000
_MAX_BEATS = 17
_MIN_BEATS = 3
_OVERDUE_INTERVALS = 3
# Some send in bursts: that a burst is over says nothing.
_MIN_INTERVAL_MS = 10_000
_MAX_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SourceKey:
    """What tells one sender from another.

    Attributes:
        receiver: Which receiver it speaks to.
        name: The service, job or program; empty when a request speaks for several or for none.
        instance: Which of its instances; empty when it does not say.
        peer: The host that it sends from.
    """

    receiver: str
    name: str
    instance: str
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was refused of a sender for one reason; ``detail`` is the newest, empty if not told."""

    reason: str
    count: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A sender.

    Attributes:
        key: Which one.
        agent: What its client calls itself.
        services: For which services it speaks, if they are several; at most 20.
        first_ms: When it was first heard of, epoch milliseconds.
        last_ms: When it last was.
        interval_ms: How long it usually waits, the median of its last waits; None before three
            requests.
        overdue: Whether it has been silent for three of these.
        requests: How many came within the last hour.
        accepted: What was kept of them: samples, spans or lines.
        refused: What was not, most frequent first.
    """

    key: SourceKey
    agent: str
    services: list[str]
    first_ms: int
    last_ms: int
    interval_ms: int | None
    overdue: bool
    requests: int
    accepted: int
    refused: list[Refused]


@dataclass(slots=True)
class _Minute:
    requests: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, eq=False, kw_only=True)
class _Entry:
    first_ms: int
    last_ms: int
    agent: str = ""
    services: dict[str, None] = field(default_factory=dict)
    beats: deque[int] = field(default_factory=lambda: deque(maxlen=_MAX_BEATS))
    minutes: OrderedDict[int, _Minute] = field(default_factory=OrderedDict)
    details: OrderedDict[str, str] = field(default_factory=OrderedDict)


class SourceLedger:
    """Remembers senders; safe to use from several threads.

    At most ``MAX_SOURCES`` are kept: the one that was silent longest makes room, and ``forgotten``
    counts those.

    Args:
        clock: The present.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[SourceKey, _Entry] = OrderedDict()
        self.forgotten = 0

    @contextmanager
    def arriving(self, peer: str, agent: str = "") -> Iterator[Arrival]:
        """Attribute to a sender what receivers count within the block."""
        arrival = Arrival(peer=peer, agent=agent)
        with attributed_to(arrival):
            try:
                yield arrival
            finally:
                self.note(arrival)

    def note(self, arrival: Arrival) -> None:
        """Take in a request; one of which no receiver counted anything is none of a sender."""
        now_ms = self._clock.now_ms()
        with self._lock:
            for receiver in arrival.receivers:
                self._note(receiver, arrival, now_ms)

    def sources(self) -> list[Source]:
        """Return the senders of the last day, with what came in the last hour, in order."""
        now_ms = self._clock.now_ms()
        with self._lock:
            self._forget_silent(now_ms)
            keys = sorted(self._entries)
        # One at a time: whoever takes a request in waits for one sender and not for all.
        shown = (self._source(key, now_ms) for key in keys)
        return [source for source in shown if source is not None]

    def peers(self) -> frozenset[str]:
        """Return the hosts that anything came from within the last day, as sockets tell them."""
        with self._lock:
            return frozenset(key.peer for key in self._entries)

    def _source(self, key: SourceKey, now_ms: int) -> Source | None:
        with self._lock:
            entry = self._entries.get(key)
            return None if entry is None else _shown(key, entry, now_ms)

    def _note(self, receiver: str, arrival: Arrival, now_ms: int) -> None:
        entry = self._entry(_key(receiver, arrival), now_ms)
        entry.last_ms = max(entry.last_ms, now_ms)
        entry.agent = arrival.agent[:_MAX_CHARS]
        entry.beats.append(now_ms)
        if len(arrival.named) > 1:
            for service in sorted({name for name, _ in arrival.named}):
                if len(entry.services) < MAX_REASONS:
                    entry.services.setdefault(service[:_MAX_CHARS])
        minute = entry.minutes.setdefault(now_ms // _MINUTE_MS, _Minute())
        _drop_old(entry, now_ms)
        minute.requests += 1
        minute.accepted += arrival.accepted[receiver]
        for (of_receiver, reason), count in arrival.refused.items():
            if of_receiver == receiver:
                _note_refusal(entry, minute, reason, count, arrival.details.get(reason, ""))

    def _entry(self, key: SourceKey, now_ms: int) -> _Entry:
        entry = self._entries.get(key)
        if entry is None:
            self._forget_silent(now_ms)
            while len(self._entries) >= MAX_SOURCES:
                self._entries.popitem(last=False)
                self.forgotten += 1
            entry = self._entries[key] = _Entry(first_ms=now_ms, last_ms=now_ms)
        self._entries.move_to_end(key)
        return entry

    def _forget_silent(self, now_ms: int) -> None:
        """Forget who said nothing for a day: they stand first, as who speaks moves to the end."""
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            if entry.last_ms > now_ms - KEPT_MS:
                return
            del self._entries[key]


@contextmanager
def attributed_to(arrival: Arrival) -> Iterator[None]:
    """Add up in ``arrival`` what receivers count within the block."""
    token = CURRENT.set(arrival)
    try:
        yield
    finally:
        CURRENT.reset(token)


def _key(receiver: str, arrival: Arrival) -> SourceKey:
    name, instance = next(iter(arrival.named)) if len(arrival.named) == 1 else ("", "")
    return SourceKey(
        receiver=receiver,
        name=name[:_MAX_CHARS],
        instance=instance[:_MAX_CHARS],
        peer=arrival.peer[:_MAX_CHARS],
    )


def _note_refusal(entry: _Entry, minute: _Minute, reason: str, count: int, detail: str) -> None:
    if reason not in entry.details and len(entry.details) >= MAX_REASONS:
        reason = OTHER_REASONS
    minute.refused[reason] += count
    if detail or reason not in entry.details:
        entry.details[reason] = detail[:_MAX_CHARS]


def _drop_old(entry: _Entry, now_ms: int) -> None:
    """Drop minutes that ended more than an hour ago, and reasons that only they had."""
    oldest = (now_ms - WINDOW_MS) // _MINUTE_MS
    old = [minute for minute in entry.minutes if minute <= oldest]
    for minute in old:
        del entry.minutes[minute]
    if old:
        left = {reason for minute in entry.minutes.values() for reason in minute.refused}
        for reason in entry.details.keys() - left:
            del entry.details[reason]


def _shown(key: SourceKey, entry: _Entry, now_ms: int) -> Source:
    _drop_old(entry, now_ms)
    refused: Counter[str] = Counter()
    for minute in entry.minutes.values():
        refused.update(minute.refused)
    interval_ms = _interval_ms(entry)
    silent_ms = now_ms - entry.last_ms
    return Source(
        key=key,
        agent=entry.agent,
        services=list(entry.services),
        first_ms=entry.first_ms,
        last_ms=entry.last_ms,
        interval_ms=interval_ms,
        overdue=interval_ms is not None
        and silent_ms > _OVERDUE_INTERVALS * max(interval_ms, _MIN_INTERVAL_MS),
        requests=sum(minute.requests for minute in entry.minutes.values()),
        accepted=sum(minute.accepted for minute in entry.minutes.values()),
        refused=[
            Refused(reason=reason, count=count, detail=entry.details.get(reason, ""))
            for reason, count in refused.most_common()
        ],
    )


def _interval_ms(entry: _Entry) -> int | None:
    if len(entry.beats) < _MIN_BEATS:
        return None
    waits = [later - earlier for earlier, later in pairwise(entry.beats)]
    return max(0, int(statistics.median(waits)))
