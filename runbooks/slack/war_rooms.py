"""War rooms: each bad incident gets a channel of its own, and what changes is told there.

A room is brought to where its incident is, one step after the other. Each step looks before it
makes something, and is noted when it is done: a process killed in between takes it up again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Integer,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from collectors.clock import Clock
from collectors.errors import TocsinError
from collectors.host.faults import Faults
from runbooks.alerts.grouping import SERVICE
from runbooks.desk.ledger import Ledger
from runbooks.incidents.commands import Note
from runbooks.incidents.events import MACHINE, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.schema import METADATA
from runbooks.incidents.states import Role, Status
from runbooks.notifiers.card import Card
from runbooks.notifiers.delivery import (
    ClosedWayError,
    DelayedError,
    NotDeliveredError,
    UncertainError,
)
from runbooks.notifiers.slack_layout import blocks_of, escape, fallback_text
from runbooks.notifiers.war_room_parameters import WarRoomParameters
from runbooks.paging.planning import line
from runbooks.slack.rooms import MAX_SUFFIX, SlackRooms, room_name
from tocsin.client.wording import trimmed

_log = structlog.get_logger(__name__)
ROOM_KEEPING = "war rooms"
CardReader = Callable[[str], Card]
AGAIN_MS, MAX_AGAIN_MS = 5_000, 300_000
EDIT_EVERY_MS = 30_000
"""Between two edits of a summary: Slack takes fifty a minute, of all incidents together."""

MAX_SAID = 3_000
TOLD = frozenset(
    {
        EventKind.SEVERITY_SET,
        EventKind.STATUS_SET,
        EventKind.ROLE_ASSIGNED,
        EventKind.REOPENED,
        EventKind.ACKNOWLEDGED,
        EventKind.ESCALATED,
        EventKind.STATUS_PUBLISHED,
        EventKind.UPDATE_GIVEN,
    }
)
"""What is said in the room: who does what, and how bad it is."""

ROOMS = Table(
    "war_rooms",
    METADATA,
    Column("incident_id", String(32), primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("name", String(100), nullable=False),
    Column("summary_ts", String(32), nullable=False),
    Column("drawn", String(64), nullable=False),
    Column("topic", Text, nullable=False),
    Column("invited", Text, nullable=False),
    Column("linked", String(64), nullable=False),
    Column("told_seq", Integer, nullable=False),
    Column("telling_seq", Integer, nullable=False),
    Column("ended", String(16), nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How far a room is; empty texts: not yet. ``drawn`` and ``linked`` are digests."""

    incident_id: str
    channel: str = ""
    name: str = ""
    summary_ts: str = ""
    drawn: str = ""
    topic: str = ""
    invited: str = ""
    linked: str = ""
    told_seq: int = 0
    telling_seq: int = 0
    ended: str = ""
    due_ms: int = 0
    failures: int = 0
    reason: str = ""


