"""Seasons of detectors that name none: found, kept over restarts, given up slowly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anomaly.detectors.seasonal import SeasonalParameters
from anomaly.rules.detector_definition import DetectorDefinition
from anomaly.rules.detector_reader import read_rules
from anomaly.rules.detector_rule import DetectorRule
from collectors.errors import DocumentError, QueryError
from collectors.host.disk import FullDisk
from collectors.host.machine import Machine
from collectors.model import FloatArray, Frame
from collectors.stacklang.lines.database import Window
from tocsin.seasons.keeping import keep_seasons, kept_seasons
from tocsin.seasons.looking import looked_for
from tocsin.watching import rules_of

HOUR_MS = 3_600_000
NOW_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS
DOCUMENT = """\
apiVersion: tocsin/v1
kind: Detector
metadata: {name: orders}
spec:
  expr: name,orders,:eq,:sum
  group_by: [region]
  detector: seasonal
"""


def detector(more: str = "") -> DetectorDefinition:
    (read,) = read_rules(DOCUMENT + more, file="x.yaml")
    return read


class Past:
    """So many days of lines, busy by day."""

    def __init__(self, days: float, *, flat: bool = False, fails: bool = False) -> None:
        self.days, self.flat, self.fails = days, flat, fails

    def fetch_hours(self, expr: str, window: Window) -> Frame:
        if self.fails:
            raise QueryError("too much")
        del expr
        hours: FloatArray = window.times_ms / HOUR_MS
        course = 100 + (0 if self.flat else 50) * np.sin(2 * np.pi * hours / 24)
        noise = np.random.default_rng(1).normal(0, 5, (2, window.steps))
        values = np.where(np.arange(window.steps) >= window.steps - self.days * 24, course, np.nan)
        tags = [{"region": "a"}, {"region": "b"}]
        return Frame(
            start_ms=window.start_ms,
            step_ms=window.step_ms,
            tags=tags,
            labels=["a", "b"],
            values=values + noise,
        )


def test_a_season_is_found_kept_and_used_after_a_restart(tmp_path: Path) -> None:
    """Days of learning would be lost with every update of ours."""
    early = looked_for([detector()], {}, Past(1.5), NOW_MS)
    assert early["orders"].words == "not enough history yet: 1.5 of 3 days"
    found = looked_for([detector()], early, Past(6), NOW_MS)
    assert (found["orders"].hours, found["orders"].lines) == (24, 2)
    assert keep_seasons(tmp_path, found, Machine())
    kept = kept_seasons(tmp_path)
    assert kept == found
    disk = FullDisk()
    full, disk.full = Machine(disk=disk), True
    assert not keep_seasons(tmp_path, early, full)
    assert full.faults.states()
    assert kept_seasons(tmp_path) == found, "what was there stays whole"
    definitions = {DetectorRule.kind: [detector()]}
    (before,) = (m for m in rules_of(definitions, 60_000) if m.kind == DetectorRule.kind)
    again = rules_of(definitions, 60_000, [before], seasons=kept)
    (made,) = (m for m in again if m.kind == DetectorRule.kind)
    assert made.rule is not before.rule
    assert made.definition.parameters.period_steps == 1_440
    assert made.rule.reach_ms == 3 * 86_400_000
    (same,) = (m for m in rules_of(definitions, 60_000, [made], seasons=kept) if m == made)
    assert same.rule is made.rule, "what did not change keeps its state"


def test_a_season_is_of_what_it_was_found_for() -> None:
    """Another expression, or another clock, has another season."""
    found = looked_for([detector()], {}, Past(6), NOW_MS)
    for other in (
        replace(detector(), expr="name,visits,:eq,:sum"),
        detector("  zone: Europe/Berlin\n"),
        detector("  period_steps: 10\n"),
    ):
        made = rules_of({DetectorRule.kind: [other]}, 60_000, seasons=found)
        (rule,) = (m for m in made if m.kind == DetectorRule.kind)
        assert rule.definition.parameters == other.parameters


def test_a_season_is_not_given_up_for_a_quiet_week() -> None:
    """A holiday would throw away what years have taught."""
    known = looked_for([detector()], {}, Past(6), NOW_MS)
    for missed in (1, 2):
        known = looked_for([detector()], known, Past(6, flat=True), NOW_MS)
        assert (known["orders"].hours, known["orders"].missed) == (24, missed)
    assert looked_for([detector()], known, Past(6), NOW_MS)["orders"].missed == 0
    known = looked_for([detector()], known, Past(6, flat=True), NOW_MS)
    assert known["orders"].hours == 0


def test_what_can_not_be_read_changes_nothing(tmp_path: Path) -> None:
    """A failing disk must not turn a seasonal detector into one that pages every night."""
    known = looked_for([detector()], {}, Past(6), NOW_MS)
    assert looked_for([detector()], known, Past(6, fails=True), NOW_MS) == known
    (tmp_path / "seasons.json").write_text('{"orders": {"hours": 24}}')
    assert kept_seasons(tmp_path) == {}
    assert kept_seasons(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("  zone: Mars/X\n", "IANA time zone"),
        ("  period_steps: 1\n", "at least 2, or 0"),
    ],
)
def test_a_slip_in_the_season_is_told(spec: str, words: str) -> None:
    """A zone that nobody knows would silently be another clock."""
    with pytest.raises(DocumentError, match=words):
        detector(spec)
    with pytest.raises(DocumentError, match="not heeded by level"):
        read_rules(
            DOCUMENT.replace("detector: seasonal", "detector: level\n  zone: UTC"), file="x.yaml"
        )


def test_a_zone_s_clock_is_followed_over_its_changes() -> None:
    """Twice a year what people do at nine would be judged by what they do at eight."""
    hour = SeasonalParameters(period_steps=24, zone="Europe/Berlin", step_s=3_600, min_steps=4)
    steps = np.arange(24 * 20)
    first = 1_774_738_800 // 3_600 - 24 * 10  # ten days before the clocks go ahead
    local = (steps + first + 1 + (steps >= 24 * 10 + 2)) % 24
    values = np.where(local == 9, 100.0, 10.0)[:, np.newaxis] + np.sin(steps)[:, np.newaxis] * 0.1
    from anomaly.detectors.registry import detectors

    scores = (
        detectors()["seasonal"]
        .make(replace(hour, zone="Europe/Berlin"))
        .observe_steps(values, first)
    )
    late = scores.expected[24 * 11 :, 0]
    assert np.abs(late - values[24 * 11 :, 0]).max() < 5
