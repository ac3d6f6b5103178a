"""What the places have in common where a rule fires."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.engine.engine import Engine
from anomaly.evidence.common_tags import MAX_TOLD_ANEW, NOTHING, CommonTags, common_tags
from anomaly.findings import Finding, FindingState
from anomaly.kinds.testing import load_rules
from anomaly.testing import FindingList, TableDatabase, example_finding
from collectors.clock import ManualClock
from collectors.model import Tags

PLACES: list[Tags] = [
    {"cdn": cdn, "isp": isp, "p2p": p2p} for cdn, isp, p2p in product("567", "abc", "01")
]
STEP_MS = 5_000
START_MS = 1_700_000_000_000
DETECTOR = """\
apiVersion: tocsin/v1
kind: Detector
metadata: {name: pulse}
spec:
  expr: name,ok,:eq,:sum
  group_by: [cdn, isp]
  detector: counts
  direction: low
  scope: {service.name: viewers}
"""


@pytest.mark.parametrize(
    ("fires", "tags"),
    [
        (lambda place: place["cdn"] == "5", {"cdn": "5"}),
        (lambda place: place["cdn"] == "5" and place["p2p"] == "1", {"cdn": "5", "p2p": "1"}),
        (lambda place: place["p2p"] == "0", {"p2p": "0"}),
        (lambda place: place["isp"] == "a" and place["cdn"] == "5", {}),
        (lambda place: place == PLACES[0], {}),
        (lambda place: place["cdn"] == place["isp"], {}),
        (bool, {}),
        (lambda place: PLACES.index(place) % 5 == 0, {}),
    ],
)
def test_the_tags_of_places_that_fire(fires: Callable[[Tags], bool], tags: Tags) -> None:
    """One or two tags; none of too few places, of all of them, or of a mixture."""
    assert common_tags(PLACES, [fires(place) for place in PLACES]).tags == tags


def test_a_straggler_and_a_stray_are_counted() -> None:
    """Most of them are enough, and how many are not is said."""
    flags = [place["p2p"] == "0" for place in PLACES]
    flags[0], flags[1] = False, True
    assert common_tags(PLACES, flags).words == (
        " Where it fires has this in common: p2p 0 (8 of 9 such places fire, 1 of 9 others)."
    )


@given(st.lists(st.booleans(), min_size=len(PLACES), max_size=len(PLACES)))
def test_what_is_told_is_true(flags: list[bool]) -> None:
    """Whatever fires: the numbers add up, and the tags hold for four of five both ways."""
    found = common_tags(PLACES, flags)
    inside = [f for p, f in zip(PLACES, flags, strict=True) if p.items() >= found.tags.items()]
    if found != NOTHING:
        assert (found.firing, found.places) == (sum(inside), len(inside))
        assert found.firing + found.others_firing == sum(flags)
        assert min(found.firing / found.places, found.firing / sum(flags)) >= 0.8


def _firing(at: int) -> Finding:
    return example_finding(id=str(at), scope={"service.name": "s", **PLACES[at]})


def test_findings_are_told_anew_when_it_changes_only() -> None:
    """The third makes it known, the fourth changes nothing, an end takes the words back."""
    common = CommonTags()
    findings = {at: _firing(at) for at in (0, 1)}

    def told() -> list[object]:
        changed = dict(common.look("r", lambda: PLACES, findings))  # type: ignore[arg-type]
        findings.update(changed)  # type: ignore[arg-type]
        return list(changed)

    for at in (2, 3, 4):
        assert told() == []
        findings[at] = _firing(at)
    assert told() == [0, 1, 2, 3, 4]
    assert findings[0].explained_by == {"cdn": "5"}
    assert findings[0].explanation == (
        "It burns. Where it fires has this in common: cdn 5 "
        "(5 of 6 such places fire, 0 of 12 others)."
    )
    findings[5] = common.told("r", _firing(5))
    assert findings[5].explained_by == {"cdn": "5"}
    assert told() == []
    for at in (2, 3, 4, 5):
        findings[at] = replace(findings[at], state=FindingState.RESOLVED)
    assert told() == [0, 1]
    assert (findings[0].explained_by, findings[0].explanation) == ({}, "It burns.")


def test_an_engine_says_what_its_findings_have_in_common(tmp_path: Path) -> None:
    """A whole provider falls silent: each of its findings names the provider."""
    (tmp_path / "detectors").mkdir()
    (tmp_path / "detectors" / "d.yaml").write_text(DETECTOR)
    database, sink, clock = TableDatabase(STEP_MS), FindingList(), ManualClock(START_MS)
    engine = Engine(database, load_rules(tmp_path, STEP_MS), [sink], clock, STEP_MS)
    for step in range(1, 160):
        time_ms = START_MS + step * STEP_MS
        for cdn, isp in product("567", "abcd"):
            value = 0.0 if step > 140 and cdn == "6" else 100.0
            database.put({"name": "ok", "cdn": cdn, "isp": isp}, time_ms, value)
        clock.set_ms(time_ms)
        engine.tick(time_ms)
    found = engine.findings()
    assert len(found) == 4
    assert {tuple(one.explained_by.items()) for one in found} == {(("cdn", "6"),)}
    assert all("cdn 6 (4 of 4 such places fire, 0 of 8 others)" in f.explanation for f in found)
    assert sink.received[-1].explained_by == {"cdn": "6"}


def test_a_storm_is_told_anew_a_hundred_at_a_time() -> None:
    """Ten thousand findings told again at once would hold up every other page."""
    places: list[Tags] = [{"cdn": cdn, "host": str(host)} for cdn in "56" for host in range(300)]
    findings: dict[Hashable, Finding] = {
        at: example_finding(id=str(at), scope=places[at]) for at in range(300)
    }
    told = list(CommonTags().look("r", lambda: places, findings))
    assert len(told) == MAX_TOLD_ANEW == 100
    assert told[0][1].explained_by == {"cdn": "5"}
