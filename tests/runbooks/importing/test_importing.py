"""Exports of other tools become rotas that ring the same people; what is lost is said."""

from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import InputError
from runbooks.escalation.loading import load_policies
from runbooks.importing.imported import Imported, hours_of
from runbooks.importing.reading import imported
from runbooks.notifiers.settling import unsettled
from runbooks.oncall.loading import load_rota
from runbooks.oncall.local_time import epoch_ms
from runbooks.oncall.people import load_people
from runbooks.oncall.schedule import on_call

ANA = {
    "id": "PANA",
    "type": "user",
    "name": "Ana Silva",
    "email": "ana@example.com",
    "time_zone": "UTC",
}
BEN = {"id": "PBEN", "type": "user", "name": "Ben <!channel>", "email": "ben@example.com"}
PAGERDUTY = {
    "users": [ANA, BEN],
    "schedules": [
        {
            "id": "S1",
            "name": "Payments: Europe",
            "time_zone": "Europe/Berlin",
            "schedule_layers": [
                # The first has precedence.
                {
                    "name": "Night",
                    "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
                    "rotation_turn_length_seconds": 604_800,
                    "users": [{"user": {"id": "PBEN", "summary": "Ben"}}],
                    "restrictions": [
                        {
                            "type": "daily_restriction",
                            "start_time_of_day": "22:00:00",
                            "duration_seconds": 28_800,
                        }
                    ],
                },
                {
                    "name": "Weekly",
                    "rotation_virtual_start": "2026-01-05T08:00:00Z",
                    "rotation_turn_length_seconds": 604_800,
                    "users": [{"user": {"id": "PANA"}}, {"user": {"id": "PBEN"}}],
                },
                {
                    "name": "Hourly",
                    "rotation_virtual_start": "2026-01-05T08:00:00Z",
                    "rotation_turn_length_seconds": 3_600,
                    "users": [{"user": {"id": "PANA"}}],
                },
            ],
            "overrides": [
                {
                    "start": "2026-01-07T11:00:00Z",
                    "end": "2026-01-07T12:00:00Z",
                    "user": {"id": "PBEN"},
                }
            ],
        }
    ],
    "escalation_policies": [
        {
            "id": "E1",
            "name": "Payments",
            "num_loops": 2,
            "escalation_rules": [
                {
                    "escalation_delay_in_minutes": 5,
                    "targets": [{"id": "S1", "type": "schedule_reference"}],
                },
                {
                    "escalation_delay_in_minutes": 10,
                    "targets": [
                        {"id": "PANA", "type": "user_reference"},
                        {"id": "S9", "type": "schedule_reference", "summary": "Gone"},
                    ],
                },
            ],
        }
    ],
}
OPSGENIE = {
    "users": {"data": [{"id": "1", "username": "ana@example.com", "fullName": "Ana Silva"}]},
    "schedules": {
        "data": [
            {
                "name": "Payments: Europe",
                "timezone": "Europe/Berlin",
                "rotations": [
                    {
                        "name": "Weekly",
                        "startDate": "2026-01-05T08:00:00Z",
                        "type": "weekly",
                        "length": 1,
                        "participants": [
                            {"type": "user", "username": "ana@example.com"},
                            {"type": "user", "username": "ben@example.com"},
                            {"type": "team", "name": "ops"},
                        ],
                    },
                    {
                        "name": "Night",
                        "startDate": "2026-01-05T08:00:00Z",
                        "type": "daily",
                        "length": 1,
                        "participants": [{"type": "user", "username": "ben@example.com"}],
                        "timeRestriction": {
                            "type": "time-of-day",
                            "restriction": {
                                "startHour": 22,
                                "startMin": 0,
                                "endHour": 6,
                                "endMin": 0,
                            },
                        },
                    },
                ],
                "overrides": [
                    {
                        "user": {"type": "user", "username": "ben@example.com"},
                        "startDate": "2026-01-07T11:00:00Z",
                        "endDate": "2026-01-07T12:00:00Z",
                    }
                ],
            }
        ]
    },
    "escalations": {
        "data": [
            {
                "name": "Payments",
                "repeat": {"count": 2, "waitInterval": 10},
                "rules": [
                    {
                        "condition": "if-not-acked",
                        "delay": {"timeAmount": 0, "timeUnit": "minutes"},
                        "recipient": {"type": "schedule", "name": "Payments: Europe"},
                    },
                    {
                        "condition": "if-not-acked",
                        "delay": {"timeAmount": 5, "timeUnit": "minutes"},
                        "recipient": {"type": "user", "username": "ana@example.com"},
                    },
                    {
                        "condition": "if-not-acked",
                        "delay": {"timeAmount": 5, "timeUnit": "minutes"},
                        "recipient": {"type": "team", "name": "ops"},
                    },
                ],
            }
        ]
    },
}
GRAFANA = {
    "users": {
        "results": [
            {"id": "UA", "username": "ana", "email": "ana@example.com", "slack": None},
            {
                "id": "UB",
                "username": "ben",
                "email": "ben@example.com",
                "slack": {"user_id": "U0BEN"},
            },
        ]
    },
    "schedules": [
        {
            "id": "S1",
            "name": "Payments: Europe",
            "type": "web",
            "time_zone": "Europe/Berlin",
            "shifts": ["O1", "O2", "O3"],
        },
        {"id": "S2", "name": "Calendar", "type": "ical"},
    ],
    "on_call_shifts": [
        {
            "id": "O2",
            "name": "Night",
            "type": "rolling_users",
            "level": 2,
            "start": "2026-01-05T22:00:00",
            "duration": 28_800,
            "frequency": "daily",
            "interval": 1,
            "rolling_users": [["UB"]],
        },
        {
            "id": "O1",
            "name": "Weekly",
            "type": "rolling_users",
            "level": 1,
            "start": "2026-01-05T09:00:00",
            "duration": 604_800,
            "frequency": "weekly",
            "interval": 1,
            "rolling_users": [["UA"], ["UB", "UA"]],
        },
        {
            "id": "O3",
            "name": "Swap",
            "type": "override",
            "start": "2026-01-07T12:00:00",
            "duration": 3_600,
            "users": ["UB"],
        },
    ],
    "escalation_chains": [{"id": "C1", "name": "Payments"}],
    "escalation_policies": [
        {
            "escalation_chain_id": "C1",
            "position": 2,
            "type": "notify_persons",
            "persons_to_notify": ["UA"],
        },
        {"escalation_chain_id": "C1", "position": 1, "type": "wait", "duration": 300},
        {
            "escalation_chain_id": "C1",
            "position": 0,
            "type": "notify_on_call_from_schedule",
            "notify_on_call_from_schedule": "S1",
        },
        {"escalation_chain_id": "C1", "position": 3, "type": "trigger_webhook"},
        {"escalation_chain_id": "C1", "position": 4, "type": "repeat_escalation"},
    ],
}


