"""Writing a post-mortem on its page: nothing that was typed or written is lost."""

from __future__ import annotations

import pytest

from dashboards.testing import FakeApi, OpenPage, World, answered, button, words
from dashboards.testing.synthetic import INCIDENT_ID

FIELD = f"paper-{INCIDENT_ID}-users"


@pytest.fixture(autouse=True)
def _over(api: FakeApi, now_ms: int) -> None:
    api.reset(World.after_incident(now_ms))


def test_a_section_is_written_under_the_name_of_who_writes(api: FakeApi, opened: OpenPage) -> None:
    """The revision that the writer has seen goes along, so that nobody is written over."""
    page = opened("post_mortems")
    page.text_input(key="actor").input("Grace").run()
    page.text_area(key=FIELD).input("Every second start failed.")
    button(page, f"{FIELD}-save").click().run()
    answered(page)
    assert api.papers.put == [
        {"text": "Every second start failed.", "actor": "Grace", "revision": 1}
    ]
    page.run()
    assert "Written by Grace" in words(page)


def test_what_somebody_else_wrote_meanwhile_is_shown(api: FakeApi, opened: OpenPage) -> None:
    """Neither text is lost: the other's is shown, one's own stays typed until one decides."""
    page = opened("post_mortems")
    page.text_area(key=FIELD).input("Mine.")
    api.papers.texts["users"] = ("Ben", "Theirs.", 2)
    button(page, f"{FIELD}-save").click().run()
    answered(page)
    assert "section users was refused: revision 2 was written meanwhile" in words(page)
    page.run()
    assert "Ben has written What users saw meanwhile" in words(page)
    assert "Theirs." in words(page)
    assert page.text_area(key=FIELD).value == "Mine."
    button(page, f"{FIELD}-over").click().run()
    button(page, f"{FIELD}-save").click().run()
    answered(page)
    assert api.papers.texts["users"][1] == "Mine."


def test_a_stage_that_may_not_follow_says_why(api: FakeApi, opened: OpenPage) -> None:
    """Blanks stand between a draft and what people have agreed on."""
    page = opened("post_mortems")
    button(page, "stage-reviewed").click().run()
    answered(page)
    assert api.papers.put[0]["to"] == "reviewed"
    assert "while blanks remain: What went well" in words(page)


def test_an_action_item_is_added_and_ticked_off(api: FakeApi, opened: OpenPage) -> None:
    """What is left out is not sent: an empty date would be refused."""
    page = opened("post_mortems")
    page.text_input(key="action-title").input("Alert on the licence servers")
    button(page, "action-add").click().run()
    answered(page)
    assert api.papers.put[0] == {
        "title": "Alert on the licence servers",
        "kind": "prevent",
        "priority": "P2",
        "actor": "war room",
    }
    button(page, "action-2").click().run()
    answered(page)
    assert api.papers.put[1] == {"actor": "war room", "done": True}
