"""The pages about the server: bounds and costs, inspections, changes, itself, the public page."""

from __future__ import annotations

import json

import pytest

from dashboards import sources
from dashboards.panels.machine import bounds
from dashboards.panels.machine.self_health import facts
from dashboards.testing import FakeApi, OpenPage, World, button, words
from dashboards.testing.operations import machine
from tocsin.client.own.shapes import BoundRow, Capacity

NOW_MS = 1_700_000_000_000


def capacity() -> Capacity:
    """A server of which one bound is near."""
    found: Capacity = machine.capacity(World.quiet(NOW_MS))  # type: ignore[assignment]  # as JSON
    return found


def bound(used: float, most: float, *, fills: bool = False) -> BoundRow:
    """A bound that is used so far."""
    return {**capacity()["bounds"][0], "used": used, "most": most, "fills": fills}


@pytest.mark.parametrize(
    ("row", "worded"),
    [
        (bound(1, 10), "far"),
        (bound(8, 10), "near"),
        (bound(10, 10), "reached"),
        (bound(10, 10, fills=True), "full, as is usual"),
        (bound(3, 10, fills=True), "fills"),
        (bound(3, 0), "no bound"),
    ],
)
def test_a_bound_says_how_near_it_is(row: BoundRow, worded: str) -> None:
    """What lets the oldest go is full most of the time: it must not cry wolf."""
    assert bounds.standing(row)[0] == worded
    assert bounds.is_near(row) == (worded in {"near", "reached"})


def test_capacity_shows_what_is_near_and_what_happens_there(opened: OpenPage) -> None:
    """An operator must see the next refusal before it comes."""
    page = opened("capacity")
    text = words(page)
    assert "Bounds near: 1" in text
    assert "Comes in: 1,002/s" in text
    assert "Rules take: 0.086 %" in text
    shown = [one.proto.text for one in page.get("progress")]
    assert shown[0] == "95.6 %: 1,912,000 of 2,000,000 series; at the bound new series are refused"
    assert shown[-1].startswith("100 %: 500,000 of 500,000 spans")
    costs = next(one.value for one in page.dataframe if "A step" in one.value)
    assert list(costs["A step"]) == ["3.1 ms", "1.2 ms"]


def test_a_forecast_is_asked_for_and_only_then(api: FakeApi, opened: OpenPage) -> None:
    """It takes half a second of a thread: not at every look of everybody."""
    opened("capacity")
    assert not any("/forecast" in url for url in api.asked)
    text = words(opened("capacity", forecast="true"))
    assert "Likeliest" in text
    assert "and not at all" in text


def test_an_unknown_past_is_no_forecast() -> None:
    """A line that began today says that it says too little."""
    row = machine.forecast(World.quiet(NOW_MS), "q")
    row["lines"][0] |= {"exhaustion": None, "why_not": "3 steps are too few"}
    assert bounds.forecast_words(row) == "No forecast: 3 steps are too few"  # type: ignore[arg-type]
    assert "Nothing of its past" in bounds.forecast_words(row | {"lines": []})  # type: ignore[arg-type]


def test_inspections_that_fire_say_where_and_what_to_do(opened: OpenPage) -> None:
    """What is not measured here is told apart from what is in order."""
    text = words(opened("inspections"))
    assert "playback · node-3: 97 % since" in text
    assert "Look at which process takes it." in text
    assert "Not measured: 1" in text
    assert "1 not applicable" in text
    assert "None of what is measured fires" in words(opened("inspections", search="disk"))


CHANGES = {
    "changes": [
        {
            "id": "a",
            "time_ms": NOW_MS,
            "kind": "deploy",
            "summary": "Deployed *search* 2",
            "service": "search",
            "scope": {"service.name": "search"},
            "url": "javascript:alert(1)",
            "author": "train",
            "compared": "fails more: 4.1 % against 0.2 % before",
            "compared_ms": NOW_MS,
        },
        {
            "id": "b",
            "time_ms": NOW_MS,
            "kind": "chaos",
            "summary": "Slow licences",
            "service": "licences",
            "scope": {},
            "url": "",
            "author": "",
            "end_ms": NOW_MS + 60_000,
        },
    ],
    "left_out": 0,
}


def test_changes_have_their_verdict_and_experiments_their_own_view(
    api: FakeApi, opened: OpenPage
) -> None:
    """What a deployment did to its service stands beside it; a link of a stranger is no link."""
    api.answer_with("/api/v2/changes", 200, json.dumps(CHANGES))
    page = opened("changes")
    assert "fails more: 4.1 % against 0.2 % before" in words(page)
    assert "Deployed *search* 2" in words(page)
    assert "javascript" not in str([one.proto for one in page.main])
    assert "Experiments: 1" in words(page)
    only = words(opened("changes", view="experiments"))
    assert "Slow licences" in only
    assert "took 1 min" in only
    assert "Deployed" not in only
    assert "Slow licences" not in words(opened("changes", view="compared"))


