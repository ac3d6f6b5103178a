"""The page of services: each with its colour and its reasons."""

from __future__ import annotations

from dashboards import sources
from dashboards.testing import FakeApi, OpenPage, words


def test_every_service_stands_with_its_colour_and_reasons(opened: OpenPage) -> None:
    """A colour without a reason helps nobody, and by colour alone not everybody."""
    page = opened("services")
    text = words(page)
    assert not page.exception
    for told in (
        "41.2 % of its requests fail",
        "entitlements, which it calls, is unwell",
        "To blame: playback → entitlements",
        "as usual: 8 requests a second",
        "learning what is usual for it: 4 of 18 steps so far",
    ):
        assert told in text
    assert "no data fail" in text  # what is not measured is not 0 %
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures == {"Red": "1", "Yellow": "1", "Green": "1", "Grey": "1"}


def test_a_chosen_service_shows_its_parts(opened: OpenPage) -> None:
    """Which operation and which callee it is would have to be looked for elsewhere."""
    page = opened("services", of="playback")
    assert not page.exception
    found = [table.value.to_dict("records") for table in page.dataframe]
    names = [row[next(iter(row))] for rows in found for row in rows]
    assert names == ["us-east-1", "GET /things", "entitlements"]


def test_a_service_that_is_gone_is_said(opened: OpenPage) -> None:
    """An old link must not break the page."""
    page = opened("services", of="search")
    page.query_params["of"] = "gone"
    page.run()
    assert not page.exception
    assert "41.2 % of its requests fail" in words(page)


def test_an_unreadable_answer_is_said(api: FakeApi, opened: OpenPage) -> None:
    """An older server answers something else; the page must not break."""
    api.answer_with("/api/v2/health/services", 200, "[]")
    page = opened("services")
    assert not page.exception
    assert "services" in words(page).lower()


def test_what_was_known_stays_with_its_age(mortal_api: FakeApi, opened_mortal: OpenPage) -> None:
    """While the server restarts the colours stay, and it is said how old they are."""
    page = opened_mortal("services")
    mortal_api.stop()
    sources.retry()
    page.run()
    assert not page.exception
    assert "s old" in words(page)
    assert "41.2 % of its requests fail" in words(page)
