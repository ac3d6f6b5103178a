"""``people.yaml`` and ``oncall/*.yaml``: what they say, and every mistake with its place."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collectors.errors import DocumentError
from runbooks.oncall.loading import load_rota
from runbooks.oncall.local_time import epoch_ms
from runbooks.oncall.people import Person, load_people
from runbooks.oncall.schedule import Hours, Layer, Override, Schedule, Swap
from tocsin.configuration.reading import read_configuration

BERLIN = ZoneInfo("Europe/Berlin")
PEOPLE = """people:
  - {id: ana, name: Ana Silva, slack: U01ABCDEF, email: ana@example.com}
  - {id: ben, name: Ben}
"""
PAYMENTS = """name: payments
title: Payments
time_zone: Europe/Berlin
layers:
  - {name: primary, people: [ana, ben], since: 2026-01-05}
  - name: office
    people: ben
    since: 2026-01-05
    handoff: "00:00"
    every: 1d
    until: 2027-01-01
    hours:
      - {days: [mon, fri], since: "09:00", until: "17:00"}
swaps:
  - {people: [ben, ana], since: "2026-11-02 09:00", until: "2026-11-09 09:00", reason: a wedding}
overrides:
  - {person: ben, since: "2026-12-24 18:00", until: "2026-12-27 09:00", reason: holidays}
  - {person: nobody, since: 2026-12-31 12:00, until: 2026-12-31 13:00}
"""


def written(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_people(tmp_path: Path) -> None:
    """Who has no Slack id can be on call too."""
    assert load_people(written(tmp_path, "people.yaml", PEOPLE)) == (
        Person(id="ana", name="Ana Silva", slack="U01ABCDEF", email="ana@example.com"),
        Person(id="ben", name="Ben"),
    )


def test_a_schedule(tmp_path: Path) -> None:
    """Dates, times and zones keep their meaning, quoted or not."""
    written(tmp_path, "oncall/payments.yaml", PAYMENTS)

    def at(month: int, day: int, hour: int) -> int:
        return epoch_ms(date(2026, month, day), time(hour), BERLIN)

    assert load_rota(tmp_path / "oncall").schedules == {
        "payments": Schedule(
            name="payments",
            title="Payments",
            zone=BERLIN,
            layers=(
                Layer(name="primary", people=("ana", "ben"), since=date(2026, 1, 5)),
                Layer(
                    name="office",
                    people=("ben",),
                    since=date(2026, 1, 5),
                    handoff=time(0),
                    every_days=1,
                    until=date(2027, 1, 1),
                    hours=(Hours(weekdays=frozenset({0, 4}), since=time(9), until=time(17)),),
                ),
            ),
            swaps=(
                Swap(
                    people=("ben", "ana"),
                    start_ms=at(11, 2, 9),
                    end_ms=at(11, 9, 9),
                    reason="a wedding",
                ),
            ),
            overrides=(
                Override(
                    person="ben",
                    start_ms=at(12, 24, 18),
                    end_ms=at(12, 27, 9),
                    reason="holidays",
                ),
                Override(person="", start_ms=at(12, 31, 12), end_ms=at(12, 31, 13)),
            ),
        )
    }


@pytest.mark.parametrize(
    ("wrong", "right", "field", "words"),
    [
        ("Europe/Berlin", "Europe/Berlim", "time_zone", "did you mean 'Europe/Berlin'?"),
        ("since: 2026-01-05}", "since: 2026-02-30}", "layers[0].since", "a date such as"),
        ('handoff: "00:00"', "handoff: 24:00", "layers[1].handoff", 'a time such as "09:00"'),
        ("every: 1d", "every: 12h", "layers[1].every", "a number of days or weeks"),
        ("[mon, fri]", "[mon, fry]", "layers[1].hours[0].days[1]", "did you mean 'fri'?"),
        ("[ana, ben]", "[]", "layers[0].people", "names nobody"),
        ("2026-12-27 09:00", "2026-12-24 17:00", "overrides[0].until", "must be after"),
        ("2026-11-09 09:00", "2026-11-02 09:00", "swaps[0].until", "must be after"),
        ("[ben, ana]", "[ben, ben]", "swaps[0].people", "two people"),
        ("[ben, ana]", "[ben, anna]", "swaps[0].people[1]", "did you mean 'ana'?"),
        ("[ana, ben]", "[ana, bem]", "layers[0].people[1]", "did you mean 'ben'?"),
    ],
)
def test_mistakes_have_places(
    tmp_path: Path, wrong: str, right: str, field: str, words: str
) -> None:
    """Found at night, when a page mentions nobody, is too late."""
    written(tmp_path, "people.yaml", PEOPLE)
    written(tmp_path, "oncall/payments.yaml", PAYMENTS.replace(wrong, right, 1))

    with pytest.raises(DocumentError) as caught:
        read_configuration(tmp_path)

    assert caught.value.field == field
    assert words in caught.value.reason


def test_a_route_names_a_schedule_that_there_is(tmp_path: Path) -> None:
    """A route to a schedule that was renamed would mention nobody ever."""
    written(tmp_path, "people.yaml", PEOPLE)
    written(tmp_path, "oncall/payments.yaml", PAYMENTS)
    written(
        tmp_path,
        "routes.yaml",
        "default: [{notifier: console, channel: stderr}]\noncall: payment\n",
    )

    with pytest.raises(DocumentError) as caught:
        read_configuration(tmp_path)

    assert (caught.value.field, caught.value.line) == ("oncall", 2)
    assert "did you mean 'payments'?" in caught.value.reason
