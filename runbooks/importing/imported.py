"""What an export becomes, whichever tool wrote it, and as which files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from collectors.errors import InputError
from runbooks.oncall.loading import WEEKDAYS
from runbooks.oncall.people import Person

Document = dict[str, Any]
DAY_S = 86_400


@dataclass(slots=True)
class Imported:
    """Our documents, made step by step.

    Attributes:
        people: By their id in the export.
        schedules: By their name here.
        policies: By their name here.
        lost: What could not be carried over, for people.
    """

    people: dict[str, Person] = field(default_factory=dict)
    schedules: dict[str, Document] = field(default_factory=dict)
    policies: dict[str, Document] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def name(self, kind: str, key: str, title: str) -> str:
        """Return our name for something of a kind that the export calls ``key``; each only once."""
        if (kind, key) not in self._names:
            taken = {name for (of, _), name in self._names.items() if of == kind}
            wanted = slug(title) or slug(key) or kind
            number, found = 2, wanted
            while found in taken:
                found, number = f"{wanted}-{number}", number + 1
            self._names[kind, key] = found
        return self._names[kind, key]

    def known(self, kind: str, key: str) -> str | None:
        """Return our name for what was named before; None: it is not in the export."""
        return self._names.get((kind, key))

    def person(
        self, key: str, name: str, email: str = "", slack: str = "", zone: object = ""
    ) -> str:
        """Take a person over; return the id."""
        title = email.partition("@")[0] or name
        person_id = self.name("person", key, title)
        if key not in self.people:
            self.people[key] = Person(
                id=person_id,
                name=name or title or key,
                email=email if "@" in email else "",
                time_zone=str(zone) if zone and zone_of(zone) else "",
                slack=slack if re.fullmatch(r"[UW][A-Z0-9]{2,20}", slack) else "",
            )
        return person_id

    def files(self) -> dict[str, str]:
        """Return our files, by path below the configuration directory."""
        found: dict[str, str] = {}
        if self.people:
            found["people.yaml"] = _yaml({"people": [_row(one) for one in self.people.values()]})
        found |= {f"oncall/{name}.yaml": _yaml(one) for name, one in self.schedules.items()}
        found |= {f"escalation/{name}.yaml": _yaml(one) for name, one in self.policies.items()}
        return found


def _row(person: Person) -> Document:
    return {name: value for name, value in asdict(person).items() if value}


def _yaml(document: Document) -> str:
    # Times such as 09:00 and dates stand in quotes, as they are texts here.
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return text


def slug(text: str) -> str:
    """Return a name in lower-case words joined by dashes.

    >>> slug("Ops: Payments (EU)"), slug("ana.silva"), slug("!!")
    ('ops-payments-eu', 'ana-silva', '')
    """
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))


def zone_of(name: object) -> ZoneInfo | None:
    """Return a time zone of the IANA database; None if there is none of this name."""
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        return None


def local_start(text: object, zone: ZoneInfo) -> datetime:
    """Return when something begins, on a schedule's wall clock.

    Raises:
        InputError: It is no time.
    """
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise InputError(f"{str(text)[:50]!r} is no time of ISO 8601") from None
    return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)


def moment(at: datetime) -> str:
    """Return a time as overrides write it."""
    return f"{at:%Y-%m-%d %H:%M}"


def override(person: str, start: datetime, end: datetime, reason: str = "") -> Document:
    """Return an override on a schedule's wall clock."""
    found = {"person": person, "since": moment(start), "until": moment(end)}
    return found | ({"reason": reason} if reason else {})


def layer(
    name: str,
    people: Sequence[str],
    start: datetime,
    every_days: int,
    *,
    until: datetime | None = None,
    hours: Iterable[Document] = (),
) -> Document:
    """Return a layer of a schedule."""
    found: Document = {
        "name": name,
        "people": [*people],
        "since": f"{start:%Y-%m-%d}",
        "handoff": f"{start:%H:%M}",
        "every": f"{every_days}d",
    }
    found |= {"until": f"{until:%Y-%m-%d}"} if until else {}
    listed = [*hours]
    return found | ({"hours": listed} if listed else {})


def hours_of(day: int | None, start_s: int, length_s: int) -> list[Document]:
    """Return the hours that begin on a weekday and last for some time.

    Args:
        day: 0 is Monday; None: every day.
        start_s: Seconds after midnight.
        length_s: At most a week; longer than a day is cut at each midnight.
    """
    days = [*range(7)] if day is None else [day]
    if length_s >= 7 * DAY_S or (day is None and length_s >= DAY_S):
        return []
    found: list[Document] = []
    for first in days:
        at, left, weekday = start_s, length_s, first
        while left > 0:
            part = min(left, DAY_S - at)
            whole_night = left == length_s and left < DAY_S
            span = left if whole_night else part
            end_s = (at + span) % DAY_S
            found.append(
                {"days": [WEEKDAYS[weekday % 7]], "since": clock(at), "until": clock(end_s)}
            )
            left, at, weekday = left - span, 0, weekday + 1
    return merged(found)


def merged(hours: Sequence[Document]) -> list[Document]:
    """Return hours with the days of the same times together."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in hours:
        days = found.setdefault((one["since"], one["until"]), [])
        days += [day for day in one["days"] if day not in days]
    return [
        {"days": sorted(days, key=WEEKDAYS.index), "since": since, "until": until}
        for (since, until), days in found.items()
    ]


def clock(seconds: int) -> str:
    """Return a time of day.

    >>> clock(9 * 3_600 + 1_800)
    '09:30'
    """
    return f"{seconds // 3_600 % 24:02d}:{seconds // 60 % 60:02d}"


def seconds_of(text: object) -> int:
    """Return the seconds after midnight of ``08:30`` or ``08:30:00``.

    Raises:
        InputError: It is no time of day.
    """
    match = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?Z?", str(text))
    if match is None:
        raise InputError(f"{str(text)[:50]!r} is no time of day")
    return int(match[1]) * 3_600 + int(match[2]) * 60


def rows(document: object, *keys: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list that stands under one of ``keys``, or is the document."""
    found = document
    if isinstance(document, dict):
        found = next((document[key] for key in keys if isinstance(document.get(key), list)), [])
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def utc(text: object) -> datetime:
    """Return a time in UTC; one without a zone is taken for it."""
    return local_start(text, ZoneInfo("UTC")).astimezone(UTC)
