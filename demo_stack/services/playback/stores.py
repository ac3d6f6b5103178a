"""What the instances of playback share in a region."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from demo_stack.eventlog.broker import Broker
from demo_stack.eventlog.topics import LATENESS_MS, WINDOW_MS
from demo_stack.eventlog.windows import TumblingRatios
from demo_stack.services.playback.library import MediaLibrary
from demo_stack.services.playback.streams import StreamTable
from demo_stack.stores.objects import ObjectStore
from demo_stack.stores.replicated import ReplicatedStore
from demo_stack.world.layout import ZONES


def _history() -> ReplicatedStore:
    return ReplicatedStore(list(ZONES))


def _streams() -> StreamTable:
    return StreamTable(time.monotonic)


def _ratios() -> TumblingRatios:
    return TumblingRatios(WINDOW_MS, LATENESS_MS)


@dataclass(slots=True, kw_only=True)
class PlaybackStores:
    """Outlives every instance.

    Attributes:
        log: The event log: views and what players report go there.
        library: Titles that are encoded for real.
        streams: Who plays what now.
        history: What viewers watched, on a replica in every zone.
        objects: Where the origin keeps renditions.
        rebuffering: Waiting of players in windows: the state of a stream job.
    """

    log: Broker
    library: MediaLibrary = field(default_factory=MediaLibrary)
    streams: StreamTable = field(default_factory=_streams)
    history: ReplicatedStore = field(default_factory=_history)
    objects: ObjectStore = field(default_factory=ObjectStore)
    rebuffering: TumblingRatios = field(default_factory=_ratios)
