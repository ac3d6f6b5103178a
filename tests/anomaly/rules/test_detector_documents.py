"""Detector rules as YAML: read exactly, refused with a place."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.detectors.counts import CountsParameters
from anomaly.detectors.detector import Direction
from anomaly.findings import Urgency
from anomaly.rules.detector_reader import read_rules
from anomaly.rules.loading import load_detectors, load_objectives
from anomaly.slo.documents.validating import dead_tiers
from collectors.errors import ConfigError, DocumentError, DocumentErrors
from demo_stack.world.layout import Service

GOOD = """\
apiVersion: tocsin/v1
kind: Detector
metadata:
  name: sps
spec:
  expr: name,sps,:eq,:sum
  group_by: [cloud.region]
  detector: counts
  direction: low
  urgency: page
"""

MISTAKES = [
    ("detector: counts", "detector: magic", 8, "spec.detector", "one of change, combined, counts"),
    (
        "detector: counts",
        "detector: seasonal\n  period_steps: 1",
        9,
        "spec.period_steps",
        "at least 2, or 0",
    ),
    ("direction: low", "direction: down", 9, "spec.direction", "one of low, high, both"),
    ("direction: low", "direction: both", 9, "spec.direction", "two rules"),
    ("direction: low", "direction: high", 6, "spec.change_to", "above 1 for high"),
    ("urgency: page", "urgency: pgae", 10, "spec.urgency", "one of page, ticket, info"),
    ("urgency: page", "min_steps: 1", 10, "spec.min_steps", "from 2 to 100000"),
    ("urgency: page", "min_steps: 2.5", 10, "spec.min_steps", "whole number"),
    ("urgency: page", "threshold: 4", 10, "spec.threshold", "not a setting of counts; it has"),
    ("urgency: page", "min_stps: 5", 10, "spec.min_stps", "did you mean 'min_steps'"),
    ("expr: name,sps,:eq,:sum", "expr: ''", 6, "spec.expr", "must not be empty"),
    ("[cloud.region]", "cloud.region", 7, "spec.group_by", "must be a list"),
    ("kind: Detector", "kind: Detective", 2, "kind", "must be Detector, got"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "words"), MISTAKES)
def test_mistake_has_its_place(old: str, new: str, line: int, field: str, words: str) -> None:
    """Otherwise an author would search the whole file for one word."""
    with pytest.raises(DocumentError) as caught:
        read_rules(GOOD.replace(old, new), file="d.yaml")
    assert words in caught.value.reason
    assert (caught.value.line, caught.value.field) == (line, field)


def test_good_rule_is_read() -> None:
    """What a document leaves out has its default."""
    (rule,) = read_rules(GOOD, file="d.yaml")
    assert rule.expr == "name,sps,:eq,:sum,(,cloud.region,),:by"
    assert rule.urgency is Urgency.PAGE
    assert rule.when_missing is Urgency.TICKET
    assert rule.parameters == CountsParameters(direction=Direction.LOW)


def test_shipped_rules_and_objectives_are_valid() -> None:
    """What the demo platform's team wrote loads, and no tier of it is unreachable."""
    ops = Path(__file__).parents[3] / "demo_stack" / "ops"
    objectives = load_objectives(ops / "slos")
    assert {o.name for o in objectives if o.wakes} == {
        "playback-start-availability",
        "gateway-latency",
    }
    assert {o.service for o in objectives} == {*Service} - {Service.VIEWERS, Service.ENCODER}
    assert not [why for o in objectives for why in dead_tiers(o, 5_000)]
    named = {path.stem for path in (ops / "detectors").glob("*.yaml")}
    assert {r.name for r in load_detectors(ops / "detectors")} == named >= {"sps-by-region"}


def test_every_file_is_checked(tmp_path: Path) -> None:
    """One bad file does not hide the next; a missing directory is simply empty."""
    (tmp_path / "a.yaml").write_text(GOOD.replace("low", "down"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text("kind: [", encoding="utf-8")
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "notes.txt").write_text("not ours", encoding="utf-8")
    with pytest.raises(DocumentErrors) as caught:
        load_detectors(tmp_path)
    assert [Path(e.file).name for e in caught.value.each()] == ["a.yaml", "b.yaml", "c.yaml"]
    assert load_detectors(tmp_path / "none") == ()


def test_names_are_unique_over_files(tmp_path: Path) -> None:
    """Otherwise two rules would share their findings."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"'sps' is taken by .*a\.yaml:1"):
        load_detectors(tmp_path)
