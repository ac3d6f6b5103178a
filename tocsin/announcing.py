"""The changes that anybody announces: where they are kept in the data directory."""

from __future__ import annotations

from dataclasses import dataclass, replace

from anomaly.canary.deployments import Deployments
from collectors.background import Background
from collectors.changes.store import ChangeStore
from collectors.clock import Clock
from collectors.host.journal import FileJournal
from collectors.host.machine import Machine
from tocsin.collecting import Collectors
from tocsin.settings import Settings

_SEGMENT_BYTES = 4 << 20
_KEEP_BYTES = 64 << 20
_COMPARE_S = 20.0
_MAX_STOP_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcements:
    """Announced changes and the journal that they are written to."""

    store: ChangeStore
    journal: FileJournal
    comparing: Background | None = None

    def close(self) -> None:
        """Force what was announced to the disk and release the files."""
        if self.comparing is not None:
            self.comparing.close(_MAX_STOP_S)
        self.journal.close()


def compared_announcements(
    settings: Settings, collectors: Collectors, clock: Clock
) -> Announcements:
    """Open the changes, and compare each deployment with what ran before, in a thread.

    Raises:
        StorageError: The journal can't be opened.
    """
    opened = open_announcements(settings, collectors.machine)
    deployments = Deployments(collectors.spans, opened.store, clock)
    comparing = Background("tocsin-deployments", deployments.turn, interval_s=_COMPARE_S)
    comparing.start()
    return replace(opened, comparing=comparing)


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
