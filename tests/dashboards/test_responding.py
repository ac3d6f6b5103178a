"""The people's half of the war room: declaring, tasks, relatives, what is asked more seldom."""

from __future__ import annotations

from dashboards.testing import FakeApi, OpenPage, World, answered, button, words
from dashboards.testing.synthetic import INCIDENT_ID


def test_declared_from_the_calm_room(opened: OpenPage, api: FakeApi, now_ms: int) -> None:
    """Who sees it first finds the form where all seems quiet."""
    api.world = World.quiet(now_ms)
    page = opened("war_room")
    page.text_input(key="declare-title").set_value("Checkout is blank")
    page.text_input(key="declare-service").set_value("checkout")
    button(page, "declare-submit").click()
    page.run()
    answered(page)
    assert api.commands[-1] == {
        "title": "Checkout is blank",
        "actor": "war room",
        "severity": "SEV3",
        "service": "checkout",
        "region": "",
        "text": "",
        "started": "",
    }


def test_tasks_people_and_relatives_are_shown(opened: OpenPage, api: FakeApi) -> None:
    """Whoever joins late asks who is here, what is promised, and whether it happened before."""
    page = opened("war_room", view="Response")
    text = words(page)
    assert "Alert on licence servers" in text
    assert "same rule detector/sps; same service playback" in text
    button(page, "task-t1").click()
    page.run()
    answered(page)
    assert (api.commands[-1]["command"], api.commands[-1]["value"]) == ("change_task", "t1:done")


def test_decline_with_a_reason(opened: OpenPage, api: FakeApi) -> None:
    """A false alarm ends with the words that say so."""
    page = opened("war_room")
    page.selectbox(key="more-what").set_value("Decline")
    page.run()
    page.text_area(key="more-text").set_value("a load test")
    button(page, "more-submit").click()
    page.run()
    answered(page)
    said = api.commands[-1]
    assert (said["command"], said["text"]) == ("decline", "a load test")


def test_a_permalink_leads_to_its_entry(opened: OpenPage) -> None:
    """An address in a chat that leads to the whole page makes people search."""
    page = opened("war_room", incident=INCIDENT_ID, event="1")
    assert [box.value for box in page.info if "Opened by detector/sps" in box.value]


def test_what_was_written_and_refused_is_there_to_be_taken(api: FakeApi, opened: OpenPage) -> None:
    """The form is empty by then: an update of ten lines would have to be written anew."""
    page = opened("war_room")
    api.refusal = "inc-7 was closed meanwhile"
    page.text_area(key="update-text").input("Half of starts fail.")
    button(page, "update-submit").click().run()
    answered(page).run()
    assert "Half of starts fail." in [block.value for block in page.code]
