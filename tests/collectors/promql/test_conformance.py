"""What Prometheus itself answers, file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conformance.promql_suite import cases_directory, run_file
from benchmarks.conformance.runner import main

FILES = sorted(cases_directory().glob("*.test"))

SCRIPT = """
load 1m
  up{job="a"} 0+1x3

eval instant at 2m up
  up{job="a"} 2

eval instant at 2m sum(up)
  {} 5

clear

eval instant at 0 1 +
  1
"""


@pytest.mark.skipif(not FILES, reason=f"no cases in {cases_directory()}; set TOCSIN_SHARED")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_evaluation_of_a_file(path: Path) -> None:
    """A dashboard would show other values, or lack a warning, than it does on Prometheus."""
    report = run_file(path)
    assert report["failures"] == []
    assert report["passed"] > 0
    assert set(report["skipped"]) <= {"native histograms are not kept"}


def test_a_difference_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong answer would pass for a right one."""
    (tmp_path / "one.test").write_text(SCRIPT, encoding="utf-8")
    assert main(["promql", "--dir", str(tmp_path), "--json"]) == 1
    report = capsys.readouterr().out
    assert '"passed": 1' in report
    assert "expected 5.0, got 2.0" in report
    assert "not parsed" in report


def test_missing_cases_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody would know how to give them."""
    assert main(["promql", "--dir", str(tmp_path)]) == 2
    assert "set TOCSIN_SHARED" in capsys.readouterr().err
