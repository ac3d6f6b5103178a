"""A made-up platform at a chosen moment: quiet, in an incident, or after one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.client.wording import clock

JsonObject = dict[str, Any]

STEP_MS = 5_000
INCIDENT_ID = "INC-7"
REGIONS = ("us-east-1", "eu-west-1")
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SLOW_TRACE_ID = "00f067aa0ba902b7a3ce929d0e0e4736"


@dataclass(slots=True, kw_only=True)
class World:
    """What the fake API answers from.

    Attributes:
        now_ms: The moment the answers are about, epoch milliseconds.
        status: The incident's status, None when there never was one.
        severity: The incident's severity.
        acknowledged_by: Who took it.
        notes: Notes that were added, oldest first.
        steps_done: Ids of runbook steps that were ticked off.
        pins: Numbers of the entries that people keep in view.
        clicks: Buttons pressed on the Slack preview.
        empty: No series, no spans, no objectives: a first start.
        plain_boards: Whether the dashboard has no row that repeats.
        heard: Whether the incident's findings came with log lines.
        told_ms: Now, when it was made: what has happened stays where it was when now moves on.
    """

    now_ms: int
    status: str | None = None
    severity: str = "SEV1"
    acknowledged_by: str | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)
    steps_done: set[str] = field(default_factory=set)
    pins: list[int] = field(default_factory=list)
    clicks: list[JsonObject] = field(default_factory=list)
    empty: bool = False
    plain_boards: bool = True
    heard: bool = True
    told_ms: int = field(init=False)

    def __post_init__(self) -> None:
        """Keep the moment that everything is told from."""
        self.told_ms = self.now_ms

    @classmethod
    def quiet(cls, now_ms: int) -> World:
        """Nothing is wrong, nothing ever was."""
        return cls(now_ms=now_ms)

    @classmethod
    def in_incident(cls, now_ms: int) -> World:
        """Stream starts in us-east-1 fell five minutes ago; nobody has acknowledged."""
        return cls(now_ms=now_ms, status="triage")

    @classmethod
    def after_incident(cls, now_ms: int) -> World:
        """The incident is resolved and has its post-mortem."""
        return cls(now_ms=now_ms, status="resolved", acknowledged_by="Ada")

    @property
    def is_over(self) -> bool:
        """Whether the incident has been resolved."""
        return self.status in ("resolved", "closed")

    def at(self, minutes_ago: float) -> int:
        """Return a moment before it was told."""
        return self.told_ms - int(minutes_ago * 60_000)

    @property
    def impact_start_ms(self) -> int:
        """When stream starts fell."""
        return self.at(5)


def starts(world: World, times_ms: NDArray[np.int64], region: str) -> NDArray[np.float64]:
    """Return synthetic stream starts a second: a slow wave, small ripples, the incident's fall."""
    level = {"us-east-1": 42.0, "eu-west-1": 31.0}.get(region, 20.0)
    seconds = times_ms / 1000.0
    values = level * (1 + 0.12 * np.sin(seconds / 700) + 0.02 * np.sin(seconds / 7.3))
    if world.status is not None and region == "us-east-1":
        fallen = times_ms >= world.impact_start_ms
        if world.is_over:
            fallen &= times_ms < world.at(1.5)
        values = np.where(fallen, values * 0.22, values)
    return np.asarray(values, dtype=np.float64)


def latency_s(world: World, times_ms: NDArray[np.int64], percentile: int) -> NDArray[np.float64]:
    """Return a synthetic latency percentile of the gateway, seconds."""
    base = 0.031 if percentile == 50 else 0.118
    values = base * (1 + 0.08 * np.sin(times_ms / 1000.0 / 11.0))
    if world.status is not None:
        suffering = times_ms >= world.impact_start_ms
        if world.is_over:
            suffering &= times_ms < world.at(1.5)
        values = np.where(suffering, values * (1.3 if percentile == 50 else 3.4), values)
    return np.asarray(values, dtype=np.float64)


def slos(world: World) -> list[JsonObject]:
    """Return two objectives, the first for both regions."""
    if world.empty:
        return []
    burning = world.status is not None and not world.is_over
    found = [
        _slo(world, "playback-availability", "Playback starts", "playback", region, burning)
        for region in REGIONS
    ]
    return [*found, _slo(world, "gateway-latency", "Gateway under 200 ms", "gateway", "", False)]


def sources(world: World) -> JsonObject:
    """Return three senders: one in order, one that is silent, and one of whom much is refused."""
    rows = [
        _source(world, "otlp.metrics", "playback", "playback-1", silent_s=3, interval_s=10),
        _source(world, "prometheus.scrape", "node", "http://10.0.0.9:9100", silent_s=300),
        _source(world, "spectator", "", "", silent_s=1, interval_s=1, refused=412),
    ]
    return {
        "now_ms": world.now_ms,
        "window_ms": 3_600_000,
        "forgotten": 0,
        "sources": [] if world.empty else rows,
    }


