"""The page of logs, and lines where incidents and traces are read."""

from __future__ import annotations

from typing import Any

from dashboards import sources
from dashboards.testing import FakeApi, OpenPage, World, words
from dashboards.testing.synthetic import TRACE_ID


def rows(page: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.dataframe[-1].value.to_dict("records")
    return found


def test_lines_stand_with_their_counts(opened: OpenPage) -> None:
    """A reader would not see how many there are, nor which are errors."""
    page = opened("logs")
    assert not page.exception
    assert [row["severity"] for row in rows(page)] == ["error", "info"]
    assert "3 lines: 2 error · 1 info" in words(page)


def test_the_address_says_what_is_searched(api: FakeApi, opened: OpenPage) -> None:
    """A link that is passed on would show something else."""
    page = opened("logs", text="failed", service="playback", severity="warn", pattern="0badc0de")
    assert [row["line"] for row in rows(page)] == [
        "POST /playback failed: connection *reset* by peer"
    ]
    [asked] = [url for url in api.asked if "/api/v1/logs?" in url]
    for part in ("text=failed", "service=playback", "severity=warn", "pattern=0badc0de"):
        assert part in asked


def test_no_logs_at_all_and_no_match_are_told_apart(
    api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """A service that sends nothing would look like one that is well."""
    assert "No line matches" in words(opened("logs", text="nothing like it"))
    api.reset(World.quiet(now_ms))
    api.world.empty = True
    sources.retry()
    assert "Nobody has sent a log record yet" in words(opened("logs"))


def test_an_unreadable_answer_is_said(api: FakeApi, opened: OpenPage) -> None:
    """An older server knows no logs; the page must not break."""
    api.answer_with("/api/v1/logs", 404, "no such path")
    page = opened("logs")
    assert not page.exception
    assert "refused (404)" in words(page)


def test_what_was_known_stays_with_its_age(mortal_api: FakeApi, opened_mortal: OpenPage) -> None:
    """While the server restarts the lines stay, and say how old they are."""
    page = opened_mortal("traces", trace=TRACE_ID)
    mortal_api.stop()
    sources.retry()
    page.run()
    assert not page.exception
    assert "Log lines: data" in words(page)


def test_a_trace_shows_its_lines(opened: OpenPage) -> None:
    """The way from a span to the line that explains it would be a search by hand."""
    page = opened("traces", trace=TRACE_ID)
    assert [row["service"] for row in rows(page)] == ["playback"]
    assert "Log lines of this trace" in words(page)


def test_the_war_room_shows_the_lines_that_the_findings_found(
    api: FakeApi, opened: OpenPage
) -> None:
    """The one line that explains the incident would not be among its evidence, or come and go."""
    page = opened("war_room", view="Traces and logs")
    text = words(page)
    assert "playback: new error line since" in text
    assert "42 times, none among 310 in the 10 min before" in text
    assert not [url for url in api.asked if "/api/v1/logs/patterns" in url]


def test_an_incident_without_findings_is_compared_now_in_the_same_words(
    api: FakeApi, opened: OpenPage
) -> None:
    """What a person declares would have no lines at all."""
    api.world.heard = False
    page = opened("war_room", view="Traces and logs")
    assert not page.exception
    assert "playback: new error line since" in words(page)
    assert [url for url in api.asked if "/api/v1/logs/patterns" in url]


def test_a_link_asks_for_the_lines_of_its_time(api: FakeApi, opened: OpenPage, now_ms: int) -> None:
    """The lines of last night's incident would be looked for in the last hour."""
    page = opened("logs", pattern="0badc0de", pin=f"{now_ms - 90_000}-{now_ms - 30_000}")
    assert not page.exception
    asked = [url for url in api.asked if "/api/v1/logs" in url and "start_ms" in url]
    assert all(f"start_ms={now_ms - 90_000}" in url for url in asked)
    page.button(key="unpin").click().run()
    assert f"start_ms={now_ms - 90_000}" not in api.asked[-1]
