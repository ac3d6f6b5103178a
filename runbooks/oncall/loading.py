"""Reading ``oncall/*.yaml``, with file, line and field in every complaint."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import PlainValidator, WithJsonSchema

from collectors.documents.nodes import Place
from collectors.documents.reading import Mistakes, files_of, load_section
from collectors.documents.section import Context, Section, WrongValueError, close_to
from collectors.documents.values import (
    Flag,
    OneOrMore,
    Words,
    at_least_one,
    matching,
    one_of,
    read_text,
)
from collectors.errors import DocumentError
from runbooks.oncall.local_time import epoch_ms
from runbooks.oncall.people import Person, WayShape
from runbooks.oncall.schedule import Hours, Layer, Override, Schedule, Swap
from runbooks.oncall.zones import Zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOBODY = "nobody"
_DAYS = re.compile(r"(\d{1,3})([dw])", re.ASCII)
_MIDNIGHT = time(0)


def _read_date(raw: object) -> date:
    try:
        return date.fromisoformat(read_text(raw))
    except ValueError:
        raise WrongValueError("a date such as 2026-01-05") from None


def _read_time(raw: object) -> time:
    text = read_text(raw)
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII) is None:
        raise WrongValueError('a time such as "09:00"')
    return time.fromisoformat(text)


def _read_moment(raw: object) -> datetime:
    text = read_text(raw)
    if re.fullmatch(r"\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):[0-5]\d", text, re.ASCII) is None:
        raise WrongValueError('a local date and time such as "2026-12-24 18:00"')
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise WrongValueError('a local date and time such as "2026-12-24 18:00"') from None


def _read_days(raw: object) -> int:
    match = _DAYS.fullmatch(read_text(raw))
    days = int(match[1]) * (7 if match[2] == "w" else 1) if match else 0
    if days < 1:
        raise WrongValueError("a number of days or weeks such as 1w or 3d")
    return days


_STRING = WithJsonSchema({"type": "string"})
LocalDate = Annotated[date, PlainValidator(_read_date), _STRING]
LocalTime = Annotated[time, PlainValidator(_read_time), _STRING]
LocalMoment = Annotated[datetime, PlainValidator(_read_moment), _STRING]
Days = Annotated[int, PlainValidator(_read_days), _STRING]


class HoursShape(Section):
    """The hours of some weekdays; `until` at or before `since` is on the day after."""

    days: Annotated[tuple[Annotated[str, one_of(WEEKDAYS)], ...], OneOrMore] = WEEKDAYS
    """`mon` to `sun`, one or a list; without it every day."""
    since: LocalTime = _MIDNIGHT
    """Local time, `"09:00"`."""
    until: LocalTime = _MIDNIGHT
    """Local time; `"00:00"` is the end of the day."""


class LayerShape(Section):
    """People who take turns."""

    name: Words
    """What it is called."""
    people: Annotated[tuple[Words, ...], OneOrMore, at_least_one("names nobody")]
    """Ids of `people.yaml`, in the order of their turns."""
    since: LocalDate
    """Day on which the first person's first turn begins, at `handoff`."""
    handoff: LocalTime = time(9)
    """Local time at which turns change."""
    every: Days = 7
    """Length of a turn: `1w`, `1d`."""
    until: LocalDate | None = None
    """Day on which the layer ends, at `handoff`; without it never."""
    hours: tuple[HoursShape, ...] = ()
    """When it is on duty; without it always."""


class SpanShape(Section):
    """A time, and why something is otherwise in it."""

    since: LocalMoment
    """Local date and time, `"2026-12-24 18:00"`."""
    until: LocalMoment
    """Local date and time, not included."""
    reason: Words = ""
    """Why."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that it ends before it begins."""
        del context
        if self.until <= self.since:
            yield self.at("until").error(f"must be after {self.since:%Y-%m-%d %H:%M}")


class OverrideShape(SpanShape):
    """One person instead of whoever it would be: a holiday, an illness."""

    person: Words
    """Id of `people.yaml`, or `nobody`."""


class SwapShape(SpanShape):
    """Two people stand in for each other wherever the layers name one of them."""

    people: tuple[Words, ...]
    """Two ids of `people.yaml`."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that it ends before it begins, or names other than two."""
        yield from super().mistakes(context)
        if len(set(self.people)) != 2 or len(self.people) != 2:
            yield self.at("people").error("must name two people who swap")


