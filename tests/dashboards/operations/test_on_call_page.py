"""The page of who is on call: now, next, gaps, overrides, loads, escalations."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboards.panels.on_call import rota
from dashboards.testing import FakeApi, OpenPage, button, words
from dashboards.testing.operations import on_call
from dashboards.testing.synthetic import World
from tocsin.client.response.oncall_shapes import Schedule

NOW_MS = 1_700_000_000_000


def test_who_now_who_next_and_where_nobody(opened: OpenPage) -> None:
    """At three in the night this is the whole question."""
    text = words(opened("on_call"))
    assert "Now Ana Silva, until" in text
    assert "instead of the rota: Sam is *away* (synthetic)" in text
    assert "Next Sam Okafor, in 3 d" in text
    assert "nobody from" in text
    assert ", 9 h" in text
    assert "covered 97.3 %" in text


def test_the_days_in_the_address_are_asked_for(api: FakeApi, opened: OpenPage) -> None:
    """Holidays are planned eight weeks ahead."""
    opened("on_call", days="8 weeks")
    assert any("oncall?days=56" in url for url in api.asked)


def test_loads_say_nights_and_weekends(opened: OpenPage) -> None:
    """Hours alone hide who is always woken."""
    loads = next(one.value for one in opened("on_call").dataframe if "At night" in one.value)
    assert list(loads.iloc[0]) == ["Ana Silva", "Playback", "72", "24", "18"]


def test_an_escalation_says_whom_it_rings_and_what_it_lacks(opened: OpenPage) -> None:
    """A level that names nobody is found before it is needed."""
    text = words(opened("on_call"))
    assert "at once: Ana Silva by slack; tells slack:incidents" in text
    assert "after 5 min: Kim Larsen by slack" in text
    assert "person 'max' is not known" in text
    assert "2 rounds, over after 20 min; then slack:everybody" in text


def test_somebody_takes_over_and_it_is_taken_back(api: FakeApi, opened: OpenPage) -> None:
    """An override is asked for in the name of who acts, in UTC, and can be undone."""
    page = opened("on_call")
    page.text_input(key="actor").set_value("Ada").run()
    page.selectbox(key="override-schedule").set_value("platform")
    page.selectbox(key="override-person").set_value("kim")
    page.text_input(key="override-reason").set_value("swap")
    button(page, "override-submit").click().run()
    (made,) = api.operations.overrides.values()
    assert (made["schedule"], made["person"], made["reason"]) == ("platform", "kim", "swap")
    assert made["made_by"] == "Ada"
    assert made["end_ms"] - made["start_ms"] == 8 * 3_600_000
    start = datetime.fromtimestamp(made["start_ms"] / 1_000, UTC)
    assert abs((datetime.now(UTC) - start).total_seconds()) < 120
    assert "**kim** has platform from" in words(page)
    button(page, "override-1").click().run()
    assert api.operations.overrides == {}


def test_the_chart_says_in_words_what_it_shows() -> None:
    """Who can't see it reads the same, gaps included."""
    found: list[Schedule] = on_call.oncall(World.quiet(NOW_MS), 14)["schedules"]
    assert rota.described(found) == (
        "Playback: Ana Silva, Sam Okafor, Kim Larsen; Platform: Kim Larsen, Sam Okafor, 1 gaps"
    )
    table = rota.table(found)
    assert list(table["who"]).count("nobody") == 1
    assert str(table["start"].dtype).endswith("UTC]")


def test_a_schedule_without_anybody_says_where_pages_go() -> None:
    """Nobody on call is not nobody told."""
    one: Schedule = on_call.oncall(World.quiet(NOW_MS), 14)["schedules"][1]
    lines = list(rota.told({**one, "now": None, "shifts": []}, NOW_MS))
    assert "nobody is on call" in lines[0]
    assert len(lines) == 2
