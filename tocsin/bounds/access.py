"""What bounds who may ask."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

ACCESS: Final = (
    Bound("tocsin.access.tokens:MAX_TOKENS", "tokens kept, revoked ones too", "no more are made"),
    Bound("tocsin.access.tokens:MAX_NAME", "a token's name", "refused"),
    Bound("tocsin.access.gate:MAX_EMAIL", "address of whom a token speaks for", "cut: it belongs to nobody"),
    Bound("dashboards.login.sessions:MAX_SESSIONS", "people signed in to the pages", "the one who did nothing for longest is signed out"),
    Bound("dashboards.login.gate:MAX_FORM_BYTES", "form of a token, bytes", "413"),
    Bound("tocsin.access.audit:MAX_BYTES", "a file of the audit log", "a new one; the one before is kept"),
    Bound("tocsin.access.audit:MAX_LISTED", "entries of the audit log listed", "the newest are"),
)  # fmt: skip