class ScheduleFile(Section):
    """`oncall/*.yaml`: who is on call for something."""

    name: Annotated[Words, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by dashes")]
    """By which routes name it; each only once."""
    title: Words = ""
    """For people; without it the name."""
    time_zone: Zone
    """In which all its local times are, such as `Europe/Berlin`."""
    layers: Annotated[tuple[LayerShape, ...], at_least_one("has no layer")]
    """Of several the last one that applies counts."""
    swaps: tuple[SwapShape, ...] = ()
    """Two people stand in for each other for a while."""
    overrides: tuple[OverrideShape, ...] = ()
    """They count before layers and swaps; of several the last."""
    notices: tuple[WayShape, ...] = ()
    """Channels that are told of each hand-over, once."""
    gaps_meant: Flag = False
    """Whether time without anybody is meant, as with office hours: nothing is told of it then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rota:
    """All schedules, and where their documents name each person first.

    Attributes:
        schedules: By name, in the order of the files.
        places: Where each person is named first.
    """

    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def mistakes(self, people: Collection[Person]) -> Iterator[DocumentError]:
        """Yield persons that are named and are none of ``people``."""
        known = {person.id for person in people}
        for name, place in self.places.items():
            if name not in known:
                meant = close_to(name, known)
                remedy = f"did you mean {meant!r}?" if meant else "write it into people.yaml"
                yield place.error(f"{name!r} is nobody of people.yaml; {remedy}")


def load_rota(directory: Path) -> Rota:
    """Read every schedule.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    schedules: dict[str, Schedule] = {}
    places: dict[str, Place] = {}
    for path in files_of(directory):
        with mistakes.kept():
            shape = load_section(path, ScheduleFile)
            if shape.name in schedules:
                raise shape.at("name").error(f"two schedules are called {shape.name!r}")
            schedules[shape.name] = _schedule(shape)
            for person, place in _named(shape):
                places.setdefault(person, place)
    mistakes.raise_any()
    return Rota(schedules=schedules, places=places)


def _schedule(shape: ScheduleFile) -> Schedule:
    zone = shape.time_zone
    return Schedule(
        name=shape.name,
        title=shape.title or shape.name,
        zone=zone,
        layers=tuple(_layer(layer) for layer in shape.layers),
        swaps=tuple(_swap(one, zone) for one in shape.swaps),
        overrides=tuple(_override(one, zone) for one in shape.overrides),
        notices=tuple((way.notifier, way.channel) for way in shape.notices),
        gaps_meant=shape.gaps_meant,
        places=tuple(way.place for way in shape.notices),
    )


def _layer(shape: LayerShape) -> Layer:
    return Layer(
        name=shape.name,
        people=shape.people,
        since=shape.since,
        handoff=shape.handoff,
        every_days=shape.every,
        until=shape.until,
        hours=tuple(
            Hours(
                weekdays=frozenset(WEEKDAYS.index(day) for day in hours.days),
                since=hours.since,
                until=hours.until,
            )
            for hours in shape.hours
        ),
    )


def _override(shape: OverrideShape, zone: ZoneInfo) -> Override:
    start_ms, end_ms = _span(shape, zone)
    person = "" if shape.person == NOBODY else shape.person
    return Override(person=person, start_ms=start_ms, end_ms=end_ms, reason=shape.reason)


def _swap(shape: SwapShape, zone: ZoneInfo) -> Swap:
    start_ms, end_ms = _span(shape, zone)
    one, other = shape.people
    return Swap(people=(one, other), start_ms=start_ms, end_ms=end_ms, reason=shape.reason)


def _span(shape: SpanShape, zone: ZoneInfo) -> tuple[int, int]:
    """Return the beginning and the end in epoch milliseconds."""
    return (
        epoch_ms(shape.since.date(), shape.since.time(), zone),
        epoch_ms(shape.until.date(), shape.until.time(), zone),
    )


def _named(shape: ScheduleFile) -> Iterator[tuple[str, Place]]:
    for layer in shape.layers:
        for index, person in enumerate(layer.people):
            yield person, layer.at("people", index)
    for swap in shape.swaps:
        for index, person in enumerate(swap.people):
            yield person, swap.at("people", index)
    for override in shape.overrides:
        if override.person != NOBODY:
            yield override.person, override.at("person")
