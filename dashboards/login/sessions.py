"""Those who have signed in: kept in memory, by a random id that their browser holds as a cookie."""

from __future__ import annotations

import os
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from threading import Lock

from dashboards.feed import system_now_ms

LOGIN = "TOCSIN_DASHBOARD_LOGIN"
"""The variable that says who may see the pages."""

COOKIE = "tocsin_session"
MAX_SESSIONS = 1_000
"""People signed in at once; the one who did nothing for longest is signed out for a new one."""

LIFETIME_MS = 12 * 3_600_000
"""Whoever does nothing for so long is signed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who has signed in.

    Attributes:
        name: Of the token, or the person's.
        role: What the token stands for; empty where the server decides.
        token: With which the pages ask in that one's name.
        person: E-mail address of whom the token then speaks for; empty: for itself.
        used_ms: When the session was last used, epoch milliseconds.
    """

    name: str
    role: str
    token: str
    used_ms: int = 0
    person: str = ""


class Sessions:
    """All sessions of one dashboard process; may be used by several threads.

    Args:
        now_ms: The present, epoch milliseconds.
    """

    def __init__(self, now_ms: Callable[[], int] = system_now_ms) -> None:
        self._now_ms = now_ms
        self._lock = Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def begin(self, name: str, role: str, token: str) -> str:
        """Sign somebody in; return the id for the cookie."""
        session = Session(name=name, role=role, token=token, used_ms=self._now_ms())
        session_id = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[session_id] = session
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session_id

    def find(self, session_id: str) -> Session | None:
        """Return a session that has not ended, and take it for used."""
        now_ms = self._now_ms()
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                return None
            if now_ms - session.used_ms > LIFETIME_MS:
                del self._sessions[session_id]
                return None
            self._sessions[session_id] = session = replace(session, used_ms=now_ms)
            self._sessions.move_to_end(session_id)
            return session

    def end(self, session_id: str) -> None:
        """Sign somebody out."""
        with self._lock:
            self._sessions.pop(session_id, None)


@cache
def sessions() -> Sessions:
    """Return the sessions of this process."""
    return Sessions()


class Way(StrEnum):
    """How people sign in."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a way, not a secret
    OIDC = "oidc"


def way() -> Way:
    """Return how people sign in to the pages of this process.

    Raises:
        ValueError: The variable says something else; nothing is shown then.
    """
    return Way(os.environ.get(LOGIN, Way.NONE))
