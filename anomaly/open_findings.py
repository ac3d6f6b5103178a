"""Which findings are open, which have been, and who has been told what."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from threading import Lock

import structlog

from anomaly.findings import Finding, FindingSink, FindingState

MAX_RESOLVED = 1_000
_REFRESH_MS = 30_000

_log = structlog.get_logger(__name__)


class OpenFindings:
    """Findings by what they are about. Sinks hear of new and changed ones.

    Numbers change with every step; while nothing else does, a sink hears of them every half minute.

    One thread puts and mutes; any may ask what is known.

    Args:
        sinks: Who wants to know.
    """

    def __init__(self, sinks: Sequence[FindingSink]) -> None:
        self._sinks = tuple(sinks)
        self._open: dict[Hashable, Finding] = {}
        self._told: dict[Hashable, Finding] = {}
        self._resolved: deque[Finding] = deque(maxlen=MAX_RESOLVED)
        self._silent = False
        self._ended: list[Finding] = []
        self._lock = Lock()

    def current(self, key: Hashable) -> Finding | None:
        """Return the open finding about ``key``."""
        return self._open.get(key)

    def put(self, key: Hashable, finding: Finding) -> None:
        """Keep ``finding`` as the present one about ``key`` and tell the sinks if it matters."""
        with self._lock:
            if finding.state is FindingState.RESOLVED:
                self._open.pop(key, None)
                self._end(finding)
            else:
                self._open[key] = finding
        if not self._silent and _matters(self._told.get(key), finding):
            self._tell(key, finding)

    def mute(self) -> None:
        """Tell nobody until :meth:`unmute`: the past is gone through again, rule by rule."""
        self._silent = True

    def unmute(self) -> None:
        """Tell from now on, beginning with what is open and news."""
        self._silent = False
        with self._lock:
            self._resolved.extend(_newest(self._ended))
        self._ended = []
        for key, finding in sorted(self._open.items(), key=lambda item: item[1].detected_ms):
            if _matters(self._told.get(key), finding):
                self._tell(key, finding)

    def firing(self) -> tuple[Finding, ...]:
        """Return the open findings, frozen ones among them, the oldest first."""
        with self._lock:
            known = [*self._open.values()]
        return tuple(sorted(known, key=lambda f: f.started_ms))

    def everything(self) -> tuple[Finding, ...]:
        """Return the open findings and the newest resolved ones, the newest first."""
        with self._lock:
            known = [*self._open.values(), *self._resolved]
        return tuple(sorted(known, key=lambda f: f.started_ms, reverse=True))

    def _end(self, finding: Finding) -> None:
        """Keep a resolved finding; the past is not told in the order of time."""
        if not self._silent:
            self._resolved.append(finding)
            return
        self._ended.append(finding)
        if len(self._ended) > 4 * MAX_RESOLVED:
            self._ended = _newest(self._ended)

    def _tell(self, key: Hashable, finding: Finding) -> None:
        if finding.state is FindingState.RESOLVED:
            self._told.pop(key, None)
        else:
            self._told[key] = finding
        for sink in self._sinks:
            try:
                sink.receive(finding)
            except Exception:  # noqa: BLE001 - one sink's fault must not keep others from knowing
                _log.exception("sink failed", finding=finding.id, sink=type(sink).__name__)


def _newest(ended: Sequence[Finding]) -> list[Finding]:
    return sorted(ended, key=lambda finding: finding.updated_ms)[-MAX_RESOLVED:]


def _matters(told: Finding | None, finding: Finding) -> bool:
    if told is None or told.id != finding.id:
        return True
    changed = (
        told.state is not finding.state
        or told.urgency is not finding.urgency
        or told.exemplar_trace_ids != finding.exemplar_trace_ids
        or told.changes != finding.changes
        or bool(told.lines) is not bool(finding.lines)
        or told.explained_by != finding.explained_by
    )
    return changed or finding.updated_ms - told.updated_ms >= _REFRESH_MS
