"""Which service calls which: Zipkin's rules for dependency links, as a table."""

from collections.abc import Iterable
from itertools import permutations

import pytest

from collectors.host.journal import MemoryJournal
from collectors.model import Span, SpanKind
from collectors.traces.calls import UNKNOWN, USER
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

# id, parent, kind, service, the other side's service as the span names it, failed
Row = tuple[str, str, str, str, str, bool]
KINDS = {
    "client": SpanKind.CLIENT,
    "server": SpanKind.SERVER,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "": SpanKind.INTERNAL,
}


def span(row: Row) -> Span:
    span_id, parent, kind, service, remote, failed = row
    return make_span(
        span_id,
        parent=parent,
        kind=KINDS[kind],
        service=service,
        error=failed,
        attributes={"peer.service": remote} if remote else {},
    )


def links(spans: Iterable[Span]) -> dict[tuple[str, str], tuple[float, float]]:
    """Return calls and errors by pair, without the nodes that Zipkin does not draw."""
    store = SpanStore(MemoryJournal())
    for each in spans:
        store.write_spans([each])
    store.write_spans([make_span("1", trace="f", start_ms=100_000)])
    return {
        (edge.client, edge.server): (edge.calls, edge.errors)
        for edge in store.edges(0, 10**9)
        if edge.client != USER and edge.server != UNKNOWN
    }


CASES: dict[str, tuple[list[Row], dict[tuple[str, str], tuple[int, int]]]] = {
    "a server joins its client's span": (
        [
            ("1", "", "server", "web", "", False),
            ("2", "1", "client", "web", "app", False),
            ("2", "1", "server", "app", "web", False),
            ("3", "2", "client", "app", "db", True),
        ],
        {("web", "app"): (1, 0), ("app", "db"): (1, 1)},
    ),
    "a joining server was not told its parent": (
        [
            ("1", "", "server", "arn", "", False),
            ("2", "1", "client", "arn", "link", False),
            ("2", "", "server", "link", "arn", False),
        ],
        {("arn", "link"): (1, 0)},
    ),
    "the client's half was lost, the server names it": (
        [
            ("1", "", "server", "web", "", False),
            ("2", "", "server", "app", "web", False),
            ("3", "2", "client", "app", "db", True),
        ],
        {("web", "app"): (1, 0), ("app", "db"): (1, 1)},
    ),
    "a server below a producer was called": (
        [("1", "", "producer", "sender", "", False), ("2", "1", "server", "taker", "", False)],
        {("sender", "taker"): (1, 0)},
    ),
    "a server that joins a producer's span was called": (
        [("1", "", "producer", "sender", "", False), ("1", "", "server", "taker", "", False)],
        {("sender", "taker"): (1, 0)},
    ),
    "a lone server that names its client": (
        [("1", "", "server", "app", "web", False)],
        {("web", "app"): (1, 0)},
    ),
    "a lone client that names its server": (
        [("1", "", "client", "web", "app", False)],
        {("web", "app"): (1, 0)},
    ),
    "an error on either half, or both, is one": (
        [("1", "", "client", "web", "", True), ("2", "1", "server", "app", "", True)],
        {("web", "app"): (1, 1)},
    ),
    "an error on the client alone counts": (
        [("1", "", "client", "web", "", True), ("2", "1", "server", "app", "", False)],
        {("web", "app"): (1, 1)},
    ),
    "the server's own name wins over the client's name for it": (
        [("1", "", "client", "web", "app.svc", False), ("2", "1", "server", "app", "", False)],
        {("web", "app"): (1, 0)},
    ),
    "several servers below one client are several calls": (
        [
            ("1", "", "client", "web", "", False),
            ("2", "1", "server", "app", "web", True),
            ("3", "1", "server", "app", "web", False),
        ],
        {("web", "app"): (2, 1)},
    ),
    "a local span between the halves is looked through": (
        [
            ("1", "", "client", "web", "", False),
            ("2", "1", "", "web", "", False),
            ("3", "2", "server", "app", "", False),
        ],
        {("web", "app"): (1, 0)},
    ),
    "clients below a local span of the service above": (
        [
            ("1", "", "server", "foo", "", False),
            ("2", "1", "", "foo", "", False),
            ("3", "2", "client", "bar", "baz", True),
            ("4", "2", "client", "bar", "baz", False),
        ],
        {("foo", "bar"): (2, 0), ("bar", "baz"): (2, 1)},
    ),
    "a client in another service than its parent: the call between is not recorded": (
        [("1", "", "server", "web", "", False), ("2", "1", "client", "app", "", False)],
        {("web", "app"): (1, 0)},
    ),
    "calls within one service": (
        [("1", "", "client", "web", "web", False)],
        {("web", "web"): (1, 0)},
    ),
    "spans without a kind that name the other side": (
        [
            ("1", "", "", "outside", "web", False),
            ("2", "1", "", "web", "app", True),
            ("3", "2", "", "app", "db", False),
        ],
        {("outside", "web"): (1, 0), ("web", "app"): (1, 1), ("app", "db"): (1, 0)},
    ),
    "servers whose common parent is lost are not related": (
        [("2", "1", "server", "one", "", False), ("3", "1", "server", "two", "", False)],
        {},
    ),
    "a server below a server, the client between is lost": (
        [("2", "1", "server", "one", "", False), ("3", "2", "server", "two", "", False)],
        {("one", "two"): (1, 0)},
    ),
    # As in the Collector's service graph, not as in Zipkin, which draws a broker only where named.
    "a consumer belongs to its producer": (
        [("1", "", "producer", "orders", "", False), ("2", "1", "consumer", "bills", "", False)],
        {("orders", "bills"): (1, 0)},
    ),
    # Zipkin leaves a client out that has any child; here only one that has another client in it.
    "a client within a client tells of the same call": (
        [
            ("1", "", "client", "web", "app", False),
            ("2", "1", "client", "web", "", False),
            ("3", "2", "server", "app", "", False),
        ],
        {("web", "app"): (1, 0)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_links(case: str) -> None:
    """An edge that is missing, doubled or reversed sends people to the wrong team."""
    rows, expected = CASES[case]
    for order in permutations(map(span, rows)):
        assert links(order) == expected
