"""What one instance says in words: a few lines, at the levels that a service of its kind would use.

Services say what they see, and no more: who fails says why, who waits says for whom. Lines of one
sort are bounded, as sensible loggers bound them: a fault would else cost more than it breaks.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry._logs import Logger, SeverityNumber

PER_SECOND = 5
"""Lines of one sort that leave in a second; the next that leaves says how many did not."""


class InstanceLog:
    """Lines of an instance; each carries the ids of the span that is open.

    Args:
        logger: Where they go; None: nowhere.
        now_s: The present, monotonic, in seconds.
    """

    def __init__(self, logger: Logger | None, now_s: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._now_s = now_s
        self._sorts: dict[str, tuple[int, int, int]] = {}

    def info(self, text: str, **attributes: str) -> None:
        """Say what is ordinary; ``text`` has attributes in braces."""
        self._say(SeverityNumber.INFO, text, attributes)

    def warning(self, text: str, **attributes: str) -> None:
        """Say what is odd and was coped with."""
        self._say(SeverityNumber.WARN, text, attributes)

    def error(self, text: str, **attributes: str) -> None:
        """Say what failed."""
        self._say(SeverityNumber.ERROR, text, attributes)

    def _say(self, severity: SeverityNumber, text: str, attributes: dict[str, str]) -> None:
        if self._logger is None:
            return
        second = int(self._now_s())
        since, said, kept_back = self._sorts.get(text, (second, 0, 0))
        if since != second:
            since, said = second, 0
        if said >= PER_SECOND:
            self._sorts[text] = (since, said, kept_back + 1)
            return
        self._sorts[text] = (since, said + 1, 0)
        body = text.format_map(attributes)
        if kept_back:
            body = f"{body} ({kept_back} more like it were not written)"
        self._logger.emit(
            timestamp=time.time_ns(),
            severity_number=severity,
            severity_text=severity.name,
            body=body,
            attributes=attributes,
        )
