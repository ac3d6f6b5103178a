"""What Atlas itself answers, case by case."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conformance.comparing import Case
from benchmarks.conformance.runner import KINDS, cases_file, check, main, read_cases

CASES_FILE = cases_file("atlas")
# Drawn by another room; the whole set is run by scripts/conformance.
SLOW_KINDS = {"graph_uri"}
KNOWN = {
    # The suite it was taken from has this line commented out; the next one contradicts it.
    664,
}
NOT_OURS = {
    # Replaced in Atlas itself by the rolling functions, which are there.
    "DedupValueFunction",
}

pytestmark = pytest.mark.skipif(
    not CASES_FILE.is_file(), reason=f"no cases at {CASES_FILE}; set TOCSIN_SHARED"
)


def cases(kind: str) -> list[Case]:
    return [
        case
        for case in read_cases(CASES_FILE)
        if case["kind"] == kind and case["id"] not in KNOWN and case.get("function") not in NOT_OURS
    ]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - SLOW_KINDS))
def test_every_case_of_a_kind(kind: str) -> None:
    """Each difference is named with its case."""
    problems = {
        f"{case['id']} {case.get('expr') or case.get('uri')}": problem
        for case in cases(kind)
        if (problem := check(case)) is not None
    }
    assert problems == {}


@pytest.mark.slow
def test_graphs_are_drawn() -> None:
    """One in ten, to keep the suite short."""
    problems = {case["uri"]: check(case) for case in cases("graph_uri")[::10]}
    assert {uri: problem for uri, problem in problems.items() if problem} == {}


def test_a_difference_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command fails, counts by kind and says what differs."""
    file = tmp_path / "cases.jsonl"
    file.write_text(
        '{"id": 1, "kind": "escape", "input": "a", "expected": "b"}\n'
        '{"id": 2, "kind": "escape", "input": "a", "expected": "a"}\n'
        '{"id": 3, "kind": "nonsense"}\n',
        encoding="utf-8",
    )
    assert main(["atlas", "--cases", str(file), "--json"]) == 1
    report = capsys.readouterr().out
    assert '"passed": 1' in report
    assert "'a' instead of 'b'" in report
    assert "kind 'nonsense' is not known" in report


def test_missing_cases_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And how to give them."""
    assert main(["atlas", "--cases", str(tmp_path / "none.jsonl")]) == 2
    assert "set TOCSIN_SHARED" in capsys.readouterr().err