def written(export: object, tmp_path: Path) -> tuple[str, Imported]:
    name, found = imported(json.dumps(export).encode())
    for path, text in found.files().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    return name, found


@pytest.mark.parametrize(
    ("export", "tool", "repeats", "lost"),
    [
        (
            PAGERDUTY,
            "pagerduty",
            2,
            [
                "schedule Payments: Europe, layer Hourly: turns of 1 h; turns here last whole days",
                "schedule_reference Gone",
            ],
        ),
        (
            OPSGENIE,
            "opsgenie",
            2,
            [
                "schedule Payments: Europe, rotation Weekly: team ops",
                "escalation Payments: team ops",
            ],
        ),
        (
            GRAFANA,
            "grafana-oncall",
            5,
            [
                (
                    "schedule Payments: Europe, shift Weekly: "
                    "several people at once; here the first of each group"
                ),
                "schedule Calendar: it is read from a calendar; only Grafana can",
                "escalation chain Payments: the step trigger_webhook",
            ],
        ),
    ],
    ids=["pagerduty", "opsgenie", "grafana-oncall"],
)
def test_the_same_people_are_rung(
    export: object, tool: str, repeats: int, lost: list[str], tmp_path: Path
) -> None:
    """Read back by what serves: each moment has the person that the other tool would ring."""
    name, found = written(export, tmp_path)
    people = load_people(tmp_path / "people.yaml")
    rota = load_rota(tmp_path / "oncall")
    policies = load_policies(tmp_path / "escalation")

    assert name == tool
    assert found.lost == lost
    assert {person.id: person.email for person in people} == {
        "ana": "ana@example.com",
        "ben": "ben@example.com",
    }
    assert [*rota.mistakes(people)] == []
    assert [*policies.mistakes(people, rota.schedules, unsettled())] == []
    (schedule,) = rota.schedules.values()
    assert (schedule.name, schedule.zone.key) == ("payments-europe", "Europe/Berlin")

    def who(day: str, at: str) -> str:
        at_ms = epoch_ms(date.fromisoformat(day), time.fromisoformat(at), schedule.zone)
        shift = on_call(schedule, at_ms)
        return shift.person if shift else ""

    moments = [
        ("2026-01-05", "10:00", "ana"),
        ("2026-01-05", "22:00", "ben"),
        ("2026-01-06", "05:59", "ben"),
        ("2026-01-06", "06:00", "ana"),
        ("2026-01-07", "12:30", "ben"),
        ("2026-01-07", "13:00", "ana"),
        ("2026-01-12", "08:59", "ana"),
        ("2026-01-12", "09:00", "ben"),
        # The clocks have changed; the hand-off has not.
        ("2026-03-30", "08:59", "ben"),
        ("2026-03-30", "09:00", "ana"),
    ]
    expected = {(day, at): person for day, at, person in moments}
    assert {key: who(*key) for key in expected} == expected
    (policy,) = policies.by_name.values()
    assert policy.repeats == repeats
    assert [(level.schedules, level.people, level.timeout_ms) for level in policy.levels] == [
        (("payments-europe",), (), 300_000),
        ((), ("ana",), policy.levels[1].timeout_ms),
    ]


