"""Who moves the money: an outside company, made up here."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Protocol

REMEMBERED = 10_000


class Processor(Protocol):
    """Charges cards."""

    def charge(self, key: str, account: str, amount_minor: int) -> bool:
        """Charge an account; return whether its bank agreed.

        The same key charges once, however often it is asked: that is what makes it safe to ask
        again after a crash.
        """
        ...


class SyntheticProcessor:
    """Declines a share of the charges, the same ones every time.

    Args:
        declined_share: Share of charges that banks decline, 0 to 1.
    """

    def __init__(self, declined_share: float = 0.02) -> None:
        self._declined_share = declined_share
        self._done: OrderedDict[str, bool] = OrderedDict()
        self._lock = threading.Lock()
        self.charged_minor: dict[str, int] = {}

    def charge(self, key: str, account: str, amount_minor: int) -> bool:
        """Charge an account unless this key did so already."""
        with self._lock:
            if key in self._done:
                return self._done[key]
            place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
            agreed = place >= self._declined_share
            if agreed:
                self.charged_minor[account] = self.charged_minor.get(account, 0) + amount_minor
            self._done[key] = agreed
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
            return agreed
