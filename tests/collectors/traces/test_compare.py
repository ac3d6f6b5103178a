"""What is different about the bad ones."""

import math
import random
from dataclasses import replace

import pytest

from collectors.host.journal import MemoryJournal
from collectors.model import Span
from collectors.traces.compare import compare, likelihood_ratio
from collectors.traces.reach.comparison import compared
from collectors.traces.search import TraceSearch
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span


def fleet(count: int = 400) -> list[Span]:
    """Requests in two regions on four nodes; those on node oca-3 fail half of the time."""
    chance = random.Random(7)
    spans = []
    for i in range(count):
        node = f"oca-{i % 4}"
        error = node == "oca-3" and chance.random() < 0.5
        attributes = {
            "cdn.node": node,
            "cloud.region": "eu" if i % 4 >= 2 else "us",
            "device": chance.choice(["tv", "phone", "web"]),
            "session.id": f"session-{i}",
            "http.response.status_code": 503 if error else 200,
        }
        spans.append(
            make_span(
                "1",
                trace=f"{i:x}",
                service="playback",
                start_ms=1_000 + i,
                duration_ms=900 if error else 20,
                error=error,
                attributes=attributes,
            )
        )
    return spans


@pytest.mark.parametrize(
    "wanted",
    [
        TraceSearch(service="playback", error=True),
        TraceSearch(min_duration_ms=500),
        TraceSearch(tags={"http.response.status_code": "503"}),
    ],
)
def test_the_failing_node_comes_first(wanted: TraceSearch) -> None:
    """After the status itself the node, then its region; nothing about devices or sessions."""
    store = SpanStore(MemoryJournal())
    store.write_spans(fleet())
    found = compared(store, wanted).comparison
    assert [(d.key, d.value) for d in found.differences] == [
        ("http.response.status_code", "503"),
        ("cdn.node", "oca-3"),
        ("cloud.region", "eu"),
    ]
    node = found.differences[1]
    assert (node.bad_share, node.bad_count) == (1.0, found.bad_spans)
    assert node.good_share < 0.2
    assert node.lift > 5
    assert found.differences[0].lift == math.inf
    assert found.bad_spans + found.good_spans == 400


def test_equal_groups_have_nothing_to_tell() -> None:
    """A random split differs by chance alone, which is not told."""
    spans = fleet()
    random.Random(1).shuffle(spans)
    assert compare(spans[::2], spans[1::2]).differences == ()


def test_sampled_spans_count_for_as_many_as_they_stand_for() -> None:
    """A chance difference would be told because few spans stand for many."""
    spans = fleet()
    sampled = [replace(span, trace_state="ot=th:fff") for span in spans[::2]]
    found = compare(sampled, spans[1::2])
    assert found.bad_spans == 200 * 4_096
    assert (found.bad_observed, found.good_observed) == (200, 200)
    plain = compare(spans[::2], spans[1::2])
    assert [(d.key, d.value) for d in found.differences] == [
        (d.key, d.value) for d in plain.differences
    ]
    assert [d.score for d in found.differences] == pytest.approx(
        [d.score for d in plain.differences]
    )
    assert [d.bad_count for d in found.differences] == [
        d.bad_count * 4_096 for d in plain.differences
    ]


def test_empty_groups() -> None:
    """Comparing with nothing would be an error."""
    assert compare([], fleet(4)).differences == ()
    assert compare(fleet(4), []).differences == ()


@pytest.mark.parametrize(
    ("bad", "good", "expected"),
    [((5, 10), (50, 100), 0.0), ((0, 10), (0, 10), 0.0), ((10, 10), (0, 90), 65.02)],
)
def test_likelihood_ratio(bad: tuple[int, int], good: tuple[int, int], expected: float) -> None:
    """A chance difference would rank above the cause."""
    assert likelihood_ratio(bad, good) == pytest.approx(expected, abs=0.01)
