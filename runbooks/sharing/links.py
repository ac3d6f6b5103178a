"""Public links in the incident database: made, found by their secret, revoked.

A secret is 32 random bytes, and its SHA-256 alone is kept: whoever reads the database can't open a
page. It is drawn and not signed: a link has to be revocable, so it is looked up anyhow, and there
is no key that could leak and would open all.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Integer,
    RowMapping,
    String,
    Table,
    insert,
    select,
    update,
)

from collectors.clock import Clock
from collectors.errors import ConflictError, NotFoundError
from runbooks.incidents.commands import Record
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.schema import METADATA
from tocsin.client.wording import moment

MAX_LINKS = 20
"""Links of one incident that live."""

MAX_SECRET = 64
"""Characters of a secret that are looked up at all."""

_BYTES = 32

LINKS = Table(
    "public_links",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("incident_id", String(32), nullable=False, index=True),
    Column("made_by", String(200), nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("revoked_by", String(200), nullable=False, default=""),
    Column("revoked_ms", BigInteger, nullable=True),
    sqlite_autoincrement=True,
)

Execute = Callable[..., Incident]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLink:
    """What is kept of a link; times are epoch milliseconds."""

    id: int
    incident_id: str
    made_by: str
    made_ms: int
    until_ms: int
    revoked_by: str
    revoked_ms: int | None

    def lives(self, now_ms: int) -> bool:
        """Whether it opens its page."""
        return self.revoked_ms is None and now_ms < self.until_ms


class PublicLinks:
    """All of them.

    Args:
        engine: The incident database.
        clock: The present.
        execute: Puts on an incident's record that a link was made or revoked.
        longest_ms: How long a link lasts at most; 0: there are none.
    """

    def __init__(self, engine: Engine, clock: Clock, execute: Execute, longest_ms: int) -> None:
        self._engine = engine
        self._clock = clock
        self._execute = execute
        self.longest_ms = longest_ms

    def make(self, incident_id: str, lasts_ms: int, *, actor: str) -> tuple[PublicLink, str]:
        """Make a link; return it and its secret, which is told this once.

        Args:
            incident_id: Of an incident that exists.
            lasts_ms: How long; longer than may be is cut to that.
            actor: Who makes it.

        Raises:
            ConflictError: There are no public links here, or too many of this incident.
        """
        if not self.longest_ms:
            raise ConflictError("public links are off here; `public_link_lasts` turns them on")
        now_ms = self._clock.now_ms()
        if sum(one.lives(now_ms) for one in self.of(incident_id)) >= MAX_LINKS:
            raise ConflictError(f"{incident_id} has {MAX_LINKS} public links; revoke one first")
        secret = secrets.token_urlsafe(_BYTES)
        until_ms = now_ms + min(lasts_ms, self.longest_ms)
        self._record(incident_id, f"public link made by {actor}, until {moment(until_ms)}", actor)
        with self._engine.begin() as connection:
            connection.execute(
                insert(LINKS).values(
                    digest=_digest(secret),
                    incident_id=incident_id,
                    made_by=actor[:200],
                    made_ms=now_ms,
                    until_ms=until_ms,
                )
            )
        return self.of(incident_id)[0], secret

    def of(self, incident_id: str) -> list[PublicLink]:
        """Return the links of an incident, the newest first."""
        query = select(LINKS).where(LINKS.c.incident_id == incident_id).order_by(LINKS.c.id.desc())
        with self._engine.connect() as connection:
            return [_link(row) for row in connection.execute(query).mappings()]

    def revoke(self, incident_id: str, link_id: int, *, actor: str) -> PublicLink:
        """Let a link open nothing any more.

        Raises:
            NotFoundError: The incident has no such link.
            ConflictError: It is revoked, or over.
        """
        known = {one.id: one for one in self.of(incident_id)}
        if link_id not in known:
            raise NotFoundError(f"{incident_id} has no public link {link_id}")
        now_ms = self._clock.now_ms()
        if not known[link_id].lives(now_ms):
            raise ConflictError(f"the public link {link_id} opens nothing any more already")
        with self._engine.begin() as connection:
            changed = {"revoked_by": actor[:200], "revoked_ms": now_ms}
            connection.execute(update(LINKS).where(LINKS.c.id == link_id).values(**changed))
        self._record(incident_id, f"public link {link_id} revoked by {actor}", actor)
        return next(one for one in self.of(incident_id) if one.id == link_id)

    def incident_of(self, secret: str) -> str | None:
        """Return the incident that a secret opens now; None: it opens none.

        Whether it never did, is over or was revoked is not told: a stranger asks.
        """
        if not self.longest_ms or not secret or len(secret) > MAX_SECRET:
            return None
        query = select(LINKS).where(LINKS.c.digest == _digest(secret))
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        link = _link(row)
        return link.incident_id if link.lives(self._clock.now_ms()) else None

    def _record(self, incident_id: str, text: str, actor: str) -> None:
        self._execute(incident_id, Record(kind=EventKind.SHARED, text=text, actor=actor))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _link(row: RowMapping) -> PublicLink:
    names = ("id", "incident_id", "made_by", "made_ms", "until_ms", "revoked_by", "revoked_ms")
    return PublicLink(**{name: row[name] for name in names})
