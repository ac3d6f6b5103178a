"""Secrets in spans: taken out wherever senders write, counted, and nothing else touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collectors.host.journal import MemoryJournal
from collectors.model import Receipt, Span, SpanEvent, SpanLink
from collectors.patterns import Pattern
from collectors.receivers.testing.fakes import FakeStore
from collectors.redacting.redactor import Redaction, Redactor, Rule
from collectors.traces import redacting as module
from collectors.traces.redacting import RedactedSpans
from collectors.traces.store import SPANS, SpanStore
from collectors.traces.testing import make_span

CARD = "4111 1111 1111 1111"
HIDDEN = "[redacted card]"


def cleaned(*spans: Span, redaction: Redaction | None = None) -> tuple[list[Span], dict[str, int]]:
    store = FakeStore()
    writer = RedactedSpans(store, Redactor(redaction or Redaction()))
    assert isinstance(writer.write_spans(spans), Receipt)
    return list(store.spans), dict(writer.counts)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"note": f"card {CARD}"}, {"note": f"card {HIDDEN}"}),
        ({"pan": 4111111111111111}, {"pan": HIDDEN}),
        ({"http.request.header.authorization": "x"}, {"http.request.header.authorization": 1}),
        ({"url.full": "https://h/x?api_key=s3cr3tvalue"}, {"url.full": 1}),
        ({"db.query.text": "password='hunter22'"}, {"db.query.text": 1}),
        ({"user.email": "ann@example.org"}, {"user.email": "[redacted email]"}),
        ({"cards": [CARD, 1]}, {"cards": f'["{HIDDEN}",1]'}),
    ],
)
def test_attributes_lose_their_secrets(given: dict[str, Any], shown: dict[str, Any]) -> None:
    """Whoever may look at traces would hold cards, passwords and addresses of customers."""
    ([span], counts) = cleaned(make_span("1", attributes={**given, "n": 7}))
    for key, expected in shown.items():
        assert "[redacted " in str(span.attributes[key])
        assert expected == 1 or span.attributes[key] == expected
    assert span.attributes["n"] == 7
    assert sum(counts.values()) == 1


def test_names_messages_events_links_and_resources_lose_them_too() -> None:
    """A stack trace tells what an attribute keeps silent."""
    span = replace(
        make_span("1"),
        name=f"pay {CARD}",
        status_message=f"declined {CARD}",
        resource={"service.name": "shop", "owner": "ann@example.org"},
        events=(SpanEvent(name="exception", time_ns=1, attributes={"exception.message": CARD}),),
        links=(SpanLink(trace_id="0" * 31 + "1", span_id="0" * 15 + "1", attributes={"c": CARD}),),
    )
    ([found], counts) = cleaned(span)
    assert CARD not in str(found)
    assert "ann@" not in str(found)
    assert (found.name, found.service) == (f"pay {HIDDEN}", "shop")
    assert counts == {"card": 4, "email": 1}


def test_what_has_none_is_handed_on_as_it_is() -> None:
    """Every span would be written anew for the sake of the few."""
    spans = [
        make_span("1", attributes={"id": "4111111111111112", "t": 1_700_000_000_000_000_000}),
        make_span("2", attributes={"list": ["a", {"b": 1}], "none": None, "nan": float("nan")}),
    ]
    store = FakeStore()
    writer = RedactedSpans(store, Redactor())
    for _ in range(2):
        writer.write_spans(spans)
    writer.write_spans([make_span("3", attributes={"card": CARD})])
    writer.write_spans(spans)
    assert all(found is given for found, given in zip(store.spans[-2:], spans, strict=True))


def test_each_time_counts_though_it_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at every attribute of every span would cost more than keeping it."""
    judged: list[int] = []
    redactor = Redactor()
    look = redactor.changed

    def counting(texts: list[str], *, keyed: bool = False) -> Any:
        judged.append(len(texts))
        return look(texts, keyed=keyed)

    monkeypatch.setattr(redactor, "changed", counting)
    writer = RedactedSpans(FakeStore(), redactor)
    for n in range(1, 6):
        writer.write_spans([make_span(str(n), attributes={"card": CARD})])
    assert sum(judged) == judged[0]
    assert writer.counts == {"card": 5}
    monkeypatch.setattr(module, "MAX_REMEMBERED", 0)
    writer.write_spans([make_span("6", attributes={"card": CARD})])
    assert sum(judged) == 2 * judged[0]
    assert writer.counts == {"card": 6}


def test_rules_that_change_hold_from_the_next_span_on() -> None:
    """An order number that was judged before would be shown for as long as it is remembered."""
    store, redactor = FakeStore(), Redactor()
    writer = RedactedSpans(store, redactor)
    span = make_span("1", attributes={"order": "ORD-123456"})
    writer.write_spans([span])
    redactor.use(Redaction(rules=(Rule(name="order", pattern=Pattern(r"ORD-\d{6}")),)))
    writer.write_spans([span])
    redactor.use(Redaction(spans=False))
    writer.write_spans([make_span("2", attributes={"card": CARD})])
    orders = [found.attributes.get("order") for found in store.spans]
    assert orders == ["ORD-123456", "[redacted order]", None]
    assert store.spans[-1].attributes["card"] == CARD


def test_nothing_of_it_is_in_the_log_before_the_acknowledgement() -> None:
    """A secret that is hidden on pages alone lies on the disk for as long as spans are kept."""
    journal = MemoryJournal()
    writer = RedactedSpans(SpanStore(journal), Redactor())
    writer.write_spans([make_span("1", attributes={"card": CARD})])
    assert CARD.encode() not in b"".join(journal.replay(SPANS))
