"""The ground truth: what was really wrong, when. Only a scorecard reads it.

One JSON object a line. An event is written when it begins (``end_ms`` null) and again, with the
same ``id``, when it ends: the last line of an id counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthEvent:
    """Something that happened to the platform.

    Attributes:
        id: Joins the two lines of one event.
        kind: ``fault``, or ``benign`` for what must not page.
        name: Of the fault or of what was done.
        component: The service or thing at fault.
        scope: Tags that narrow down where.
        expected_impact: What viewers notice; empty when nothing.
        start_ms: Epoch milliseconds.
        end_ms: Epoch milliseconds, ``None`` while it lasts.
        seen_as: Services as which telemetry shows the component, where that is not its own name.
        paths: Ways on which viewers feel it, each from where they come in down to the component;
            empty when no request goes that way.
        hard: Whether it breaks much at once, so that a few seconds of it can't be overlooked.
    """

    id: str
    kind: str
    name: str
    component: str
    scope: Mapping[str, str]
    expected_impact: str
    start_ms: int
    end_ms: int | None = None
    seen_as: tuple[str, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()
    hard: bool = False


class TruthLog:
    """Appends to the ground-truth file.

    Args:
        path: The file; created when missing.
        now_ms: The present, in epoch milliseconds.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._now_ms = now_ms
        path.touch()

    def begin(
        self,
        *,
        kind: str,
        name: str,
        component: str,
        scope: Mapping[str, str],
        expected_impact: str = "",
        seen_as: tuple[str, ...] = (),
        paths: tuple[tuple[str, ...], ...] = (),
        hard: bool = False,
    ) -> TruthEvent:
        """Record that something begins now."""
        event = TruthEvent(
            id=uuid4().hex,
            kind=kind,
            name=name,
            component=component,
            scope=dict(scope),
            expected_impact=expected_impact,
            start_ms=self._now_ms(),
            seen_as=seen_as,
            paths=paths,
            hard=hard,
        )
        self._append(event)
        return event

    def end(self, event: TruthEvent) -> TruthEvent:
        """Record that it ends now."""
        ended = replace(event, end_ms=self._now_ms())
        self._append(ended)
        return ended

    def _append(self, event: TruthEvent) -> None:
        with self._path.open("ab") as file:
            file.write(orjson.dumps(asdict(event)) + b"\n")
            file.flush()
            os.fsync(file.fileno())


def read_truth(path: Path) -> list[TruthEvent]:
    """Return the events of a ground-truth file in the order in which they began."""
    events: dict[str, TruthEvent] = {}
    for line in path.read_bytes().splitlines():
        raw = orjson.loads(line)
        seen_as = tuple(raw.get("seen_as", ()))
        paths = tuple(tuple(path) for path in raw.get("paths", ()))
        event = TruthEvent(**{**raw, "seen_as": seen_as, "paths": paths})
        events[event.id] = event
    return list(events.values())
