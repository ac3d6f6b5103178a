"""The feed: fresh, shared, stale, refused, and kind to a server that is down."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashboards.feed import Feed, Reading
from tocsin.client.errors import AnswerError, MissingError, UnreachableError


class Source:
    """Counts the questions and answers with what it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.now_ms = 1_000

    def __call__(self) -> int:
        """Return how often it was asked, or fail."""
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.asked

    def feed(self) -> Feed:
        """Return a feed on this source's clock."""
        return Feed(now_ms=lambda: self.now_ms, max_age_ms=1_000, pause_ms=2_000)


@pytest.fixture(name="source")
def _source() -> Source:
    return Source()


def test_a_second_viewer_costs_nothing(source: Source) -> None:
    """Within the age limit the same answer serves all."""
    feed = source.feed()
    assert feed.read("k", source) == feed.read("k", source)
    assert source.asked == 1
    source.now_ms += 1_000
    assert feed.read("k", source).value == 2


def test_the_last_good_answer_outlives_a_failure(source: Source) -> None:
    """Value and its age stay; the error says that they are old."""
    feed = source.feed()
    feed.read("k", source)
    source.failure = UnreachableError("away")
    source.now_ms += 5_000
    assert feed.read("k", source) == Reading(value=1, read_ms=1_000, error=source.failure)


@pytest.mark.parametrize(
    ("failure", "kept"),
    [
        (AnswerError("broken", status=500), 1),
        (MissingError("gone", status=404), None),
        (AnswerError("bad", status=400), None),
    ],
)
def test_a_refusal_ends_what_was_known_but_a_server_error_does_not(
    source: Source, failure: Exception, kept: int | None
) -> None:
    """404 means that it is gone; 500 means that the server is unwell."""
    feed = source.feed()
    feed.read("k", source)
    source.failure = failure
    source.now_ms += 1_000
    assert feed.read("k", source).value == kept


def test_ten_panels_wait_for_one_timeout(source: Source) -> None:
    """After nobody answered, other questions fail at once until the pause is over."""
    feed = source.feed()
    source.failure = UnreachableError("away")
    errors = [feed.read(f"k{i}", source).error for i in range(10)]
    assert source.asked == 1
    assert all(error is source.failure for error in errors)
    source.failure = None
    source.now_ms += 2_000
    assert feed.read("k0", source).error is None


def test_forgetting_asks_at_once_and_keeps_the_last_good(source: Source) -> None:
    """The retry button must not be swallowed by the pause."""
    feed = source.feed()
    feed.read("k", source)
    source.failure = UnreachableError("away")
    feed.forget()
    assert feed.read("k", source).value == 1
    source.failure = None
    feed.forget()
    assert feed.read("k", source) == Reading(value=3, read_ms=1_000, error=None)


def test_old_questions_are_dropped(source: Source) -> None:
    """A session that asks ever new questions does not fill the memory."""
    feed = source.feed()
    ask: Callable[[], int] = source
    for i in range(600):
        feed.read(f"k{i}", ask)
    before = source.asked
    feed.read("k0", ask)
    assert source.asked == before + 1
    feed.read("k299", ask)
    assert source.asked == before + 1
