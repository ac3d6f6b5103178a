"""Findings on their way in: the latest of each, and no rule waits for another's thousands."""

from __future__ import annotations

import threading
from collections.abc import Container

from anomaly.findings import Finding, FindingKind, FindingState

INTAKE = "intake"
"""As which fault it is told that findings found no place."""

MAX_WAITING = 50_000
"""Findings that wait at once; what is over is taken beyond it, for it is told only once."""


class Waiting:
    """A queue of findings; may be used by several threads.

    A finding that waits already is replaced by its newer state. Rules take turns.

    Args:
        limit: Most that wait at once.

    Attributes:
        dropped: How many found no place. What still fires is told again within half a minute.
    """

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self.dropped = 0
        self._limit = limit
        self._lock = threading.Lock()
        self._by_rule: dict[str, dict[str, Finding]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, finding: Finding) -> bool:
        """Take ``finding`` in; return whether there was a place for it."""
        with self._lock:
            queue = self._by_rule.get(finding.rule, {})
            if finding.id not in queue:
                if self._count >= self._limit and finding.state is not FindingState.RESOLVED:
                    self.dropped += 1
                    return False
                self._count += 1
            queue[finding.id] = finding
            self._by_rule[finding.rule] = queue
        return True

    def take(self, limit: int) -> list[Finding]:
        """Return the next findings, one of each rule in turn, at most ``limit``."""
        taken: list[Finding] = []
        with self._lock:
            while self._by_rule and len(taken) < limit:
                for rule in list(self._by_rule)[: limit - len(taken)]:
                    queue = self._by_rule.pop(rule)
                    taken.append(queue.pop(next(iter(queue))))
                    if queue:
                        self._by_rule[rule] = queue  # behind the others
            self._count -= len(taken)
        return taken

    def all(self) -> list[Finding]:
        """Return what waits, and leave it where it is."""
        with self._lock:
            return [finding for queue in self._by_rule.values() for finding in queue.values()]

    def leave(self, kinds: Container[FindingKind]) -> None:
        """Forget what waits, but for findings of ``kinds``: another process takes the rest in."""
        with self._lock:
            for rule, queue in list(self._by_rule.items()):
                kept = {name: one for name, one in queue.items() if one.kind in kinds}
                self._count -= len(queue) - len(kept)
                self._by_rule[rule] = kept
                if not kept:
                    del self._by_rule[rule]

    def put_back(self, findings: list[Finding]) -> None:
        """Take back what could not be dealt with, unless something newer of it waits."""
        with self._lock:
            for finding in findings:
                queue = self._by_rule.setdefault(finding.rule, {})
                if finding.id not in queue:
                    queue[finding.id] = finding
                    self._count += 1
