"""Being on duty: delivering, keeping time, and taking up what whoever had the duty left behind."""

from __future__ import annotations

import threading
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from collectors.clock import Clock
from runbooks.incidents.sharing import Sharing
from runbooks.paging.outbox import Outbox

STALE_CLAIM_MS = 180_000
"""A claim this old was left behind by a worker that could not note how it went."""


class Shift:
    """The duty of one process; may be asked by several threads.

    Args:
        sharing: Knows which process has the duty.
        outbox: Where rows may be left behind.
        clock: The present.
    """

    def __init__(self, sharing: Sharing, outbox: Outbox, clock: Clock) -> None:
        self._sharing = sharing
        self._outbox = outbox
        self._clock = clock
        self._lock = threading.Lock()
        self._recovered_ms = clock.now_ms()
        self.is_on = not sharing.is_shared

    def begin(self) -> None:
        """Look up what a killed process had in hand before anything is sent."""
        if not self._sharing.is_shared:
            self._recover()

    def takes(self) -> bool:
        """Whether this process has the duty; who takes it from another recovers what that had."""
        on_duty = self._sharing.on_duty()
        with self._lock:
            if on_duty and not self.is_on:
                self._recover()
            self.is_on = on_duty
        return on_duty

    def recover_stale(self) -> None:
        """Look up, now and then, what was claimed long ago and never finished."""
        now_ms = self._clock.now_ms()
        if now_ms - self._recovered_ms > STALE_CLAIM_MS:
            self._outbox.recover(now_ms - STALE_CLAIM_MS)
            self._recovered_ms = now_ms

    def begin_again(self, now_ms: int) -> None:
        """Take ``now_ms`` for the present: time was set back."""
        self._recovered_ms = now_ms
        with suppress(SQLAlchemyError):
            self._outbox.begin_again(now_ms)

    def _recover(self) -> None:
        self._recovered_ms = self._clock.now_ms()
        self._outbox.recover(self._recovered_ms + 1)
