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

from anomaly.findings import Suspect
from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.tree.lineage import Lineage, lineage_of
from collectors.traces.tree.self_time import self_times_ns
from tocsin.client.wording import percent

PEER_KEYS = ("service.peer.name", "peer.service", "server.address", "net.peer.name")
MAX_SUSPECTS = 3
SUSPECT = "suspect."
"""Prefix of the findings' values that hold a suspect's share."""
_MIN_SHARE = 0.1
_MAX_WAY = 32


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
    paths: dict[str, tuple[str, ...]] = {}
    for spans in traces:
        lineage = lineage_of(spans)
        for at, (span, positions) in enumerate(zip(spans, lineage.children, strict=True)):
            if span.status is not SpanStatus.ERROR:
                continue
            below = [spans[at] for at in positions]
            if any(child.status is SpanStatus.ERROR for child in below):
                continue
            peer = _peer(span) if span.kind is SpanKind.CLIENT and not below else ""
            origins[peer or span.service] += 1
            _note_path(paths, lineage, at, peer or span.service)
            unreached[peer or span.service] += bool(peer)
    total = sum(origins.values())
    return _ranked(
        {
            service: (count / total, _error_reason(count, total, unreached[service]))
            for service, count in origins.items()
        },
        paths,
    )


def slow_suspects(traces: Sequence[Sequence[Span]]) -> tuple[Suspect, ...]:
    """Rank services by the time that these traces spent in them and in nothing below them.

    Args:
        traces: Spans of each trace, in any order.
    """
    own_ns: dict[str, float] = defaultdict(float)
    paths: dict[str, tuple[str, ...]] = {}
    for spans in traces:
        lineage = lineage_of(spans)
        for at, time_ns in enumerate(self_times_ns(lineage)):
            span = spans[at]
            waiting = span.kind is SpanKind.CLIENT and not lineage.children[at]
            service = (_peer(span) if waiting else "") or span.service
            own_ns[service] += time_ns
            _note_path(paths, lineage, at, service)
    total = sum(own_ns.values())
    if total <= 0:
        return ()
    return _ranked(
        {
            service: (nanos / total, f"{percent(nanos / total)} of the time was spent there")
            for service, nanos in own_ns.items()
        },
        paths,
    )


def path_to(service: str, traces: Sequence[Sequence[Span]]) -> tuple[str, ...]:
    """Return the shortest way from a root of these traces to ``service``, () for none."""
    paths: dict[str, tuple[str, ...]] = {}
    for spans in traces:
        lineage = lineage_of(spans)
        for at, span in enumerate(spans):
            if span.service == service:
                _note_path(paths, lineage, at, service)
    return paths.get(service, ())


def _note_path(paths: dict[str, tuple[str, ...]], lineage: Lineage, at: int, service: str) -> None:
    """Keep the shortest way from a trace's root to ``service``, the first by name among equals."""
    way = [service]
    while at >= 0 and len(way) < _MAX_WAY:
        if lineage.spans[at].service != way[-1]:
            way.append(lineage.spans[at].service)
        at = lineage.parent[at]
    path = tuple(reversed(way))
    known = paths.get(service)
    if known is None or (len(path), path) < (len(known), known):
        paths[service] = path


def _ranked(
    found: Mapping[str, tuple[float, str]], paths: Mapping[str, tuple[str, ...]]
) -> tuple[Suspect, ...]:
    suspects = [
        Suspect(service=service, share=share, reason=reason, path=paths[service])
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
