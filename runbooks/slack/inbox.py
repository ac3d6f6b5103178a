"""What people ask in Slack, kept before Slack is answered, and carried out after; none twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import orjson
import structlog
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    String,
    Table,
    Text,
    delete,
    false,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from collectors.errors import InputError, StorageError, TocsinError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Record
from runbooks.incidents.events import EventKind
from runbooks.incidents.schema import METADATA, OUTBOX
from runbooks.notifiers.slack_interactions import FROM_SLACK, presses_in
from runbooks.notifiers.slack_layout import escape
from runbooks.oncall.rights import person_of, refusal
from runbooks.slack.asker import SlackAsker
from runbooks.slack.calls import Said, SlackCalls
from runbooks.slack.commands import answered
from runbooks.slack.forms import submitted
from runbooks.slack.requests import (
    Kind,
    SlackRequest,
    command_in,
    event_in,
    request_in,
)
from runbooks.slack.views import DECLARE, RESOLVE, UPDATE
from tocsin.client.wording import trimmed

KEPT_MS = 24 * 3_600_000
MAX_AT_ONCE = 100
_log = structlog.get_logger(__name__)

REQUESTS = Table(
    "slack_requests",
    METADATA,
    # Slack repeats what it thinks was not acknowledged; the same request has the same key.
    Column("key", String(200), primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("request", Text, nullable=False),
    Column("done", Boolean, nullable=False),
)

RoomReader = Callable[[str], str]
"""Returns the incident of a channel, or the channel of an incident; empty: there is none."""


class SlackInbox:
    """Keeps requests and carries them out.

    Args:
        desk: What they are about.
    """

    def __init__(self, desk: IncidentDesk) -> None:
        self._desk = desk
        self._worker = desk.add_work("tocsin-slack", self.carry_out)
        self._calls: SlackCalls | None = None
        self._incident_of: RoomReader = lambda _channel: ""

    def use(self, calls: SlackCalls, incident_of: RoomReader | None = None) -> None:
        """Answer through ``calls``; ``incident_of`` knows whose war room a channel is."""
        self._calls = calls
        self._incident_of = incident_of or self._incident_of

    def take(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Keep what people ask, to be carried out after; ``kind`` is as Socket Mode calls it.

        Raises:
            DecodeError: It is not what Slack sends.
            StorageError: It could not be kept; Slack tells the person, or sends it again.
        """
        for press in presses_in(payload):
            self._desk.press(press)
        asked = READERS[kind](payload) if kind in READERS else None
        if asked is not None:
            self.keep(asked)

    def keep(self, request: SlackRequest) -> None:
        """Write a request down; one that is known already is a repetition of Slack's.

        Raises:
            StorageError: It could not be written; Slack tells the person.
        """
        values = {
            "key": request.key,
            "time_ms": self._desk.clock.now_ms(),
            "request": orjson.dumps(asdict(request)).decode(),
            "done": False,
        }
        try:
            with self._desk.engine.begin() as connection:
                connection.execute(insert(REQUESTS).values(**values))
        except IntegrityError:
            _log.info("request repeated", key=request.key)
        except SQLAlchemyError as error:
            raise StorageError(f"the request could not be kept: {error}") from error
        self._worker.request()

    def carry_out(self) -> None:
        """Carry out what waits, oldest first."""
        query = (
            select(REQUESTS)
            .where(REQUESTS.c.done == false())
            .order_by(REQUESTS.c.time_ms, REQUESTS.c.key)
            .limit(MAX_AT_ONCE)
        )
        with self._desk.engine.connect() as connection:
            waiting = connection.execute(query).mappings().all()
        for row in waiting:
            request = _read(row["request"])
            self._carry_out(request)
            self._forget(request.key)

    def _carry_out(self, request: SlackRequest) -> None:
        try:
            text = self._done(request)
        except InputError as error:
            text = escape(error.message)
        except TocsinError as error:
            text = f"That did not work: {escape(error.message)}"
        except SQLAlchemyError:
            raise
        except Exception:  # noqa: BLE001 - one request's fault must not cost the others
            _log.exception("request failed", key=request.key)
            text = "That did not work; the server's log says why."
        self._say(request, text)

    def _done(self, request: SlackRequest) -> str:
        if why := refused(self._desk, request):
            return escape(why)
        if request.kind is Kind.MARK:
            return self._mark(request)
        if request.kind is Kind.FORM:
            return submitted(self._desk, request, actor_of(self._desk, request.user))
        asker = SlackAsker(
            desk=self._desk,
            actor=actor_of(self._desk, request.user),
            key=request.key,
            trigger=request.trigger,
            here=self._incident_of(request.channel),
            calls=self._calls,
        )
        return answered(asker, request.text)

    def _say(self, request: SlackRequest, text: str) -> None:
        if self._calls is None or not text or not request.answer_url:
            return
        try:
            self._calls.answer(request.answer_url, text)
        except TocsinError as error:
            _log.warning("answer not delivered", key=request.key, reason=error.message)

    def _mark(self, request: SlackRequest) -> str:
        """Put a message of a war room or of an incident's thread on the incident's record."""
        if self._calls is None:
            return ""
        said = self._calls.message(request.channel, request.fields["ts"])
        incident_id = self._incident_of(request.channel)
        incident_id = incident_id or self._of_thread(request.channel, said.thread_ts)
        incident_id = incident_id and self._desk.ledger.going_on(incident_id).id
        if not incident_id:
            return "That message belongs to no incident: mark one in a war room or a page's thread."
        data = {"permalink": said.permalink, "user": said.user, "request": said.permalink}
        if not _is_told(self._desk, incident_id, said.permalink):
            actor = actor_of(self._desk, request.user)
            record = Record(
                kind=EventKind.SAID,
                text=_quoted(said, actor_of(self._desk, said.user)),
                actor=actor,
                data=data,
            )
            self._desk.execute(incident_id, record)
        return f"On the record of {incident_id}."

    def _of_thread(self, channel: str, ts: str) -> str:
        query = select(OUTBOX.c.incident_id).where(OUTBOX.c.reference == f"{channel}:{ts}")
        with self._desk.engine.connect() as connection:
            return connection.scalar(query.limit(1)) or ""

    def _forget(self, key: str) -> None:
        """Note that a request is done, and drop those so old that Slack can't repeat them."""
        old = REQUESTS.c.time_ms < self._desk.clock.now_ms() - KEPT_MS
        with self._desk.engine.begin() as connection:
            connection.execute(update(REQUESTS).where(REQUESTS.c.key == key).values(done=True))
            connection.execute(delete(REQUESTS).where(old, REQUESTS.c.done == true()))


