"""The war room during an incident: what it says, and what its buttons do."""

from __future__ import annotations

from dashboards import sources
from dashboards.testing import FakeApi, OpenPage, World, answered, button, charts, words
from dashboards.testing.synthetic import INCIDENT_ID, TRACE_ID


def test_the_first_screen_answers_the_five_questions(opened: OpenPage) -> None:
    """What and for whom, since when and which way, why, who, what next: nobody opens a tab."""
    text = words(opened("war_room"))
    for expected in (
        *("SEV1", "triage", "Stream starts fell in us-east-1", "getting worse"),
        "Stream starts in us-east-1: 9.4/s at worst (42.6/s expected)",
        *("Impact so far: 9,960 starts", "Stream starts lost against the baseline"),
        *("Deployed playback 1.1.0", "for: playback: 78 % of its requests fail"),
        "against: 5 % of it comes from edge below it",
        *("Nobody has acknowledged it", "On call: Ana Silva", "Rung: slack:incidents"),
        "Take traffic out of a region: step 3 of 3",
    ):
        assert expected in text


def test_the_next_step_leads_to_its_view(opened: OpenPage) -> None:
    """One press opens what the step is done with, and the address says so."""
    page = opened("war_room")
    assert "Proposed runbook" not in words(page)
    button(page, "next-step").click().run()
    assert "Proposed runbook" in words(page)


def test_a_view_that_is_not_open_asks_nothing(api: FakeApi, opened: OpenPage) -> None:
    """What nobody looks at would cost a request each tick and viewer."""
    opened("war_room")
    asked = [url.partition("/api/")[2].partition("?")[0] for url in api.asked]
    once = "v2/whoami"  # for minutes
    assert sorted(set(asked)) == ["v2/incidents", f"v2/incidents/{INCIDENT_ID}/screen", once]


def test_the_response_times_are_one_click_behind(opened: OpenPage) -> None:
    """The times by which the response is measured afterwards stand with the response."""
    page = opened("war_room", view="Response")
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Impact → detected"] == "10.2 s"
    assert figures["Detected → paged"] == "1.2 s"
    assert figures["Paged → acknowledged"] == "not yet"
    assert figures["Who has it"] == "nobody yet"


def test_who_is_on_call_and_what_is_only_counted_is_said(opened: OpenPage) -> None:
    """Page and message would name different people; a storm would look like a single case."""
    text = words(opened("war_room", view="Evidence"))
    assert "On call: Ana Silva (Playback, until 2026-12-07 09:00:00 UTC)" in text
    assert "and **974** more fire like Starts of a user · 975 seen in all" in text


def test_the_charts_mark_the_incident(opened: OpenPage, now_ms: int) -> None:
    """The window from impact to now is shaded and detection and page are lines, in UTC."""
    option = charts(opened("war_room", view="Charts"))[0]
    assert option["useUTC"] is True
    first = option["series"][0]
    start, end = first["markArea"]["data"][0]
    assert start["xAxis"] == now_ms - 300_000
    assert end["xAxis"] >= now_ms
    assert [mark["xAxis"] - now_ms for mark in first["markLine"]["data"]] == [
        -340_000,  # what was deployed before
        -300_000,
        -289_800,
        -288_600,
    ]
    names = {series["name"].strip("\u200b") for series in option["series"]}
    assert names == {"us-east-1", "eu-west-1", "p50", "p99"}


def test_the_timeline_is_newest_first(opened: OpenPage) -> None:
    """Each entry shows its time, its words and who did it."""
    text = words(opened("war_room", view="Timeline"))
    assert text.index("Paged #incidents through Slack") < text.index("Opened by detector/sps")


def test_objectives_show_burn_against_threshold_and_budget(opened: OpenPage) -> None:
    """A burning objective comes first, its rates in red beside where they page."""
    text = words(opened("war_room", view="Objectives"))
    assert "**212×**" in text
    assert "14.4×" in text
    assert "budget left :red[**-79 %**]" in text
    assert text.index("burning") < text.index("no alert")


def test_the_nearest_change_is_shown_with_its_link_and_without_blame(opened: OpenPage) -> None:
    """What was changed shortly before stands beside the evidence, as a fact and not a verdict."""
    text = words(opened("war_room", view="Evidence"))
    assert "Deployed playback 1.1.0" in text
    assert "40 s before the estimated onset" in text
    assert "[more](https://ci.example/builds/77)" in text
    assert "near in time, which proves nothing" in text


def test_the_evidence_gives_the_expression_and_the_values(opened: OpenPage) -> None:
    """Nothing pages without its expression, what was seen and what was expected."""
    page = opened("war_room", view="Evidence")
    assert "seen **9.4/s** · expected **42.6/s** · over 10 s" in words(page)
    expression = "name,stream.starts,:eq,cloud.region,us-east-1,:eq,:and"
    assert [block for block in page.code if expression in block.value]


def test_the_runbook_stands_with_its_reason_and_its_steps(opened: OpenPage) -> None:
    """Each step shows its state; one that changes production waits for an approval."""
    text = words(opened("war_room", view="Runbook"))
    assert "Take traffic out of a region" in text
    assert "Why this one: stream starts fell in one region only" in text
    assert "needs approval" in text


