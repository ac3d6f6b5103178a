"""The timeline: filtered, pinned, back-dated; and an incident taken elsewhere."""

from __future__ import annotations

import csv
import io
from typing import Any, cast

import pytest

from dashboards.panels import timeline
from dashboards.panels.acting import brief, filtering
from dashboards.testing import FakeApi, OpenPage, answered, button, words
from dashboards.testing.synthetic import INCIDENT_ID
from tocsin.client.shapes import Incident, TimelineEntry


def entry(seq: int, kind: str, actor: str = "tocsin", text: str = "", **data: Any) -> TimelineEntry:
    return {
        "seq": seq,
        "time_ms": 1_700_000_000_000 + seq * 60_000,
        "kind": kind,
        "actor": actor,
        "text": text or kind,
        "data": data,
        "link": f"http://a.test/war_room?incident=inc-1&event={seq}",
    }


LOG = [
    entry(1, "opened"),
    entry(2, "paged"),
    entry(3, "acknowledged", "Ana"),
    entry(4, "note", "Ben", "Cache is cold", at_ms=1_700_000_070_000),
    entry(5, "pinned", "Ana", event=3),
    entry(6, "pinned", "Ana", event=2),
    entry(7, "unpinned", "Ben", event=3),
    entry(8, "something_new"),
]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [8, 7, 6, 5, 3, 2, 4, 1]),
        ({"groups": ["Notes"]}, [4]),
        ({"groups": ["Response", "Pages"]}, [3, 2, 1]),
        ({"groups": [filtering.OTHER], "who": "tocsin"}, [8]),
        ({"who": "Ana"}, [6, 5, 3]),
        ({"words": "cold"}, [4]),
        ({"words": "COLD", "who": "Ana"}, []),
    ],
)
def test_what_fits_is_shown_newest_first(asked: dict[str, Any], found: list[int]) -> None:
    """A note about earlier stands where it was, not where it was written."""
    assert [one["seq"] for one in filtering.matching(LOG, **asked)] == found


def test_pins_are_as_the_record_says() -> None:
    """A pin that was taken off must not come back with the next reading."""
    assert [one["seq"] for one in filtering.pinned(LOG)] == [2]


def test_a_note_about_earlier_says_when_it_was_written() -> None:
    """Whoever reads it later must see that it was not said at the time."""
    told = timeline.line(LOG[3])
    assert "`22:14:30 UTC` Cache is cold — *Ben* (written 22:17:20 UTC)" in told


def test_an_entry_is_pinned_from_the_page(api: FakeApi, opened: OpenPage) -> None:
    """What everybody asks for stays above what scrolls away."""
    page = opened("war_room", view="Timeline")
    page.selectbox(key="timeline-entry").select_index(1).run()
    button(page, "timeline-pin-it").click().run()
    answered(page)
    assert (api.commands[0]["command"], api.commands[0]["value"]) == ("pin", "3")
    assert ":material/keep:" in words(page)


def test_a_note_is_back_dated_from_the_page(api: FakeApi, opened: OpenPage) -> None:
    """Without it the story would be in the order of typing."""
    page = opened("war_room")
    page.text_area(key="note-text").input("@ana: pool was full")
    page.text_input(key="note-at").input("-10m")
    next(b for b in page.button if b.label == "Add note").click().run()
    answered(page)
    assert (api.commands[0]["text"], api.commands[0]["at"]) == ("@ana: pool was full", "-10m")


def test_hand_over_update_silence_and_escalation_take_one_form_each(
    api: FakeApi, opened: OpenPage
) -> None:
    """Each is open, say, send: nobody searches for them at three in the morning."""
    page = opened("war_room")
    page.text_input(key="actor").input("Grace").run()
    button(page, "role-take").click().run()
    answered(page)
    page.text_area(key="update-text").input("Half of starts fail.")
    button(page, "update-submit").click().run()
    answered(page)
    page.text_input(key="escalate-text").input("two regions").run()
    button(page, "escalate").click().run()
    answered(page)
    said = [(one["command"], one["value"], one["text"]) for one in api.commands]
    assert said == [
        ("assign", "commander:Grace", ""),
        ("update", "", "Half of starts fail."),
        ("escalate", "", "two regions"),
    ]
    button(page, "here-submit").click().run()
    answered(page)
    (silence,) = api.silences.put
    assert silence["comment"] == f"known: {INCIDENT_ID}"
    assert silence["createdBy"] == "Grace"
    assert silence["matchers"][0].startswith("alertname=")


def test_a_table_is_no_program() -> None:
    """A note that begins like a formula must not run where somebody opens the file."""
    rows = brief.timeline_rows(cast("Incident", {"timeline": [entry(1, "note", "a", "=2+5")]}))
    (read,) = csv.DictReader(io.StringIO(brief.as_csv(rows)))
    assert read["text"] == "'=2+5"
    assert brief.as_csv([]) == ""


def test_an_incident_in_a_few_lines_for_a_chat(opened: OpenPage) -> None:
    """Whoever joins by the chat reads there how bad it is, since when, who is on it, and where."""
    page = opened("war_room")
    (text,) = [block.value for block in page.code if block.value.startswith("*SEV1")]
    lines = text.splitlines()
    assert lines[0] == "*SEV1 · triage* Stream starts fell in us-east-1 (synthetic)"
    assert lines[1].startswith("Since 20")
    assert lines[2] == "On it: nobody yet"
    assert any("Deployed playback 1.1.0" in line for line in lines)
    assert lines[-1] == f"http://127.0.0.1:8501/war_room?incident={INCIDENT_ID}"


def test_a_public_link_is_made_seen_once_and_revoked(api: FakeApi, opened: OpenPage) -> None:
    """Whoever shares it takes the address at once; nobody finds it later, not even the one."""
    api.links.longest_days = 7
    page = opened("war_room")
    button(page, "public-link-7").click().run()
    assert [block for block in page.code if block.value == "http://a.test/shared/secret"]
    page.toggle(key="public-links").set_value(True).run()
    assert "Link 1 by war room" in words(page)
    button(page, "revoke-1").click().run()
    answered(page)
    assert "No public link lives." in words(page)
    assert not [block for block in page.code if "secret" in block.value]


def test_public_links_that_are_off_say_so(opened: OpenPage) -> None:
    """A button that does nothing would be pressed again, and the operator never asked."""
    page = opened("war_room")
    button(page, "public-link-1").click().run()
    assert "no public link: public links are off here" in words(page)