class WarRooms:
    """Brings rooms to where their incidents are.

    Args:
        rooms: Slack.
        settings: Which incidents get one, and how it is called.
        ledger: Where incidents are.
        engine: The incident database, which remembers how far each room is.
        card: Draws an incident as it is now.
        called: Returns the member id of who is on call for an incident; empty: not known.
        member_of: Returns the member id of a person with a role; empty: not known.
        faults: Hears of rooms that can't be made.
        clock: The present.
    """

    def __init__(
        self,
        rooms: SlackRooms,
        settings: WarRoomParameters,
        *,
        ledger: Ledger,
        engine: Engine,
        card: CardReader,
        called: Callable[[Incident], str],
        member_of: Callable[[str], str],
        faults: Faults,
        clock: Clock,
    ) -> None:
        self._rooms = rooms
        self._settings = settings
        self._ledger = ledger
        self._engine = engine
        self._card = card
        self._called = called
        self._member_of = member_of
        self._faults = faults
        self._clock = clock
        self._edited_ms: dict[str, int] = {}

    def work(self) -> None:
        """Do what is due for each room."""
        known = self._known()
        for incident in self._ledger.incidents():
            room = known.get(incident.id)
            if room is None and self._wants(incident):
                room = self._wanted(incident)
            if room is not None and room.ended == "" and room.due_ms <= self._clock.now_ms():
                self._attempt(room, incident)

    def channel_of(self, incident_id: str) -> str:
        """Return the id of an incident's channel; empty: it has none."""
        with self._engine.connect() as connection:
            query = select(ROOMS.c.channel).where(ROOMS.c.incident_id == incident_id)
            return connection.scalar(query) or ""

    def incident_of(self, channel: str) -> str:
        """Return the incident of a channel; empty: it is no room of ours."""
        with self._engine.connect() as connection:
            query = select(ROOMS.c.incident_id).where(ROOMS.c.channel == channel)
            return (connection.scalar(query) or "") if channel else ""

    def _wants(self, incident: Incident) -> bool:
        return incident.is_open and incident.severity in self._settings.severities

    def _attempt(self, room: Room, incident: Incident) -> None:
        try:
            self._bring(room, incident)
        except TocsinError as error:
            self._failed(room.incident_id, error)
        else:
            self._faults.over(ROOM_KEEPING)

    def _bring(self, room: Room, incident: Incident) -> None:
        if not room.channel:
            room = self._make(room, incident)
        card = self._card(incident.id)
        room = self._summarise(room, card)
        room = self._head(room, incident, card)
        room = self._tell(room, incident)
        if incident.status is Status.CLOSED and room.told_seq >= incident.seq:
            if self._settings.archive:
                self._rooms.archive(room.channel)
            self._note(room, ended="archived" if self._settings.archive else "left")

    def _make(self, room: Room, incident: Incident) -> Room:
        """Find the channel that is ours, or make one; names that are taken get a number."""
        purpose = f"War room of {incident.id}: {incident.title}"
        service = next(iter(incident.scope_values(SERVICE)), "")
        for again in range(MAX_SUFFIX):
            name = room_name(self._settings.name, incident.id, service, again)
            channel = self._rooms.create(name) or self._ours(name, incident.id)
            if channel:
                self._rooms.describe(channel, purpose)
                room = self._note(room, channel=channel, name=name)
                self._announce(incident, name, channel)
                return room
        raise ClosedWayError(f"all names like {name} are taken; change war_room in notifiers.yaml")

    def _ours(self, name: str, incident_id: str) -> str:
        """Return the id of a channel that was made for this incident before; empty: it was not."""
        found = self._rooms.named(name)
        if found is None or found.archived:
            return ""
        made_by_us = found.creator == self._rooms.me() and not found.purpose
        named_so = found.purpose.startswith(f"War room of {incident_id}:")
        return found.id if made_by_us or named_so else ""

    def _announce(self, incident: Incident, name: str, channel: str) -> None:
        said = any(
            event.kind is EventKind.NOTE and event.data.get("war_room") == channel
            for event in self._ledger.events(incident.id)
        )
        if not said:
            text = f"war room in Slack: #{name}"
            note = Note(actor=MACHINE, text=text, data={"war_room": channel, "name": name})
            self._ledger.execute(incident.id, note)

    def _summarise(self, room: Room, card: Card) -> Room:
        """Keep one pinned message that says how it stands."""
        text, blocks = fallback_text(card), blocks_of(card)
        drawn = _digest(text, *(str(block.to_dict()) for block in blocks))
        if not room.summary_ts:
            marked = {"incident_id": room.incident_id, "room": "summary"}
            ts = self._rooms.said(room.channel, marked)
            ts = ts or self._rooms.say(room.channel, text, marked, blocks)
            self._rooms.pin(room.channel, ts)
            return self._note(room, summary_ts=ts, drawn=drawn)
        now_ms = self._clock.now_ms()
        lately = now_ms - self._edited_ms.get(room.incident_id, 0) < EDIT_EVERY_MS
        if drawn == room.drawn or (lately and card.is_open):
            return room
        self._edited_ms[room.incident_id] = now_ms
        self._rooms.edit(room.channel, room.summary_ts, text, blocks)
        return self._note(room, drawn=drawn)

    def _head(self, room: Room, incident: Incident, card: Card) -> Room:
        """Keep topic, links and who is in."""
        topic = _topic(incident)
        if topic != room.topic:
            self._rooms.set_topic(room.channel, topic)
            room = self._note(room, topic=topic)
        linked = _digest(*(label for label, _ in card.links))
        if linked != room.linked:
            self._rooms.bookmark(room.channel, card.links)
            room = self._note(room, linked=linked)
        for member in self._members(incident):
            if member not in room.invited.split():
                self._rooms.invite(room.channel, [member])
                room = self._note(room, invited=f"{room.invited} {member}".strip())
        return room

    def _members(self, incident: Incident) -> list[str]:
        """Return the member ids of who is on call and of those with a role."""
        found = [self._called(incident), *(self._member_of(p) for p in incident.roles.values())]
        return [member for member in dict.fromkeys(found) if member]

    def _tell(self, room: Room, incident: Incident) -> Room:
        """Say what has changed since; a message that may have been sent is looked for."""
        if room.told_seq >= incident.seq:
            return room
        events = self._ledger.events(incident.id)
        seq = room.telling_seq if room.telling_seq > room.told_seq else events[-1].seq
        news = [e for e in events if room.told_seq < e.seq <= seq and e.kind in TOLD]
        if news:
            marked = {"incident_id": room.incident_id, "told": str(seq)}
            begun = room.telling_seq == seq
            room = self._note(room, telling_seq=seq)
            if not (begun and self._rooms.said(room.channel, marked)):
                text = trimmed(escape("\n".join(line(event) for event in news)), MAX_SAID)
                self._rooms.say(room.channel, text, marked)
        return self._note(room, told_seq=seq)

    def _failed(self, incident_id: str, error: TocsinError) -> None:
        """Try again later; what a person can mend is told to one. Pages go on without a room."""
        room = self._known()[incident_id]
        now_ms = self._clock.now_ms()
        wait_ms = min(MAX_AGAIN_MS, AGAIN_MS * 2 ** min(room.failures, 10))
        if isinstance(error, DelayedError):
            wait_ms = max(1_000, min(MAX_AGAIN_MS, int(error.retry_after_s * 1000)))
        if isinstance(error, UncertainError):
            wait_ms = max(wait_ms, int(error.late_s * 1000))
        _log.warning("war room waits", incident=incident_id, reason=error.message)
        self._note(
            room, failures=room.failures + 1, due_ms=now_ms + wait_ms, reason=error.message[:500]
        )
        if isinstance(error, NotDeliveredError):
            lost = "rooms of incidents; pages go as usual, and a room is made when it can be"
            self._faults.failed(
                ROOM_KEEPING, place="Slack", reason=error.message, lost=lost, urgent=False
            )

    def _known(self) -> Mapping[str, Room]:
        with self._engine.connect() as connection:
            found = connection.execute(select(ROOMS)).mappings()
            return {row["incident_id"]: Room(**row) for row in found}

    def _wanted(self, incident: Incident) -> Room:
        """Write down that an incident gets a room, before anything is made."""
        room = Room(incident_id=incident.id, told_seq=incident.seq)
        with self._engine.begin() as connection:
            connection.execute(insert(ROOMS).values(**asdict(room)))
        return room

    def _note(self, room: Room, **changes: str | int) -> Room:
        with self._engine.begin() as connection:
            row = update(ROOMS).where(ROOMS.c.incident_id == room.incident_id)
            connection.execute(row.values(**changes))
        return replace(room, **changes)  # type: ignore[arg-type]  # of the fields' own types


def _topic(incident: Incident) -> str:
    commander = incident.roles.get(Role.COMMANDER, "nobody yet")
    return f"{incident.severity} · {incident.status} · commander: {commander} · {incident.title}"


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:32]
