"""One session over its traces: its requests in order, and in sentences what became of them.

A *request* is what began a trace: the span that nobody of the trace called. The *first cause* of a
failed one is the failed span whose own calls did not fail, of several the one that ended first:
what is above it failed because it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from collectors.attribute_text import text_of
from collectors.model import Span, SpanStatus
from collectors.traces.tree.lineage import Lineage, lineage_of
from collectors.traces.tree.sampling import adjusted_count

_STATUS_KEYS = ("http.response.status_code", "http.status_code", "rpc.status_code")
_NS_PER_S = 1e9
Wording = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What began a trace, and how it went.

    Attributes:
        trace_id: The trace.
        root: Its first span.
        spans: Number of spans of the trace.
        failed: Whether the request failed, as its first span says.
        status: What it answered, such as ``503``; "" where it does not say.
        hidden: Failed spans below a request that did not fail: somebody made good for them.
        cause: The span that made it fail, or failed within; None where nothing failed.
    """

    trace_id: str
    root: Span
    spans: int
    failed: bool
    status: str
    hidden: int
    cause: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """All requests of a session in order of their start, and what there is to say of them."""

    requests: tuple[Request, ...]
    sentences: tuple[str, ...]


def session_of(traces: Sequence[Sequence[Span]], length: Wording) -> Session:
    """Return the session that some traces make, each of at least one span.

    Args:
        traces: Their spans.
        length: Words a length of time, seconds.
    """
    requests = sorted(map(request_of, traces), key=lambda one: one.root.start_ns)
    return Session(requests=tuple(requests), sentences=tuple(_sentences(requests, length)))


def request_of(spans: Sequence[Span]) -> Request:
    """Return what began a trace, and how it went."""
    lineage = lineage_of(spans)
    root = spans[lineage.main_root()]
    failed = root.status is SpanStatus.ERROR
    broken = [at for at, span in enumerate(spans) if span.status is SpanStatus.ERROR]
    causes = [at for at in broken if not _failed_below(lineage, at)]
    depths = _depths(lineage) if len(causes) > 1 else [0] * len(spans)
    cause = min(causes, key=lambda at: (spans[at].end_ns, -depths[at]), default=None)
    status = next((text_of(root.attributes[k]) for k in _STATUS_KEYS if k in root.attributes), "")
    return Request(
        trace_id=root.trace_id,
        root=root,
        spans=len(spans),
        failed=failed,
        status=status,
        hidden=0 if failed else len(broken),
        cause=None if cause is None else spans[cause],
    )


def _failed_below(lineage: Lineage, at: int) -> bool:
    return any(lineage.spans[below].status is SpanStatus.ERROR for below in lineage.children[at])


def _depths(lineage: Lineage) -> list[int]:
    """Return how far below its root each span is; every span is looked at once."""
    depths = [-1] * len(lineage.spans)
    for first in range(len(depths)):
        path: list[int] = []
        at = first
        while at >= 0 and depths[at] < 0:
            path.append(at)
            at = lineage.parent[at]
        depth = depths[at] if at >= 0 else -1
        for below in reversed(path):
            depth += 1
            depths[below] = depth
    return depths


def _sentences(requests: Sequence[Request], length: Wording) -> Iterator[str]:
    if not requests:
        return
    failed = [one for one in requests if one.failed]
    yield _extent(requests, length)
    stands_for = sum(adjusted_count(one.root.trace_state) for one in requests)
    if round(stands_for) > len(requests):
        yield (
            f"Its senders keep only some traces: it had about {stands_for:,.0f} requests, of which "
            f"{_counted(len(requests), 'is', 'are')} known."
        )
    if not failed:
        yield from _nothing_failed(requests, length)
        return
    yield _failures(requests, failed, length)
    yield _first_cause(failed[0])
    yield _seen(requests, failed, length)


def _extent(requests: Sequence[Request], length: Wording) -> str:
    first_ns = requests[0].root.start_ns
    last_ns = max(one.root.end_ns for one in requests)
    services = dict.fromkeys(one.root.service for one in requests)
    return (
        f"{_counted(len(requests), 'request')} in {length((last_ns - first_ns) / _NS_PER_S)}, "
        f"answered by {', '.join(services)}."
    )


def _nothing_failed(requests: Sequence[Request], length: Wording) -> Iterator[str]:
    slowest = max(requests, key=lambda one: one.root.duration_ns)
    yield (
        f"No request failed; the slowest was {_named(slowest.root)} with "
        f"{length(slowest.root.duration_ns / _NS_PER_S)}."
    )
    hidden = [one for one in requests if one.hidden]
    if hidden and hidden[0].cause is not None:
        yield (
            f"Within {_counted(len(hidden), 'request')} something failed that the caller was "
            f"spared: first {_named(hidden[0].cause)}{_message(hidden[0].cause)}."
        )


def _failures(requests: Sequence[Request], failed: Sequence[Request], length: Wording) -> str:
    first = failed[0]
    after_s = (first.root.start_ns - requests[0].root.start_ns) / _NS_PER_S
    count = f"{len(failed)} of {len(requests)} failed" if len(failed) > 1 else "One failed"
    return f"{count}; the first, {length(after_s)} after the beginning: {_named(first.root)}."


def _first_cause(request: Request) -> str:
    cause = request.cause
    if cause is None or cause is request.root:
        return f"It failed by itself{_message(request.root)}: nothing that it called did."
    return f"The first cause was {_named(cause)}{_message(cause)}."


def _seen(requests: Sequence[Request], failed: Sequence[Request], length: Wording) -> str:
    """Say what whoever asked got for the first failed request, and whether trying again helped."""
    first = failed[0]
    got = f"answered {first.status}" if first.status else "failed"
    seen = (
        f"Whoever asked saw {_named(first.root)} {got} after "
        f"{length(first.root.duration_ns / _NS_PER_S)}"
    )
    again = [
        one
        for one in requests
        if one.root.start_ns > first.root.start_ns
        and (one.root.service, one.root.name) == (first.root.service, first.root.name)
    ]
    if not again:
        later = sum(one.root.start_ns > first.root.start_ns for one in requests)
        then = "did not ask again" if later else "then nothing more came"
        return f"{seen}, and {then}."
    good = next((at for at, one in enumerate(again) if not one.failed), None)
    if good is None:
        return f"{seen}; {_counted(len(again), 'further try', 'further tries')} failed, too."
    tries = "the next try" if good == 0 else f"try number {good + 2}"
    return f"{seen}; {tries} succeeded."


def _named(span: Span) -> str:
    return f"'{span.name}' of {span.service}"


def _message(span: Span) -> str:
    """Return what a failed span says of itself, with a colon before; "" if it says nothing."""
    for event in span.events:
        kind = text_of(event.attributes.get("exception.type"))
        said = text_of(event.attributes.get("exception.message"))
        if kind or said:
            return f" ({': '.join(part for part in (kind, said) if part)[:300]})"
    said = span.status_message or text_of(span.attributes.get("error.type"))
    return f" ({said[:300]})" if said else ""


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
