"""The changes that anybody announces: where they are kept in the data directory."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.changes.store import ChangeStore
from collectors.host.journal import FileJournal
from collectors.host.machine import Machine
from tocsin.settings import Settings

_SEGMENT_BYTES = 4 << 20
_KEEP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcements:
    """Announced changes and the journal that they are written to."""

    store: ChangeStore
    journal: FileJournal

    def close(self) -> None:
        """Force what was announced to the disk and release the files."""
        self.journal.close()


def open_announcements(settings: Settings, machine: Machine | None = None) -> Announcements:
    """Open the journal of changes, one of its own: spans would soon push them out of theirs.

    Raises:
        StorageError: The journal can't be opened.
    """
    journal = FileJournal.open(
        settings.data_dir / "changes",
        segment_bytes=_SEGMENT_BYTES,
        keep_bytes=_KEEP_BYTES,
        name="log of changes",
        machine=machine,
    )
    return Announcements(store=ChangeStore(journal), journal=journal)