def test_an_incident_after_a_change_is_one_click_away(opened: OpenPage) -> None:
    """Who deployed sees what opened shortly afterwards."""
    links = [one.proto.label for one in opened("changes").get("page_link")]
    assert any(label.startswith("INC-7 opened") for label in links)


def test_the_cluster_says_who_leads_and_what_lacks_copies(opened: OpenPage) -> None:
    """Whoever is on call would not know that one more failure costs data."""
    page = opened("cluster")
    text = words(page)
    assert "Leads: tocsin-a" in text
    assert "Copies: 1 of 2" in text
    assert "no answer within 2 s" in text
    assert [*page.dataframe[0].value["Node"]] == ["tocsin-a", "tocsin-b"]


def test_tocsin_says_what_of_its_own_fails(api: FakeApi, opened: OpenPage) -> None:
    """What keeps it from paging stands first, in the words that it was told."""
    health = json.loads(_asked(api, "/health"))
    fault = {"what": "disk", "place": "/data", "since_ms": NOW_MS, "reason": "full *now*"}
    fault |= {"lost": "spans", "lasting": False, "urgent": True}
    health |= {"status": "degraded", "faults": [fault]}
    way = {"way": "slack:incidents", "since_ms": NOW_MS, "reason": "no such channel"}
    health["delivery"] = {"failing": [way], "dropped_findings": 3}
    problem = {"file": "slos/a.yaml", "line": 4, "field": "target", "message": "must be below 1"}
    health["configuration"] |= {"refused": True, "read_ms": NOW_MS, "problems": [problem]}
    health["post_mortems"] = {"overdue_actions": None}
    api.answer_with("/health", 200, json.dumps(health))
    text = words(opened("tocsin_itself"))
    assert "Status: degraded" in text
    assert "disk /data since" in text.replace("**", "")
    assert "full *now*; lost: spans" in text
    assert "slack:incidents" in text
    assert "3 findings reached nobody" in text
    assert "slos/a.yaml:4 target: must be below 1" in text
    assert dict(facts(health))["Overdue action items"] == "not known"


def _asked(api: FakeApi, path: str) -> str:
    from tocsin.client.client import ApiClient

    with ApiClient(api.url) as client:
        return json.dumps(client.health()) if path == "/health" else ""


def test_settings_say_where_they_come_from(api: FakeApi, opened: OpenPage) -> None:
    """Who wonders why a value does not hold sees which file or option gave it."""
    table = opened("tocsin_itself").dataframe[-1].value
    assert list(table["From"]) == ["--api-port", "TOCSIN_API_TOKEN", "tocsin.toml"]
    assert table["Value"][1] == "(hidden)"
    every = opened("tocsin_itself", **{"every-setting": "true"}).dataframe[-1].value
    assert len(every) == 4
    api.answer_with("/api/v2/settings", 403, '{"message": "needs the right to administer"}')
    sources.retry()
    page = opened("tocsin_itself")
    assert "needs the right to administer" in words(page)
    assert "Status: well" in words(page)


def test_the_public_page_is_shown_as_it_is(api: FakeApi, opened: OpenPage) -> None:
    """What users read, with what is measured of it, before anybody says more."""
    text = words(opened("status_page"))
    assert "There is a partial outage" in text
    told = "by what is measured · its objective burns · 99.931 % without outage"
    assert f"Playing {told}" in text.replace(":small[", "")
    assert "Shows: Playing partial outage" in text
    assert "We know *why*." in text
    assert "Search *and* browse" in text


def test_a_draft_is_published_by_a_person(api: FakeApi, opened: OpenPage) -> None:
    """The draft of an incident goes on as an update of its notice, in the name of who acts."""
    page = opened("status_page")
    page.text_input(key="actor").set_value("Ada").run()
    button(page, "publish-INC-7-monitoring").click().run()
    (body,) = api.operations.published
    assert (body["progress"], body["actor"]) == ("monitoring", "Ada")
    assert body["components"] == {"play": "degraded"}


def test_no_status_page_says_how_to_have_one(api: FakeApi, opened: OpenPage) -> None:
    """A server without one answers 404: that is no failure."""
    api.answer_with("/api/v2/status-page", 404, '{"message": "there is no status page"}')
    page = opened("status_page")
    assert "put a status.yaml" in words(page)
    assert "refused" not in words(page)
