"""What the client and the commands tell of many traces, asked of a real server over a few."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from collectors.api.app import api_app
from collectors.api.studies.routes import study_routes
from collectors.clock import SystemClock
from collectors.host.journal import MemoryJournal
from collectors.model import Span, SpanKind
from collectors.stacklang.testing.memory import MemoryDatabase
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span
from tests.collectors.api.conftest import served
from tests.tocsin.client.test_shapes import differences, returned_by
from tests.tocsin.test_asking_commands import run
from tocsin.client.client import ApiClient
from tocsin.client.trace_studies import TraceStudies
from tocsin.client.wording import duration

Tell = Callable[..., tuple[object, str, str]]


def ordered(number: int, now_ms: int, *, failed: bool) -> list[Span]:
    """Return the trace of an order; the cart is named on its first span."""
    start_ms = now_ms - 60_000 + 100 * number
    return [
        make_span(
            "1",
            trace=f"{number:x}",
            name="order",
            service="shop",
            kind=SpanKind.SERVER,
            start_ms=start_ms,
            duration_ms=50,
            error=failed,
            attributes={"cart": "c7", "http.response.status_code": 503 if failed else 200},
            resource={"service.name": "shop", "pod": "b" if failed else "a"},
        ),
        make_span(
            "2",
            trace=f"{number:x}",
            parent="1",
            name="debit",
            service="bank",
            kind=SpanKind.SERVER,
            start_ms=start_ms + 5,
            duration_ms=40,
            error=failed,
        ),
    ]


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    clock = SystemClock()
    spans = SpanStore(MemoryJournal(), clock=clock)
    now_ms = clock.now_ms()
    orders = [ordered(n, now_ms, failed=n <= 10) for n in range(1, 31)]
    spans.write_spans([span for order in orders for span in order])
    routes = study_routes(spans, clock, duration)
    with served(api_app(MemoryDatabase(60_000), spans, clock, extra_routes=routes)) as url:
        yield url


ASK: dict[str, Callable[[TraceStudies], Any]] = {
    "critical_path": lambda studies: studies.critical_path(service="shop"),
    "compared": lambda studies: studies.compared(q='{ name = "order" && status = error }'),
    "heat_map": lambda studies: studies.heat_map(service="shop"),
    "service_map": lambda studies: studies.service_map(before_ms=3_600_000),
    "funnel": lambda studies: studies.funnel(["order", "debit", "ship"], by="cart"),
    "sessions": lambda studies: studies.sessions(by="cart"),
    "session": lambda studies: studies.session("c7", by="cart"),
}


@pytest.mark.parametrize("name", ASK)
def test_answers_have_their_shapes(url: str, name: str) -> None:
    """Whoever reads the shapes would ask for a field that is not there."""
    with ApiClient(url) as api:
        answer = ASK[name](api.studies)
    assert answer
    assert [*differences(returned_by(getattr(TraceStudies, name)), answer)] == []


@pytest.fixture(name="tell")
def _tell(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tell:
    monkeypatch.setenv("TOCSIN_API_URL", url)
    return lambda *words: run(capsys, monkeypatch, "traces", *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "-q", "{ status = error } | count() > 1", "--limit", "1"], "shop: order"),
        (
            ["compare", '{ name = "order" && status = error }'],
            "b      100 % (10)  0 % (0)  only there",
        ),
        (["critical-path", "--service", "shop"], "80 %   1.2 s     30"),
        (["map"], "shop → bank"),
        (["map"], "what was 1h before is not known"),
        (["sessions", "--by", "cart", "--failed"], "c7"),
        (["session", "c7", "--by", "cart"], "10 of 30 failed; the first, 0 s after the beginning"),
        (["session", "c7", "--by", "cart"], "The first cause was 'debit' of bank."),
        (["session", "c7", "--by", "cart"], "try number 11 succeeded."),
        (["funnel", "order", "debit", "ship", "--by", "cart"], "0 %"),
        (["compare", "{ status = error }", "--json"], '"bad_count"'),
        (["critical-path", "--json"], '"error_saved_ms"'),
        (["map", "--json"], '"known_before"'),
        (["session", "c7", "--by", "cart", "--json"], '"sentences"'),
        (["funnel", "order", "debit", "--by", "cart", "--json"], '"of_previous"'),
    ],
)
def test_what_commands_say(tell: Tell, words: list[str], said: str) -> None:
    """At a terminal there would be no way to these answers."""
    code, out, err = tell(*words)
    assert code in (0, None), err
    assert said in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["search", "-q", "{ status = }"], 1, "TraceQL, column 12"),
        (["session", "nobody", "--by", "cart"], 4, "no span has cart 'nobody'"),
        (["funnel", "order"], 1, "2 to 12 steps"),
        (["sessions", "--by", "nothing", "--fail-empty"], 3, "no span of the last 1h"),
        (["critical-path", "-q", '{ name = "x" }', "--fail-empty"], 3, "no such traces"),
        (["compare", '{ name = "x" }'], 0, "nothing sets the 0 spans apart"),
    ],
)
def test_what_goes_wrong(tell: Tell, words: list[str], code: int, said: str) -> None:
    """A script could not tell a mistake from an answer."""
    found, _, err = tell(*words)
    assert (found or 0) == code
    assert said in err
