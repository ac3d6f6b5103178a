"""Every page in every state: good, empty, broken, away, stale."""

from __future__ import annotations

import pytest

from dashboards import sources
from dashboards.navigation import pages
from dashboards.testing import FakeApi, OpenPage, World, button, charts, words
from dashboards.testing.synthetic import TRACE_ID

PAGES = [path.stem for path in pages()]


@pytest.mark.parametrize(
    ("name", "world"),
    [
        *((name, "in_incident") for name in PAGES),
        *((name, "quiet") for name in ("overview", "war_room", "slack_preview")),
        *((name, "after_incident") for name in ("overview", "war_room", "post_mortems")),
    ],
)
def test_a_page_draws_in_every_state_of_the_world(
    name: str, world: str, api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """No page raises or shows an error, whatever the world looks like."""
    api.world = getattr(World, world)(now_ms)
    page = opened(name)
    assert not page.exception
    assert not page.error


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_server_says_so_and_offers_a_retry(
    name: str, mortal_api: FakeApi, opened_mortal: OpenPage
) -> None:
    """A refused connection becomes a card with a button, never a stack trace."""
    mortal_api.stop()
    page = opened_mortal(name)
    assert not page.exception
    assert "tocsin's API is away" in words(page)
    assert any(str(found.key).startswith("retry-") for found in page.button)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "overview",
            (
                "No spans in the last minutes",
                "No objectives are loaded",
                "No service yet",
                "No requests, messages or calls are measured yet",
            ),
        ),
        ("war_room", ("All quiet",)),
        ("service", ("No service yet",)),
        ("boards", ("No dashboard is defined",)),
        ("traces", ("No trace matches",)),
        ("explore", ("Nothing matches in this range",)),
        ("post_mortems", ("No post-mortem yet",)),
        ("slack_preview", ("nothing has paged",)),
        ("senders", ("Nobody has sent anything yet",)),
        ("services", ("No service yet",)),
    ],
)
def test_emptiness_is_explained(
    name: str, expected: tuple[str, ...], api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """A first start shows what would fill each panel, and no error."""
    api.world = World(now_ms=now_ms, empty=True)
    page = opened(name)
    assert not page.error
    assert [text for text in expected if text not in words(page)] == []


def test_one_broken_panel_leaves_the_others_alone(api: FakeApi, opened: OpenPage) -> None:
    """A 500 from the objectives does not take the answers away."""
    api.answer_with("/api/v2/slos", 500, '{"message": "the objectives could not be read"}')
    page = opened("war_room", view="Objectives")
    assert "refused (500)" in words(page)
    assert "the objectives could not be read" in words(page)
    assert "Nobody has acknowledged it" in words(page)


def test_an_unexpected_shape_is_said_in_its_panel(api: FakeApi, opened: OpenPage) -> None:
    """An answer without a promised field is named, the rest of the page stands."""
    api.answer_with("/api/v2/slos", 200, "<html>")
    page = opened("overview")
    assert not page.exception
    assert "unreadable answer" in words(page)


def test_the_last_good_data_stay_with_their_age(
    mortal_api: FakeApi, opened_mortal: OpenPage
) -> None:
    """After the server goes away the war room keeps what it knew and says how old it is."""
    page = opened_mortal("war_room", view="Charts")
    mortal_api.stop()
    sources.retry()
    page.run()
    text = words(page)
    assert not page.exception
    assert "data 0 s old" in text or "data 1 s old" in text or "data 2 s old" in text
    assert "Stream starts fell in us-east-1" in text
    assert len(charts(page)) == 2


@pytest.mark.parametrize("name", ["overview", "war_room", "service", "boards"])
def test_a_question_that_failed_is_not_taken_for_nothing(
    name: str, api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """No service at all would be a claim about an answer that never came."""
    api.world = World.quiet(now_ms)
    for path in ("/api/v2/metrics", "/api/v2/dashboards", "/api/v2/services"):
        api.answer_with(path, 500, '{"message": "not now"}')
    text = words(opened(name))
    assert "refused (500)" in text
    claims = ("No service yet", "are measured yet", "No dashboard is defined", "Nothing is known")
    assert [claim for claim in claims if claim in text] == []


def test_a_services_page_keeps_what_it_knew_with_its_age(
    mortal_api: FakeApi, opened_mortal: OpenPage
) -> None:
    """While the server is away, old figures must not pass for new ones."""
    page = opened_mortal("service", service="playback")
    mortal_api.stop()
    sources.retry()
    page.run()
    text = words(page)
    assert not page.exception
    assert "Metrics: data" in text
    assert "Service map: data" in text
    assert len(charts(page)) == 3


def test_the_overview_counts_what_is_there(opened: OpenPage) -> None:
    """Services, incidents, burning objectives and how far behind rules judge, as figures."""
    page = opened("overview")
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["Services"] == "7"
    assert figures["Open incidents"] == "1"
    assert figures["Objectives burning"] == "1 of 3"
    assert figures["Rules judge"] == "7.4 s late"


def test_the_overview_lists_services_with_traffic_errors_and_duration(opened: OpenPage) -> None:
    """A service that metrics name has its figures; one that only spans know has the spans'."""
    page = opened("overview")
    text = words(page)
    assert "/s · **0.1 %** fail · p99 " in text
    links = [link.proto.label for link in page.get("page_link")]
    assert {"auth", "gateway", "edge"} <= set(links)
    assert "spans" in text


def test_a_service_has_its_charts_dependencies_changes_and_objectives(opened: OpenPage) -> None:
    """The page of a service shows its telemetry, whom it calls, what changed and what it owes."""
    page = opened("service", service="playback")
    text = words(page)
    assert [len(chart["title"]) for chart in charts(page) if "title" in chart] == [3, 1]
    assert "Deployed playback 1.1.0" in text.replace("\\", "")
    assert "Called by **gateway**" in text
    assert "Playback starts" in text


def test_a_service_that_nobody_knows_is_said_to_be_so(opened: OpenPage) -> None:
    """A mistyped name must not look like a service without traffic."""
    assert "Nothing is known of nobody" in words(opened("service", service="nobody"))


def test_a_dashboard_repeats_its_row_and_narrows_to_what_is_chosen(
    api: FakeApi, opened: OpenPage
) -> None:
    """Each value of the variable has a row; a choice in the address leaves one."""
    api.world.plain_boards = False
    assert len(charts(opened("boards"))) == 3
    page = opened("boards", **{"var-region": "eu-west-1"})
    assert len(charts(page)) == 2
    assert any("cloud.region%2Ceu-west-1%2C%3Aeq" in url for url in api.asked)


def test_the_overview_maps_the_services(opened: OpenPage) -> None:
    """Every service of the map is a node, every edge a link."""
    graph = next(c for c in charts(opened("overview")) if "title" not in c)["series"][0]
    assert {node["name"] for node in graph["data"]} >= {"gateway", "playback", "edge"}
    assert len(graph["links"]) == 6


def test_a_trace_in_the_address_is_drawn(opened: OpenPage) -> None:
    """The trace page is a deep link: waterfall, spans, the error's message."""
    page = opened("traces", trace=TRACE_ID)
    assert len(page.get("vega_lite_chart")) == 1
    assert "6 spans in 6 services · 4 with errors" in words(page)
    assert "no licence server answers" in words(page)


def test_an_unknown_trace_is_refused_in_words(opened: OpenPage) -> None:
    """A trace that is not kept says so."""
    assert "no trace 'ffff' is kept" in words(opened("traces", trace="ffff"))


def test_the_search_asks_for_what_was_entered(api: FakeApi, opened: OpenPage) -> None:
    """Criteria go to the API under the names that it documents."""
    opened("traces", errors="true", service="gateway", min_ms="250", tag="cloud.region:us-east-1")
    asked = next(url for url in api.asked if "/api/v2/traces?" in url)
    for part in ("error=true", "service=gateway", "min_duration_ms=250", "tag=cloud.region%3Aus"):
        assert part in asked


def test_explore_draws_an_expression_from_the_address(opened: OpenPage) -> None:
    """A link from the evidence opens with its expression drawn and its data linked."""
    query = "name,stream.starts,:eq,cloud.region,us-east-1,:eq,:and,:sum"
    page = opened("explore", q=query)
    assert len(charts(page)[0]["series"]) == 1
    assert "std.json" in page.get("link_button")[0].proto.label


def test_explore_shows_what_the_server_says_of_a_bad_expression(opened: OpenPage) -> None:
    """The server's own message is what helps to mend the expression."""
    page = opened("explore", q="name,a,:nonsense")
    assert "unknown word ':nonsense'" in words(page)
    assert not page.exception


def test_explore_starts_from_what_is_there(opened: OpenPage) -> None:
    """A first visit draws something of the platform at hand, not of another."""
    page = opened("explore")
    assert str(page.text_input(key="q").value).startswith("name,http.server.request.duration,:eq")
    assert len(charts(page)) == 1


def test_explore_builds_an_expression_by_clicks(opened: OpenPage) -> None:
    """A metric, a value and a key are chosen; the expression and the chart follow."""
    page = opened("explore")
    page.selectbox(key="metric").select("http.server.request.duration").run()
    assert str(page.text_input(key="q").value).endswith(",:percentiles")
    page.selectbox(key="tag-key").select("service.name").run()
    button(page, "is-service.name-gateway").click().run()
    button(page, "by-service.name").click().run()
    text = str(page.text_input(key="q").value)
    assert "(,service.name,),:by,(,50,95,99,),:percentiles" in text
    assert text.endswith("service.name,gateway,:eq,:cq")
    assert not page.exception


def test_explore_finds_metrics_by_words_and_by_their_beginning(opened: OpenPage) -> None:
    """Whoever knows how a name begins, or a word in it, finds it among thousands."""
    for search, found in (("DURATION", 2), ("db.*", 1), ("http.* client", 0)):
        boxes = opened("explore", find=search).selectbox
        assert [len(box.options) for box in boxes if box.key == "metric"] == [found] * bool(found)


def test_explore_offers_the_words_that_can_follow(opened: OpenPage) -> None:
    """A word of the language is added by choosing it."""
    page = opened("explore", q="name,stream.starts,:eq")
    page.selectbox(key="word").select("sum").run()
    assert page.text_input(key="q").value == "name,stream.starts,:eq,:sum"


def test_explore_takes_the_unit_that_the_sender_told(opened: OpenPage) -> None:
    """Seconds are drawn as milliseconds without anybody choosing a unit."""
    query = "name,http.server.request.duration,:eq,(,99,),:percentiles"
    title = charts(opened("explore", q=query))[0]["title"][0]["text"]
    assert title.endswith("[ms]")


def test_a_post_mortem_is_shown_and_can_be_taken_away(
    api: FakeApi, opened: OpenPage, now_ms: int
) -> None:
    """The document is rendered with its chart and where it stands, and offered in three forms."""
    api.world = World.after_incident(now_ms)
    page = opened("post_mortems")
    assert "# Post-mortem INC-7 (synthetic)" in words(page)
    downloads = page.get("download_button")
    assert [found.proto.label for found in downloads] == ["Markdown", "HTML", "PDF"]
    told = words(page)
    assert "In review" in told
    assert page.info[0].value == "**1 left for people:** What went well"
    assert "1 action item is overdue" in told
    assert "Test the licence client" in told
    assert "What users saw: since it was written, impact changed" in told
    assert "charts/1.svg" not in told


def test_the_slack_page_without_a_server_says_where_to_look(
    opened: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a real workspace there is nothing to preview."""
    monkeypatch.delenv(sources.SLACK_PREVIEW_URL)
    assert "No local Slack server" in words(opened("slack_preview"))


def test_a_pinned_stretch_pauses_and_bounds_the_question(api: FakeApi, opened: OpenPage) -> None:
    """What was brushed stands in the address and is asked for exactly."""
    page = opened("overview", pin="1700000000000-1700000600000")
    assert "Paused · 22:13:20–22:23:20 UTC" in words(page)
    assert any("s=1700000000000&e=1700000600000" in url for url in api.asked)


def test_pausing_pins_what_is_shown_and_resuming_lets_go(opened: OpenPage, now_ms: int) -> None:
    """The pin stands in the address, so that a colleague sees the same stretch."""
    page = opened("overview", range="5 min")
    button(page, "pause").click().run()
    start, _, end = page.query_params["pin"].partition("-")
    assert int(end) - int(start) == 300_000
    assert abs(int(end) - now_ms) < 60_000
    assert "Paused · " in words(page)
    button(page, "resume").click().run()
    assert "pin" not in page.query_params
    assert "Live · " in words(page)
