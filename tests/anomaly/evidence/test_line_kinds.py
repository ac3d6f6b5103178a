"""What logs say of a finding, for and against suspects, and what they must not say."""

from __future__ import annotations

from typing import Any

import pytest

from anomaly.evidence.accusing import accusing, suspect_words
from anomaly.evidence.blaming import NO_BLAME, Blame
from anomaly.evidence.exemplars import Evidence
from anomaly.evidence.line_kinds import (
    MAX_ELSEWHERE,
    MAX_KINDS,
    NOTHING_HEARD,
    SETTLED_MS,
    Heard,
    heard_around,
    line_words,
    with_lines,
)
from anomaly.evidence.near_changes import NoChanges
from anomaly.evidence.seeking import EAGER_LOOKS, EvidenceSeeker
from anomaly.findings import Finding, FindingKind, Suspect
from anomaly.testing import TraceList, example_finding, example_line_kind
from collectors.clock import ManualClock
from collectors.log_batch import Severity
from collectors.logs.changes import PatternChanges, PatternWatch
from collectors.logs.store import LogStore
from tests.collectors.logs.lines import T0, batch, store_of

ONSET_MS = T0 + 900_000 - T0 % 15_000
STEP_MS = 5_000


def finding(**fields: Any) -> Finding:
    known = {"started_ms": ONSET_MS, "updated_ms": ONSET_MS + 60_000}
    return example_finding(scope={"service.name": "playback"}, **{**known, **fields})


def shop() -> LogStore:
    """Return lines of ten minutes before an onset and a minute after it."""
    usual = [f"request {n} done" for n in range(100)]
    store = store_of()
    for service in ("playback", "licence", "edge"):
        store.write_logs(batch(*usual, first_ms=ONSET_MS - 500_000, service=service))
        store.write_logs(batch(*usual, first_ms=ONSET_MS, service=service))
    failed = [f"no answer for {n}" for n in range(14)]
    store.write_logs(
        batch(*failed, severity=Severity.ERROR, first_ms=ONSET_MS + 5_000, service="licence")
    )
    return store


def heard(store: LogStore, one: Finding) -> Heard:
    return heard_around(PatternWatch(store), one)


def test_a_new_error_is_told_with_its_counts_and_one_line() -> None:
    """The line that explains an incident would have to be searched for by hand."""
    accused = finding(suspects=(Suspect(service="licence", share=1.0, reason="slow"),))
    (one,) = with_lines(accused, heard(shop(), accused)).lines
    assert (one.service, one.count, one.before, one.among) == ("licence", 14, 0, 100)
    assert one.sample == "no answer for 13"
    assert line_words(one) == (
        "licence: new error line since 22:28:20 UTC, 14 times, none among 100 in the 10 min "
        "before: “no answer for <*>”"
    )


def test_a_suspect_has_its_own_lines_for_or_against_it() -> None:
    """What a service says of itself would not stand beside what others say of it."""
    suspects = tuple(
        Suspect(service=name, share=share, reason="slow")
        for name, share in (("edge", 0.5), ("licence", 0.3), ("silent", 0.2))
    )
    one = finding()
    found = accusing(one, (), Blame(suspects=suspects, known=3), heard=heard(shop(), one)).suspects
    told = {suspect.service: suspect_words(suspect) for suspect in found}
    assert told["licence"].startswith(
        "licence (slow; in its log, new error line since 22:28:20 UTC, 14 times"
    )
    assert told["edge"] == (
        "edge (slow; against it: its 100 log lines since have no error that is new or more "
        "frequent)"
    )
    assert told["silent"] == "silent (slow)"  # nobody has its lines: nothing is known
    # Misleading lines exist: neither who is suspect nor how much is for them to say.
    assert [(suspect.service, suspect.share) for suspect in found] == [
        (suspect.service, suspect.share) for suspect in suspects
    ]


