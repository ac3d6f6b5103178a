"""What people publish, what is proposed to them, and what both change."""

from __future__ import annotations

from typing import Any

import pytest

from anomaly.findings import FindingState
from collectors.clock import ManualClock
from collectors.errors import ConflictError, InputError, NotFoundError
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import Acknowledge
from runbooks.status_page.component import Source, State
from runbooks.status_page.notices import Progress
from runbooks.status_page.office import StatusOffice
from tests.runbooks.room import MakeFinding
from tests.runbooks.status_page.conftest import row

HOUR_MS = 3_600_000


def standing(office: StatusOffice, name: str = "playback") -> tuple[State, Source]:
    found = office.page.standings(office.page.now_ms())[name]
    return found.state, found.source


def publish(office: StatusOffice, **changes: Any) -> int:
    given: dict[str, Any] = {
        "title": "Videos do not start",
        "text": "We are looking into it.",
        "progress": Progress.INVESTIGATING,
        "components": {"playback": State.PARTIAL_OUTAGE},
        "actor": "ana",
    }
    return office.page.publish(**(given | changes)).id


def test_a_published_incident_makes_it_worse_and_never_better(
    office: StatusOffice, rows: list[dict[str, Any]]
) -> None:
    """Until it is resolved; then the source speaks again."""
    number = publish(office)
    assert standing(office) == (State.PARTIAL_OUTAGE, Source.PUBLISHED)
    rows[:] = [row("burning", short=900.0)]
    assert standing(office) == (State.MAJOR_OUTAGE, Source.AUTOMATIC)
    rows[:] = [row()]
    office.page.update(number, text="It is over.", progress="resolved", actor="ana")
    assert standing(office) == (State.OPERATIONAL, Source.AUTOMATIC)
    with pytest.raises(ConflictError):
        office.page.update(number, text="Once more.", progress="monitoring", actor="ana")


def test_a_person_s_word_holds_for_a_time(office: StatusOffice, clock: ManualClock) -> None:
    """It counts before everything else, and expires."""
    assert standing(office, "downloads") == (State.UNKNOWN, Source.PERSON)
    office.page.say("downloads", State.OPERATIONAL, for_ms=HOUR_MS, actor="ana")
    office.page.say("playback", State.DEGRADED, for_ms=HOUR_MS, actor="ana")
    assert standing(office, "downloads") == (State.OPERATIONAL, Source.PERSON)
    office.page.say("playback", None, for_ms=HOUR_MS, actor="ana")
    assert standing(office) == (State.OPERATIONAL, Source.AUTOMATIC)
    clock.advance_ms(HOUR_MS)
    assert standing(office, "downloads")[0] is State.UNKNOWN
    with pytest.raises(InputError):
        office.page.say("playback", State.OPERATIONAL, for_ms=8 * 24 * HOUR_MS, actor="ana")
    with pytest.raises(NotFoundError):
        office.page.say("gone", State.OPERATIONAL, for_ms=HOUR_MS, actor="ana")


def test_maintenance_follows_the_clock(office: StatusOffice, clock: ManualClock) -> None:
    """It is announced, begins, and ends without anybody pressing anything."""
    start_ms = clock.now_ms() + HOUR_MS
    notice = office.page.schedule(
        title="Move",
        text="It may fail for a minute.",
        components=["playback"],
        starts_ms=start_ms,
        ends_ms=start_ms + HOUR_MS,
        actor="ana",
    )
    seen = []
    for _ in range(3):
        now_ms = clock.now_ms()
        seen.append((notice.progress(now_ms), standing(office)[0]))
        clock.advance_ms(HOUR_MS)
    assert seen == [
        (Progress.SCHEDULED, State.OPERATIONAL),
        (Progress.IN_PROGRESS, State.MAINTENANCE),
        (Progress.COMPLETED, State.OPERATIONAL),
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"title": " "}, InputError),
        ({"text": ""}, InputError),
        ({"title": "x" * 201}, InputError),
        ({"progress": Progress.COMPLETED}, InputError),
        ({"components": {"gone": State.DEGRADED}}, NotFoundError),
        ({"incident_id": "inc-9999"}, NotFoundError),
    ],
)
def test_what_can_not_be_published(
    office: StatusOffice, changes: dict[str, Any], error: type[Exception]
) -> None:
    """Nothing of it is kept."""
    with pytest.raises(error):
        publish(office, **changes)
    assert office.page.view().notices == ()


def test_drafts_follow_the_incident_in_users_words(
    office: StatusOffice, desk: IncidentDesk, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """From the first to the last word; no internal name is in any, and each is put on record."""
    desk.receive(make_finding())
    desk.tick()
    [draft] = office.page.drafts()
    assert (draft.title, draft.progress) == ("Problems with Playback", Progress.INVESTIGATING)
    assert draft.text == (
        "Since 22:13 UTC there have been problems with Playback. "
        "We are looking into it and will tell you more here."
    )
    assert draft.components == {"playback": State.DEGRADED}
    number = publish(office, incident_id="inc-0001", title=draft.title, text=draft.text)
    assert office.page.drafts() == []
    desk.execute("inc-0001", Acknowledge(actor="ana"))
    clock.advance_ms(60_000)
    desk.receive(make_finding(state=FindingState.RESOLVED, ended_ms=clock.now_ms()))
    desk.tick()
    [draft] = office.page.drafts()
    assert (draft.notice_id, draft.progress) == (number, Progress.MONITORING)
    assert draft.text == "Since 22:14 UTC Playback has been working again. We keep watching."
    office.page.update(number, text=draft.text, progress=draft.progress.value, actor="ana")
    told = [e.text for e in desk.ledger.events("inc-0001") if e.kind == "status_published"]
    assert [text.partition(":")[0] for text in told] == [
        "status page, investigating",
        "status page, monitoring",
    ]
    said = " ".join(one.text for one in office.page.view().notices[0].updates)
    assert "us-east-1" not in said
    assert "inc-0001" not in said
