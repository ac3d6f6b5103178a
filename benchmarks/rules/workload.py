"""A synthetic platform: its series, and what its teams would watch of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from collectors.model import DSTYPE, Batch, FloatArray, Tags

STEP_MS = 60_000
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
_STATUSES = ("200", "204", "404", "500", "503")
_BUCKETS = tuple(f"T{index:04X}" for index in range(60, 160))
_GAUGES = ("cpu.used", "memory.used", "queue.depth", "threads.busy", "gc.pause")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How much there is.

    Attributes:
        series: Series at the beginning.
        expressions: Standing expressions.
        services: Services that share both.
    """

    series: int = 100_000
    expressions: int = 1_000
    services: int = 60

    def tags(self) -> list[Tags]:
        """Return the tags of every series."""
        return [tags for _, tags in zip(range(self.series), self._endless(), strict=False)]

    def _endless(self) -> Iterator[Tags]:
        """Instance after instance, each with everything it reports; latencies come first."""
        services = [f"service-{number:03d}" for number in range(self.services)]
        for service, region, bucket in product(services, REGIONS, _BUCKETS):
            extra = {"statistic": "percentile", "percentile": bucket}
            yield _tags("http.latency", service, region, extra)
        number = 0
        while True:
            for service, region in product(services, REGIONS):
                yield from instance_tags(service, region, f"i-{number:07d}")
                number += 1

    def fresh(self, count: int, generation: int) -> list[Tags]:
        """Return series that were not there before: new instances, spread over the services."""
        found: list[Tags] = []
        number = 0
        while len(found) < count:
            service = f"service-{number % self.services:03d}"
            region = REGIONS[number % len(REGIONS)]
            found += instance_tags(service, region, f"n-{generation:03d}-{number:05d}")
            number += 1
        return found[:count]

    def objectives(self) -> list[tuple[str, str]]:
        """Return bad and all requests of each service, by region."""
        by_region = "(,cloud.region,),:by"
        pairs = []
        for number in range(self.services):
            requests = f"name,http.requests,:eq,service.name,service-{number:03d},:eq,:and"
            bad = f"{requests},status,5,:re,:and,:sum,{by_region}"
            pairs.append((bad, f"{requests},:sum,{by_region}"))
        return pairs

    def programs(self) -> list[str]:
        """Return the standing expressions, in the order of services."""
        found = [expr for pair in self.objectives() for expr in pair]
        variant = 0
        while len(found) < self.expressions:
            for number in range(self.services):
                found += _watched(f"service-{number:03d}", variant)
            variant += 1
        return list(dict.fromkeys(found))[: self.expressions]


def instance_tags(service: str, region: str, instance: str) -> list[Tags]:
    """Return the series that one instance reports."""
    found = [
        _tags("http.requests", service, region, {"instance": instance, "status": status})
        for status in _STATUSES
    ]
    found += [
        _tags(name, service, region, {"instance": instance, DSTYPE: "gauge"}) for name in _GAUGES
    ]
    return found


def _tags(name: str, service: str, region: str, extra: Tags) -> Tags:
    return {"name": name, "service.name": service, "cloud.region": region, **extra}


def _watched(service: str, variant: int) -> list[str]:
    """Return what one team watches of its service; ``variant`` changes thresholds and windows."""
    own = f"service.name,{service},:eq,:and"
    requests = f"name,http.requests,:eq,{own}"
    bad = f"{requests},status,5,:re,:and,:sum"
    by_region = "(,cloud.region,),:by"
    ratio = f"{bad},{by_region},{{w}},:rolling-sum,{requests},:sum,{by_region},{{w}},:rolling-sum"
    burn = f"{ratio},:div,0.001,:div,{{f}},:gt"
    shift = variant * 7
    return [
        burn.format(w=5 + shift, f="14.4"),
        burn.format(w=60 + shift, f="14.4"),
        burn.format(w=360 + shift, f="6"),
        f"{requests},:sum,{by_region},10,0.1,{0.02 + variant / 100},:des",
        f"{requests},:sum,{by_region},:dup,10,0.1,{0.5 + variant / 100},:des,0.7,:mul,:lt",
        f"{requests},:sum,:dup,1h,:offset,:div,{0.5 + variant / 100},:lt",
        f"name,http.latency,:eq,{own},{by_region},(,50,99,{90 + variant},),:percentiles",
        f"name,http.latency,:eq,{own},(,99,),:percentiles,1.5,:gt,{5 + shift},:rolling-count,3,:gt",
        f"name,cpu.used,:eq,{own},:avg,{by_region},{0.8 + variant / 100},:gt",
        f"name,cpu.used,:eq,{own},:max,(,instance,),:by,{5 + shift},:rolling-min,0.9,:gt",
        f"name,memory.used,:eq,{own},:max,{by_region},{10 + shift},2,:rolling-mean",
        f"name,queue.depth,:eq,{own},:sum,:derivative,{10 + variant},:gt",
        f"name,queue.depth,:eq,{own},:sum,{30 + shift},:rolling-max,1e6,:gt",
        f"name,(,gc.pause,threads.busy,),:in,{own},:max,(,name,),:by,{variant + 1},:gt",
        f"{requests},status,404,:eq,:and,:sum,{requests},:sum,:div,100,:mul,{20 + variant},:gt",
    ]


def batch(tags: Sequence[Tags], values: FloatArray, first_ms: int) -> Batch:
    """Return one sample a series and step; ``values`` has shape (series, steps)."""
    series, steps = values.shape
    times = first_ms + STEP_MS * np.arange(steps, dtype=np.int64)
    return Batch(
        series=tags,
        series_index=np.tile(np.arange(series, dtype=np.int32), steps),
        time_ms=np.repeat(times, series),
        value=np.ascontiguousarray(values.T).reshape(-1),
    )
