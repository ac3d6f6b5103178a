"""Validation of files and directories: mistakes, what can't be evaluated here, and remarks."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.slo.documents.validating import validate
from collectors.documents.section import Context
from collectors.errors import ConfigError

SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: fast}
spec:
  thresholdMetric: {metricSource: {type: KIND, spec: {query: "name,latency,:eq,:max"}}}
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: speed}
spec:
  service: shop
  indicatorRef: fast
  timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}}]
  budgetingMethod: Timeslices
  objectives:
    - {target: TARGET, op: lte, value: 0.3, timeSliceTarget: 0.95, timeSliceWindow: 5m}
"""


def write(directory: Path, *, kind: str = "tocsin", target: str = "0.999") -> list[Path]:
    (directory / "sli.yaml").write_text(SLI.replace("KIND", kind))
    (directory / "slo.yaml").write_text(SLO.replace("TARGET", target))
    return [directory]


def test_files_refer_to_each_other(tmp_path: Path) -> None:
    """A team keeps its indicators in files of their own."""
    found = validate(write(tmp_path), Context(), 10_000)
    assert (found.problems, found.elsewhere, found.warnings) == ([], [], [])
    (objective,) = found.objectives
    assert objective.method == "Timeslices"
    assert objective.calendar is not None


def test_another_source_is_valid_and_not_for_here(tmp_path: Path) -> None:
    """Documents for another tool are no mistakes; that they do nothing here has to be said."""
    found = validate(write(tmp_path, kind="Datadog"), Context(), 10_000)
    assert not found.problems
    assert "can't be evaluated here: use type tocsin" in found.elsewhere[0].reason
    assert found.elsewhere[0].file.endswith("sli.yaml")


def test_a_tier_that_can_never_fire_is_told(tmp_path: Path) -> None:
    """At 80 % nobody would ever be paged, and nobody would know."""
    found = validate(write(tmp_path, target="0.8"), Context(), 10_000)
    told = [warning.reason for warning in found.warnings]
    assert [words.split()[0] for words in told] == ["page-fast", "page-slow"]
    assert "it takes a target above 93.1 %" in told[0]


def test_a_mistake_has_its_place_and_hides_no_other(tmp_path: Path) -> None:
    """A reference into a file with a mistake is not a second mistake."""
    write(tmp_path)
    (tmp_path / "sli.yaml").write_text(SLI.replace("thresholdMetric", "tresholdMetric"))
    found = validate([tmp_path], Context(), 10_000)
    assert {(p.line, p.field) for p in found.problems} >= {(5, "spec.tresholdMetric")}
    assert all("indicatorRef" not in p.reason for p in found.problems)


def test_an_empty_directory_is_said(tmp_path: Path) -> None:
    """A slip in a path would otherwise be "valid"."""
    with pytest.raises(ConfigError, match="holds no"):
        validate([tmp_path], Context(), 10_000)