READERS: Mapping[str, Callable[[Mapping[str, Any]], SlackRequest | None]] = {
    "slash_commands": command_in,
    "interactive": request_in,
    "events_api": event_in,
}
"""How each kind is read."""


def refused(desk: IncidentDesk, request: SlackRequest) -> str:
    """Return why somebody may not; empty: may. Looking is for everybody."""
    if _only_looks(request):
        return ""
    return refusal(desk.duty.people.values(), request.user, _word(request))


def actor_of(desk: IncidentDesk, member: str) -> str:
    """Return under which name a member of the workspace acts."""
    person = person_of(desk.duty.people.values(), member)
    return person.name if person else f"{FROM_SLACK}{member}"


def _word(request: SlackRequest) -> str:
    """Return the command that a request is, as the table of rights calls it."""
    if request.kind is Kind.COMMAND:
        name = request.text.lower().split()[0]
        return WORDS.get(name, name)
    return FORMS.get(request.text, request.kind.value)


WORDS = {"ack": "acknowledge", "sev": "set_severity", "status": "set_status", "role": "assign"}
FORMS = {DECLARE: "declare", RESOLVE: "resolve", UPDATE: "update"}
_LOOKS = frozenset({"", "help", "list", "status", "oncall"})


def _only_looks(request: SlackRequest) -> bool:
    words = request.text.lower().split()
    if request.kind is not Kind.COMMAND or (words[:1] or [""])[0] not in _LOOKS:
        return False
    return words[:1] != ["status"] or len(words) <= 2


def _quoted(said: Said, writer: str) -> str:
    return trimmed(f"{writer} in Slack: {said.text}", 2_000)


def _is_told(desk: IncidentDesk, incident_id: str, permalink: str) -> bool:
    events = desk.ledger.events(incident_id)
    return any(e.kind is EventKind.SAID and e.data.get("permalink") == permalink for e in events)


def _read(text: str) -> SlackRequest:
    values: Mapping[str, Any] = orjson.loads(text)
    return SlackRequest(**{**values, "kind": Kind(values["kind"])})
