"""Nodes and leases in PostgreSQL: each call is one short transaction, by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, case, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from collectors.cluster.members import Node, NodeState
from runbooks.incidents.sharing import MAKING_TABLES
from tocsin.cluster.agreement.database import engine_at, failed
from tocsin.cluster.agreement.lease import Lease, Wish, decided
from tocsin.cluster.agreement.tables import LEASES, METADATA, NODES

_NOW = text("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A node with what only the table knows of it.

    Attributes:
        node: What the others need to know.
        joined_ms: When this process of it began, the database's epoch milliseconds.
        heard_ms: When it was last heard of.
        session: Of its process.
    """

    node: Node
    joined_ms: int
    heard_ms: int
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the database said at one moment.

    Attributes:
        now_ms: That moment by its clock, epoch milliseconds.
        nodes: All nodes, by name.
        leases: By name.
        rival: Whether another process tells of itself under the name of this node.
    """

    now_ms: int
    nodes: tuple[Known, ...]
    leases: dict[str, Lease]
    rival: bool = False


class Registry:
    """The tables, as one process writes them; one thread at a time.

    Args:
        url: Of the incident database, on PostgreSQL.
        node: This node; its state is what the table says.
        length_ms: Of leases; who was not heard of for as long does not count as alive.
    """

    def __init__(self, url: str, node: Node, length_ms: int) -> None:
        self.node = node
        self.length_ms = length_ms
        self.session = str(uuid4())
        self._engine = engine_at(url)

    def join(self) -> View:
        """Make what tables lack, and register this node, as active.

        Raises:
            StorageError: The database can't be reached.
        """
        try:
            with self._engine.begin() as connection:
                connection.execute(select(func.pg_advisory_xact_lock(MAKING_TABLES)))
                METADATA.create_all(connection)
            with self._engine.begin() as connection:
                now_ms = _now_ms(connection)
                row = {
                    "name": self.node.name,
                    "url": self.node.url,
                    "version": self.node.version,
                    "state": NodeState.ACTIVE.value,
                    "session": self.session,
                    "joined_ms": now_ms,
                    # It is heard of once it can be asked: until then it reads its logs.
                    "heard_ms": 0,
                }
                made = insert(NODES).values(**row, since_ms=now_ms)
                # A node that starts again has held its slots since before.
                held = NODES.c.state == NodeState.ACTIVE.value
                again = row | {"since_ms": case((held, NODES.c.since_ms), else_=now_ms)}
                connection.execute(made.on_conflict_do_update(index_elements=["name"], set_=again))
                return self._view(connection, now_ms)
        except SQLAlchemyError as error:
            raise failed(error) from error

    def beat(self, wishes: dict[str, bool]) -> View:
        """Say that this node is there, and what it wishes of which lease; return what is known.

        Args:
            wishes: By the name of a lease whether this node wants it.

        Raises:
            StorageError: The database can't be reached; nothing is known then.
        """
        try:
            with self._engine.begin() as connection:
                rival = self._heard(connection)
                for name, wants in sorted(wishes.items()):
                    self._decide(connection, name, wants)
                return replace(self._view(connection, _now_ms(connection)), rival=rival)
        except SQLAlchemyError as error:
            raise failed(error) from error

    def set_state(self, name: str, state: NodeState) -> bool:
        """Tell a node what to do; return whether there is one of that name.

        Raises:
            StorageError: The database can't be reached.
        """
        try:
            with self._engine.begin() as connection:
                same = NODES.c.state == state.value
                since = case((same, NODES.c.since_ms), else_=_now_ms(connection))
                told = update(NODES).where(NODES.c.name == name)
                told = told.values(state=state.value, since_ms=since)
                return connection.execute(told).rowcount == 1
        except SQLAlchemyError as error:
            raise failed(error) from error

    def remove(self, name: str) -> bool:
        """Forget a node that will not come back; return whether there was one.

        Raises:
            StorageError: The database can't be reached.
        """
        try:
            with self._engine.begin() as connection:
                gone = connection.execute(delete(NODES).where(NODES.c.name == name))
                return gone.rowcount == 1
        except SQLAlchemyError as error:
            raise failed(error) from error

    def holds(self, connection: Connection, name: str, token: int) -> bool:
        """Return whether a lease is still ours under ``token``, within another's transaction."""
        query = select(LEASES.c.until_ms).where(
            LEASES.c.name == name, LEASES.c.session == self.session, LEASES.c.token == token
        )
        until_ms = connection.scalar(query)
        return until_ms is not None and _now_ms(connection) < int(until_ms)

    def close(self) -> None:
        """Release the connections."""
        self._engine.dispose()

    def _heard(self, connection: Connection) -> bool:
        """Tell that this node is there; return whether another process has done so in its name."""
        now_ms = _now_ms(connection)
        row: dict[str, object] = {"url": self.node.url, "version": self.node.version}
        row |= {"session": self.session} | {"heard_ms": now_ms}
        mine = NODES.c.name == self.node.name
        before = connection.scalar(select(NODES.c.session).where(mine))
        if before is None:
            # Somebody removed us by mistake: we are here.
            first = {"name": self.node.name, "state": NodeState.ACTIVE.value, "joined_ms": now_ms}
            first |= {"since_ms": now_ms}
            connection.execute(insert(NODES).values(**row, **first))
            return False
        connection.execute(update(NODES).where(mine).values(**row))
        return bool(before != self.session)

    def _decide(self, connection: Connection, name: str, wants: bool) -> None:
        empty = asdict(Lease(name=name))
        connection.execute(insert(LEASES).values(**empty).on_conflict_do_nothing())
        query = select(LEASES).where(LEASES.c.name == name).with_for_update()
        lease = Lease(**connection.execute(query).mappings().one())
        wish = Wish(
            node=self.node.name, session=self.session, length_ms=self.length_ms, wants=wants
        )
        # Asked for once the row is ours: the wait for it may have been long.
        after = decided(lease, wish, _now_ms(connection))
        if after != lease:
            connection.execute(update(LEASES).where(LEASES.c.name == name).values(**asdict(after)))

    def _view(self, connection: Connection, now_ms: int) -> View:
        rows = connection.execute(select(NODES).order_by(NODES.c.name)).mappings().all()
        leases = connection.execute(select(LEASES)).mappings().all()
        return View(
            now_ms=now_ms,
            nodes=_known(rows, now_ms - self.length_ms),
            leases={row["name"]: Lease(**row) for row in leases},
        )


def _known(rows: Sequence[Any], alive_since_ms: int) -> tuple[Known, ...]:
    return tuple(
        Known(
            node=Node(
                name=row["name"],
                url=row["url"],
                state=NodeState(row["state"]),
                alive=row["heard_ms"] >= alive_since_ms,
                version=row["version"],
                since_ms=row["since_ms"],
            ),
            joined_ms=row["joined_ms"],
            heard_ms=row["heard_ms"],
            session=row["session"],
        )
        for row in rows
    )


def _now_ms(connection: Connection) -> int:
    return int(connection.scalar(_NOW) or 0)
