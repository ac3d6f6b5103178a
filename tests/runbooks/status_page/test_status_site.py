"""The static site: whole at any time, safe with anybody's words, the same in feeds and JSON."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest

from collectors.clock import ManualClock
from runbooks.status_page.component import State
from runbooks.status_page.notices import Progress
from runbooks.status_page.office import StatusOffice
from tests.runbooks.status_page.conftest import row

EVIL = '<script>alert(1)</script> & "quoted" ]]> \x07 <!channel>'
ATOM = "{http://www.w3.org/2005/Atom}"


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def site(office: StatusOffice, tmp_path: Path) -> Path:
    office.page.publish(
        title=EVIL,
        text=EVIL,
        progress=Progress.INVESTIGATING,
        components={"playback": State.DEGRADED},
        actor="ana",
    )
    office.publisher.turn()
    return tmp_path / "status"


def test_strangers_words_are_text_everywhere(site: Path) -> None:
    """In pages, feeds and JSON; no page needs a script, and every link leads to a file."""
    for page in (site / "index.html", site / "incidents" / "1.html", site / "incidents/index.html"):
        found = Tags(page.read_text())
        assert "script" not in found.tags
        assert "alert(1)" in found.text
        for link in found.links:
            assert (page.parent / link).is_file(), (page, link)
    entry = ET.parse(site / "feed.atom").find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == "Investigating: " + EVIL.replace("\x07", "\ufffd")
    item = ET.parse(site / "feed.rss").find("channel/item")
    assert item is not None
    assert item.findtext("link") == "https://status.test/incidents/1.html"
    [notice] = orjson.loads((site / "status.json").read_bytes())["notices"]
    assert notice["title"] == EVIL


def test_nothing_internal_is_told(
    office: StatusOffice, site: Path, rows: list[dict[str, Any]]
) -> None:
    """Neither objectives, reasons and incidents, nor who published."""
    rows[:] = [row("burning", short=900.0)]
    office.publisher.build()
    whole = "".join(path.read_text() for path in site.rglob("*.*"))
    assert "playback-availability" not in whole
    assert "ana" not in whole
    assert "inc-0001" not in whole


def test_the_site_is_written_when_something_changes(
    office: StatusOffice, clock: ManualClock, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """At once for a state or a notice, else once a minute: a stale page says as of when."""
    front = tmp_path / "status" / "index.html"
    office.publisher.turn()
    first = front.read_text()
    assert "Not everything is measured just now" in first  # downloads: nobody has said
    clock.advance_ms(2_000)
    office.publisher.turn()
    assert front.read_text() == first
    rows[:] = [row("burning", short=900.0)]
    office.publisher.turn()
    assert "There is a major outage" in front.read_text()
    before = front.read_text()
    clock.advance_ms(60_000)
    office.publisher.turn()
    assert front.read_text() != before
    assert not list(front.parent.rglob("*.new"))


def test_without_a_file_there_is_no_site(office: StatusOffice, tmp_path: Path) -> None:
    """And a reload that brings one makes it."""
    file = office.page.file
    office.use(None)
    office.publisher.turn()
    assert not (tmp_path / "status").exists()
    office.use(file)
    office.publisher.turn()
    assert (tmp_path / "status" / "index.html").exists()
