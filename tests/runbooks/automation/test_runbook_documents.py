"""Runbooks: which one is proposed and why, and what is wrong with a broken one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from anomaly.findings import FindingKind
from collectors.errors import ConfigError, DocumentError
from runbooks.automation.loading import BUILT_IN, load_library, load_runbook
from runbooks.automation.matching import propose
from runbooks.automation.runbook import Runbook, StepKind
from tests.runbooks.room import MakeFinding

ANOMALY = {
    "rule": "detector/sps-by-region",
    "kind": FindingKind.ANOMALY,
    "title": "Stream starts per second down in us-east-1",
    "expression": "name,stream.starts,:eq,:sum",
    "baseline": 100.0,
}
REQUESTS = ANOMALY | {
    "title": "Requests per second down in us-east-1",
    "expression": "name,shop.requests,:eq,:sum",
}
PROPOSALS = [
    ({}, "playback-start-errors"),
    (
        {
            "rule": "slo/gateway-latency/fast",
            "title": "Gateway slow",
            "expression": "name,gateway.requests,:eq,:sum",
        },
        "dependency-latency",
    ),
    (ANOMALY | {"observed": 20.0}, "playback-start-errors"),
    (REQUESTS | {"observed": 2.0}, "region-loss"),
    (REQUESTS | {"observed": 20.0}, None),
    ({"rule": "slo/x", "kind": FindingKind.NO_DATA, "scope": {}}, "metric-stopped"),
    ({"rule": "slo/x", "kind": FindingKind.NO_DATA}, "region-loss"),
    (
        {
            "rule": "detector/x",
            "kind": FindingKind.ANOMALY,
            "title": "odd",
            "expression": "x",
        },
        None,
    ),
]


@pytest.mark.parametrize(("changes", "name"), PROPOSALS)
def test_proposals(
    library: tuple[Runbook, ...],
    make_finding: MakeFinding,
    changes: dict[str, Any],
    name: str | None,
) -> None:
    """The most specific match is proposed, and says what it matched."""
    finding = make_finding(**changes)
    proposal = propose(library, [finding])
    assert (proposal and proposal.runbook.name) == name
    assert proposal is None or f"“{finding.subject or finding.title}”" in proposal.why


def test_built_in_library() -> None:
    """At least four, each with something to look at, approvals, and a check of the recovery."""
    library = load_library(BUILT_IN)
    assert len(library) >= 4
    for runbook in library:
        kinds = {step.kind for step in runbook.steps}
        assert {StepKind.QUERY, StepKind.APPROVAL} <= kinds, runbook.name
        assert runbook.steps[-1].id == "confirm-recovery"


GOOD = """
name: my-runbook
title: Mine
applies_to: [{rule: "slo/*"}]
steps:
- {id: look, title: Look, kind: manual, detail: With both eyes.}
"""
BROKEN = {
    "kind": ("kind: manual", "kind: magic", "steps[0].kind", "must be one of manual, query"),
    "query": ("kind: manual", "kind: query", "steps[0].query", "needs a query"),
    "command": ("kind: manual", "kind: command", "steps[0].command", "needs a command"),
    "unknown field": ("detail:", "details:", "steps[0].details", "unknown field"),
    "name": ("my-runbook", "My Runbook", "name", "lower-case"),
    "step id": ("id: look", "id: Look!", "steps[0].id", "lower-case"),
    "no title": ("title: Mine\n", "", "title", "is required"),
    "matches all": ('{rule: "slo/*"}', "{}", "applies_to[0]", "would match everything"),
    "nothing": ('[{rule: "slo/*"}]', "[]", "applies_to", "nothing"),
    "finding kind": (
        '{rule: "slo/*"}',
        "{kind: flu}",
        "applies_to[0].kind",
        "must be one of slo_burn",
    ),
    "share": ('"slo/*"', '"slo/*", lost_share: 7', "applies_to[0].lost_share", "at most 1"),
    "share in words": ('"slo/*"', '"x", lost_share: much', "applies_to[0].lost_share", "number"),
    "same id": (
        "steps:\n",
        "steps:\n- {id: look, title: A, kind: manual}\n",
        "steps[1].id",
        "two steps",
    ),
    "no steps": ("steps:\n- {id: look", "steps: []\n# - {id: look", "steps", "0 steps"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_runbooks(tmp_path: Path, name: str) -> None:
    """File, line and field of the mistake."""
    right, wrong, field, message = BROKEN[name]
    assert right in GOOD
    path = tmp_path / "broken.yaml"
    path.write_text(GOOD.replace(right, wrong))
    with pytest.raises(DocumentError, match=message) as caught:
        load_runbook(path)
    assert caught.value.field == field
    assert caught.value.line > 1


def test_own_runbooks_replace_built_in_ones(tmp_path: Path) -> None:
    """A directory of the operator's wins by name; one that isn't there is passed over."""
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("Mine", "Ours"))
    [runbook] = load_library(tmp_path, tmp_path / "absent")
    assert runbook.title == "Ours"
    assert runbook.file.endswith("b.yaml")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"a: &a [*a]", b"a: !!python/name:os.system x"]
)
def test_files_that_are_not_plain_yaml(tmp_path: Path, content: bytes) -> None:
    """Odd bytes, loops and tags are refused, not executed."""
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"odd\.yaml"):
        load_runbook(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The path and the system's reason."""
    with pytest.raises(DocumentError, match="No such file"):
        load_runbook(tmp_path / "absent.yaml")


def test_built_in_runbooks_know_nobodys_metrics() -> None:
    """What only one platform sends would leave everybody else with "not measured" at night."""
    asked = {
        name
        for runbook in load_library(BUILT_IN)
        for step in (*runbook.diagnose, *runbook.steps)
        for name in re.findall(r"name,([^,]+),:eq", step.query)
    }
    assert asked <= {"http.server.request.duration", "http.client.request.duration"}
