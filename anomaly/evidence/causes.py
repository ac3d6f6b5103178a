"""Where it comes from: services ranked by what the exemplar traces say of them.

For errors, the span that fails without a failing child is where a trace's failure begins; when that
is a client span whose callee left no span at all, the callee is the suspect: most likely it could
not be reached. For slowness, each service is charged with the time that it spent itself: its spans'
durations without those of their children. Both follow the observation that simple rules over the
graph match learned rankers on the public benchmarks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.lineage import lineage_of
from collectors.traces.self_time import self_times_ns
from tocsin.client.wording import percent

PEER_KEYS = ("service.peer.name", "peer.service", "server.address", "net.peer.name")
MAX_SUSPECTS = 3
SUSPECT = "suspect."
"""Prefix of the findings' values that hold a suspect's share."""
_MIN_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A service that may be the cause.

    Attributes:
        service: Its name.
        share: Share of the traces' failures that begin there, or of their time spent there, 0 to 1.
        reason: What the traces show, to be put after the name.
    """

    service: str
    share: float
    reason: str


def shares_of(values: Mapping[str, float]) -> dict[str, float]:
    """Return those of a finding's values that hold a suspect's share."""
    return {name: share for name, share in values.items() if name.startswith(SUSPECT)}


def error_suspects(traces: Sequence[Sequence[Span]]) -> tuple[Suspect, ...]:
    """Rank services by how many failures of these traces begin there.

    Args:
        traces: Spans of each trace, in any order.
    """
    origins: Counter[str] = Counter()
    unreached: Counter[str] = Counter()
    for spans in traces:
        lineage = lineage_of(spans)
        for span, positions in zip(spans, lineage.children, strict=True):
            if span.status is not SpanStatus.ERROR:
                continue
            below = [spans[at] for at in positions]
            if any(child.status is SpanStatus.ERROR for child in below):
                continue
            peer = _peer(span) if span.kind is SpanKind.CLIENT and not below else ""
            origins[peer or span.service] += 1
            unreached[peer or span.service] += bool(peer)
    total = sum(origins.values())
    return _ranked(
        {
            service: (count / total, _error_reason(count, total, unreached[service]))
            for service, count in origins.items()
        }
    )


def slow_suspects(traces: Sequence[Sequence[Span]]) -> tuple[Suspect, ...]:
    """Rank services by the time that these traces spent in them and in nothing below them.

    Args:
        traces: Spans of each trace, in any order.
    """
    own_ns: dict[str, float] = defaultdict(float)
    for spans in traces:
        lineage = lineage_of(spans)
        for at, time_ns in enumerate(self_times_ns(lineage)):
            span = spans[at]
            waiting = span.kind is SpanKind.CLIENT and not lineage.children[at]
            own_ns[(_peer(span) if waiting else "") or span.service] += time_ns
    total = sum(own_ns.values())
    if total <= 0:
        return ()
    return _ranked(
        {
            service: (nanos / total, f"{percent(nanos / total)} of the time was spent there")
            for service, nanos in own_ns.items()
        }
    )


def _ranked(found: Mapping[str, tuple[float, str]]) -> tuple[Suspect, ...]:
    suspects = [
        Suspect(service=service, share=share, reason=reason)
        for service, (share, reason) in found.items()
        if share >= _MIN_SHARE
    ]
    # By name among equals, so that the same traces always give the same order.
    suspects.sort(key=lambda suspect: (-suspect.share, suspect.service))
    return tuple(suspects[:MAX_SUSPECTS])


def _error_reason(count: int, total: int, unreached: int) -> str:
    words = f"{count} of {total} failures begin there"
    return (
        f"{words}; in {unreached} it left no span, as if it could not be reached"
        if unreached
        else words
    )


def _peer(span: Span) -> str:
    for key in PEER_KEYS:
        value = span.attributes.get(key)
        if value:
            return str(value)
    return ""
