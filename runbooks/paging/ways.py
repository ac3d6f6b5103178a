"""The ways to people, watched: one that takes no pages is a fault of our own, and told as one.

A page that does not arrive takes the next way: those that the default route names, in their order,
then the console. It is sent on the first way all the same once that is open again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from anomaly.findings import Finding
from collectors.stacklang.text.lexer import escape
from runbooks.paging.own_fault import over, own_fault
from runbooks.paging.routing import Target

FAILING_METRIC = "tocsin.way.failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingWay:
    """A way that takes no pages: since when (epoch milliseconds) and what was said last."""

    target: Target
    since_ms: int
    reason: str


class Ways:
    """Remembers which ways fail; may be used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Target, Finding] = {}
        self._reasons: dict[Target, str] = {}
        self._known: dict[Target, None] = {}

    def failed(self, target: Target, reason: str, now_ms: int) -> Finding | None:
        """Take note that a page did not arrive; return the finding if that is news."""
        with self._lock:
            self._known[target] = None
            self._reasons[target] = reason
            if target in self._open:
                return None
            self._open[target] = found = _finding(target, reason, now_ms)
            return found

    def worked(self, target: Target, now_ms: int) -> Finding | None:
        """Take note that a page arrived; return the finding that this ends, if any."""
        with self._lock:
            self._known[target] = None
            found = self._open.pop(target, None)
        if found is None:
            return None
        return over(found, f"{name_of(target)} takes pages again.", now_ms)

    def failing(self) -> list[FailingWay]:
        """Return the ways that fail now."""
        with self._lock:
            return [
                FailingWay(target=target, since_ms=f.started_ms, reason=self._reasons[target])
                for target, f in self._open.items()
            ]

    def states(self) -> dict[Target, bool]:
        """Return of each way that was tried whether it fails."""
        with self._lock:
            return {target: target in self._open for target in self._known}


def next_way(target: Target, fallbacks: Sequence[Target]) -> Target | None:
    """Return the way to take when ``target`` fails, None when there is no other.

    >>> ways = [Target(notifier="slack", channel="a"), Target(notifier="console", channel="stderr")]
    >>> next_way(ways[0], ways).notifier
    'console'
    >>> next_way(Target(notifier="slack", channel="b"), ways).channel
    'a'
    >>> next_way(ways[1], ways)
    """
    ways = list(dict.fromkeys(fallbacks))
    rest = ways[ways.index(target) + 1 :] if target in ways else ways
    return rest[0] if rest else None


def name_of(target: Target) -> str:
    """Return how a way is named: ``slack:incidents``."""
    return f"{target.notifier}:{target.channel}"


def _finding(target: Target, reason: str, now_ms: int) -> Finding:
    name = name_of(target)
    return own_fault(
        "own/way",
        name,
        title=f"tocsin can't page by {name}",
        explanation=(
            f"A page to {name} did not arrive: {reason}. It took the next way, and is sent here "
            "as soon as this way is open again. See to the channel, the token and routes.yaml."
        ),
        scope={"tocsin.way": name},
        expression=(
            f"name,{FAILING_METRIC},:eq,notifier,{escape(target.notifier)},:eq,:and,"
            f"channel,{escape(target.channel)},:eq,:and,:max"
        ),
        since_ms=now_ms,
        now_ms=now_ms,
    )
