"""The report is one page that needs nothing else and hides nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest

from collectors.errors import StorageError
from tocsin.gameday.charts import detection_bars, timeline
from tocsin.gameday.conditions import Conditions
from tocsin.gameday.report import as_html, write_report
from tocsin.gameday.run import Outcome, Programme, summary
from tocsin.gameday.scorecard import score
from tocsin.gameday.sightings import Sighting, Signal
from tocsin.gameday.truth import TruthEvent

EVIL = '<script>alert("x")</script>'
SVG = "{http://www.w3.org/2000/svg}"


def event(
    name: str, start: int, end: int | None, *, benign: bool = False, impact: str = "starts fail"
) -> TruthEvent:
    return TruthEvent(
        id=name, name=name, component="playback", scope={"cloud.region": "us-east-1"},
        benign=benign, impact=impact, start_ms=start * 1_000,
        end_ms=None if end is None else end * 1_000,
    )  # fmt: skip


def incident(name: str, second: int, *pages: int, title: str = "t") -> Sighting:
    said = Signal(
        time_ms=second * 1_000, regions=frozenset({"us-east-1"}), shares={"playback": 0.9}
    )
    return Sighting(
        incident_id=name, title=title, severity="SEV2", signals=(said,),
        pages_ms=tuple(page * 1_000 for page in pages), cleared_ms=((second + 50) * 1_000,),
    )  # fmt: skip


EVENTS = [
    event("playback-errors", 100, 160),
    event("unseen", 500, 560),
    event("quiet", 700, None, impact="None: absorbed."),
    event("launch", 300, 340, benign=True, impact=""),
]
SIGHTINGS = (incident("inc-1", 110, 111), incident("inc-2", 310, 312, title=EVIL))
CARD = score(EVENTS, SIGHTINGS)
CONDITIONS = Conditions(
    started_ms=0, ended_ms=800_000, step_s=5.0, series=1_234, versions={"tocsin": "0.1.0"},
    load={"regions": ["us-east-1", "eu-west-1"], "seed": 7}, cpus=2, load_average=(0.5, 1.25),
    grace_s=45.0, answered=True,
)  # fmt: skip
OUTCOME = Outcome(title="a day", card=CARD, sightings=SIGHTINGS, conditions=CONDITIONS)


class Page(HTMLParser):
    """Collects what a browser would fetch, run or fail to close."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str | None] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value for name, value in attrs if name in {"src", "href"}]


def text_of(element: ET.Element, tag: str) -> str:
    """Return the text of a child of an SVG element, "" without one."""
    return element.findtext(f"{SVG}{tag}") or ""


def place_of(bar: ET.Element) -> tuple[float, float]:
    """Return where a bar begins and how long it is, in pixels."""
    return float(bar.get("x", "nan")), float(bar.get("width", "nan"))


@pytest.fixture(scope="module")
def page() -> str:
    return as_html("a day", CARD, SIGHTINGS, CONDITIONS)


def test_the_page_fetches_nothing_and_runs_nothing(page: str) -> None:
    """A report sent by mail would be empty, or run what a stranger wrote."""
    parser = Page()
    parser.feed(page)
    assert parser.fetched == []
    assert "script" not in parser.tags
    assert "@import" not in page
    assert "url(" not in page
    assert EVIL not in page  # a title that a stranger chose is text


def test_the_page_states_results_and_conditions(page: str) -> None:
    """Figures without their conditions can't be compared."""
    text = re.sub(r"<[^>]+>|\s+", " ", page)
    for words in (
        "1 of 3", "50 %", "playback-errors", "10 s", "11 s", "missed", "launch",
        "1,234", "us-east-1 + eu-west-1", "seed 7", "load 0.5 before, 1.2 after", "5 s",
    ):  # fmt: skip
        assert words in text, words


def test_charts_are_valid_and_say_in_words_what_they_draw() -> None:
    """Who does not see colours, or the chart, would learn nothing."""
    for svg in (timeline(CARD, SIGHTINGS, 0, 800_000), detection_bars(CARD)):
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert text_of(root, "title")
        assert text_of(root, "desc")
        for shape in [*root.iter(f"{SVG}rect"), *root.iter(f"{SVG}path")]:
            assert text_of(shape, "title")  # colour never stands alone


def test_the_timeline_puts_things_where_they_happened() -> None:
    """A page would seem to come before its fault."""
    root = ET.fromstring(timeline(CARD, SIGHTINGS, 0, 800_000))
    bars = {text_of(bar, "title"): place_of(bar) for bar in root.iter(f"{SVG}rect")}
    fault, launch = bars["fault: playback-errors in us-east-1"], bars["benign: launch in us-east-1"]
    width = 960 - 250 - 10
    assert fault == pytest.approx((250 + width * 100 / 800, width * 60 / 800), abs=0.1)
    assert launch[0] == pytest.approx(250 + width * 300 / 800, abs=0.1)
    pages = [text_of(mark, "title") for mark in root.iter(f"{SVG}path")]
    assert pages == ["page: t", f"false page: {EVIL}"]


def test_a_day_on_which_nothing_happened_has_a_report_too() -> None:
    """A healthy day would end with an error."""
    card = score([], [])
    page = as_html("nothing", card, (), CONDITIONS)
    assert "No fault was played" in page
    ET.fromstring(timeline(card, (), 0, 0))


def test_a_summary_names_what_was_missed_and_what_was_false() -> None:
    """The terminal would show only what went well."""
    lines = "\n".join(summary(CARD))
    assert "playback-errors: detected after 10 s, paged after 11 s, suspect 1" in lines
    assert "unseen: missed" in lines
    assert "quiet: not seen; viewers were not hurt" in lines
    assert "(during launch)" in lines
    assert "1 of 3 faults detected, 1 missed; 2 pages, 1 false" in lines


def test_the_outcome_is_json_and_knows_whether_it_is_good_enough() -> None:
    """A pipeline could neither read the outcome nor fail by it."""
    body = orjson.loads(orjson.dumps(OUTCOME.json()))
    assert body["totals"]["recall"] == 0.5
    assert body["conditions"]["series"] == 1_234
    assert [one["id"] for one in body["incidents"]] == ["inc-1", "inc-2"]
    assert OUTCOME.falls_below(0.6)
    assert not OUTCOME.falls_below(0.5)
    empty = Outcome(title="", card=score([], []), sightings=(), conditions=CONDITIONS)
    assert not empty.falls_below(1.0)


@pytest.mark.parametrize(
    ("programme", "title"),
    [
        (Programme(names=("a", "b")), "a, b"),
        (Programme(seed=3, hours=6.0), "seed 3, 6 hours"),
    ],
)
def test_a_programme_has_a_title(programme: Programme, title: str) -> None:
    """Two reports could not be told apart."""
    assert programme.title == title


def test_a_report_goes_where_it_should_or_says_why_not(tmp_path: Path) -> None:
    """Hours of play would end in a traceback, without a report."""
    write_report(tmp_path / "new" / "r.html", "<p>")
    assert (tmp_path / "new" / "r.html").read_text() == "<p>"
    with pytest.raises(StorageError, match="can't be written"):
        write_report(tmp_path / "new" / "r.html" / "x", "<p>")


def test_what_was_said_before_the_day_does_not_count() -> None:
    """An older incident would be credited to today's fault."""
    old = incident("inc-1", 110, 111)
    assert old.since(200_000) is None
    later = old.since(110_500)
    assert later is not None
    assert later.pages_ms == (111_000,)
    assert old.since(0) == old
