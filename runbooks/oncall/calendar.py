"""iCalendar (RFC 5545) of a schedule, for people's own calendars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from runbooks.oncall.people import Person
from runbooks.oncall.schedule import Schedule, Shift

_FOLD_BYTES = 75


def as_calendar(
    schedule: Schedule, found: Sequence[Shift], people: Mapping[str, Person], now_ms: int
) -> str:
    """Return the shifts as a calendar; times are in UTC, so no zone has to be described."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//tocsin//on call//EN",
        f"X-WR-CALNAME:{_text(schedule.title)}",
        *(line for shift in found for line in _event(schedule, shift, people, now_ms)),
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(
    schedule: Schedule, shift: Shift, people: Mapping[str, Person], now_ms: int
) -> Iterator[str]:
    person = people.get(shift.person)
    name = person.name if person else shift.person
    yield "BEGIN:VEVENT"
    yield f"UID:{schedule.name}-{shift.person}-{shift.start_ms}@tocsin"
    yield f"DTSTAMP:{_moment(now_ms)}"
    yield f"DTSTART:{_moment(shift.start_ms)}"
    yield f"DTEND:{_moment(shift.end_ms)}"
    yield f"SUMMARY:{_text(f'On call: {name} ({schedule.title})')}"
    if shift.reason:
        yield f"DESCRIPTION:{_text(shift.reason)}"
    if person and person.email:
        yield f"ATTENDEE:mailto:{_text(person.email)}"
    yield "END:VEVENT"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """Escape what has a meaning in iCalendar (section 3.3.11); other control characters go."""
    for raw, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(raw, escaped)
    return "".join(char for char in text if char.isprintable())


def _folded(line: str) -> Iterator[str]:
    """Yield a line in pieces of at most 75 bytes (section 3.1); no character is cut in two."""
    piece, size, limit = "", 0, _FOLD_BYTES
    for char in line:
        width = len(char.encode())
        if size + width > limit:
            yield piece
            piece, size = " ", 1
        piece += char
        size += width
    yield piece
