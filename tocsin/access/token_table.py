"""The tokens of a cluster, in its PostgreSQL: made on one node, good on all.

A request is judged from memory; what others make or revoke is known a second later. While the
database can't be reached what was known last is in force.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from collectors.background import Background
from runbooks.incidents.sharing import MAKING_TABLES
from tocsin.access.rights import Role
from tocsin.access.tokens import Token, Tokens, digest_of
from tocsin.cluster.agreement.database import engine_at, failed

_METADATA = MetaData()
_TOKENS = Table(
    "access_tokens",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("person", String, nullable=False),
)
_LOOK_S = 1.0


class TokenTable(Tokens):
    """The tokens in a database; :meth:`start` before :meth:`find`.

    Args:
        url: Of the PostgreSQL.

    Raises:
        StorageError: It can't be reached.
    """

    def __init__(self, url: str) -> None:
        self._engine = engine_at(url)
        self._by_digest: dict[str, Token] = {}
        self._looking = Background("tocsin-tokens", self.look, interval_s=_LOOK_S)
        try:
            with self._engine.begin() as connection:
                connection.execute(select(func.pg_advisory_xact_lock(MAKING_TABLES)))
                _METADATA.create_all(connection)
        except SQLAlchemyError as error:
            raise failed(error) from error

    def start(self) -> None:
        """Know the tokens, and learn of changes from now on."""
        self.look()
        self._looking.start()

    def look(self) -> None:
        """Learn what was made and revoked."""
        self._by_digest = {token.digest: token for token in self.tokens()}

    def close(self) -> None:
        """Stop."""
        self._looking.close(5.0)
        self._engine.dispose()

    def tokens(self) -> list[Token]:
        """Return all tokens, the oldest first.

        Raises:
            StorageError: The database can't be reached.
        """
        order = _TOKENS.c.created_ms, _TOKENS.c.id
        try:
            with self._engine.begin() as connection:
                rows = connection.execute(select(_TOKENS).order_by(*order)).mappings().all()
        except SQLAlchemyError as error:
            raise failed(error) from error
        return [Token(**{**row, "role": Role(row["role"])}) for row in rows]

    def find(self, secret: str) -> Token | None:
        """Return the token whose secret this is, as far as it is known; revoked ones too."""
        return self._by_digest.get(digest_of(secret))

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        try:
            with self._engine.begin() as connection:
                connection.execute(select(func.pg_advisory_xact_lock(MAKING_TABLES)))
                tokens = self.tokens()
                yield tokens
                connection.execute(delete(_TOKENS))
                rows = [asdict(token) | {"role": token.role.value} for token in tokens]
                if rows:
                    connection.execute(insert(_TOKENS), rows)
        except SQLAlchemyError as error:
            raise failed(error) from error
