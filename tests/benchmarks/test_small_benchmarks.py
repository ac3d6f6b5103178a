"""The benchmarks measure what they say: at a small size they run, and their answers are sound."""

from __future__ import annotations

import io
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anomaly.detectors.registry import detectors
from benchmarks.campaign import incidents
from benchmarks.detection import measure as detection
from benchmarks.logs import measure as logs
from benchmarks.patterns import measure as patterns
from benchmarks.pictures.picture import MAX_BYTES, small_enough
from benchmarks.rules.measure import measure
from benchmarks.rules.workload import Platform
from collectors.stacklang.evaluation.batch import parse


def test_the_standing_expressions_are_distinct_programs_that_share_data() -> None:
    """Otherwise the benchmark would measure one cached program."""
    programs = Platform().programs()
    assert len(set(programs)) == 1_000
    data = [expr for p in programs for style in parse(p) for expr in style.expr.data_exprs]
    assert 300 < len(set(data)) < 0.6 * len(data)
    for word in (":rolling-sum", ":des", ":offset", ":percentiles", ":by", ":gt"):
        assert any(word in program for program in programs)


def test_series_are_distinct_and_new_ones_are_new() -> None:
    """Otherwise churn would be measured without any."""
    platform = Platform(series=5_000, services=3)
    known = {tuple(sorted(tags.items())) for tags in platform.tags()}
    fresh = {tuple(sorted(tags.items())) for tags in platform.fresh(50, 1)}
    assert (len(known), len(fresh)) == (5_000, 50)
    assert not known & fresh


def test_patterns_find_what_pythons_engine_finds() -> None:
    """Otherwise the speed of a wrong answer would be measured."""
    texts = patterns.values_of_a_key(500)
    for scan in patterns.scans(500, 1):
        assert scan.found == sum(re.match(scan.pattern, text) is not None for text in texts)
        assert scan.ours_ms > 0
    assert set(patterns.hostile(1)) == set(patterns.HOSTILE)


def test_a_step_of_rules_is_measured(tmp_path: Path) -> None:
    """Otherwise the figures would be those of rules that fail."""
    platform = Platform(series=2_000, expressions=60, services=3)
    figures = measure(platform, tmp_path, steady=2, churn=1, share=0.01)
    assert figures.faults == 0
    assert figures.lines > 60
    assert (len(figures.steady_s), len(figures.churn_s)) == (3, 1)
    assert all(seconds > 0 for seconds in figures.steady_s + figures.churn_s)


def test_log_records_are_measured(tmp_path: Path) -> None:
    """Otherwise a search that finds nothing would be called quick."""
    figures = logs.measured(2_000, tmp_path, history_lines=2_000)
    assert figures["lines"] == 2_000
    assert all(value > 0 for value in figures.values())


@pytest.mark.parametrize("name", sorted(detectors()))
def test_a_step_of_detection_is_measured_and_the_fault_is_found(name: str) -> None:
    """Otherwise the figures would be those of a detector that sees nothing."""
    trial = {**asdict(detectors()[name].trial), "false_alarms_per_week": 1_000.0}
    figures = detection.measure(name, series=2_000, steps=4, share=0.1, settings=trial)
    assert len(figures.usual_s) == 4
    assert 5 <= figures.anomalous <= 210


def test_a_campaign_gives_the_same_commands_again() -> None:
    """An illegal state that can't be reached again can't be mended."""
    told: list[str] = []
    first = incidents.run(1_000, 7, told.append)
    assert first == incidents.run(1_000, 7, told.append)
    assert sum(first.values()) - first["refused"] >= 1_000
    assert {"MergeInto", "SplitOff", "Decline", "CorrectMilestone"} <= set(first)


def test_pictures_of_pages_are_small() -> None:
    """Otherwise everybody who clones the project carries megabytes of noise."""
    noise = np.random.default_rng(1).integers(0, 256, (200, 400, 3), dtype=np.uint8)
    told = io.BytesIO()
    Image.fromarray(noise).save(told, "PNG")
    packed = small_enough(told.getvalue())
    assert (len(told.getvalue()) > MAX_BYTES, len(packed) <= MAX_BYTES) == (True, True)
    assert Image.open(io.BytesIO(packed)).size == (400, 200)
