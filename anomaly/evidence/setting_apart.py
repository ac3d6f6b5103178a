"""What sets the requests that show a finding apart from those before it: attributes, and the time.

Held against each other are spans of the suspect in traces that show it and in traces of the same
kind before it began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from anomaly.evidence.causes import MAX_SUSPECTS, path_to
from anomaly.findings import Suspect
from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.compare import Difference, compare
from collectors.traces.tree.critical_path import time_on_paths
from collectors.traces.tree.lineage import identity
from tocsin.client.wording import percent, quantity

MAX_TRACES = 20
_MIN_SPANS = 5
_MIN_SHARE = 0.1
_MIN_LIFT = 0.3
_SERVED = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})
OUTCOMES = ("error", "exception", "http.response", "http.status", "otel.status", "rpc.grpc.status")
"""What attributes begin with that say how a request ended: that is what is to be explained."""

_Traces = Sequence[Sequence[Span]]


def set_apart(suspects: Sequence[Suspect], bad: _Traces, good: _Traces) -> tuple[Suspect, ...]:
    """Return suspects, each with the attribute that its bad requests have and its others lack.

    Args:
        suspects: The likeliest first.
        bad: Spans of each trace that shows the finding.
        good: Spans of each trace of the same kind from before it.
    """
    return tuple(_with_attribute(one, bad, good) for one in suspects)


def slower_suspects(bad: _Traces, good: _Traces) -> tuple[Suspect, ...]:
    """Rank services by how much more of a trace's critical path is theirs than before.

    Args:
        bad: Spans of each slow trace.
        good: Spans of each trace of the same kind from before it became slow.
    """
    now, before = _times_on_path(bad), _times_on_path(good)
    more = {name: now[name] - before.get(name, 0.0) for name in now}
    total = sum(extra for extra in more.values() if extra > 0)
    if total <= 0:
        return ()
    found = [
        Suspect(
            service=name,
            share=extra / total,
            reason=(
                f"of a trace's critical path {quantity(now[name], 's')} are its own, "
                f"{quantity(before.get(name, 0.0), 's')} before"
            ),
            path=path_to(name, bad),
        )
        for name, extra in more.items()
        if extra >= _MIN_SHARE * total
    ]
    found.sort(key=lambda one: (-one.share, one.service))
    return tuple(found[:MAX_SUSPECTS])


def _times_on_path(traces: _Traces) -> dict[str, float]:
    """Return the mean seconds of a trace's critical path that are each service's own."""
    found: dict[str, float] = defaultdict(float)
    for spans in traces:
        services = {identity(span): span.service for span in spans}
        for key, nanos in time_on_paths(spans).items():
            found[services.get(key, "")] += nanos / 1e9 / len(traces)
    found.pop("", None)
    return dict(found)


def _with_attribute(suspect: Suspect, bad: _Traces, good: _Traces) -> Suspect:
    showing = [span for spans in bad for span in spans if _is_of(span, suspect.service)]
    failing = [span for span in showing if span.status is SpanStatus.ERROR]
    others = [span for spans in good for span in spans if _is_of(span, suspect.service)]
    chosen = failing or showing
    if len(chosen) < _MIN_SPANS or len(others) < _MIN_SPANS:
        return suspect
    found = compare(chosen, others).differences
    best = next((one for one in found if _tells(one)), None)
    if best is None:
        return suspect
    words = (
        f"{percent(best.bad_share)} of its requests that show this have {best.key} {best.value}, "
        f"{percent(best.good_share)} of those before"
    )
    return replace(suspect, reason=f"{suspect.reason}; {words}")


def _is_of(span: Span, service: str) -> bool:
    return span.service == service and span.kind in _SERVED


def _tells(one: Difference) -> bool:
    outcome = one.key.removeprefix("span.").startswith(OUTCOMES)
    return not outcome and one.bad_share - one.good_share >= _MIN_LIFT
