"""What plays where, for all regions: the regions tell, and are told of each other.

It is kept beside the subscriptions, for plans limit it. Regions ask once a second, not at every
start: a stream starts however far away the ledger is, and a region may be a second behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from demo_stack.services.billing.database import Database
from demo_stack.services.billing.schema import PLAYING

FORGOTTEN_MS = 60_000
"""What nobody has mentioned for so long is taken off, in milliseconds."""

MAX_TOLD = 5_000
AT_ONCE = 500
"""Names in one statement: SQLite takes some more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """A stream, as another region needs to know it.

    Attributes:
        session: Names it.
        account: Whose it is.
        device: On what.
        heard_ms: When its player last said something, in epoch milliseconds.
    """

    session: str
    account: str
    device: str
    heard_ms: int


class PlayingRegister:
    """The streams of all regions.

    Args:
        database: Where they are kept; all regions have the same.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def exchange(
        self, region: str, heard: Sequence[Playing], ended: Sequence[str], now_ms: int
    ) -> list[Playing]:
        """Take what a region says; return what plays in the others, the latest first.

        Args:
            region: Who says it.
            heard: Streams that began, or whose players said something.
            ended: Sessions that ended.
            now_ms: The present, in epoch milliseconds.

        Raises:
            ServiceError: The database does not answer.
        """

        def work(connection: Connection) -> list[Playing]:
            gone = [*ended, *(one.session for one in heard)]
            for place in range(0, len(gone), AT_ONCE):
                some = PLAYING.c.session.in_(gone[place : place + AT_ONCE])
                connection.execute(delete(PLAYING).where(some))
            connection.execute(delete(PLAYING).where(PLAYING.c.heard_ms < now_ms - FORGOTTEN_MS))
            if heard:
                rows = [
                    {
                        "session": one.session,
                        "region": region,
                        "account": one.account,
                        "device": one.device,
                        "heard_ms": one.heard_ms,
                    }
                    for one in {one.session: one for one in heard}.values()
                ]
                connection.execute(insert(PLAYING), rows)
            others = (
                select(PLAYING.c.session, PLAYING.c.account, PLAYING.c.device, PLAYING.c.heard_ms)
                .where(PLAYING.c.region != region)
                .order_by(PLAYING.c.heard_ms.desc())
                .limit(MAX_TOLD)
            )
            return [Playing(**row) for row in connection.execute(others).mappings()]

        return self._database.write(work)
