"""The page of alerts: what fires, what stayed silent, what is near its threshold, and why."""

from __future__ import annotations

from dashboards.testing import FakeApi, OpenPage, button, words


def test_what_is_held_back_says_by_what(opened: OpenPage) -> None:
    """An alert that rings nobody must not look like one that does."""
    page = opened("alerts")
    assert "2 of 2 alerts, 1 of them held back" in words(page)
    assert "silenced" in words(page)
    assert "Rung: slack:incidents" in words(page)
    assert "Rung: nobody" in words(page)
    assert "Batch is *late* (synthetic)" in words(page)


def test_a_search_narrows_alerts_down(opened: OpenPage) -> None:
    """In a storm one looks for one's own service."""
    text = words(opened("alerts", search="batch"))
    assert "1 of 2 alerts" in text
    assert "Stream starts" not in text


def test_what_stayed_silent_says_why(opened: OpenPage) -> None:
    """Nothing stays silent without saying why; what opened an incident is not among it."""
    text = words(opened("alerts", view="stayed silent"))
    assert "3 of the newest 4 decisions" in text
    assert "silenced until 18:00 by Ana: *planned* work" in text
    assert "inhibited: the region is down" in text
    assert "urgency ticket: recorded, nobody is told" in text
    assert "no related incident is open" not in text


def test_what_does_not_fire_says_how_far_it_is(opened: OpenPage) -> None:
    """Who asks why there was no alert sees the value beside what it would have taken."""
    page = opened("alerts", view="below the threshold")
    slos, detectors = (one.value for one in page.dataframe)
    first = slos.iloc[0]
    assert (first["Burns"], first["Fires at"], first["Because"]) == ("0.4×", "14.4×", "ok")
    assert list(detectors["Expected"]) == ["41/s", "41/s"]
    nothing = opened("alerts", view="below the threshold", search="nowhere")
    assert "None of them is like that." in words(nothing)


def test_why_is_one_click_and_has_an_address(api: FakeApi, opened: OpenPage) -> None:
    """The path of a notification can be sent to whoever asks why nobody was called."""
    page = opened("alerts")
    button(page, "why-slo/batch/1").click().run()
    assert page.query_params["why"] == "slo/batch/1"
    assert "route 'payments' is mute: it is 'night'" in words(page)
    assert "route 'payments' is mute" in words(opened("alerts", why="slo/batch/1"))
    button(page, "why-close").click().run()
    assert "why" not in page.query_params
    assert any("alerts/why" in url for url in api.asked)


def test_a_path_of_something_unknown_is_refused_in_words(api: FakeApi, opened: OpenPage) -> None:
    """An old link must say that nothing is known any more."""
    api.answer_with("/api/v2/alerts/why", 404, '{"message": "nothing is known of x"}')
    text = words(opened("alerts", why="x"))
    assert "nothing is known of x" in text
    assert "2 of 2 alerts" in text
