"""How we are held up ourselves, and what follows for pages about slowness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from anomaly.evidence.exemplars import Evidence
from anomaly.evidence.own_delay import OwnDelay, delay_words
from anomaly.evidence.restraint import MAX_STARVED_MS, Restraint
from anomaly.findings import FindingKind, FindingState, Suspect, Urgency
from anomaly.testing import example_finding
from collectors.clock import ManualClock
from collectors.receivers.sources.arrival import Arrival
from collectors.receivers.sources.ledger import SourceLedger
from tocsin.alive.own_delay import Counters, DelayMeter, OnOneMachine, system_counters

SLOW = Evidence(errors=False, min_duration_ms=200.0)
DELAY = OwnDelay(steal=0.2, waiting=0.4, late_ms=900)


class Delays:
    """Says the same of every time."""

    def __init__(self, answer: OwnDelay | None) -> None:
        self.answer = answer

    def over(self, start_ms: int, end_ms: int) -> OwnDelay | None:
        del start_ms, end_ms
        return self.answer


def meter(*counted: Counters) -> DelayMeter:
    """Return a meter of a system that has counted this, look by look."""
    found: Iterator[Counters] = iter(counted)
    return DelayMeter(lambda: next(found))


@pytest.mark.parametrize(
    ("counters", "late_ms", "starved"),
    [
        (Counters(steal=0, ticks=1_000, waited_ns=0), 0, False),
        (Counters(steal=200, ticks=1_000, waited_ns=0), 0, True),
        (Counters(steal=0, ticks=1_000, waited_ns=2_000_000_000), 0, True),
        (Counters(), 700, True),
        (Counters(), 20, False),
    ],
    ids=["let run", "steal", "waiting", "late", "nothing is told"],
)
def test_each_of_three_numbers_tells_that_we_are_starved(
    counters: Counters, late_ms: int, starved: bool
) -> None:
    """A machine where one of them is not told would never know why all is slow."""
    found = meter(Counters(), counters)
    found.note(0, 0)
    found.note(5_000, late_ms)
    assert (found.over(0, 5_000) is not None) is starved
    assert found.over(6_000, 9_000) is None


def test_one_late_beat_in_a_minute_is_no_starvation() -> None:
    """A single full collection of garbage would keep a page back."""
    found = meter(*[Counters()] * 12)
    for at in range(12):
        found.note(at * 5_000, 900 if at == 3 else 0)
    assert found.over(0, 60_000) is None
    assert found.gauges() == {"own.steal": 0.0, "own.waiting": 0.0, "own.late": 0.0}


def test_a_clock_that_is_set_back_counts_nothing() -> None:
    """Shares of a time that did not pass would be below 0 or endless."""
    found = meter(*[Counters(ticks=1, waited_ns=10**12)] * 3)
    found.note(10_000, 0)
    found.note(5_000, 0)
    assert found.over(0, 20_000) is None


def test_the_real_machine_is_read_or_says_nothing() -> None:
    """A path that is misspelt would read as a machine that never waits."""
    first, second = system_counters(), system_counters()
    assert second.ticks >= first.ticks >= 0
    assert second.waited_ns >= first.waited_ns >= 0


@pytest.mark.parametrize(
    ("peers", "told"),
    [(["127.0.0.1"], True), (["127.0.0.1", "10.0.0.7"], False), ([], False)],
)
def test_our_delay_explains_only_those_who_share_the_machine(peers: list[str], told: bool) -> None:
    """What is slow on other machines would wake nobody because ours is busy."""
    found = meter(Counters(), Counters())
    found.note(0, 0)
    found.note(5_000, 900)
    sources = SourceLedger(ManualClock(1_000))
    for peer in peers:
        arrival = Arrival(peer=peer, named={("shop", "1")})
        arrival.accepted["otlp"] += 1
        sources.note(arrival)
    assert (OnOneMachine(found, sources, "127.0.0.1").over(0, 5_000) is not None) is told


def test_slowness_while_we_starve_is_told_and_wakes_nobody_until_we_do_not() -> None:
    """A machine under load pages about every service on it; a real slowness must page after."""
    delays = Delays(DELAY)
    restraint = Restraint(delays)
    held = restraint.judged(example_finding(), SLOW)
    assert held.urgency is Urgency.TICKET
    assert held.explanation == f"It burns. {delay_words(DELAY)}"
    assert "40 % of the time it waited for a processor" in held.explanation
    delays.answer = None
    later = restraint.judged(example_finding(urgency=held.urgency), SLOW)
    assert (later.urgency, later.explanation) == (Urgency.PAGE, "It burns.")
    delays.answer = DELAY
    assert restraint.judged(later, SLOW).urgency is Urgency.PAGE, "nobody is woken and let sleep"


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ({"observed": 40.0, "baseline": 100.0, "unit": "1/s"}, True),
        ({"observed": 160.0, "baseline": 100.0, "unit": "1/s"}, False),
        ({"observed": 0.4, "baseline": 1.0, "unit": "ratio"}, False),
        ({"observed": 40.0, "baseline": 100.0, "unit": "1/s", "kind": FindingKind.SLO_BURN}, False),
        ({"observed": 40.0, "baseline": None, "unit": "1/s"}, False),
    ],
)
def test_a_loss_of_traffic_while_we_starve_waits_as_slowness_does(
    fields: dict[str, Any], held: bool
) -> None:
    """A machine that stalls would page that starts fell, for those who start are on it as well."""
    delays = Delays(DELAY)
    restraint = Restraint(delays)
    finding = example_finding(**{"kind": FindingKind.ANOMALY, **fields})
    judged = restraint.judged(finding, Evidence())
    assert judged.urgency is (Urgency.TICKET if held else Urgency.PAGE)
    if held:
        assert "asks less often, so nobody is woken yet" in judged.explanation
        delays.answer = None
        assert restraint.judged(judged, Evidence()).urgency is Urgency.PAGE


def test_starvation_that_lasts_holds_nothing_back() -> None:
    """A machine that is out of processor time for good is an outage, and would never ring."""
    restraint = Restraint(Delays(DELAY))
    begun = example_finding()
    assert restraint.judged(begun, SLOW).urgency is Urgency.TICKET
    almost = replace(begun, updated_ms=begun.detected_ms + MAX_STARVED_MS - 1)
    assert restraint.judged(almost, SLOW).urgency is Urgency.TICKET
    lasting = replace(begun, updated_ms=begun.detected_ms + MAX_STARVED_MS)
    assert restraint.judged(lasting, SLOW).urgency is Urgency.PAGE


def test_what_our_delay_does_not_explain_pages() -> None:
    """Failures, one slow service among healthy ones, and tickets have nothing to wait for."""
    restraint = Restraint(Delays(DELAY))
    assert restraint.judged(example_finding(id="1"), Evidence()).urgency is Urgency.PAGE
    alone = example_finding(id="2", suspects=(Suspect(service="shop", share=0.9, reason="slow"),))
    assert restraint.judged(alone, SLOW).urgency is Urgency.PAGE
    alike = example_finding(id="3", suspects=(Suspect(service="shop", share=0.4, reason="slow"),))
    assert restraint.judged(alike, SLOW).urgency is Urgency.TICKET
    over = example_finding(state=FindingState.RESOLVED)
    assert restraint.judged(over, SLOW) is over
    assert Restraint(None).judged(example_finding(), SLOW).urgency is Urgency.PAGE
