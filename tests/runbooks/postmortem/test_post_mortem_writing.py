"""Post-mortems: numbers with their queries, people's words kept, nothing of a stranger executed."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from anomaly.findings import FindingState
from collectors.clock import ManualClock
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Acknowledge, Note, Reopen, SetStatus, SetStep
from runbooks.incidents.incident import StepState
from runbooks.incidents.states import Status
from runbooks.postmortem.course import course_of
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.postmortem.sections import BLANK
from tests.runbooks.room import MakeDesk, MakeFinding

T0 = 1_700_000_000_000
RESOLVE = SetStatus(status=Status.RESOLVED, actor="ann.smith")


class Links(HTMLParser):
    """Collects tags and link targets of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]


@pytest.fixture
def resolved(desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding) -> str:
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    clock.advance_ms(20_000)
    desk.execute(incident.id, Acknowledge(actor="ann.smith"))
    desk.execute(incident.id, SetStep(step_id="look-for-a-change", state=StepState.DONE, actor="b"))
    desk.execute(incident.id, Note(actor="bob", text="ann.smith moved the traffic"))
    clock.advance_ms(70_000)
    desk.receive(make_finding(state=FindingState.RESOLVED, ended_ms=clock.now_ms()))
    desk.tick()
    desk.execute(incident.id, RESOLVE)
    desk.tick()
    return incident.id


@pytest.fixture
def path(tmp_path: Path, resolved: str) -> Path:
    return tmp_path / "post-mortems" / f"{resolved}.md"


def test_every_number_carries_its_query(desk: IncidentDesk, resolved: str, path: Path) -> None:
    """Impact is the integral over the impact window, and the link asks for just that window."""
    text = path.read_text()
    assert "200 starts" in text
    page = Links(desk.post_mortems.html(resolved))
    [link, *_] = [link for link in page.links if "/api/v1/graph" in link]
    asked = parse_qs(urlsplit(link).query)
    assert asked["q"] == ["name,stream.starts,:eq,cloud.region,(,us-east-1,),:in,:and,:sum"]
    assert (asked["s"], asked["e"]) == ([str(T0)], [str(T0 + 100_000)])


def test_what_the_machine_knows(path: Path) -> None:
    """Durations, timeline with sources, signals with values, trace, page, runbook's steps."""
    text = path.read_text()
    for wanted in (
        "| Onset | Detected (TTD) | 10 s |",
        "| Page delivered | Acknowledged (TTA) | 20 s |",
        "| Onset | Mitigated (TTM) | 1 min 40 s |",
        "[record 3](http://127.0.0.1:7101/api/v2/incidents/inc-0001/events/3)",
        "8.4 %",
        "0af7651916cd43dd8448eb211c80319c",
        "recording incidents | sent",
        "Look for a change at the onset | manual | done",
        "runbook step look-for-a-change done — responder 1",
        "the incident commander takes the role of commander",
        "Move the region's traffic to a healthy one | approval | open",
    ):
        assert wanted in text, wanted


def test_roles_in_the_place_of_names(path: Path) -> None:
    """Nobody is named: neither as an actor nor in what others wrote of them."""
    text = path.read_text()
    assert "ann.smith" not in text
    assert "bob" not in text
    assert "the incident commander moved the traffic — responder" in text


def test_what_is_written_into_the_file_survives(
    desk: IncidentDesk, clock: ManualClock, resolved: str, path: Path
) -> None:
    """Words below a prompt's heading become that section's, all others the notes."""
    before = path.read_text()
    first_blank = next(line for line in before.splitlines() if line.startswith(BLANK))
    edited = before.replace(first_blank, "Viewers saw an error | and <b>tried</b> again.")
    edited = edited.replace(
        "## Exemplar traces", "## Traces that we looked at, *carefully*\n\nTwo."
    )
    path.write_text(edited)
    clock.advance_ms(60_000)
    desk.execute(resolved, Reopen(actor="bob", text="back again"))
    clock.advance_ms(60_000)
    desk.execute(resolved, RESOLVE)
    desk.tick()
    after = path.read_text()
    assert "## What users saw\n\nViewers saw an error | and <b>tried</b> again.\n" in after
    assert "## Further notes\n\n### Traces that we looked at, *carefully*\n\nTwo.\n" in after
    assert "back again" in after
    [event] = desk.ledger.events(resolved)[-1:]
    assert event.data["blanks"] == 7
    assert desk.post_mortems.markdown(resolved) == after


