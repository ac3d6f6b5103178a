"""A trace search means the same in memory and in history."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.history.engine import HistoryEngine
from collectors.host.journal import MemoryJournal
from collectors.model import Span
from collectors.traces.history.span_history import SpanHistory
from collectors.traces.search import TraceSearch
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

START_MS = 1_700_006_300_000  # midnight comes while the traces run
LENGTH_MS = 40 * 60_000
SERVICES = ("gateway", "auth", "it's\\odd")
OPERATIONS = ("GET /", "POST /play")


def random_spans() -> list[Span]:
    """Return 200 spans of 60 traces; which span belongs where is a fixed dice's choice."""
    dice = random.Random(7)
    begun = [START_MS + dice.randrange(LENGTH_MS) for _ in range(60)]
    spans = []
    for n in range(200):
        trace = dice.randrange(60) if n >= 60 else n
        spans.append(
            make_span(
                f"{n:x}",
                trace=f"{trace:x}",
                parent=f"{dice.randrange(60):x}" if n >= 60 else "",
                service=dice.choice(SERVICES),
                name=dice.choice(OPERATIONS),
                start_ms=begun[trace] + (dice.randrange(1, 5_000) if n >= 60 else 0),
                duration_ms=dice.randrange(1, 3_000),
                error=dice.random() < 0.3,
                attributes={"cell": dice.randrange(3)} if dice.random() < 0.5 else {},
                resource={"cell": "1", "ok": True} if dice.random() < 0.5 else {"zone": "a"},
            )
        )
    return spans


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SpanStore, SpanHistory]]:
    engine = HistoryEngine.open(f"chdb://{tmp_path_factory.mktemp('spans')}")
    store, history = SpanStore(MemoryJournal()), SpanHistory(engine)
    store.write_spans(random_spans())
    history.insert_spans(random_spans())
    yield store, history
    engine.close()


times = st.integers(START_MS - 1_000, START_MS + LENGTH_MS + 1_000)
durations = st.integers(0, 6_000).map(float)


@settings(max_examples=60, deadline=None)
@given(
    wanted=st.builds(
        TraceSearch,
        service=st.sampled_from(("", *SERVICES)),
        operation=st.sampled_from(("", *OPERATIONS)),
        error=st.sampled_from((None, None, True, False)),
        min_duration_ms=st.none() | durations,
        max_duration_ms=st.none() | durations,
        start_ms=st.none() | times,
        end_ms=st.none() | times,
        tags=st.dictionaries(
            st.sampled_from(("cell", "zone", "ok")), st.sampled_from(("1", "a", "true")), max_size=1
        ),
        limit=st.sampled_from((1, 5, 100)),
    )
)
def test_both_find_the_same_traces(
    both: tuple[SpanStore, SpanHistory], wanted: TraceSearch
) -> None:
    """A search would find other traces once they are in history."""
    store, history = both
    assert history.search(wanted) == store.search(wanted)
