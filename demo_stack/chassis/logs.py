"""What a process writes to its log: warnings, and each of them at most once a minute."""

from __future__ import annotations

import logging
import time

QUIET_S = 60.0


class OncePerMinute(logging.Filter):
    """Lets a message of one place in the code pass once a minute.

    A receiver that is away makes the exporters complain every second; the first complaint says all.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether ``record`` is written."""
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._passed.get(place, -QUIET_S) < QUIET_S:
            return False
        self._passed[place] = now
        return True


def log_warnings() -> None:
    """Send warnings and errors to standard error, which the supervisor keeps in a file."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(OncePerMinute())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
