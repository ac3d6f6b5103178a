"""What was really wrong with the platform: the ground-truth file that it writes for scorecards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from collectors.errors import ConfigError

REGION = "cloud.region"
MAX_BYTES = 50_000_000
"""A ground-truth file that is longer belongs to something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthEvent:
    """One thing that was done to the platform.

    Attributes:
        id: Identifies it.
        name: Such as ``playback-errors``.
        benign: Whether it is something that must not page.
        component: What is at fault.
        seen_as: Services as which telemetry shows the component; itself when there is none.
        paths: Ways on which users feel it, each from where they come in down to the component;
            empty when no request goes that way.
        hard: Whether it breaks much at once, so that a few seconds of it can't be overlooked.
        scope: Tags that narrow down where.
        impact: What viewers notice, in the platform's words.
        start_ms: Epoch milliseconds.
        end_ms: Epoch milliseconds; None while it lasts.
    """

    id: str
    name: str
    benign: bool
    component: str
    seen_as: tuple[str, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()
    hard: bool = False
    scope: Mapping[str, str] = field(default_factory=dict)
    impact: str = ""
    start_ms: int
    end_ms: int | None = None

    @property
    def region(self) -> str | None:
        """The region it is confined to, if it is."""
        return self.scope.get(REGION)

    @property
    def hurts(self) -> bool:
        """Whether viewers are expected to notice: a platform that absorbs a fault need not page."""
        return not self.benign and bool(self.impact) and not self.impact.lower().startswith("none")

    @property
    def culprits(self) -> frozenset[str]:
        """What a ranking has to name to be right."""
        return frozenset((self.component, *self.seen_as))


def read_truth(path: Path, since_ms: int = 0) -> list[TruthEvent]:
    """Return the events that began at ``since_ms`` or later, in the order of their beginning.

    An event has a line when it begins and another when it ends: the last one counts.

    Raises:
        ConfigError: There is no such file, or a line of it is not what the platform writes.
    """
    return events_in(raw_truth(path, since_ms), str(path))


def raw_truth(path: Path, since_ms: int = 0) -> list[Mapping[str, Any]]:
    """Return the lines about events that began at ``since_ms`` or later, as they were written.

    Raises:
        ConfigError: There is no such file, or a line of it is not what the platform writes.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: more than {MAX_BYTES:,} bytes; name a ground-truth file")
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be read ({error.strerror}); name the run's file"
        ) from error
    found: list[Mapping[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            raw = orjson.loads(line)
            if int(raw["start_ms"]) >= since_ms:
                _event(raw)
                found.append(raw)
        except _UNREADABLE as error:
            raise ConfigError(
                f"{path}:{number}: no ground-truth event ({error!r}): {line[:80]!r}"
            ) from error
    return found


def events_in(lines: Iterable[Mapping[str, Any]], where: str) -> list[TruthEvent]:
    """Return the events that lines tell of, in the order of their beginning.

    Args:
        lines: As the platform wrote them.
        where: Where they are from, for people.

    Raises:
        ConfigError: One is not what the platform writes.
    """
    events: dict[str, TruthEvent] = {}
    for line in lines:
        try:
            event = _event(line)
        except _UNREADABLE as error:
            raise ConfigError(f"{where}: no ground-truth event ({error!r})") from error
        events[event.id] = event
    return sorted(events.values(), key=lambda event: event.start_ms)


_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)


def _event(raw: Mapping[str, Any]) -> TruthEvent:
    end_ms = raw.get("end_ms")
    return TruthEvent(
        id=str(raw["id"]),
        name=str(raw["name"]),
        benign=raw["kind"] == "benign",
        component=str(raw["component"]),
        seen_as=tuple(str(name) for name in raw.get("seen_as") or ()),
        paths=tuple(tuple(str(name) for name in path) for path in raw.get("paths") or ()),
        hard=raw.get("hard") is True,
        scope={str(key): str(value) for key, value in raw["scope"].items()},
        impact=str(raw.get("expected_impact", "")),
        start_ms=int(raw["start_ms"]),
        end_ms=None if end_ms is None else int(end_ms),
    )
