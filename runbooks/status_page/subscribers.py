"""Who wants to be told of each update: web addresses that are called, people who get mail."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Engine, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from collectors.errors import ConflictError, InputError, NotFoundError, StorageError
from runbooks.notifiers.mail import is_address
from runbooks.notifiers.signing import PREFIX
from runbooks.status_page.tables import SUBSCRIBERS, UPDATES

MAX_SUBSCRIBERS = 5_000
MAX_ADDRESS = 500
MAX_ASKED_AN_HOUR = 30
"""Mails that ask whether somebody wants to be told; who asks for more has to wait."""

FORGET_UNCONFIRMED_MS = 48 * 3_600_000
_HOUR_MS = 3_600_000


class Kind(StrEnum):
    """How somebody is told."""

    WEB = "web"
    LETTER = "letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Somebody who is told.

    Attributes:
        id: Its number.
        kind: How.
        address: Where to.
        secret: Signs calls, shown once; or stands in the links of mails, which prove who asks.
        created_ms: When it was added, epoch milliseconds.
        created_by: By whom.
        confirmed_ms: When whoever reads the mails said yes; None: not yet, and nothing is sent.
        failures: How often in a row it did not take the update that is due.
        last_error: Why not.
        told: Number of the newest update that it was told of, or that was given up.
        due_ms: When it is told again at the earliest, epoch milliseconds.
    """

    id: int
    kind: Kind
    address: str
    secret: str
    created_ms: int
    created_by: str
    confirmed_ms: int | None
    failures: int
    last_error: str
    told: int
    due_ms: int


