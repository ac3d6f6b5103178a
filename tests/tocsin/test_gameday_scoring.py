"""A scorecard credits tocsin with what it saw, and with nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import ConfigError
from tocsin.gameday.attribution import attribute_pages, fault_of, rank_of
from tocsin.gameday.scorecard import as_json, score
from tocsin.gameday.sightings import Sighting, Signal, sighting
from tocsin.gameday.truth import TruthEvent, read_truth

GRACE_MS = 30_000
EAST, EU = "us-east-1", "eu-west-1"


def event(
    name: str = "f",
    *,
    start: int = 100,
    end: int | None = 200,
    region: str | None = EAST,
    component: str = "playback",
    benign: bool = False,
    impact: str = "starts fail",
    seen_as: tuple[str, ...] = (),
) -> TruthEvent:
    """Return a fault; times in seconds."""
    scope = {"cloud.region": region} if region else {}
    return TruthEvent(
        id=name, name=name, component=component, scope=scope, start_ms=start * 1_000,
        end_ms=None if end is None else end * 1_000, benign=benign, impact=impact, seen_as=seen_as,
    )  # fmt: skip


def signal(second: int = 110, *regions: str, **shares: float) -> Signal:
    return Signal(time_ms=second * 1_000, regions=frozenset(regions), shares=shares)


def seen(
    *signals: Signal, pages: Sequence[int] = (), cleared: Sequence[int] = (), name: str = "i1"
) -> Sighting:
    return Sighting(
        incident_id=name,
        signals=signals,
        pages_ms=tuple(second * 1_000 for second in pages),
        cleared_ms=tuple(second * 1_000 for second in cleared),
    )


@pytest.mark.parametrize(
    ("said", "faults", "about"),
    [
        (signal(110, EAST), [event()], "f"),
        (signal(99, EAST), [event()], None),  # before it began
        (signal(230, EAST), [event()], "f"),  # the last moment of the grace
        (signal(231, EAST), [event()], None),
        (signal(9_999, EAST), [event(end=None)], "f"),  # it still lasts
        (signal(110, EU), [event()], None),  # another region
        (signal(110), [event()], "f"),  # a signal without a region objects to nothing
        (signal(110, EU), [event(region=None)], "f"),  # neither does a fault without one
        (signal(110, EU, EAST), [event()], "f"),
        (signal(110, EAST), [event(benign=True)], None),
        (signal(110, EAST), [], None),
        # Among several: what it suspects, then where it is, then what began last.
        (signal(110, EAST, auth=0.9), [event("a", component="auth", start=90), event("b")], "a"),
        (signal(110, EAST), [event("a", region=None, start=105), event("b")], "b"),
        (signal(110, EAST), [event("a", start=90), event("b", start=105)], "b"),
        (signal(110, EAST, gateway=1.0), [event("a", component="door", seen_as=("gateway",)),
                                          event("b", start=105)], "a"),
    ],
)  # fmt: skip
def test_a_signal_is_about_the_fault_that_fits_best(
    said: Signal, faults: list[TruthEvent], about: str | None
) -> None:
    """A fault would be credited with what another one caused."""
    found = fault_of(said, said.time_ms, faults, GRACE_MS)
    assert (found.name if found else None) == about


@pytest.mark.parametrize(
    ("fault", "signals", "rank"),
    [
        (event(), [signal(1, EAST, playback=0.6, gateway=0.4)], 1),
        (event(), [signal(1, EAST, playback=0.1, gateway=0.4)], 2),
        (event(), [signal(1, EAST, gateway=0.4), signal(2, EAST, playback=0.9)], 1),
        (event(), [signal(1, EAST, gateway=0.4)], None),
        (event(), [signal(1, EAST)], None),
        (event(component="region"), [signal(1, EAST)], 1),
        (event(component="region"), [signal(1, EAST, EU)], 2),
        (event(component="region"), [signal(1, EU)], None),
        (event(component="door", seen_as=("gateway",)), [signal(1, EAST, gateway=0.2)], 1),
    ],
)
def test_the_rank_is_the_culprits_place_among_what_is_named(
    fault: TruthEvent, signals: list[Signal], rank: int | None
) -> None:
    """A page that names the wrong service would count as one that names the right one."""
    assert rank_of(fault, signals) == rank


def test_a_found_fault_has_its_times_counted_from_its_start() -> None:
    """Times to detect would be too short, which is the figure people look at."""
    incident = seen(signal(112, EAST, playback=0.8), pages=(115, 140), cleared=(190, 260))
    card = score([event()], [incident], GRACE_MS)
    (one,) = card.faults
    assert (one.detected, one.detect_s, one.page_s, one.mitigate_s) == (True, 12.0, 15.0, 90.0)
    assert (one.rank, one.pages, one.incidents, one.incident_id) == (1, 2, 1, "i1")
    assert (card.totals.recall, card.totals.precision) == (1.0, 1.0)
    assert card.totals.pages_per_incident == 2.0
    assert card.false_pages == ()


def test_one_incident_that_reopens_is_credited_to_each_fault_it_saw() -> None:
    """The second of two faults would count as missed although people were paged."""
    faults = [event("one"), event("two", start=400, end=500)]
    incident = seen(signal(110, EAST), signal(410, EAST), pages=(111, 412), cleared=(205, 505))
    card = score(faults, [incident], GRACE_MS)
    assert [(s.detect_s, s.page_s, s.mitigate_s) for s in card.faults] == [
        (10.0, 11.0, 105.0), (10.0, 12.0, 105.0),
    ]  # fmt: skip


def test_a_fault_that_hurts_nobody_may_go_unseen_without_being_missed() -> None:
    """Silence about what hurts nobody would count as blindness."""
    quiet = event("quiet", impact="None for starts: rows are popular titles.")
    card = score([quiet, event("loud", start=1_000, end=1_100)], [], GRACE_MS)
    assert (card.totals.faults, card.totals.hurting, card.totals.missed) == (2, 1, 1)
    assert card.totals.recall == 0.0
    assert card.totals.precision is None  # nobody was paged: there is no ratio of nothing


@pytest.mark.parametrize(
    ("events", "during"),
    [
        ([event("launch", benign=True, impact="")], "launch"),
        ([event("launch", benign=True, impact="", region=EU)], None),
        ([event(region=EU)], None),
        ([], None),
    ],
)
def test_a_page_while_nothing_was_wrong_there_is_false(
    events: list[TruthEvent], during: str | None
) -> None:
    """False pages would not be seen, which wake people for nothing."""
    card = score(events, [seen(signal(110, EAST), pages=(111,))], GRACE_MS)
    assert [(page.incident_id, page.during) for page in card.false_pages] == [("i1", during)]
    assert card.totals.precision == 0.0


def test_a_page_that_is_late_is_about_what_its_signal_was_about() -> None:
    """A page that Slack delivered late would count as false."""
    incident = seen(signal(229, EAST), pages=(400,))
    (page,) = attribute_pages([incident], [event()], GRACE_MS)
    assert page.fault is not None


seconds = st.integers(0, 2_000)
regions = st.sampled_from([EAST, EU, None])
events = st.lists(
    st.builds(
        lambda start, length, region, component, benign, number: event(
            f"e{number}", start=start, end=start + length, region=region, component=component,
            benign=benign, impact="" if benign else "starts fail",
        ),
        seconds, st.integers(1, 300), regions, st.sampled_from(["playback", "auth", "region"]),
        st.booleans(), st.integers(0, 10**9),
    ),
    max_size=8, unique_by=lambda one: one.id,
)  # fmt: skip
signals = st.lists(
    st.builds(
        lambda second, place, shares: signal(second, *place, **shares),
        seconds,
        st.sets(st.sampled_from([EAST, EU])),
        st.dictionaries(st.sampled_from(["playback", "auth"]), st.floats(0, 1)),
    ),
    min_size=1, max_size=5,
).map(lambda found: sorted(found, key=lambda one: one.time_ms))  # fmt: skip
sightings = st.lists(
    st.builds(
        lambda said, delays: seen(
            *said, pages=sorted(said[-1].time_ms // 1_000 + delay for delay in delays)
        ),
        signals,
        st.lists(st.integers(0, 60), max_size=3),
    ),
    max_size=6,
).map(lambda found: [replace(one, incident_id=f"i{n}") for n, one in enumerate(found)])


@settings(max_examples=50)
@given(events, sightings)
def test_every_page_is_either_about_a_fault_or_false(
    truth: list[TruthEvent], incidents: list[Sighting]
) -> None:
    """Pages would be counted twice, or not at all."""
    card = score(truth, incidents, GRACE_MS)
    assert sum(one.pages for one in card.faults) + len(card.false_pages) == card.totals.pages
    assert card.totals.pages == sum(len(one.pages_ms) for one in incidents)
    assert len(card.faults) + len(card.benign) == len(truth)


@settings(max_examples=50)
@given(events, sightings)
def test_nobody_is_credited_before_the_fault_or_long_after_it(
    truth: list[TruthEvent], incidents: list[Sighting]
) -> None:
    """Chance would be taken for detection."""
    for one in score(truth, incidents, GRACE_MS).faults:
        if one.detect_s is not None:
            assert one.detected
            assert one.fault.end_ms is not None
            length_s = (one.fault.end_ms - one.fault.start_ms) / 1_000
            assert 0 <= one.detect_s <= length_s + GRACE_MS / 1_000
            assert one.page_s is None or one.page_s >= one.detect_s
            assert one.mitigate_s is None or one.mitigate_s >= one.detect_s


@settings(max_examples=50)
@given(events, sightings)
def test_totals_are_ratios_and_the_order_of_incidents_does_not_matter(
    truth: list[TruthEvent], incidents: list[Sighting]
) -> None:
    """The same day would have two scores."""
    card = score(truth, incidents, GRACE_MS)
    for ratio in (card.totals.recall, card.totals.precision, card.totals.named):
        assert ratio is None or 0 <= ratio <= 1
    assert score(truth, incidents[::-1], GRACE_MS).totals == card.totals
    assert orjson.loads(orjson.dumps(as_json(card)))["totals"]["faults"] == len(card.faults)


def test_an_incident_of_the_api_is_read() -> None:
    """What the server says and what is scored would be two different things."""
    finding = {
        "id": "a",
        "detected_ms": 5_000,
        "scope": {"cloud.region": EAST, "service.name": "gateway"},
    }
    entries = [
        ("opened", 6_000, {"finding": {"id": "a", "values": {"suspect.edge": 0.3}}}),
        ("paged", 7_000, {}),
        ("finding_changed", 8_000, {"finding": {"id": "a", "values": {"suspect.edge": 0.2}}}),
        ("status_set", 9_000, {"to": "investigating"}),
        ("status_set", 20_000, {"to": "mitigated", "impact_end_ms": 18_000}),
        ("reopened", 30_000, {}),
        ("status_set", 40_000, {"to": "resolved", "impact_end_ms": None}),
    ]
    timeline = [{"kind": kind, "time_ms": ms, "data": data} for kind, ms, data in entries]
    found = sighting(
        {
            "id": "INC-1", "title": "t", "severity": "SEV1", "regions": [EAST], "opened_ms": 6_000,
            "findings": [
                {**finding, "values": {"suspect.playback": 0.7, "suspect.auth": None, "p99": 3.0}},
                {**finding, "id": "b", "detected_ms": 29_000, "values": {"suspect.auth": 0.9}},
            ],
            "timeline": timeline,
        }
    )  # fmt: skip
    assert [one.time_ms for one in found.signals] == [5_000, 6_000, 29_000, 30_000]
    assert [dict(one.shares) for one in found.signals] == [
        {"gateway": 0.0, "playback": 0.7, "edge": 0.3},
        {"gateway": 0.0, "playback": 0.7, "edge": 0.3},
        {"gateway": 0.0, "auth": 0.9}, {"gateway": 0.0, "auth": 0.9},
    ]  # fmt: skip
    assert (found.pages_ms, found.cleared_ms) == ((7_000,), (18_000, 40_000))


LINE = {
    "id": "1", "kind": "fault", "name": "n", "component": "c", "scope": {"cloud.region": EU},
    "expected_impact": "much", "start_ms": 1_000, "end_ms": None,
}  # fmt: skip


def test_the_last_line_of_an_event_counts_and_earlier_runs_do_not(tmp_path: Path) -> None:
    """A fault that is over would seem to last, and yesterday's to be today's."""
    path = tmp_path / "truth.jsonl"
    lines = [LINE, {**LINE, "id": "2", "kind": "benign", "start_ms": 3_000},
             {**LINE, "end_ms": 2_000, "seen_as": ["gateway"]}]  # fmt: skip
    path.write_bytes(b"\n".join(orjson.dumps(line) for line in lines))
    one, two = read_truth(path)
    assert (one.end_ms, one.region, one.hurts) == (2_000, EU, True)
    assert one.culprits == {"gateway", "c"}, "by its own name it is named as well"
    assert (two.benign, two.hurts) == (True, False)
    assert two.culprits == {"c"}
    assert [event.id for event in read_truth(path, since_ms=2_000)] == ["2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "can't be read"), (b"{", ":1: no ground-truth event"), (b"[]", "no ground-truth"),
     (orjson.dumps({**LINE, "start_ms": "soon"}), "no ground-truth event")],
)  # fmt: skip
def test_what_is_no_ground_truth_is_refused_with_its_place(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    """A damaged file would be scored as if nothing had been played."""
    path = tmp_path / "truth.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_truth(path)


def test_a_page_is_about_what_woke_people_and_no_ticket_beside_it() -> None:
    """A ticket from elsewhere, told a moment before a page goes out, would make the page false."""
    ticket = Signal(time_ms=118_000, regions=frozenset({EU}), waking=False)
    (page,) = attribute_pages([seen(signal(110, EAST), ticket, pages=[120])], [event()])
    assert page.fault is not None
    alone = seen(ticket, pages=[120])
    assert alone.signal_at(120_000) is ticket
