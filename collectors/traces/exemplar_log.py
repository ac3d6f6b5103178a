"""Where exemplars survive a restart: a journal of their own, rewritten when it grows long.

Spans share a journal that drops its oldest segments; a rare exemplar would go with them. Here what
memory holds is written again before the old segments go, so a restart finds what was held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

import structlog

from collectors.errors import StorageError
from collectors.host.journal import FileJournal
from collectors.host.machine import Machine
from collectors.traces.exemplar_record import TracedSeries, decode_exemplars, encode_exemplars

EXEMPLARS = 0x45
_RECORD_SERIES = 1_000
_LONG_BYTES = 16 << 20
# However often shortening fails, the journal does not fill the disk.
_MAX_BYTES = 512 << 20
_SEGMENT_BYTES = 16 << 20
_log = structlog.get_logger(__name__)


class ExemplarLog(Protocol):
    """Durable exemplars."""

    def replay(self) -> Iterator[Sequence[TracedSeries]]:
        """Yield what was appended, oldest first; perhaps some of it twice."""
        ...

    def append(self, series: Sequence[TracedSeries]) -> None:
        """Keep ``series``; when this returns they survive a kill."""
        ...

    def is_long(self) -> bool:
        """Return whether it is time to :meth:`replace` what was appended."""
        ...

    def replace(self, series: Sequence[TracedSeries]) -> None:
        """Keep ``series`` in place of everything before."""
        ...

    def close(self) -> None:
        """Release the files."""
        ...


class NoLog:
    """A log that keeps nothing, for where memory is enough."""

    def replay(self) -> Iterator[Sequence[TracedSeries]]:
        """Yield nothing."""
        return iter(())

    def append(self, series: Sequence[TracedSeries]) -> None:
        """Forget ``series``."""
        del series

    def is_long(self) -> bool:
        """Return that it never is."""
        return False

    def replace(self, series: Sequence[TracedSeries]) -> None:
        """Forget ``series``."""
        del series

    def close(self) -> None:
        """Do nothing."""


class JournaledExemplars:
    """A log of exemplars in a journal.

    Args:
        journal: A journal for exemplars alone.
        long_bytes: What may be written before everything is rewritten; three times what that
            took when it is more.
        earlier_bytes: What the journal held when it was opened.
    """

    def __init__(
        self, journal: FileJournal, *, long_bytes: int = _LONG_BYTES, earlier_bytes: int = 0
    ) -> None:
        self._journal = journal
        self._least_bytes = long_bytes
        self._long_bytes = long_bytes
        self._earlier_bytes = earlier_bytes

    @classmethod
    def open(
        cls, directory: Path, *, long_bytes: int = _LONG_BYTES, machine: Machine | None = None
    ) -> JournaledExemplars:
        """Open or create the log in ``directory``.

        Raises:
            StorageError: It can't be opened.
        """
        journal = FileJournal.open(
            directory,
            segment_bytes=_SEGMENT_BYTES,
            keep_bytes=_MAX_BYTES,
            name="exemplar log",
            machine=machine,
        )
        earlier_bytes = sum(path.stat().st_size for path in directory.glob("*.log"))
        return cls(journal, long_bytes=long_bytes, earlier_bytes=earlier_bytes)

    def replay(self) -> Iterator[Sequence[TracedSeries]]:
        """Yield what is held, oldest first; a damaged record is reported and left out."""
        for record in self._journal.replay(EXEMPLARS):
            try:
                yield decode_exemplars(record)
            except StorageError as error:
                _log.warning("exemplar record skipped", reason=error.message)

    def append(self, series: Sequence[TracedSeries]) -> None:
        """Write ``series``; raise :class:`StorageError` when the disk refuses."""
        if series:
            self._journal.append(EXEMPLARS, encode_exemplars(series))

    def is_long(self) -> bool:
        """Return whether enough was written since the last :meth:`replace`."""
        return self._earlier_bytes + self._journal.size_since_roll >= self._long_bytes

    def replace(self, series: Sequence[TracedSeries]) -> None:
        """Write ``series`` into a new segment, then delete the older ones.

        A process killed in between finds old and new, which says the same twice.

        Raises:
            StorageError: The disk refuses; the older segments stay.
        """
        first = self._journal.roll()
        self._earlier_bytes = 0
        rows = iter(series)
        while some := list(islice(rows, _RECORD_SERIES)):
            self._journal.append(EXEMPLARS, encode_exemplars(some))
        self._journal.trim(first)
        self._long_bytes = max(self._least_bytes, 3 * self._journal.size_since_roll)

    def close(self) -> None:
        """Force everything to the disk and release the files."""
        self._journal.close()