class Subscribers:
    """Adds, lists and removes subscribers, and notes what became of telling them.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, kind: Kind, address: str, *, actor: str, now_ms: int) -> Subscriber:
        """Add an address; it is told of what is published from then on.

        Who gets mail is told nothing before :meth:`confirm`.

        Raises:
            InputError: It is no such address.
            ConflictError: It is there already, or there are too many.
        """
        address = checked_web(address) if kind is Kind.WEB else checked_mailbox(address)
        self._forget(now_ms)
        known = self.all()
        if len(known) >= MAX_SUBSCRIBERS:
            raise ConflictError(f"there are {MAX_SUBSCRIBERS} subscribers; remove one first")
        if any(one.address == address for one in known):
            raise ConflictError(
                f"{address} is subscribed already, or was asked whether it is to be"
            )
        if kind is Kind.LETTER:
            asked = sum(one.kind is kind and now_ms - one.created_ms < _HOUR_MS for one in known)
            if asked >= MAX_ASKED_AN_HOUR:
                raise ConflictError("too many ask for mail just now; try again in an hour")
        secret = _key() if kind is Kind.WEB else secrets.token_urlsafe(32)
        self._insert(kind, address, secret, actor, now_ms)
        return next(one for one in self.all() if one.secret == secret)

    def confirm(self, one: Subscriber, now_ms: int) -> None:
        """Note that whoever reads the mails wants them."""
        if one.confirmed_ms is None:
            values = {"confirmed_ms": now_ms, "told": self._newest()}
            self._note([SUBSCRIBERS.c.id == one.id], values)

    def by_token(self, token: str) -> Subscriber:
        """Return whom a link in a mail is about.

        Raises:
            NotFoundError: Nobody, or nobody any more.
        """
        for one in self.all():
            if one.kind is Kind.LETTER and secrets.compare_digest(
                one.secret.encode(), token.encode()
            ):
                return one
        raise NotFoundError("there is no such subscription, or it has ended")

    def remove(self, number: int) -> None:
        """Remove a subscriber.

        Raises:
            NotFoundError: There is no such subscriber.
        """
        mine = delete(SUBSCRIBERS).where(SUBSCRIBERS.c.id == number)
        try:
            with self._engine.begin() as connection:
                if not connection.execute(mine).rowcount:
                    raise NotFoundError(f"there is no subscriber {number}")
        except SQLAlchemyError as error:
            raise StorageError(f"subscribers can't be written: {error}") from error

    def all(self) -> list[Subscriber]:
        """Return all, oldest first."""
        columns = [SUBSCRIBERS.c[field.name] for field in fields(Subscriber)]
        query = select(*columns).order_by(SUBSCRIBERS.c.id)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).mappings()
                return [Subscriber(**{**row, "kind": Kind(row["kind"])}) for row in rows]
        except SQLAlchemyError as error:
            raise StorageError(f"subscribers can't be read: {error}") from error

    def claim(self, one: Subscriber, until_ms: int) -> bool:
        """Keep others from telling a subscriber until then; False if another server does."""
        mine = [SUBSCRIBERS.c.id == one.id, SUBSCRIBERS.c.due_ms == one.due_ms]
        return self._note(mine, {"due_ms": until_ms})

    def note(self, one: Subscriber, *, told: int, failures: int, error: str, due_ms: int) -> None:
        """Note how telling went."""
        values = {"told": told, "failures": failures, "last_error": error[:500], "due_ms": due_ms}
        self._note([SUBSCRIBERS.c.id == one.id], values)

    def _insert(self, kind: Kind, address: str, secret: str, actor: str, now_ms: int) -> None:
        values = {
            "kind": kind.value,
            "address": address,
            "secret": secret,
            "created_ms": now_ms,
            "created_by": actor,
            "confirmed_ms": now_ms if kind is Kind.WEB else None,
            "failures": 0,
            "last_error": "",
            "told": self._newest(),
            "due_ms": now_ms,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(SUBSCRIBERS).values(**values))
        except SQLAlchemyError as error:
            raise StorageError(f"subscribers can't be written: {error}") from error

    def _newest(self) -> int:
        """Return the number of the newest update."""
        try:
            with self._engine.connect() as connection:
                return connection.scalar(select(func.max(UPDATES.c.id))) or 0
        except SQLAlchemyError as error:
            raise StorageError(f"subscribers can't be read: {error}") from error

    def _forget(self, now_ms: int) -> None:
        """Forget who was asked and has not answered."""
        old = SUBSCRIBERS.c.created_ms < now_ms - FORGET_UNCONFIRMED_MS
        try:
            with self._engine.begin() as connection:
                unconfirmed = SUBSCRIBERS.c.confirmed_ms.is_(None)
                connection.execute(delete(SUBSCRIBERS).where(unconfirmed, old))
        except SQLAlchemyError as error:
            raise StorageError(f"subscribers can't be written: {error}") from error

    def _note(self, mine: list[ColumnElement[bool]], values: dict[str, Any]) -> bool:
        try:
            with self._engine.begin() as connection:
                changed = update(SUBSCRIBERS).where(*mine).values(**values)
                return connection.execute(changed).rowcount == 1
        except SQLAlchemyError as error:
            raise StorageError(f"subscribers can't be written: {error}") from error


def checked_web(address: str) -> str:
    """Return an address that can be called.

    Raises:
        InputError: It is none.
    """
    text = address.strip()
    if len(text) > MAX_ADDRESS:
        raise InputError(f"the address has {len(text)} characters; at most {MAX_ADDRESS}")
    try:
        split = urlsplit(text)
    except ValueError:
        split = urlsplit("")
    if split.scheme not in {"http", "https"} or not split.hostname or re.search(r"\s", text):
        raise InputError(f"{text[:80]!r} is no web address; write https://…")
    if split.username or split.password:
        raise InputError("a name or a password in the address would be shown; leave it out")
    return text


def checked_mailbox(address: str) -> str:
    """Return an address that takes mail.

    Raises:
        InputError: It is none.
    """
    text = address.strip()
    if len(text) > MAX_ADDRESS or not is_address(text):
        raise InputError(f"{text[:80]!r} is no e-mail address; write ana@example.com")
    return text


def _key() -> str:
    """Return a new key in the form that libraries for signed calls take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
