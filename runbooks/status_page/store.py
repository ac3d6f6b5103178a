"""The status page in the incident database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from collectors.errors import ConflictError, NotFoundError, StorageError
from runbooks.status_page.component import State
from runbooks.status_page.notices import Notice, NoticeKind, Progress, Update
from runbooks.status_page.tables import DAYS, NOTICES, OBSERVED, OVERRIDES, UPDATES

MAX_NOTICES = 2_000
"""Kept; the oldest that are over give way."""

MAX_UPDATES = 200
"""Of one notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What a person says of a component, until when, and why."""

    state: State
    until_ms: int
    author: str
    text: str


Days = Mapping[str, Mapping[str, Mapping[str, int]]]
"""By component and day: milliseconds by state."""


class StatusStore:
    """Reads and writes the tables.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: tuple[int, tuple[Notice, ...]] = (-1, ())

    def notices(self) -> list[Notice]:
        """Return all notices, the newest first.

        Each change adds an update: while the newest one is the same, so is everything.
        """
        with self._reading() as connection:
            newest = connection.scalar(select(func.max(UPDATES.c.id))) or 0
            known_newest, known = self._known
            if newest == known_newest:
                return [*known]
            said = connection.execute(select(UPDATES).order_by(UPDATES.c.id.desc())).mappings()
            updates: dict[int, list[Update]] = defaultdict(list)
            for row in said:
                updates[row["notice_id"]].append(_update(row))
            rows = connection.execute(select(NOTICES).order_by(NOTICES.c.id.desc())).mappings()
            found = [_notice(row, tuple(updates[row["id"]])) for row in rows]
        self._known = newest, tuple(found)
        return found

    def notice(self, number: int) -> Notice:
        """Return one.

        Raises:
            NotFoundError: There is no such notice.
        """
        found = [one for one in self.notices() if one.id == number]
        if not found:
            raise NotFoundError(f"the status page has no notice {number}")
        return found[0]

    def publish(self, notice: Notice) -> int:
        """Keep a notice with its first update; return its number."""
        values = {
            "kind": notice.kind.value,
            "title": notice.title,
            "components": {name: state.value for name, state in notice.components.items()},
            "incident_id": notice.incident_id,
            "starts_ms": notice.starts_ms,
            "ends_ms": notice.ends_ms,
            "ended_ms": notice.ended_ms,
        }
        with self._writing() as connection:
            done = connection.execute(insert(NOTICES).values(**values))
            [number] = done.inserted_primary_key or (0,)
            for one in notice.updates:
                connection.execute(insert(UPDATES).values(_said(int(number), one)))
            _forget(connection)
        return int(number)

    def say(
        self,
        notice: Notice,
        said: Update,
        *,
        ended_ms: int | None,
        components: Mapping[str, State] | None = None,
    ) -> None:
        """Add an update to a notice, and note that it is over, or whom it concerns now.

        Raises:
            ConflictError: It has ended meanwhile, or has ``MAX_UPDATES``.
        """
        if len(notice.updates) >= MAX_UPDATES:
            raise ConflictError(f"notice {notice.id} has {MAX_UPDATES} updates; publish a new one")
        values: dict[str, object] = {"ended_ms": ended_ms}
        if components is not None:
            values["components"] = {name: state.value for name, state in components.items()}
        mine = (NOTICES.c.id == notice.id, NOTICES.c.ended_ms.is_(None))
        with self._writing() as connection:
            if connection.execute(update(NOTICES).where(*mine).values(**values)).rowcount != 1:
                raise ConflictError(f"notice {notice.id} is over; publish a new one")
            connection.execute(insert(UPDATES).values(_said(notice.id, said)))

    def overrides(self, now_ms: int) -> dict[str, Override]:
        """Return what people say of components, by name; what has expired is left out."""
        query = select(OVERRIDES).where(OVERRIDES.c.until_ms > now_ms)
        with self._reading() as connection:
            return {
                row["component"]: _override(row) for row in connection.execute(query).mappings()
            }

    def override(self, component: str, said: Override | None) -> None:
        """Keep what a person says of a component; None: nobody says anything any more."""
        with self._writing() as connection:
            connection.execute(delete(OVERRIDES).where(OVERRIDES.c.component == component))
            if said is not None:
                values = {
                    "component": component,
                    "state": said.state.value,
                    "until_ms": said.until_ms,
                    "author": said.author,
                    "text": said.text,
                }
                connection.execute(insert(OVERRIDES).values(**values))

    def observe(self, states: Mapping[str, State], day: str, now_ms: int, longest_ms: int) -> None:
        """Count the time since the last look for each component as its present state.

        After a longer time than ``longest_ms`` nobody looked: that time is not counted at all.
        """
        with self._writing() as connection:
            rows = connection.execute(select(OBSERVED)).mappings()
            seen = {row["component"]: row["time_ms"] for row in rows}
            for name, state in states.items():
                before_ms = seen.get(name)
                if not _mine(connection, name, before_ms, now_ms):
                    continue
                passed_ms = now_ms - before_ms if before_ms is not None else 0
                if 0 < passed_ms <= longest_ms:
                    _count(connection, name, day, state, passed_ms)

    def days(self, since: str) -> Days:
        """Return how long each component was how, by day, from a day on."""
        query = select(DAYS).where(DAYS.c.day >= since)
        found: dict[str, dict[str, Mapping[str, int]]] = defaultdict(dict)
        with self._reading() as connection:
            for row in connection.execute(query).mappings():
                found[row["component"]][row["day"]] = row["spent_ms"]
        return found

    def forget_days(self, before: str) -> None:
        """Forget the days before one."""
        with self._writing() as connection:
            connection.execute(delete(DAYS).where(DAYS.c.day < before))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError(f"the status page can't be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise ConflictError("somebody else has changed the status page; look again") from error
        except SQLAlchemyError as error:
            raise StorageError(f"the status page can't be written: {error}") from error


def _mine(connection: Connection, name: str, before_ms: int | None, now_ms: int) -> bool:
    """Move the time of a component's last look; False if another server did meanwhile."""
    if before_ms is None:
        connection.execute(insert(OBSERVED).values(component=name, time_ms=now_ms))
        return True
    mine = (OBSERVED.c.component == name, OBSERVED.c.time_ms == before_ms)
    moved = connection.execute(update(OBSERVED).where(*mine).values(time_ms=now_ms))
    return moved.rowcount == 1


def _count(connection: Connection, name: str, day: str, state: State, passed_ms: int) -> None:
    mine = (DAYS.c.component == name, DAYS.c.day == day)
    spent = connection.scalar(select(DAYS.c.spent_ms).where(*mine))
    if spent is None:
        values = {"component": name, "day": day, "spent_ms": {state.value: passed_ms}}
        connection.execute(insert(DAYS).values(**values))
        return
    spent = {**spent, state.value: spent.get(state.value, 0) + passed_ms}
    connection.execute(update(DAYS).where(*mine).values(spent_ms=spent))


def _forget(connection: Connection) -> None:
    kept = select(NOTICES.c.id).order_by(NOTICES.c.id.desc()).offset(MAX_NOTICES).limit(1)
    oldest = connection.scalar(kept)
    if oldest is not None:
        old = (NOTICES.c.id <= oldest, func.coalesce(NOTICES.c.ended_ms, NOTICES.c.ends_ms, 0) > 0)
        connection.execute(delete(NOTICES).where(*old))
        connection.execute(delete(UPDATES).where(~UPDATES.c.notice_id.in_(select(NOTICES.c.id))))


def _said(notice_id: int, one: Update) -> dict[str, object]:
    return {
        "notice_id": notice_id,
        "time_ms": one.time_ms,
        "progress": one.progress.value,
        "text": one.text,
        "author": one.author,
    }


def _update(row: RowMapping) -> Update:
    return Update(
        id=row["id"],
        time_ms=row["time_ms"],
        progress=Progress(row["progress"]),
        text=row["text"],
        author=row["author"],
    )


def _notice(row: RowMapping, updates: tuple[Update, ...]) -> Notice:
    return Notice(
        id=row["id"],
        kind=NoticeKind(row["kind"]),
        title=row["title"],
        components={name: State(state) for name, state in row["components"].items()},
        incident_id=row["incident_id"],
        starts_ms=row["starts_ms"],
        ends_ms=row["ends_ms"],
        ended_ms=row["ended_ms"],
        updates=updates,
    )


def _override(row: RowMapping) -> Override:
    return Override(
        state=State(row["state"]),
        until_ms=row["until_ms"],
        author=row["author"],
        text=row["text"],
    )