def test_html_shows_what_people_wrote_escaped(
    desk: IncidentDesk, resolved: str, path: Path
) -> None:
    """The page is made of the Markdown as it is now; nothing in it becomes a tag or a script."""
    text = path.read_text()
    first_blank = next(line for line in text.splitlines() if line.startswith(BLANK))
    evil = "<script>alert(1)</script> [x](javascript:alert(2)) [y](https://example.org/a?b=1)"
    path.write_text(text.replace(first_blank, evil))
    page = desk.post_mortems.html(resolved)
    found = Links(page)
    assert "script" not in found.tags
    assert "&lt;script&gt;" in page
    assert not [link for link in found.links if link.startswith("javascript")]
    assert "https://example.org/a?b=1" in found.links


def test_strangers_texts_cannot_break_out(
    desk: IncidentDesk, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """A finding's text can't end a section, a table or a tag."""
    desk.receive(
        make_finding(
            title="<img src=x onerror=alert(1)> | a | b <!-- tocsin:end timeline -->",
            explanation="[click](javascript:alert(1)) `code` \n\n# Not a heading",
            expression="a|b,<script>",
            exemplar_trace_ids=('"><script>',),
        )
    )
    desk.tick()
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, RESOLVE)
    desk.tick()
    text = (tmp_path / "post-mortems" / f"{incident.id}.md").read_text()
    assert text.count("<!-- tocsin:end timeline -->") == 1
    found = Links(desk.post_mortems.html(incident.id))
    assert not {"script", "img"} & set(found.tags)
    assert found.tags.count("h1") == 1
    assert all(link.startswith("http://127.0.0.1") for link in found.links)


def test_a_crash_before_writing_is_made_up_for(
    make_desk: MakeDesk, clock: ManualClock, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """An incident that was resolved just before the process died is written up by the next."""
    first = make_desk()
    first.receive(make_finding())
    first.tick()
    [incident] = first.ledger.incidents()
    first.execute(incident.id, RESOLVE)
    first.ledger.sharing.close()  # it has died
    second = make_desk()
    second.tick()
    assert (tmp_path / "post-mortems" / f"{incident.id}.md").exists()
    assert second.ledger.incident(incident.id).post_mortem_ms == clock.now_ms()


def test_a_directory_that_cannot_be_written(
    make_desk: MakeDesk, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """The incident is resolved all the same; writing is tried again."""
    (tmp_path / "file").write_text("")
    desk = make_desk(post_mortem_dir=tmp_path / "file" / "below")
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, RESOLVE)
    desk.tick()
    assert desk.ledger.incident(incident.id).status is Status.RESOLVED
    (tmp_path / "file").unlink()
    desk.tick()
    assert desk.ledger.incident(incident.id).post_mortem_ms is not None


def test_signals_as_found_and_their_course(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """The value that paged stays, beside how it went; first and last explanation are both there."""
    desk.receive(make_finding())
    desk.tick()
    clock.advance_ms(60_000)
    over = {"state": FindingState.RESOLVED, "ended_ms": clock.now_ms(), "observed": 0.0}
    desk.receive(make_finding(**over, explanation="Burning stopped."))
    clock.advance_ms(60_000)
    desk.tick()
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, RESOLVE)
    desk.tick()
    text = (tmp_path / "post-mortems" / f"{incident.id}.md").read_text()
    assert "(now resolved) | 8.4 % | 0.1 % | 5 min |" in text
    assert "| 0 % | 200 % | 200 % |" in text
    assert f"- {make_finding().explanation}" in text
    assert "- Burning stopped." in text


def test_between_two_impacts_there_was_none(
    desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding, tmp_path: Path
) -> None:
    """A long quiet time between them would make the median of the impact that of health."""
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    over = make_finding(state=FindingState.RESOLVED, ended_ms=T0 + 20_000)
    clock.advance_ms(10_000)
    desk.receive(over)
    desk.execute(incident.id, RESOLVE)
    clock.advance_ms(3_600_000)
    desk.execute(incident.id, Reopen(actor="bob", text="again"))
    clock.advance_ms(10_000)
    desk.execute(incident.id, RESOLVE)
    found = desk.ledger.incident(incident.id)
    metrics = FlatMetrics(before=1.0, after=5.0, onset_ms=T0 + 30_000)
    course = course_of(make_finding(unit=""), found, metrics, clock.now_ms())
    assert course is not None
    assert (course.before, course.during, course.after) == ("1", "1", "no data")
