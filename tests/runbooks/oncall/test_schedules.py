"""Who is on call: layers, hours, overrides, and every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbooks.oncall.local_time import DAY_MS, epoch_ms, local
from runbooks.oncall.schedule import Hours, Layer, Override, Schedule, Shift, Swap, on_call, shifts

BERLIN = ZoneInfo("Europe/Berlin")
# Half an hour of summer time, a day that never was, none at all, and the ordinary ones.
ZONES = [
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "UTC",
]
MONDAY = date(2026, 1, 5)
EVERY_DAY = frozenset(range(7))


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    """Return a local moment, epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1_000)


def schedule(
    *layers: Layer,
    swaps: tuple[Swap, ...] = (),
    overrides: tuple[Override, ...] = (),
    zone: ZoneInfo = BERLIN,
) -> Schedule:
    return Schedule(name="s", title="S", zone=zone, layers=layers, swaps=swaps, overrides=overrides)


def weekly(*people: str, **more: object) -> Layer:
    fields = {"name": "weekly", "people": people, "since": MONDAY, **more}
    return Layer(**fields)  # type: ignore[arg-type]


def who(of: Schedule, *moments: str) -> list[str]:
    """Return who is on call at local moments, ``-`` for nobody."""
    found = [on_call(of, at(moment)) for moment in moments]
    return [shift.person if shift else "-" for shift in found]


def test_turns_change_at_the_hand_off_on_the_wall_clock_all_year() -> None:
    """Weeks of 604,800 seconds hand over at 08:00 after the clocks went back."""
    rota = schedule(weekly("ana", "ben"))
    assert who(rota, "2026-01-05T08:59", "2026-01-05T09:00", "2026-01-12T08:59") == [
        "-",
        "ana",
        "ana",
    ]
    assert who(rota, "2026-01-12T09:00", "2026-07-06T08:59", "2026-07-06T09:00") == [
        "ben",
        "ben",
        "ana",
    ]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-02-02T12:00", "day"),  # a Monday
        ("2026-02-02T08:59", "night"),
        ("2026-02-02T17:00", "night"),
        ("2026-02-07T12:00", "night"),  # a Saturday
    ],
)
def test_the_last_layer_that_applies_counts(moment: str, expected: str) -> None:
    """Office hours lie over the layer that covers the rest."""
    office = Hours(weekdays=frozenset(range(5)), since=time(9), until=time(17))
    rota = schedule(weekly("night"), weekly("day", hours=(office,)))
    assert who(rota, moment) == [expected]


def test_hours_over_midnight_belong_to_the_day_they_begin() -> None:
    """Friday night would end at midnight, or begin on Friday morning."""
    friday_night = Hours(weekdays=frozenset({4}), since=time(22), until=time(6))
    rota = schedule(weekly("ana", hours=(friday_night,), handoff=time(0)))
    assert who(
        rota, "2026-02-06T21:59", "2026-02-06T22:00", "2026-02-07T05:59", "2026-02-07T06:00"
    ) == [
        "-",
        "ana",
        "ana",
        "-",
    ]


def test_an_override_counts_before_all_and_the_last_before_others() -> None:
    """A swap that a layer could undo would leave two people believing the other has it."""
    taken = Override(person="cy", start_ms=at("2026-01-06T00:00"), end_ms=at("2026-01-08T00:00"))
    nobody = Override(person="", start_ms=at("2026-01-07T00:00"), end_ms=at("2026-01-07T12:00"))
    rota = schedule(weekly("ana"), overrides=(taken, nobody))
    assert who(
        rota, "2026-01-05T23:59", "2026-01-06T00:00", "2026-01-07T11:59", "2026-01-07T12:00"
    ) == [
        "ana",
        "cy",
        "-",
        "cy",
    ]
    assert who(rota, "2026-01-08T00:00") == ["ana"]


def swap(first: str, last: str, one: str = "ana", other: str = "ben") -> Swap:
    return Swap(people=(one, other), start_ms=at(first), end_ms=at(last), reason="a wedding")


def test_two_who_swap_stand_in_for_each_other() -> None:
    """Written as overrides, one half is forgotten, and both weeks are one person's."""
    rota = schedule(
        weekly("ana", "ben", "cy"), swaps=(swap("2026-01-05T00:00", "2026-01-19T09:00"),)
    )
    assert who(rota, "2026-01-05T09:00", "2026-01-12T09:00", "2026-01-19T09:00") == [
        "ben",
        "ana",
        "cy",
    ]
    assert who(rota, "2026-01-26T09:00", "2026-02-02T09:00") == ["ana", "ben"]


def test_a_swap_may_begin_and_end_within_a_turn() -> None:
    """The shift says by what it is that person, and until when."""
    rota = schedule(weekly("ana"), swaps=(swap("2026-01-06T12:00", "2026-01-07T12:00"),))
    found = shifts(rota, at("2026-01-06T00:00"), at("2026-01-08T00:00"))
    assert [(s.person, s.layer, s.reason) for s in found] == [
        ("ana", "weekly", ""),
        ("ben", "swap", "a wedding"),
        ("ana", "weekly", ""),
    ]


