"""Suspects from traces drawn as indented text: one line a span."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.evidence.causes import error_suspects, slow_suspects
from collectors.model import Span, SpanKind, SpanStatus

KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "internal": SpanKind.INTERNAL}


def drawn(picture: str, trace_id: str = "a" * 32) -> list[Span]:
    """Read ``service kind start-end [error] [>peer]`` lines; indentation is parenthood."""
    spans: list[Span] = []
    path: list[tuple[int, str]] = []
    for number, line in enumerate(row for row in picture.splitlines() if row.strip()):
        depth = len(line) - len(line.lstrip())
        while path and path[-1][0] >= depth:
            path.pop()
        service, kind, times, *rest = line.split()
        start, end = (int(part) for part in times.split("-"))
        peer = next((word[1:] for word in rest if word.startswith(">")), "")
        spans.append(
            Span(
                trace_id=trace_id,
                span_id=f"{number + 1:016x}",
                parent_span_id=path[-1][1] if path else "",
                name="x",
                kind=KINDS[kind],
                start_ns=start,
                end_ns=end,
                status=SpanStatus.ERROR if "error" in rest else SpanStatus.UNSET,
                status_message="",
                service=service,
                resource={},
                attributes={"service.peer.name": peer} if peer else {},
            )
        )
        path.append((depth, spans[-1].span_id))
    return spans


ERRORS = [
    (
        "the deepest failing service",
        """
        viewers client 0-100 error >gateway
          gateway server 1-99 error
            gateway client 2-10 >auth
              auth server 3-9
            gateway client 11-98 error >playback
              playback server 12-97 error
        """,
        [("playback", 1.0)],
    ),
    (
        "a service that could not be reached",
        """
        viewers client 0-100 error >gateway
        """,
        [("gateway", 1.0)],
    ),
    (
        "a failing client span whose callee answered well: the caller's own timeout",
        """
        gateway server 0-100 error
          gateway client 1-50 error >catalogue
            catalogue server 2-80
        """,
        [("gateway", 1.0)],
    ),
    ("nothing failed", "gateway server 0-10", []),
]

SLOW = [
    (
        "the service that spends the time, not those that wait for it",
        """
        gateway server 0-1000
          gateway client 10-990 >recommendations
            recommendations server 20-980
        """,
        ["recommendations"],
    ),
    (
        "children that overlap count once",
        """
        gateway server 0-1000
          gateway internal 0-500
          gateway internal 100-500
          gateway client 500-1000 >auth
            auth server 500-1000
        """,
        ["gateway", "auth"],
    ),
    (
        "a silent callee is charged with the wait",
        """
        catalogue server 0-1000
          catalogue client 100-1000 >database
        """,
        ["database", "catalogue"],
    ),
]


@pytest.mark.parametrize(
    ("picture", "expected"), [r[1:] for r in ERRORS], ids=[r[0] for r in ERRORS]
)
def test_where_errors_begin(picture: str, expected: list[tuple[str, float]]) -> None:
    """Otherwise a caller would be blamed for the failure of what it called."""
    found = error_suspects([drawn(picture)])
    assert [(s.service, s.share) for s in found] == expected


@pytest.mark.parametrize(("picture", "expected"), [r[1:] for r in SLOW], ids=[r[0] for r in SLOW])
def test_where_time_is_spent(picture: str, expected: list[str]) -> None:
    """Otherwise whoever waits would be blamed for the slow one."""
    assert [s.service for s in slow_suspects([drawn(picture)])] == expected


def test_traces_are_weighed_together_and_ties_are_ordered() -> None:
    """Otherwise the same traces would accuse somebody else each time."""
    traces = [drawn("b server 0-1 error"), drawn("a server 0-1 error"), drawn("b server 0-1 error")]
    assert [(s.service, round(s.share, 2)) for s in error_suspects(traces)] == [
        ("b", 0.67),
        ("a", 0.33),
    ]
    assert [s.service for s in error_suspects(traces[:2])] == ["a", "b"]


def test_reasons_say_what_was_seen() -> None:
    """A suspicion without its reason can be neither checked nor refuted."""
    (suspect,) = error_suspects([drawn("viewers client 0-9 error >gateway")])
    assert suspect.reason == (
        "1 of 1 failures begin there; in 1 it left no span, as if it could not be reached"
    )


@settings(deadline=None)
@given(
    times=st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(0, 9)), max_size=9
    )
)
def test_shares_are_shares(times: list[tuple[int, int, int]]) -> None:
    """Whatever the shape, loops included, shares lie between 0 and 1 and add up to at most 1."""
    spans = [
        Span(
            trace_id="a" * 32,
            span_id=f"{number:016x}",
            parent_span_id=f"{parent:016x}",
            name="x",
            kind=SpanKind.SERVER,
            start_ns=min(start, end),
            end_ns=max(start, end),
            status=SpanStatus.ERROR if parent % 2 else SpanStatus.OK,
            status_message="",
            service=f"s{number % 4}",
            resource={},
            attributes={},
        )
        for number, (start, end, parent) in enumerate(times)
    ]
    for suspects in (error_suspects([spans]), slow_suspects([spans])):
        assert all(0 <= s.share <= 1 for s in suspects)
        assert sum(s.share for s in suspects) <= 1 + 1e-9
