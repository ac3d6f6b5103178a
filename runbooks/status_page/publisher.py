"""The threads of the status page: one looks and writes the site, one tells subscribers."""

from __future__ import annotations

import threading
from pathlib import Path

from collectors.background import Background
from collectors.clock import Clock
from runbooks.status_page.calling import Caller
from runbooks.status_page.page import StatusPage, View
from runbooks.status_page.site import files, write_site

WRITE_EVERY_MS = 60_000
"""A page that nothing changed says all the same as of when that is so."""

INTERVAL_S = 2.0
_STOP_S = 5.0


class Publisher:
    """Keeps the site as the page is.

    Args:
        page: What to show.
        caller: Tells subscribers.
        directory: Where the site is written.
        clock: The present.
    """

    def __init__(self, page: StatusPage, caller: Caller, directory: Path, clock: Clock) -> None:
        self.directory = directory
        self._page = page
        self._caller = caller
        self._clock = clock
        self._written_ms: int | None = None
        self._shown: object = None
        self._lock = threading.Lock()
        self._writing = Background("tocsin-status", self.write_due, interval_s=INTERVAL_S)
        # A subscriber that hangs must not keep the page from being written.
        self._calling = Background("tocsin-status-calls", self.tell_due, interval_s=INTERVAL_S)

    def start(self) -> None:
        """Start the threads."""
        self._writing.start()
        self._calling.start()

    def stop(self) -> None:
        """End the threads."""
        self._writing.close(_STOP_S)
        self._calling.close(_STOP_S)

    def request(self) -> None:
        """Something has changed: write the site soon, and tell of it."""
        self._writing.request()
        self._calling.request()

    def turn(self) -> None:
        """Do what is due, in the caller's thread."""
        self.write_due()
        self.tell_due()

    def write_due(self) -> None:
        """Look at the components, and write the site if that is due."""
        if self._page.file is None:
            return
        now_ms = self._clock.now_ms()
        self._page.look(now_ms)
        view = self._page.view()
        if self._is_due(view, now_ms):
            self._write(view)

    def tell_due(self) -> None:
        """Tell subscribers of what they have not heard."""
        file = self._page.file
        if file is not None:
            notices = self._page.notices()
            self._caller.tell(file.title, file.subscribe_url, notices, self._clock.now_ms())

    def build(self) -> list[str]:
        """Write the site now; return the names of its files.

        Raises:
            NotFoundError: There is no status page.
            StorageError: It can't be written.
        """
        return self._write(self._page.view())

    def _is_due(self, view: View, now_ms: int) -> bool:
        if self._written_ms is None or now_ms - self._written_ms >= WRITE_EVERY_MS:
            return True
        return _shown(view) != self._shown or now_ms < self._written_ms

    def _write(self, view: View) -> list[str]:
        with self._lock:
            made = files(view)
            write_site(self.directory, made)
            self._written_ms, self._shown = view.now_ms, _shown(view)
            return sorted(made)


def _shown(view: View) -> object:
    """Return what, when it changes, is worth writing the site at once."""
    components = tuple((one.component, one.standing.state) for one in view.components)
    notices = tuple((one.id, one.progress(view.now_ms), one.updates) for one in view.notices)
    return view.title, view.url, view.support_url, components, notices