def test_lines_alone_accuse_nobody() -> None:
    """A line about something else that happened then would send people to the wrong service."""
    one = finding()
    found = accusing(one, (), NO_BLAME, heard=heard(shop(), one))
    assert found.suspects == ()
    assert "licence" not in found.explanation


def test_silence_says_nothing_before_lines_have_come() -> None:
    """Lines of the last seconds are on their way; their service would be told to be well."""
    young = finding(updated_ms=ONSET_MS + SETTLED_MS - 1)
    suspects = (Suspect(service="edge", share=1.0, reason="slow"),)
    (one,) = accusing(
        young, (), Blame(suspects=suspects, known=3), heard=heard(shop(), young)
    ).suspects
    assert one.against == ()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({}, "when nothing at all was logged in the 10 min before"),
        ({"among": 1240}, "none among 1,240 in the 10 min before"),
        ({"among": 1240, "before": 3, "new": False}, "3 in the 10 min before"),
    ],
)
def test_silence_before_is_told_as_such(before: dict[str, Any], expected: str) -> None:
    """A service that had not logged at all would seem to have logged well."""
    assert expected in line_words(example_line_kind(**{"among": 0, **before}))


def test_its_own_and_those_of_suspects_come_first_others_only_with_new_errors() -> None:
    """Five kinds of lines of a service that nothing points at would fill the page."""
    kinds = [
        *(example_line_kind(pattern=f"o{n}", service="other") for n in range(4)),
        example_line_kind(pattern="grown", service="other", new=False),
        *(example_line_kind(pattern=f"p{n}", service="playback") for n in range(6)),
        example_line_kind(pattern="traffic", service="playback", new=False, severity="info"),
    ]
    found = with_lines(finding(), Heard(kinds=tuple(kinds))).lines
    assert len(found) == MAX_KINDS
    assert [one.pattern for one in found][:4] == ["p0", "p1", "p2", "p3"]
    alone = with_lines(example_finding(scope={}), Heard(kinds=tuple(kinds))).lines
    assert [one.pattern for one in alone] == ["o0", "o1"]
    assert len(alone) == MAX_ELSEWHERE


def test_the_last_known_stay() -> None:
    """A restart with an empty memory would take the evidence off the page."""
    known = finding(lines=(example_line_kind(),))
    assert with_lines(known, NOTHING_HEARD) is known


class _Counting(PatternWatch):
    """Counts how often it is asked."""

    asked = 0

    def changed(self, start_ms: int, end_ms: int) -> PatternChanges:
        self.asked += 1
        return super().changed(start_ms, end_ms)


def test_a_storm_counts_once_and_a_long_outage_seldom() -> None:
    """Every finding of a storm would count all lines in memory in every step."""
    watch = _Counting(shop())
    seeking = EvidenceSeeker(
        TraceList(), NoChanges(), ManualClock(ONSET_MS), STEP_MS, patterns=watch
    )
    seeking.begin()
    for number in range(20):
        one = seeking.shown(f"r{number}", number, finding(id=f"f{number}"), Evidence(), {})
        assert [kind.service for kind in one.lines] == ["licence"]
    assert watch.asked == 1
    for step in range(200):
        seeking.begin()
        late = finding(id="f0", updated_ms=ONSET_MS + 60_000 + (step + 1) * STEP_MS)
        seeking.shown("r0", 0, late, Evidence(), {})
    assert EAGER_LOOKS < watch.asked < 20


def test_data_that_stopped_have_their_last_lines() -> None:
    """What a service wrote before it died is what there is to know of it."""
    watch = PatternWatch(shop())
    seeking = EvidenceSeeker(
        TraceList(), NoChanges(), ManualClock(ONSET_MS), STEP_MS, patterns=watch
    )
    seeking.begin()
    gone = finding(kind=FindingKind.NO_DATA)
    assert [one.service for one in seeking.shown("r", "k", gone, None, {}).lines] == ["licence"]
