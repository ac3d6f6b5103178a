"""Action items in the incident database."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, RowMapping, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import ConflictError, NotFoundError, StorageError
from runbooks.postmortem.actions import MAX_ACTIONS, ActionItem, ActionKind, Priority, today
from runbooks.postmortem.tables import ACTION_ITEMS


class ActionStore:
    """Adds, changes and lists action items.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, item: ActionItem) -> int:
        """Keep an action item and return its number.

        Raises:
            ConflictError: The incident has ``MAX_ACTIONS`` of them.
        """
        table = ACTION_ITEMS
        counted = select(func.count()).where(table.c.incident_id == item.incident_id)
        try:
            with self._engine.begin() as connection:
                if (connection.scalar(counted) or 0) >= MAX_ACTIONS:
                    raise ConflictError(
                        f"{item.incident_id} has {MAX_ACTIONS} action items; finish or merge some"
                    )
                done = connection.execute(insert(table).values(**_values(item)))
        except SQLAlchemyError as error:
            raise StorageError(f"action items can't be written: {error}") from error
        [number] = done.inserted_primary_key or (0,)
        return int(number)

    def change(self, number: int, fields: Mapping[str, object]) -> None:
        """Change some fields of an action item.

        Raises:
            NotFoundError: There is no such action item.
        """
        mine = update(ACTION_ITEMS).where(ACTION_ITEMS.c.id == number)
        plain = {name: getattr(value, "value", value) for name, value in fields.items()}
        try:
            with self._engine.begin() as connection:
                found = connection.execute(mine.values(**plain)).rowcount
        except SQLAlchemyError as error:
            raise StorageError(f"action items can't be written: {error}") from error
        if not found:
            raise NotFoundError(f"there is no action item {number}")

    def find(self, number: int) -> ActionItem:
        """Return one.

        Raises:
            NotFoundError: There is no such action item.
        """
        query = select(ACTION_ITEMS).where(ACTION_ITEMS.c.id == number)
        try:
            with self._engine.connect() as connection:
                row = connection.execute(query).mappings().one_or_none()
        except SQLAlchemyError as error:
            raise StorageError(f"action items can't be read: {error}") from error
        if row is None:
            raise NotFoundError(f"there is no action item {number}")
        return _item(row)

    def overdue(self, now_ms: int) -> int:
        """Return how many are overdue, as :meth:`ActionItem.overdue` says of each."""
        due = ACTION_ITEMS.c.due
        late = (ACTION_ITEMS.c.done_ms.is_(None), due != "", due < today(now_ms))
        try:
            with self._engine.connect() as connection:
                return connection.scalar(select(func.count()).where(*late)) or 0
        except SQLAlchemyError as error:
            raise StorageError(f"action items can't be read: {error}") from error

    def items(self, incident_id: str | None = None) -> list[ActionItem]:
        """Return all, or those of one incident, oldest first."""
        query = select(ACTION_ITEMS).order_by(ACTION_ITEMS.c.id)
        if incident_id is not None:
            query = query.where(ACTION_ITEMS.c.incident_id == incident_id)
        try:
            with self._engine.connect() as connection:
                return [_item(row) for row in connection.execute(query).mappings()]
        except SQLAlchemyError as error:
            raise StorageError(f"action items can't be read: {error}") from error


def _values(item: ActionItem) -> dict[str, object]:
    return {
        "incident_id": item.incident_id,
        "title": item.title,
        "kind": item.kind.value,
        "owner": item.owner,
        "priority": item.priority.value,
        "due": item.due,
        "ticket": item.ticket,
        "done_when": item.done_when,
        "created_ms": item.created_ms,
        "created_by": item.created_by,
        "done_ms": item.done_ms,
    }


def _item(row: RowMapping) -> ActionItem:
    values = {**row, "kind": ActionKind(row["kind"]), "priority": Priority(row["priority"])}
    return ActionItem(**values)
