"""What bad requests have that those before them lack, and where their time went."""

from __future__ import annotations

from anomaly.evidence.setting_apart import set_apart, slower_suspects
from anomaly.findings import Suspect
from collectors.model import Span, SpanKind, SpanStatus
from collectors.traces.testing import make_span

SUSPECT = Suspect(service="pay", share=1.0, reason="it fails")


def trace(number: int, *, version: str, pay_ms: int = 10, error: bool = False) -> list[Span]:
    """Return a request that a shop hands on to pay."""
    name = f"{number:032x}"
    return [
        make_span("1", trace=name, service="shop", kind=SpanKind.SERVER, duration_ms=pay_ms + 10),
        make_span(
            "2", parent="1", trace=name, service="pay", kind=SpanKind.SERVER, start_ms=1_005,
            duration_ms=pay_ms, error=error, attributes={"service.version": version},
        ),
    ]  # fmt: skip


def test_the_attribute_of_failing_requests_is_told() -> None:
    """A new version, one instance, one device: half of the answer stands in the spans."""
    bad = [trace(at, version="2", error=True) for at in range(8)]
    good = [trace(at, version="1") for at in range(8)]
    assert all(span.status is SpanStatus.ERROR for spans in bad for span in spans[1:])
    (one,) = set_apart([SUSPECT], bad, good)
    assert one.reason == (
        "it fails; 100 % of its requests that show this have service.version 2, 0 % of those before"
    )


def test_nothing_is_told_where_nothing_differs_or_too_few_are_known() -> None:
    """Chance among five spans would send people after a device."""
    alike = [trace(at, version="1") for at in range(8)]
    assert set_apart([SUSPECT], alike, alike) == (SUSPECT,)
    assert set_apart([SUSPECT], alike[:2], alike) == (SUSPECT,)


def test_who_takes_more_of_the_critical_path_than_before_is_suspected() -> None:
    """The service that has always taken longest would be blamed for any slowness."""
    bad = [trace(at, version="1", pay_ms=400) for at in range(3)]
    good = [trace(at, version="1") for at in range(3)]
    (one,) = slower_suspects(bad, good)
    assert (one.service, one.share, one.path) == ("pay", 1.0, ("shop", "pay"))
    assert one.reason == "of a trace's critical path 400 ms are its own, 10 ms before"
    assert slower_suspects(good, good) == ()
