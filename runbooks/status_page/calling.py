"""Telling subscribers: each update once and in order, again after a failure, never for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import orjson
import structlog

from collectors.errors import TocsinError
from collectors.redaction import origin_of
from runbooks.notifiers.http_posting import post, posting_client
from runbooks.notifiers.signing import key_of, signed
from runbooks.status_page.letters import letter_of
from runbooks.status_page.notices import Notice, Update
from runbooks.status_page.site import notice_json
from runbooks.status_page.subscribers import Kind, Subscriber, Subscribers

MAX_FAILURES = 12
"""After so many in a row, over some eight hours, an update is given up."""

FIRST_PAUSE_MS = 10_000
MAX_PAUSE_MS = 3_600_000
TIMEOUT_S = 10.0
CLAIM_MS = 60_000
MAX_CALLS_A_TURN = 20

_log = structlog.get_logger(__name__)


class Mailer(Protocol):
    """Hands mails in."""

    @property
    def sender(self) -> str:
        """Address that mails are from."""
        ...

    def hand_in(self, content: bytes, recipients: Sequence[str]) -> str:
        """Send a mail; return what was said of recipients that were refused, if not all were."""
        ...


class Caller:
    """Tells subscribers of updates.

    What is told again carries the same id: an update arrives at least once.

    Args:
        subscribers: Whom to tell.
        mailer: Hands mails in; None: who wants mail waits.
    """

    def __init__(self, subscribers: Subscribers, mailer: Mailer | None = None) -> None:
        self._subscribers = subscribers
        self.mailer = mailer

    def tell(self, title: str, base_url: str, notices: Sequence[Notice], now_ms: int) -> int:
        """Tell those who are due of the next update each; return how many took it.

        Args:
            title: Of the page.
            base_url: Where users reach ``/status`` of the API; may be empty.
            notices: All of them.
            now_ms: The present, epoch milliseconds.
        """
        updates = sorted(
            ((one, notice) for notice in notices for one in notice.updates),
            key=lambda pair: pair[0].id,
        )
        taken, called, mail_fails = 0, 0, self.mailer is None
        for subscriber in self._subscribers.all():
            due = [pair for pair in updates if pair[0].id > subscriber.told]
            if not due or subscriber.due_ms > now_ms or subscriber.confirmed_ms is None:
                continue
            if called >= MAX_CALLS_A_TURN or (subscriber.kind is Kind.LETTER and mail_fails):
                continue
            if not self._subscribers.claim(subscriber, now_ms + CLAIM_MS):
                continue
            called += 1
            said, notice = due[0]
            error = self._told(subscriber, (title, base_url), notice, said, now_ms)
            # A server that takes no mail from us takes none for the others either.
            mail_fails = mail_fails or (bool(error) and subscriber.kind is Kind.LETTER)
            taken += not error
            self._note(subscriber, said, error, now_ms)
        return taken

    def _told(
        self, one: Subscriber, page: tuple[str, str], notice: Notice, said: Update, now_ms: int
    ) -> str:
        """Tell a subscriber; return why it did not take it, empty if it did."""
        title, base_url = page
        try:
            if one.kind is Kind.WEB:
                _call(one, body_of(title, notice, said, now_ms), said.id, now_ms)
            elif self.mailer is not None:
                letter = letter_of(self.mailer.sender, one, title, base_url, notice, said)
                self.mailer.hand_in(letter.as_bytes(), [one.address])
        except TocsinError as error:
            return error.message
        return ""

    def _note(self, subscriber: Subscriber, said: Update, error: str, now_ms: int) -> None:
        if not error:
            self._subscribers.note(subscriber, told=said.id, failures=0, error="", due_ms=now_ms)
            return
        failures = subscriber.failures + 1
        who = origin_of(subscriber.address) if subscriber.kind is Kind.WEB else "somebody by mail"
        if failures >= MAX_FAILURES:
            _log.error("subscriber given up for an update", subscriber=who, reason=error)
            told = f"update {said.id} was given up: {error}"
            self._subscribers.note(subscriber, told=said.id, failures=0, error=told, due_ms=now_ms)
            return
        pause_ms = min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2**failures)
        _log.warning("subscriber not told", subscriber=who, reason=error, failures=failures)
        self._subscribers.note(
            subscriber,
            told=subscriber.told,
            failures=failures,
            error=error,
            due_ms=now_ms + pause_ms,
        )


def body_of(title: str, notice: Notice, said: Update, now_ms: int) -> bytes:
    """Return what is sent of an update."""
    update = {"id": said.id, "time_ms": said.time_ms, "progress": said.progress.value}
    told = {"page": title, "update": {**update, "text": said.text}}
    return orjson.dumps({"version": 1, **told, "notice": notice_json(notice, now_ms)})


def _call(one: Subscriber, body: bytes, update_id: int, now_ms: int) -> None:
    """Post a body; a redirection is not followed: what is signed is meant for one address."""
    headers = signed(key_of(one.secret), f"status-update-{update_id}", now_ms, body)
    with posting_client(one.address, TIMEOUT_S) as client:
        post(client, one.address, body, headers, repeatable=True)
