"""What a region is started with, and what it answers when it is up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import orjson

from demo_stack.world.layout import DAY_S

DEFAULT_INSTANCES = {"edge": 2, "playback": 2, "recommendations": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSpec:
    """A region to start.

    Attributes:
        region: Its name.
        seed: The platform's seed.
        otlp_endpoint: Base URL that spans and metrics go to.
        spectator: Where spectator lines go, ``udp://host:port`` or ``none``.
        instances: Instances by service; one of those not named.
        sps: Stream starts a second that the region is built for: capacities follow from it.
        day_s: Length of a day, in seconds.
        caches: Zone to addresses of its memcached nodes; empty for embedded caches.
        broker: Address of a Kafka broker; empty for the embedded event log.
        media: Directory of encoded titles; empty for none: then every title is synthetic.
        billing_url: Database of the ledger, as SQLAlchemy names it; in memory by default.
    """

    region: str
    seed: int = 1
    otlp_endpoint: str = ""
    spectator: str = "none"
    instances: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_INSTANCES))
    sps: float = 5.0
    day_s: float = DAY_S
    caches: dict[str, list[str]] = field(default_factory=dict)
    broker: str = ""
    media: str = ""
    billing_url: str = "sqlite://"

    def to_json(self) -> str:
        """Return the spec as one argument for a process."""
        return orjson.dumps(asdict(self)).decode()

    @staticmethod
    def from_json(text: str) -> RegionSpec:
        """Return what :meth:`to_json` wrote."""
        return RegionSpec(**orjson.loads(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionAddresses:
    """Where a region that is up can be reached.

    Attributes:
        services: Base URLs of the instances by service.
        control: Base URL of the region's private control endpoint.
        registry: Base URL of its registry, as a Eureka client takes it.
    """

    services: dict[str, list[str]]
    control: str
    registry: str = ""