def test_an_override_counts_before_a_swap_and_a_later_swap_after_an_earlier() -> None:
    """Who takes over a day from the one who swapped has it."""
    first, last = "2026-01-06T00:00", "2026-01-07T00:00"
    away = Override(person="di", start_ms=at("2026-01-06T12:00"), end_ms=at(last))
    rota = schedule(
        weekly("ana"),
        swaps=(swap(first, last), swap(first, last, "ben", "cy")),
        overrides=(away,),
    )
    assert who(rota, "2026-01-06T11:59", "2026-01-06T12:00", last) == ["cy", "di", "ana"]


def test_a_layer_ends() -> None:
    """Who left the team would go on being called."""
    rota = schedule(weekly("ana", until=date(2026, 1, 8)))
    assert who(rota, "2026-01-08T08:59", "2026-01-08T09:00") == ["ana", "-"]


def test_a_shift_says_until_when() -> None:
    """The page says when it is somebody else's turn."""
    found = on_call(schedule(weekly("ana", "ben")), at("2026-01-06T00:00"))
    assert found == Shift(
        person="ana", start_ms=at("2026-01-06T00:00"), end_ms=at("2026-01-12T09:00"), layer="weekly"
    )


@pytest.mark.parametrize(
    ("day", "moment", "utc"),
    [
        (date(2026, 3, 8), time(2, 30), "2026-03-08T07:30"),  # the clocks skip it
        (date(2026, 11, 1), time(1, 30), "2026-11-01T05:30"),  # they show it twice
    ],
)
def test_odd_times_are_one_moment(day: date, moment: time, utc: str) -> None:
    """A hand-off at 02:30 would otherwise break the schedule twice a year."""
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp() * 1_000
    assert epoch_ms(day, moment, ZoneInfo("America/New_York")) == expected


@pytest.mark.parametrize("zone", ZONES)
@settings(max_examples=25)
@given(
    every_days=st.sampled_from([1, 2, 7, 14]),
    handoff=st.times(),
    people=st.integers(1, 4),
    year=st.sampled_from([2011, 2025, 2026]),
)
def test_turns_tile_time(zone: str, every_days: int, handoff: time, people: int, year: int) -> None:
    """Two years without a gap or an overlap, whatever the clocks do."""
    handoff = handoff.replace(second=0, microsecond=0)
    clock = ZoneInfo(zone)
    layer = weekly(
        *(f"p{number}" for number in range(people)),
        since=date(year - 1, 12, 1),
        handoff=handoff,
        every_days=every_days,
    )
    start_ms, end_ms = (
        epoch_ms(date(year, 1, 1), time(0), clock),
        epoch_ms(date(year + 2, 1, 1), time(0), clock),
    )

    found = shifts(schedule(layer, zone=clock), start_ms, end_ms)

    assert found[0].start_ms == start_ms
    assert found[-1].end_ms == end_ms
    assert all(before.end_ms == after.start_ms for before, after in pairwise(found))
    assert all(shift.start_ms < shift.end_ms for shift in found)
    skipped = {"Pacific/Apia"}  # on the day that never was, the hand-off is at its neighbour's time
    for shift in found[1:]:
        clocks = local(shift.start_ms, clock).time()
        gap = (
            local(shift.start_ms - DAY_MS // 12, clock).utcoffset()
            != local(shift.start_ms + DAY_MS // 12, clock).utcoffset()
        )
        assert clocks == handoff or gap or zone in skipped


@given(
    overrides=st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 20), st.sampled_from(["cy", "di", ""])),
        max_size=5,
    ),
    moments=st.lists(st.integers(0, 60 * 24), min_size=1, max_size=20),
)
def test_shifts_say_what_on_call_says(
    overrides: list[tuple[int, int, str]], moments: list[int]
) -> None:
    """The calendar and the page would name different people."""
    start_ms = at("2026-03-20T00:00")
    rota = schedule(
        weekly("ana", "ben"),
        weekly("eve", hours=(Hours(weekdays=EVERY_DAY, since=time(20), until=time(8)),)),
        swaps=(swap("2026-03-21T05:00", "2026-04-02T00:00", "ana", "eve"),),
        overrides=tuple(
            Override(
                person=p, start_ms=start_ms + a * 3_600_000, end_ms=start_ms + (a + n) * 3_600_000
            )
            for a, n, p in overrides
        ),
    )
    found = shifts(rota, start_ms, start_ms + 61 * DAY_MS)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(found))
    for hour in moments:
        at_ms = start_ms + hour * 3_600_000
        now = on_call(rota, at_ms)
        holding = [shift.person for shift in found if shift.start_ms <= at_ms < shift.end_ms]
        assert [now.person] == holding if now else holding == []
