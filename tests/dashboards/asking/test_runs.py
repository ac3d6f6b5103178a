"""What a page will read next, by what it has read; and that a feed asks for it in one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from dashboards.asking.runs import Page, Runs
from dashboards.feed import Feed
from tocsin.client.errors import UnreachableError

HERE, OTHER = Page(viewer="v", place=("p", "a=1")), Page(viewer="w", place=("p", "a=1"))
AWAY = Page(viewer="v", place=("p", "a=2"))


def runs(*reads: tuple[Page, str, int]) -> Runs:
    found = Runs()
    for page, key, at_ms in reads:
        found.note(page, key, at_ms)
    return found


@pytest.mark.parametrize(
    ("reads", "page", "expected"),
    [
        ([], HERE, []),
        ([(HERE, "a", 0), (HERE, "b", 10), (HERE, "a", 20)], HERE, ["b", "a"]),
        # Somebody else at the same address begins with it; at another address nobody does.
        ([(HERE, "a", 0), (HERE, "b", 10)], OTHER, ["a", "b"]),
        ([(HERE, "a", 0), (HERE, "b", 10)], AWAY, []),
        # What is no longer drawn is forgotten after a few ticks, but not by a pause.
        ([(HERE, "a", 0), *((HERE, "b", t) for t in range(0, 16_000, 5_000))], HERE, ["b"]),
        ([(HERE, "a", 0), (HERE, "b", 10), (HERE, "a", 900_000)], HERE, ["b", "a"]),
    ],
)
def test_a_page_reads_again_what_it_has_read(
    reads: Sequence[tuple[Page, str, int]], page: Page, expected: list[str]
) -> None:
    """A tick would ask one by one, or for what nobody looks at any more."""
    assert runs(*reads).expected(page) == expected


class Asking:
    """Notes what is asked ahead; each question's address is its key."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.here: set[str] = set()
        self.away = False
        self._noted: list[str] = []

    @contextmanager
    def noting(self) -> Iterator[list[str]]:
        """Yield what :meth:`fetch` adds to."""
        self._noted = []
        yield self._noted

    def has(self, urls: Sequence[str]) -> bool:
        """Return whether all are here."""
        return bool(urls) and self.here.issuperset(urls)

    def ahead(self, urls: Sequence[str]) -> None:
        """Note what is new."""
        if self.away:
            raise UnreachableError("away")
        new = [url for url in dict.fromkeys(urls) if url not in self.here]
        self.here |= set(new)
        if new:
            self.asked.append(new)

    def forget(self) -> None:
        """Drop all."""
        self.here.clear()

    def fetch(self, url: str) -> str:
        """Answer a question."""
        self._noted.append(url)
        self.here.discard(url)
        return url


class Watched:
    """A feed under a page, on a clock of its own."""

    def __init__(self) -> None:
        self.now_ms, self.asking = 1_000, Asking()
        self.feed = Feed(now_ms=lambda: self.now_ms, together=self.asking, page=lambda: HERE)

    def tick(self, *keys: str, slow: str = "") -> None:
        """Draw a page that reads these."""
        for key in keys:
            age_ms = 10_000 if key == slow else None
            self.feed.read(key, lambda key=key: self.asking.fetch(key), max_age_ms=age_ms)  # type: ignore[misc]
            self.now_ms += 10
        self.now_ms += 5_000 - 10 * len(keys)


def test_a_tick_asks_once_for_all_that_is_due() -> None:
    """Each chart would be a request, at each tick, of each tab."""
    watched = Watched()
    for _ in range(4):
        watched.tick("a", "b", "slow", slow="slow")
    assert watched.asking.asked == [["a", "b"], ["a", "b", "slow"], ["a", "b"]]


def test_charts_of_a_page_that_is_new_are_asked_in_one_request() -> None:
    """The first chart would wait for all before it, one after the other."""
    watched = Watched()
    watched.feed.expect({"a": "a", "b": "b"})
    watched.tick("a", "b")
    watched.feed.expect({"a": "a", "b": "b"})
    assert watched.asking.asked == [["a", "b"], ["a", "b"]]


def test_a_server_that_is_away_is_found_out_once() -> None:
    """A page would wait for one timeout to ask ahead and for another to ask."""
    watched = Watched()
    watched.tick("a", "b")
    watched.asking.away = True
    readings = [watched.feed.read(key, lambda: "never") for key in ("a", "b")]
    assert [(one.value, str(one.error)) for one in readings] == [("a", "away"), ("b", "away")]
    watched.feed.expect({"c": "c"})
    assert watched.asking.asked == []


def test_what_somebody_did_is_asked_anew() -> None:
    """Whoever acknowledges would see what was brought a moment before."""
    watched = Watched()
    watched.tick("a", "b")
    watched.asking.here |= {"a", "b"}
    watched.feed.forget()
    assert watched.asking.here == set()
