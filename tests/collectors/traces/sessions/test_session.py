"""One session in sentences: what failed, its first cause, what whoever asked saw."""

import pytest

from collectors.model import Span, SpanEvent, SpanKind
from collectors.traces.sessions.session import request_of, session_of
from collectors.traces.testing import make_span


def words(seconds: float) -> str:
    return f"{seconds:g} s"


def request(
    at_ms: int, name: str = "POST /pay", *, code: int = 200, below: str = "", took_ms: float = 100
) -> list[Span]:
    """Return a request of a shop, with a call to the bank that may fail with ``below``."""
    trace = f"{at_ms:x}"
    event = SpanEvent(
        name="exception",
        time_ns=1,
        attributes={"exception.type": "Timeout", "exception.message": below},
    )
    bank = make_span(
        "3",
        trace=trace,
        parent="2",
        name="debit",
        service="bank",
        start_ms=at_ms + 2,
        duration_ms=5,
        error=bool(below),
    )
    return [
        make_span(
            "1",
            trace=trace,
            name=name,
            service="shop",
            kind=SpanKind.SERVER,
            start_ms=at_ms,
            duration_ms=took_ms,
            error=code >= 500,
            attributes={"http.response.status_code": code},
        ),
        make_span(
            "2",
            trace=trace,
            parent="1",
            name="call bank",
            service="shop",
            start_ms=at_ms + 1,
            duration_ms=50,
            error=bool(below),
        ),
        bank
        if not below
        else Span(**{**{f: getattr(bank, f) for f in bank.__slots__}, "events": (event,)}),
    ]


@pytest.mark.parametrize(
    ("traces", "sentences"),
    [
        (
            [request(1_000, "GET /"), request(3_000, took_ms=500)],
            (
                "2 requests in 2.5 s, answered by shop.",
                "No request failed; the slowest was 'POST /pay' of shop with 0.5 s.",
            ),
        ),
        (
            [request(1_000, below="no answer")],
            (
                "1 request in 0.1 s, answered by shop.",
                "No request failed; the slowest was 'POST /pay' of shop with 0.1 s.",
                (
                    "Within 1 request something failed that the caller was spared: first 'debit' of"
                    " bank (Timeout: no answer)."
                ),
            ),
        ),
        (
            [request(1_000, "GET /"), request(3_000, code=503, below="no answer")],
            (
                "2 requests in 2.1 s, answered by shop.",
                "One failed; the first, 2 s after the beginning: 'POST /pay' of shop.",
                "The first cause was 'debit' of bank (Timeout: no answer).",
                (
                    "Whoever asked saw 'POST /pay' of shop answered 503 after 0.1 s, and then"
                    " nothing more came."
                ),
            ),
        ),
        (
            [request(1_000, code=500), request(2_000, code=500), request(3_000)],
            (
                "3 requests in 2.1 s, answered by shop.",
                "2 of 3 failed; the first, 0 s after the beginning: 'POST /pay' of shop.",
                "It failed by itself: nothing that it called did.",
                (
                    "Whoever asked saw 'POST /pay' of shop answered 500 after 0.1 s; try number 3"
                    " succeeded."
                ),
            ),
        ),
        (
            [request(1_000, code=500), request(2_000, code=500)],
            (
                "2 requests in 1.1 s, answered by shop.",
                "2 of 2 failed; the first, 0 s after the beginning: 'POST /pay' of shop.",
                "It failed by itself: nothing that it called did.",
                (
                    "Whoever asked saw 'POST /pay' of shop answered 500 after 0.1 s; 1 further try"
                    " failed, too."
                ),
            ),
        ),
        (
            [request(1_000, code=500), request(2_000, "GET /")],
            (
                "2 requests in 1.1 s, answered by shop.",
                "One failed; the first, 0 s after the beginning: 'POST /pay' of shop.",
                "It failed by itself: nothing that it called did.",
                (
                    "Whoever asked saw 'POST /pay' of shop answered 500 after 0.1 s, and did not"
                    " ask again."
                ),
            ),
        ),
        ([], ()),
    ],
)
def test_what_is_said(traces: list[list[Span]], sentences: tuple[str, ...]) -> None:
    """Whoever helps a customer would be told something else than what happened."""
    assert session_of(traces, words).sentences == sentences


def test_requests_stand_in_their_order() -> None:
    """The story of a session would be told backwards."""
    found = session_of([request(3_000), request(1_000, code=500, below="x")], words)
    assert [one.root.start_ns for one in found.requests] == [1_000_000_000, 3_000_000_000]
    assert [one.status for one in found.requests] == ["500", "200"]
    cause = found.requests[0].cause
    assert cause is not None
    assert cause.service == "bank"


def test_of_causes_that_ended_together_the_deepest_is_the_first() -> None:
    """Of ten that gave up at once the one that waited for nobody is the cause."""
    spans = [
        make_span("1", name="pay", start_ms=0, duration_ms=100, error=True),
        make_span("2", parent="1", name="near", start_ms=0, duration_ms=50, error=True),
        make_span("3", parent="1", name="between", start_ms=0, duration_ms=60),
        make_span("4", parent="3", name="deep", start_ms=0, duration_ms=50, error=True),
    ]
    for order in (spans, spans[::-1]):
        cause = request_of(order).cause
        assert cause is not None
        assert cause.name == "deep"
