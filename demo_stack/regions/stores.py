"""What the services of a region keep their data in: shared by instances, outliving each of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from demo_stack.business.metering import Reading
from demo_stack.chassis.load import LoadBook
from demo_stack.eventlog.broker import Broker, EmbeddedBroker
from demo_stack.eventlog.topics import TOPICS
from demo_stack.mantis.stream import RequestStream
from demo_stack.regions.spec import RegionSpec
from demo_stack.services.auth.grants import Grants
from demo_stack.services.auth.keys import SigningKeys
from demo_stack.services.auth.stores import AuthStores
from demo_stack.services.billing.stores import BillingStores
from demo_stack.services.catalogue.stores import CatalogueStores, zone_caches
from demo_stack.services.edge.stores import EdgeStores, edge_stores
from demo_stack.services.gateway.front_door import front_door_for
from demo_stack.services.gateway.stores import GatewayStores
from demo_stack.services.gateway.tunnel import Tunnel
from demo_stack.services.playback.library import MediaLibrary
from demo_stack.services.playback.stores import PlaybackStores
from demo_stack.services.recommendations.stores import RecommendationStores


@dataclass(slots=True, kw_only=True)
class RegionStores:
    """The stores of every service, and what is measured of all of them.

    Attributes:
        log: The event log, which playback writes and recommendations read.
        auth: Of auth.
        billing: Of billing.
        catalogue: Of the catalogue.
        edge: Of the edge.
        gateway: Of the gateway.
        playback: Of playback.
        recommendations: Of recommendations.
        load: What every instance has served.
        requests: The live stream of sampled requests.
    """

    log: Broker
    auth: AuthStores
    billing: BillingStores
    catalogue: CatalogueStores
    edge: EdgeStores
    gateway: GatewayStores
    playback: PlaybackStores
    recommendations: RecommendationStores
    load: LoadBook
    requests: RequestStream = field(default_factory=lambda: RequestStream(Random(0)))

    async def close(self) -> None:
        """Let every connection go."""
        await self.log.close()
        for cache in self.catalogue.zone_caches.values():
            cache.close()


def event_log(address: str, region: str) -> Broker:
    """Return the region's topics on the Kafka broker at ``address``; embedded without one."""
    if not address:
        return EmbeddedBroker()
    from demo_stack.eventlog.kafka import KafkaBroker

    return KafkaBroker(address, f"{region}.", TOPICS)


def region_stores(spec: RegionSpec, randomness: Callable[[str], Random]) -> RegionStores:
    """Return the stores of a region; nothing is connected yet.

    Args:
        spec: The region.
        randomness: Returns the source of what is random for a purpose.
    """
    log, load = event_log(spec.broker, spec.region), LoadBook()
    playback = PlaybackStores(log=log, library=MediaLibrary(spec.media, spec.seed))

    def read_meters() -> Reading:
        return Reading(now_s=time.monotonic(), served=load.totals(), streams=playback.streams.begun)

    return RegionStores(
        log=log,
        auth=AuthStores(
            keys=SigningKeys(spec.seed), grants=Grants(randomness("grants"), time.time)
        ),
        billing=BillingStores(url=spec.billing_url),
        catalogue=CatalogueStores(zone_caches=zone_caches(spec.caches)),
        edge=edge_stores(spec.day_s),
        gateway=GatewayStores(
            front_door=front_door_for(spec.sps), tunnel=Tunnel(Random(0)), read_meters=read_meters
        ),
        playback=playback,
        recommendations=RecommendationStores(log=log),
        load=load,
    )
