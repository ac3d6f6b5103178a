"""What the services of a region keep their data in: shared by instances, outliving each of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from demo_stack.business.metering import UsageMeter
from demo_stack.chassis.load import LoadBook
from demo_stack.eventlog.broker import Broker, EmbeddedBroker
from demo_stack.eventlog.windows import TumblingCounts, TumblingRatios
from demo_stack.mantis.stream import RequestStream
from demo_stack.services.auth.grants import Grants
from demo_stack.services.auth.keys import SigningKeys
from demo_stack.services.edge.filling import Filler
from demo_stack.services.edge.forecast import PopularityForecast
from demo_stack.services.gateway.front_door import FrontDoor
from demo_stack.services.gateway.tunnel import Tunnel
from demo_stack.services.playback.library import MediaLibrary
from demo_stack.services.playback.streams import StreamTable
from demo_stack.services.recommendations.model import ItemModel
from demo_stack.stores.cache import ZoneCache, ZoneStore
from demo_stack.stores.objects import ObjectStore
from demo_stack.stores.replicated import ReplicatedStore
from demo_stack.world.layout import DAY_S, ZONES

VIEWS = "views"
"""Topic of viewing events: key viewer, value ``{viewer, title, device}``."""

REPORTS = "reports"
"""Topic of what players report: key viewer, value ``{device, played_s, stalled_s}``."""

TOPICS = (VIEWS, REPORTS)

CACHE_ENTRIES = 10_000
WINDOW_MS = 30_000
"""Length of a window of views."""

LATENESS_MS = 2_000
USAGE_PAUSE_S = 5.0
"""Least time between two readings of what is used, in seconds."""


def _history() -> ReplicatedStore:
    return ReplicatedStore(list(ZONES))


def zone_caches(nodes: Mapping[str, Sequence[str]] | None = None) -> dict[str, ZoneStore]:
    """Return a cache for every zone: on these memcached nodes, embedded where there are none."""
    if not nodes:
        return {zone: ZoneCache(CACHE_ENTRIES) for zone in ZONES}
    from demo_stack.stores.memcached import MemcachedZone

    return {zone: MemcachedZone(addresses) for zone, addresses in nodes.items()}


def event_log(address: str, region: str) -> Broker:
    """Return the region's topics on the Kafka broker at ``address``; embedded without one."""
    if not address:
        return EmbeddedBroker()
    from demo_stack.eventlog.kafka import KafkaBroker

    broker = KafkaBroker(address, f"{region}.", TOPICS)
    broker.open()
    return broker


@dataclass(slots=True)
class Backing:
    """The stores of one region.

    Attributes:
        log: The event log.
        model: What the recommendation instances have learnt from viewing events.
        keys: What auth signs with.
        grants: Codes and refresh tokens that auth handed out.
        history: What viewers watched, on a replica in every zone.
        zone_caches: Second level of the services' caches, one in every zone.
        fillers: What the edge instances keep, and fetch ahead.
        forecast: What viewers of the region will ask the edges for.
        day_s: Length of a day, in seconds.
        front_door: The load balancers in front of the gateways.
        tunnel: Where the gateways pass requests on to, while the region is evacuated.
        fit_accounts: Accounts under a failure-injection test, with the test's scope.
        fit_shares: Share of all accounts under a failure-injection test, by the test's scope.
        objects: Where the origin keeps renditions.
        views: Views per title in windows: the state of the stream job.
        rebuffering: Waiting of players in windows: the state of another one.
        trending: Titles of the last window of views, the most started first.
        load: What every instance has served.
        requests: The live stream of sampled requests.
        auth_skew_s: How wrong the clock of auth is, in seconds.
        library: Titles that are encoded for real.
        streams: Who plays what now.
        billing_url: Database of the ledger, as SQLAlchemy names it.
        usage: What the region has used since it was last asked.
    """

    front_door: FrontDoor
    keys: SigningKeys
    grants: Grants
    log: Broker = field(default_factory=EmbeddedBroker)
    model: ItemModel = field(default_factory=ItemModel)
    history: ReplicatedStore = field(default_factory=_history)
    zone_caches: dict[str, ZoneStore] = field(default_factory=zone_caches)
    fillers: list[Filler] = field(default_factory=list)
    forecast: PopularityForecast = field(default_factory=lambda: PopularityForecast(DAY_S / 2))
    day_s: float = DAY_S
    tunnel: Tunnel = field(default_factory=lambda: Tunnel(Random(0)))
    fit_accounts: dict[str, str] = field(default_factory=dict)
    fit_shares: dict[str, float] = field(default_factory=dict)
    auth_skew_s: float = 0.0
    objects: ObjectStore = field(default_factory=ObjectStore)
    views: TumblingCounts = field(default_factory=lambda: TumblingCounts(WINDOW_MS, LATENESS_MS))
    rebuffering: TumblingRatios = field(
        default_factory=lambda: TumblingRatios(WINDOW_MS, LATENESS_MS)
    )
    trending: list[str] = field(default_factory=list)
    load: LoadBook = field(default_factory=LoadBook)
    requests: RequestStream = field(default_factory=lambda: RequestStream(Random(0)))
    library: MediaLibrary = field(default_factory=MediaLibrary)
    streams: StreamTable = field(default_factory=lambda: StreamTable(time.monotonic))
    billing_url: str = "sqlite://"
    usage: UsageMeter = field(default_factory=lambda: UsageMeter(USAGE_PAUSE_S))