@pytest.mark.parametrize(
    ("day", "start_h", "length_h", "hours"),
    [
        (None, 9, 8, [("mon tue wed thu fri sat sun", "09:00", "17:00")]),
        (None, 22, 8, [("mon tue wed thu fri sat sun", "22:00", "06:00")]),
        (None, 0, 24, []),
        (4, 18, 12, [("fri", "18:00", "06:00")]),
        # A weekend: from Friday evening to Monday morning.
        (
            4,
            18,
            62,
            [("fri", "18:00", "00:00"), ("sat sun", "00:00", "00:00"), ("mon", "00:00", "08:00")],
        ),
        (0, 0, 168, []),
    ],
)
def test_restrictions(
    day: int | None, start_h: int, length_h: int, hours: list[tuple[str, str, str]]
) -> None:
    """What lasts over midnights is cut there; what lasts all week is no restriction."""
    found = hours_of(day, start_h * 3_600, length_h * 3_600)
    assert [(" ".join(one["days"]), one["since"], one["until"]) for one in found] == hours


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{}", "no export of opsgenie, pagerduty, grafana-oncall"),
        (b"[1, 2]", "no export of"),
        (b'{"schedules": [{"rotations": [{"participants": 3}]}]}', "no schedule and no policy"),
        (
            (
                b'{"escalation_policies": [{"num_loops": [], "escalation_rules": [{"targets": '
                b'[{"id": "P1", "type": "user"}]}]}]}'
            ),
            "not as pagerduty writes it",
        ),
    ],
)
def test_what_is_no_export_is_told(body: bytes, told: str) -> None:
    """A stranger's file is read, not trusted."""
    with pytest.raises(InputError, match=told):
        imported(body)


def test_names_that_meet_stay_apart() -> None:
    """Two schedules whose names differ by a colon would overwrite each other."""
    found = Imported()
    names = [found.name("schedule", key, "Ops: EU") for key in ("1", "2", "1")]
    people: list[Any] = [found.person(key, "Ana") for key in ("a", "b", "a")]
    assert names == ["ops-eu", "ops-eu-2", "ops-eu"]
    assert people == ["ana", "ana-2", "ana"]