def _source(
    world: World,
    receiver: str,
    name: str,
    instance: str,
    *,
    silent_s: int,
    interval_s: int = 15,
    refused: int = 0,
) -> JsonObject:
    detail = "a line has a type, an id and a value, not 'c:*bold*' (synthetic)"
    part = {"reason": "invalidLine", "count": refused, "detail": detail}
    return {
        "receiver": receiver,
        "name": name,
        "instance": instance,
        "peer": "10.0.0.9",
        "agent": "synthetic/1.0",
        "services": [],
        "first_ms": world.at(50),
        "last_ms": world.now_ms - silent_s * 1_000,
        "interval_ms": interval_s * 1_000,
        "overdue": silent_s > 3 * interval_s,
        "requests": 240,
        "accepted": 12_000,
        "refused": [part] if refused else [],
    }


def near_change(world: World) -> JsonObject:
    """Return the change that was made before the impact."""
    return {
        "id": "ci-77",
        "time_ms": world.impact_start_ms - 40_000,
        "kind": "deploy",
        "summary": "Deployed playback 1.1.0 (synthetic)",
        "service": "playback",
        "scope": {"cloud.region": "us-east-1", "service.name": "playback"},
        "url": "https://ci.example/builds/77",
        "relation": "same region",
        "before_ms": 40_000,
        "why": "",
        "compared": "",
        "text": "Deployed playback 1.1.0 (synthetic) (same region, playback, us-east-1), "
        "40 s before the estimated onset",
    }


def line_kind(world: World) -> JsonObject:
    """Return the kind of log line that was new near the onset."""
    return {
        "pattern": "0badc0de",
        "text": "POST <*> failed: connection *reset* by peer",
        "service": "playback",
        "severity": "error",
        "new": True,
        "since_ms": world.impact_start_ms + 1_000,
        "until_ms": world.now_ms,
        "count": 42,
        "before": 0,
        "among": 310,
        "before_ms": 600_000,
        "sample": "POST /playback failed: connection *reset* by peer",
        "trace_id": TRACE_ID,
        "words": f"playback: new error line since {clock(world.impact_start_ms + 1_000)}, "
        "42 times, none among 310 in the 10 min before: "
        "“POST <*> failed: connection *reset* by peer”",
    }


def finding(world: World) -> JsonObject:
    """Return what the detector found."""
    return {
        "id": "detector/sps/us-east-1/1",
        "rule": "detector/sps",
        "kind": "anomaly",
        "state": "resolved" if world.is_over else "firing",
        "urgency": "page",
        "title": "Stream starts in us-east-1 fell by 78 % (synthetic)",
        "explanation": "Stream starts were 9.4/s over the last 10 s against 42.6/s expected from "
        "the 15 minutes before. Other regions did not change.",
        "scope": {"cloud.region": "us-east-1"},
        "started_ms": world.impact_start_ms,
        "detected_ms": world.at(4.83),
        "updated_ms": world.now_ms,
        "ended_ms": world.at(1.5) if world.is_over else None,
        "expression": "name,stream.starts,:eq,cloud.region,us-east-1,:eq,:and,"
        "outcome,success,:eq,:and,:sum",
        "window_ms": 10_000,
        "observed": 9.4,
        "baseline": 42.6,
        "unit": "1/s",
        "values": {"score": 11.2, "threshold": 5.0},
        "exemplar_trace_ids": [TRACE_ID],
        "changes": [{k: v for k, v in near_change(world).items() if k != "text"}],
        "suspects": [],
        "explained_by": {},
        "lines": [line_kind(world)],
        "given_up": False,
        "subject": "Stream starts",
    }


def _slo(
    world: World, name: str, display: str, service: str, region: str, burning: bool
) -> JsonObject:
    hit = burning and region == "us-east-1"
    burn = 212.0 if hit else 0.4
    tiers = (("fast", "page", 3600, 300, 14.4), ("slow", "page", 21600, 1800, 6.0))
    return {
        "name": name,
        "display_name": display,
        "service": service,
        "description": "Synthetic objective: attempts to start a stream that succeed",
        "target": 0.999 if region else 0.99,
        "window_s": 30 * 86400,
        "scope": {"cloud.region": region} if region else {},
        "state": "burning" if hit else "ok",
        "good_ratio": 0.99821 if hit else 0.9996,
        "error_budget_remaining": -0.79 if hit else 0.6,
        "error_budget_remaining_projected": -0.79 if hit else 0.6,
        "coverage": 0.012,
        "burn_rates": [
            {
                "tier": tier,
                "urgency": urgency,
                "long_s": long_s,
                "short_s": short_s,
                "long": burn if tier == "fast" else burn / 6,
                "short": burn,
                "threshold": threshold,
                "firing": hit,
                "verdict": "burning" if hit else "ok",
            }
            for tier, urgency, long_s, short_s, threshold in tiers
        ],
        "forecast": {
            "gone_ms": world.now_ms if hit else world.now_ms + 9 * 86_400_000,
            "earliest_ms": world.now_ms if hit else world.now_ms + 5 * 86_400_000,
            "latest_ms": world.now_ms if hit else None,
            "until_ms": world.now_ms + 30 * 86_400_000,
            "basis_s": 86_400,
        },
        "window": "rolling",
        "method": "Occurrences",
        "source": "slos/synthetic.yaml:1",
        "good_expr": "name,stream.starts,:eq,outcome,success,:eq,:and,:sum",
        "total_expr": "name,stream.starts,:eq,:sum",
        "updated_ms": world.now_ms,
        "reasons": [],
    }
