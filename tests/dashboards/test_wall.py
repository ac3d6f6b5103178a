"""The wall: large, without controls, and red while nobody has taken an incident."""

from __future__ import annotations

from typing import Any, cast

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import sources
from dashboards.testing import FakeApi, OpenPage
from dashboards.wall.rotating import TURN_MS, as_html, screen_at
from tocsin.client.shapes import IncidentSummary, Slo

NOW = 100 * TURN_MS * 6


def incident(title: str, severity: str = "SEV2", taken_ms: int | None = 1) -> IncidentSummary:
    found: dict[str, Any] = {
        "id": title,
        "title": title,
        "severity": severity,
        "status": "triage",
        "opened_ms": NOW - 65_000,
        "acknowledged_ms": taken_ms,
        "scope": {"service.name": "playback"},
    }
    return cast("IncidentSummary", found)


def slo(state: str) -> Slo:
    found = {"state": state, "display_name": "Starts", "error_budget_remaining": 0.25}
    return cast("Slo", found)


def shown(page: AppTest) -> str:
    return "".join(block.proto.body for block in page.get("html"))


def test_it_turns_from_the_overview_through_the_incidents() -> None:
    """Each stands for a while, the worst first; then it begins anew."""
    known = [incident("b"), incident("a", "SEV1")]
    shown = [screen_at(known, [], NOW + turn * TURN_MS) for turn in range(4)]
    assert [one.headline for one in shown] == ["2 are open", "a", "b", "2 are open"]
    assert [one.place for one in shown[:3]] == ["1 of 3", "2 of 3", "3 of 3"]
    assert shown[0].lines[0] == "SEV1 · triage · a"
    assert shown[1].lines == (
        "SEV1 · triage · open for 1 min 17 s",
        "taken 00:00:00 UTC",
        "playback",
    )


def test_it_wakes_while_nobody_has_taken_one() -> None:
    """Whoever passes by must see from afar that somebody has to do something."""
    known = [incident("a", taken_ms=None), incident("b", "SEV3")]
    shown = [screen_at(known, [], NOW + turn * TURN_MS) for turn in range(3)]
    assert [one.wakes for one in shown] == [True, True, False]
    assert "NOBODY HAS ACKNOWLEDGED" in shown[1].lines
    assert "tocsin-wakes" in as_html(shown[0], "")
    assert "tocsin-wakes" not in as_html(shown[2], "")


@pytest.mark.parametrize(
    ("slos", "line"),
    [
        (None, "Objectives: not known"),
        ([], "No objective is set"),
        ([slo("ok")], "None of 1 objectives burns"),
        ([slo("ok"), slo("burning")], "1 of 2 objectives burn: Starts, 25 % left"),
    ],
)
def test_objectives_in_a_line(slos: list[Slo] | None, line: str) -> None:
    """What is not known is not taken for well."""
    screen = screen_at([], slos, NOW)
    assert (screen.headline, screen.lines) == ("All quiet", (line,))


def test_what_others_wrote_is_text() -> None:
    """A title from an alert that somebody sent must not run on the wall."""
    shown = as_html(screen_at([incident("<img src=x>")], [], NOW), "as of <now>")
    assert "<img" not in shown
    assert "&lt;now&gt;" in shown


def test_the_address_of_any_page_turns_into_the_wall(api: FakeApi, opened: OpenPage) -> None:
    """Nothing can be pressed there; what is old says how old it is."""
    page = opened("war_room", wall="1")
    assert not page.exception
    assert not page.button
    assert "Stream starts fell" in shown(page)
    assert "as of " in shown(page)
    api.answer_with("/api/v2/incidents", 503, "away")
    sources.retry()
    assert "DATA " in shown(page.run())
    assert "Stream starts fell" in shown(page)


def test_without_an_answer_it_says_so(opened_mortal: OpenPage, mortal_api: FakeApi) -> None:
    """A wall that shows yesterday's calm is worse than none."""
    mortal_api.stop()
    page = opened_mortal("war_room", wall="1")
    assert page.error[0].value.startswith("Not known how things are: ")
