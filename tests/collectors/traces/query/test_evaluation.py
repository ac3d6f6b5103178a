"""What queries select, in memory and in history alike."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.history.engine import HistoryEngine
from collectors.host.journal import MemoryJournal
from collectors.model import Span, SpanKind
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.query.columns import SpanBlock
from collectors.traces.query.evaluation import selected
from collectors.traces.search import TraceSearch
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span
from collectors.traces.traceql.parser import parse

# web ─ pay ─ db      and   web ─ ship
TRACE = [
    make_span(
        "1",
        name="GET /",
        service="web",
        kind=SpanKind.SERVER,
        duration_ms=100,
        attributes={"http.response.status_code": 500, "user": "u1", "beta": True},
    ),
    make_span(
        "2",
        parent="1",
        name="charge",
        service="pay",
        duration_ms=60,
        error=True,
        attributes={"retries": 2, "host.name": "span-says"},
        resource={"service.name": "pay", "host.name": "h2", "region": "eu"},
    ),
    make_span(
        "3",
        parent="2",
        name="query",
        service="db",
        kind=SpanKind.CLIENT,
        duration_ms=50,
        attributes={"rows": "12"},
    ),
    make_span(
        "4",
        parent="1",
        name="ship",
        service="ship",
        duration_ms=10,
        attributes={"retries": 0, "tags": ["a", "b"]},
    ),
]
OTHER = [make_span("5", trace="b", name="GET /", service="web", duration_ms=5)]


def chosen(text: str) -> str:
    block = SpanBlock([TRACE, OTHER])
    mask = selected(parse(text), block)
    return "".join(
        s.span_id.lstrip("0") for s, there in zip(block.spans, mask, strict=True) if there
    )


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("{}", "12345"),
        ("{ false }", ""),
        ('{ name = "GET /" }', "15"),
        ('{ name != "GET /" }', "234"),
        ('{ name =~ "GET" }', ""),  # a pattern means all of a text
        ('{ name =~ "GET.*|ship" }', "145"),
        ('{ name !~ "GET.*" }', "234"),
        ("{ status = error }", "2"),
        ("{ kind = client }", "3"),
        ("{ duration >= 50ms }", "123"),
        ('{ resource.service.name = "pay" }', "2"),
        ('{ .service.name = "pay" }', "2"),
        ('{ resource.region = "eu" }', "2"),
        ('{ span.region = "eu" }', ""),
        ('{ .region = "eu" }', "2"),
        ('{ .host.name = "span-says" }', "2"),
        ('{ resource.host.name = "h2" }', "2"),
        ("{ .retries > 0 }", "2"),
        ("{ .retries != 2 }", "4"),  # what has no retries is not told apart from them
        ("{ .retries = nil }", "135"),
        ("{ .retries != nil }", "24"),
        ("{ .rows = 12 }", "3"),
        ('{ .rows = "12" }', "3"),
        ('{ .http.response.status_code = "500" }', "1"),
        ("{ .beta = true }", "1"),
        ("{ !(.retries > 0) && .retries != nil }", "4"),
        ('{ .tags = "[\\"a\\",\\"b\\"]" }', "4"),
        ('{ rootName = "GET /" && duration < 20ms }', "45"),
        ("{ traceDuration > 50ms && .user = nil }", "234"),
        ("{ nestedSetParent < 0 }", "15"),
        ('{ name = "GET /" } && { status = error }', "12"),
        ('{ name = "GET /" } || { status = error }', "125"),
        ('{ .user = "u1" } >> { }', "234"),
        ('{ .user = "u1" } > { }', "24"),
        ('{ name = "query" } << { }', "12"),
        ('{ name = "query" } < { }', "2"),
        ('{ name = "ship" } ~ { }', "2"),
        ("{ status = error } >> { kind = client }", "3"),
        ("{ kind = server } > { status = error } > { }", "3"),
        ("{ } | count() > 1", "1234"),
        ('{ name =~ "GET.*" } | count() = 1', "15"),
        ("{ } | avg(duration) > 50ms", "1234"),
        ("{ } | min(duration) < 6ms", "5"),
        ("{ } | max(.retries) = 2", "1234"),
        ("{ } | sum(duration) >= 220ms", "1234"),
        ("{ } | count() > 1 | { status = error }", "2"),
        ("{ status = error } | select(.region)", "2"),
    ],
)
def test_what_a_query_selects(text: str, spans: str) -> None:
    """A query would find other spans than it says."""
    assert chosen(text) == spans


def test_a_long_chain_has_its_ends() -> None:
    """Of deep traces only the nearest relatives would be found."""
    chain = [
        make_span(f"{n:x}", parent=f"{n - 1:x}" if n > 1 else "", name=f"n{n}")
        for n in range(1, 300)
    ]
    block = SpanBlock([chain])
    assert selected(parse('{ name = "n1" } >> { name = "n299" }'), block).sum() == 1
    assert selected(parse('{ name = "n299" } << { }'), block).sum() == 298


START_MS = 1_700_006_300_000
OPERATIONS = ("GET /", "POST /play", "query")


def random_spans() -> list[Span]:
    """Return 240 spans of 60 traces; a fixed dice chooses what they have."""
    dice = random.Random(11)
    begun = [START_MS + dice.randrange(40 * 60_000) for _ in range(60)]
    spans: list[Span] = []
    for n in range(240):
        trace = dice.randrange(60) if n >= 60 else n
        parents = [s.span_id for s in spans if s.trace_id.endswith(f"{trace:x}".rjust(32, "0"))]
        spans.append(
            make_span(
                f"{n + 1:x}",
                trace=f"{trace + 1:x}",
                parent=dice.choice(parents) if parents else "",
                service=dice.choice(("gateway", "auth", "it's\\odd")),
                name=dice.choice(OPERATIONS),
                kind=dice.choice(list(SpanKind)),
                start_ms=begun[trace] + (dice.randrange(1, 5_000) if n >= 60 else 0),
                duration_ms=dice.randrange(1, 3_000),
                error=dice.random() < 0.3,
                attributes=attributes(dice),
                resource={"cell": "1", "ok": True} if dice.random() < 0.5 else {"zone": "a"},
            )
        )
    return spans


def attributes(dice: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if dice.random() < 0.5:
        found["cell"] = dice.choice((0, 1, 2.5, "x", True))
    if dice.random() < 0.3:
        found["zone"] = dice.choice(("a", "b"))
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SpanStore, SpanHistory]]:
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('spans')}")
    store, history = SpanStore(MemoryJournal()), SpanHistory(engine)
    store.write_spans(random_spans())
    history.insert_spans(random_spans())
    yield store, history
    engine.close()


COMPARISONS = st.sampled_from(
    (
        *("status = error", "status != error", "kind = server", 'name = "query"'),
        *('name =~ "GET.*"', 'name !~ ".*play"', "duration > 1s", "duration <= 500ms"),
        *(".cell = 1", ".cell != 1", ".cell > 1", '.cell = "x"', ".cell = true", ".cell = nil"),
        *("span.cell != nil", 'resource.cell = "1"', '.zone = "a"', "traceDuration > 2s"),
        *('rootName = "query"', "nestedSetParent < 0", r'resource.service.name = "it\'s\\odd"'),
    )
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("&&", "||")), inner).map(lambda t: f"({' '.join(t)})"),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=4,
)
SPANSETS = st.recursive(
    CONDITIONS.map(lambda one: f"{{ {one} }}"),
    lambda inner: st.tuples(
        inner, st.sampled_from(("&&", "||", ">>", ">", "<<", "<", "~")), inner
    ).map(lambda t: f"({' '.join(t)})"),
    max_leaves=3,
)
STAGES = st.sampled_from(("", "", " | count() > 1", " | avg(duration) > 1s", " | max(.cell) >= 2"))


@settings(max_examples=80, deadline=None)
@given(spanset=SPANSETS, stage=STAGES)
def test_memory_and_history_select_the_same(
    both: tuple[SpanStore, SpanHistory], spanset: str, stage: str
) -> None:
    """A query would find other traces once they are old."""
    store, history = both
    wanted = TraceSearch(query=parse(spanset + stage), limit=100)
    held, kept = store.search(wanted), history.search(wanted)
    assert [(t.trace_id, t.matched_count) for t in held] == [
        (t.trace_id, t.matched_count) for t in kept
    ]


def test_blocks_follow_what_comes(both: tuple[SpanStore, SpanHistory]) -> None:
    """A trace would be found as it was when somebody first asked."""
    del both
    store = SpanStore(MemoryJournal())
    wanted = TraceSearch(query=parse("{ status = error } | count() > 1"))
    store.write_spans([make_span("1", error=True)])
    assert store.search(wanted) == []
    store.write_spans([make_span("2", parent="1", error=True)])
    assert [found.matched_count for found in store.search(wanted)] == [2]


def test_a_query_keeps_to_the_time(both: tuple[SpanStore, SpanHistory]) -> None:
    """Traces of another hour would be mixed in."""
    store, history = both
    wanted = TraceSearch(
        query=parse("{}"), start_ms=START_MS + 600_000, end_ms=START_MS + 1_200_000, limit=100
    )
    held = store.search(wanted)
    assert held
    assert [t.trace_id for t in held] == [t.trace_id for t in history.search(wanted)]
    assert all(START_MS + 600_000 <= trace.start_ms <= START_MS + 1_200_000 for trace in held)
