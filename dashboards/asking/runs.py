"""What pages have read lately: at the next tick they will read it again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from streamlit.runtime.scriptrunner import get_script_run_ctx

# Two ticks and a bit: what a page has not read since is no longer drawn.
_WINDOW_MS = 12_000
# While nobody draws a page nothing of it is forgotten: who comes back reads what it showed.
_PAUSE_MS = 5_000
_MAX_PAGES = 256
_MAX_KEYS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that somebody watches.

    Attributes:
        viewer: Session of the browser's tab.
        place: Which page, and what stands in its address.
    """

    viewer: str
    place: tuple[str, str]


def watched() -> Page | None:
    """Return the page that this thread draws, None if it draws none."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return None
    place = (context.page_script_hash, context.query_string)
    return Page(viewer=context.session_id, place=place)


@dataclass(slots=True)
class _Read:
    keys: OrderedDict[str, int] = field(default_factory=OrderedDict)
    seen_ms: int = 0
    watched_ms: int = 0


class Runs:
    """The questions that each page has read within its last ticks, by tab and by address.

    A tab that has just been opened begins with what others read at the same address.
    """

    def __init__(self) -> None:
        self._read: OrderedDict[Page | tuple[str, str], _Read] = OrderedDict()
        self._lock = Lock()

    def note(self, page: Page, key: str, now_ms: int) -> None:
        """Note that a page reads the answer to a question."""
        with self._lock:
            for whose in (page, page.place):
                read = self._read.setdefault(whose, _Read())
                self._read.move_to_end(whose)
                read.watched_ms += min(max(now_ms - read.seen_ms, 0), _PAUSE_MS)
                read.seen_ms = now_ms
                read.keys[key] = read.watched_ms
                read.keys.move_to_end(key)
                while len(read.keys) > _MAX_KEYS:
                    read.keys.popitem(last=False)
            while len(self._read) > _MAX_PAGES:
                self._read.popitem(last=False)

    def expected(self, page: Page) -> list[str]:
        """Return what a page will read, the oldest first."""
        with self._lock:
            found = self._lately(page)
            return found if len(found) > 1 else self._lately(page.place)

    def _lately(self, whose: Page | tuple[str, str]) -> list[str]:
        read = self._read.get(whose)
        if read is None:
            return []
        return [key for key, at_ms in read.keys.items() if read.watched_ms - at_ms < _WINDOW_MS]
