"""Reading ``heartbeats.yaml``, with file, line and field in every complaint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from anomaly.findings import Urgency
from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section
from collectors.documents.values import (
    DurationMs,
    Flag,
    Words,
    at_least_one,
    matching,
    one_of,
)
from collectors.errors import DocumentError
from runbooks.heartbeats.heartbeat import Heartbeat

MAX_HEARTBEATS = 1_000
MIN_INTERVAL_MS = 10_000
_URGENCIES = (Urgency.PAGE.value, Urgency.TICKET.value)


class HeartbeatShape(Section):
    """Something that must report."""

    name: Annotated[Words, matching(r"[a-z0-9]+([._-][a-z0-9]+)*", "a short name in lower case")]
    """By which it reports, at `POST /api/v2/heartbeats/NAME`; each only once."""
    title: Words = ""
    """For people; without it the name."""
    interval: DurationMs
    """How often it reports: `5m`, `24h`. At least 10 seconds."""
    grace: DurationMs | None = None
    """How late it may be; without it a tenth of the interval."""
    scope: dict[str, Words] = {}
    """Tags of the finding, such as `service.name`: routes match them."""
    urgency: Annotated[str, one_of(_URGENCIES)] = Urgency.PAGE.value
    """`page` wakes somebody, `ticket` waits for the morning."""
    expected_from_start: Flag = False
    """Whether it is missed before its first report, too. Without it what has never reported is
    shown as not measured."""


class HeartbeatsFile(Section):
    """`heartbeats.yaml`: jobs that must report, and are missed when they do not."""

    heartbeats: Annotated[
        tuple[HeartbeatShape, ...],
        at_least_one("names nothing; write - {name: nightly-backup, interval: 24h}"),
    ]
    """All of them."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield names that stand twice, and what is too much or too often."""
        del context
        if len(self.heartbeats) > MAX_HEARTBEATS:
            yield self.at("heartbeats").error(f"has more than {MAX_HEARTBEATS}")
        seen: set[str] = set()
        for index, one in enumerate(self.heartbeats):
            if one.name in seen:
                yield self.at("heartbeats", index, "name").error(f"{one.name!r} stands twice")
            if one.interval < MIN_INTERVAL_MS:
                yield self.at("heartbeats", index, "interval").error("is shorter than 10 s")
            seen.add(one.name)


def load_heartbeats(path: Path) -> tuple[Heartbeat, ...]:
    """Read ``heartbeats.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    return tuple(_heartbeat(one) for one in load_section(path, HeartbeatsFile).heartbeats)


def _heartbeat(shape: HeartbeatShape) -> Heartbeat:
    return Heartbeat(
        name=shape.name,
        title=shape.title or shape.name,
        interval_ms=shape.interval,
        grace_ms=shape.interval // 10 if shape.grace is None else shape.grace,
        scope=dict(shape.scope),
        urgency=Urgency(shape.urgency),
        expected_from_start=shape.expected_from_start,
    )
