"""What a press of a button does to an incident; each press once, none lost once Slack was told."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import Engine, delete, false, insert, select, true, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from collectors.clock import Clock
from collectors.errors import ConflictError, NotFoundError, StorageError
from runbooks.desk.ledger import Ledger
from runbooks.incidents.commands import Acknowledge, Command, Note, SetStatus
from runbooks.incidents.events import MACHINE
from runbooks.incidents.schema import INTERACTIONS
from runbooks.incidents.states import Status
from runbooks.notifiers.slack_interactions import FROM_SLACK, Press
from runbooks.notifiers.slack_layout import ACKNOWLEDGE
from runbooks.oncall.duty import Duty
from runbooks.oncall.rights import person_of, refusal

KEPT_MS = 24 * 3_600_000
_log = structlog.get_logger(__name__)


class Buttons:
    """Writes presses down, so that Slack can be answered at once, and carries them out after.

    Args:
        ledger: Where incidents are.
        engine: The incident database, which remembers what was pressed.
        clock: The present.
        duty: Says who people are, and what each may do.
    """

    def __init__(
        self, ledger: Ledger, engine: Engine, clock: Clock, duty: Callable[[], Duty] = Duty
    ) -> None:
        self._duty = duty
        self._ledger = ledger
        self._engine = engine
        self._clock = clock

    def keep(self, press: Press) -> None:
        """Write a press down; one that is known already is a repetition of Slack's.

        Raises:
            StorageError: It could not be written; Slack tells the person.
        """
        values = {
            "key": press.key,
            "time_ms": self._clock.now_ms(),
            "action_id": press.action_id,
            "incident_id": press.incident_id,
            "user": press.user,
            "done": False,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(INTERACTIONS).values(**values))
        except IntegrityError:
            _log.info("press repeated", key=press.key)
        except SQLAlchemyError as error:
            raise StorageError(f"the press could not be kept: {error}") from error

    def carry_out(self) -> None:
        """Carry out what waits, oldest first."""
        query = (
            select(INTERACTIONS)
            .where(INTERACTIONS.c.done == false())
            .order_by(INTERACTIONS.c.time_ms, INTERACTIONS.c.key)
        )
        with self._engine.connect() as connection:
            waiting = connection.execute(query).mappings().all()
        for row in waiting:
            press = Press(
                **{name: row[name] for name in ("key", "action_id", "incident_id", "user")}
            )
            self._apply(press)
            self._forget(press)

    def _apply(self, press: Press) -> None:
        people = self._duty().people.values()
        member = press.user.removeprefix(FROM_SLACK)
        person = person_of(people, member)
        actor = person.name if person else press.user
        word = "acknowledge" if press.action_id == ACKNOWLEDGE else "resolve"
        command: Command = SetStatus(
            status=Status.RESOLVED, actor=actor, text="with Slack's button"
        )
        if press.action_id == ACKNOWLEDGE:
            command = Acknowledge(actor=actor)
        if why := refusal(people, member, word):
            # Told where it was pressed, and no word of theirs: nobody is on it for that.
            note = f"{actor} pressed {word}, which was refused: {why}"
            command = Note(actor=MACHINE, text=note)
        try:
            # A message that was not edited yet may be of an incident that goes on in another.
            incident_id = self._ledger.going_on(press.incident_id).id
            self._carry_out(incident_id, press, command)
        except NotFoundError:
            _log.warning("press for an unknown incident", incident=press.incident_id)

    def _carry_out(self, incident_id: str, press: Press, command: Command) -> None:
        try:
            self._ledger.execute(incident_id, command)
        except ConflictError as error:
            # Whoever pressed a button of an outdated message is told why nothing changed.
            note = f"{command.actor} pressed {press.action_id}: {error.message}"
            self._ledger.execute(incident_id, Note(actor=command.actor, text=note))

    def _forget(self, press: Press) -> None:
        """Note that a press is done, and drop those so old that Slack can't repeat them."""
        old = INTERACTIONS.c.time_ms < self._clock.now_ms() - KEPT_MS
        with self._engine.begin() as connection:
            done = update(INTERACTIONS).where(INTERACTIONS.c.key == press.key)
            connection.execute(done.values(done=True))
            connection.execute(delete(INTERACTIONS).where(old, INTERACTIONS.c.done == true()))
