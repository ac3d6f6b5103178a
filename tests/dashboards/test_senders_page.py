"""The page of senders: who is silent, what is refused and why."""

from __future__ import annotations

from typing import Any

from dashboards import sources
from dashboards.testing import FakeApi, OpenPage, words


def rows(page: Any) -> list[dict[str, Any]]:
    (table,) = page.dataframe
    found: list[dict[str, Any]] = table.value.to_dict("records")
    return found


def test_every_sender_is_a_row_and_what_needs_a_look_comes_first(opened: OpenPage) -> None:
    """Who is refused or silent would be lost among hundreds that are in order."""
    found = rows(opened("senders"))
    assert [row["Sender"] for row in found] == ["10.0.0.9", "node", "playback"]
    assert [row["State"] for row in found] == ["on time", "overdue", "on time"]
    assert found[1]["Last heard"] == "5 min ago"
    assert found[2]["Usually every"] == "10 s"


def test_reasons_are_told_as_they_were_given(opened: OpenPage) -> None:
    """A sender's text is shown as it is, and its Markdown does nothing."""
    text = words(opened("senders"))
    assert "invalidLine" in text
    assert "c:*bold*" in text
    assert "412" in text


def test_the_figures_add_up(opened: OpenPage) -> None:
    """Three senders, one of them silent, and all that was kept and refused of them."""
    figures = {metric.label: metric.value for metric in opened("senders").metric}
    assert figures == {
        "Senders": "3",
        "Overdue": "1",
        "Kept in the last hour": "36,000",
        "Refused in the last hour": "412",
    }


def test_an_interval_that_nobody_knows_is_not_made_up(api: FakeApi, opened: OpenPage) -> None:
    """A sender heard once has no rhythm yet."""
    body = (
        '{"now_ms": 2000, "window_ms": 3600000, "forgotten": 7, "sources": [{"receiver": "otlp",'
        '"name": "", "instance": "", "peer": "h", "agent": "", "services": ["a", "b"],'
        '"first_ms": 1000, "last_ms": 1000, "interval_ms": null, "overdue": false, "requests": 1,'
        '"accepted": 1, "refused": []}]}'
    )
    api.answer_with("/api/v2/sources", 200, body)
    page = opened("senders")
    (row,) = rows(page)
    assert (row["Sender"], row["Usually every"]) == ("a, b", "not known yet")
    assert "7 senders were forgotten" in words(page)
    assert "Nothing was refused in the last hour" in words(page)


def test_an_unreadable_answer_is_said(api: FakeApi, opened: OpenPage) -> None:
    """An older server answers something else; the page must not break."""
    api.answer_with("/api/v2/sources", 200, '{"sources": 3}')
    page = opened("senders")
    assert not page.exception
    assert "unreadable answer" in words(page)


def test_what_was_known_stays_with_its_age(mortal_api: FakeApi, opened_mortal: OpenPage) -> None:
    """While the server restarts the table stays, and says how old it is."""
    page = opened_mortal("senders")
    mortal_api.stop()
    sources.retry()
    page.run()
    assert not page.exception
    assert "s old" in words(page)
    assert len(rows(page)) == 3
