"""What such questions need of whoever keeps spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from collectors.traces.archive import SpanArchive
from collectors.traces.query.columns import SpanBlock


class KeptSpans(Protocol):
    """The newest spans in memory, with what answers for the others."""

    @property
    def archive(self) -> SpanArchive | None:
        """What answers for what memory no longer holds; None: nothing does."""
        ...

    def blocks(self, start_ms: int | None = None, end_ms: int | None = None) -> Iterator[SpanBlock]:
        """Yield what memory holds of the minutes between two times, newest first."""
        ...

    def whole_from_ms(self) -> int | None:
        """Return since when memory holds every span; None: since never."""
        ...


@dataclass(slots=True)
class Looked:
    """How far a question went.

    Attributes:
        from_ms: Since when all spans were looked at, epoch milliseconds; None: none were.
        notes: What was not looked at, and why, in sentences.
    """

    from_ms: int | None = None
    notes: tuple[str, ...] = ()