def test_an_exemplar_is_drawn_and_silence_is_explained(opened: OpenPage) -> None:
    """The first exemplar is a waterfall; a page that was not sent says why."""
    page = opened("war_room", view="Traces and logs")
    assert TRACE_ID in words(page)
    assert len(page.get("vega_lite_chart")) == 1
    told = words(opened("war_room", view="Notifications"))
    assert "grouped with the page above: same cause" in told


def test_acknowledging_names_the_person_and_takes_the_button_away(
    api: FakeApi, opened: OpenPage
) -> None:
    """The command reaches the API with the actor; afterwards the button says why not."""
    page = opened("war_room")
    page.text_input(key="actor").input("Grace").run()
    button(page, "acknowledge").click().run()
    answered(page)
    assert api.commands == [{"command": "acknowledge", "actor": "Grace", "text": "", "value": ""}]
    again = button(page, "acknowledge")
    assert again.disabled
    assert again.help.startswith("Acknowledged by Grace at ")
    assert "investigating" in words(page)


def test_resolving_ends_the_incident_and_offers_to_reopen(api: FakeApi, opened: OpenPage) -> None:
    """After resolving, resolving is disabled with its reason and reopening is offered."""
    page = opened("war_room")
    button(page, "resolve").click().run()
    answered(page)
    assert api.world.status == "resolved"
    assert page.query_params["incident"] == INCIDENT_ID  # not dropped into the calm room
    assert button(page, "resolve").help == "The incident is already resolved"
    button(page, "reopen").click().run()
    answered(page)
    assert api.world.status == "investigating"


def test_a_step_is_ticked_off(api: FakeApi, opened: OpenPage) -> None:
    """Only open steps can be done; the step is named to the API."""
    page = opened("war_room", view="Runbook")
    assert [b.key for b in page.button if str(b.key).startswith("step-")] == ["step-watch"]
    button(page, "step-watch").click().run()
    answered(page)
    assert (api.commands[0]["command"], api.commands[0]["value"]) == ("set_step", "watch:done")
    assert not [b for b in page.button if str(b.key).startswith("step-")]


def test_a_severity_is_set_from_its_list(api: FakeApi, opened: OpenPage) -> None:
    """The present severity can't be chosen again."""
    page = opened("war_room")
    assert button(page, "severity-SEV1").disabled
    button(page, "severity-SEV2").click().run()
    answered(page)
    assert api.commands[0]["value"] == "SEV2"
    assert "SEV2" in words(page)


def test_a_note_goes_into_the_timeline_as_it_was_written(api: FakeApi, opened: OpenPage) -> None:
    """Markdown in a note is shown, not obeyed: nobody's note brings an image in."""
    page = opened("war_room", view="Timeline")
    page.text_area(key="note-text").input("![x](http://evil.test/a.png) :red[hi]")
    next(b for b in page.button if b.label == "Add note").click().run()
    answered(page)
    assert api.world.notes == [("war room", "![x](http://evil.test/a.png) :red[hi]")]
    drawn = [m.value for m in page.markdown if "evil" in m.value]
    assert len(drawn) == 1
    assert r"\!\[x\]\(http\:" in drawn[0]


def test_an_empty_note_is_not_sent(api: FakeApi, opened: OpenPage) -> None:
    """The reader is told instead."""
    page = opened("war_room")
    next(b for b in page.button if b.label == "Add note").click().run()
    assert api.commands == []
    assert "An empty note was not added" in words(page)


def test_a_refused_command_shows_the_servers_reason(
    api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """Somebody else was faster: the 409's words are on the page."""
    page = opened("war_room", incident=INCIDENT_ID)
    api.world = World.after_incident(now_ms)
    button(page, "acknowledge").click().run()
    answered(page)
    assert "acknowledge was refused: the incident is resolved; reopen it first" in words(page)


def test_a_past_incident_is_only_shown_when_asked_for(
    api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """Without an open incident the room is calm; the address brings a past one back."""
    api.world = World.after_incident(now_ms)
    assert "All quiet" in words(opened("war_room"))
    past = opened("war_room", incident=INCIDENT_ID, view="Charts")
    assert "lasted 4 min" in words(past)
    assert "Over · " in words(past)


def test_data_that_stopped_look_old(api: FakeApi, opened: OpenPage, now_ms: int) -> None:
    """When telemetry ends, the charts say how old their newest sample is."""
    api.world = World.in_incident(now_ms - 90_000)
    text = words(opened("war_room", view="Charts"))
    assert "Stream starts by region: the newest sample is 1 min 3" in text


def test_an_incident_that_opens_appears_by_itself(
    api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """The calm page turns into the incident's at the next tick."""
    api.world = World.quiet(now_ms)
    page = opened("war_room")
    assert "All quiet" in words(page)
    api.world = World.in_incident(now_ms)
    sources.retry()
    page.run()
    assert "Stream starts fell in us-east-1" in words(page)


def test_the_path_of_notifications_is_shown_when_asked_for(opened: OpenPage, api: FakeApi) -> None:
    """Each stage says what it decided; it is asked of the server only by whoever wants to know."""
    page = opened("war_room", view="Notifications")
    assert not any("alerts/why" in url for url in api.asked)
    next(t for t in page.toggle if t.key == f"why-{INCIDENT_ID}").set_value(True)
    text = words(page.run())
    assert "opens: no related incident is open" in text
    assert ":orange-badge[interval] route 'payments' is mute: it is 'night'" in text
