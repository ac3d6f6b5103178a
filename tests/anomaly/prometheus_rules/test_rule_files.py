"""Rule files and their unit tests mean what they mean to ``promtool``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from anomaly.prometheus_rules.group import AlertingRule
from anomaly.prometheus_rules.loading import load_file
from anomaly.prometheus_rules.unit_tests.running import run_file
from collectors.errors import DocumentError

DATA = Path(__file__).with_name("data")
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")

RULES = """
groups:
- name: g
  rules:
  - record: job:x:sum
    expr: sum by (job) (x)
  - alert: High
    expr: job:x:sum > 5
    for: 2m
    keep_firing_for: 1m
    labels: {severity: page, at: '{{ $externalLabels.region }}'}
    annotations: {summary: '{{ $labels.job }} at {{ $value }}, {{ query "x" | len }} series'}
  - alert: Gone
    expr: absent(x)
"""
TESTS = """
rule_files: [rules.yml]
evaluation_interval: EVERY
tests:
- interval: 1m
  external_labels: {region: eu}
  input_series:
  - {series: 'x{job="a"}', values: VALUES}
  alert_rule_test:
  - eval_time: 5m
    alertname: High
    exp_alerts:
    - exp_labels: {severity: page, job: a, at: eu}
      exp_annotations: {summary: 'SUMMARY'}
  - {eval_time: 0m, alertname: Gone}
  promql_expr_test:
  - expr: EXPR
    eval_time: 4m
    exp_samples: [{labels: 'job:x:sum{job="a"}', value: 9}]
"""
# What stands for what, and whether all is as expected then.
CASES: tuple[tuple[dict[str, str], bool], ...] = (
    ({}, True),
    ({"VALUES": "1+2x8"}, False),
    ({"VALUES": "9x10", "EXPR": "job:x:sum > 3"}, True),
    ({"VALUES": "9 9 9 9 9 9"}, True),
    ({"VALUES": "9 9 9 9 9 1"}, True),  # kept firing
    ({"VALUES": "9 9 9 9 9 stale"}, True),  # kept, and says what it said
    ({"VALUES": "9 9 9 9 _ _"}, True),
    ({"VALUES": "9x10", "SUMMARY": "something else"}, False),
    ({"VALUES": "9x10", "EVERY": "30s"}, True),
    ({"VALUES": "9x10", "EVERY": "2m"}, True),
    ({"VALUES": "9x10", "EXPR": "sum(x)"}, False),
    ({"VALUES": "9x10", "EXPR": "time()"}, False),
    ({"VALUES": "9x10", "EXPR": "x[5m]"}, False),
    ({"VALUES": "9x10", "EXPR": "sum(("}, False),
    ({"VALUES": "_ 9x10"}, False),
)
GIVEN = {
    "VALUES": "9x10",
    "SUMMARY": "a at 9, 1 series",
    "EXPR": "job:x:sum",
    "EVERY": "1m",
}


def written(directory: Path, changes: dict[str, str]) -> Path:
    """A file of tests with its rules."""
    (directory / "rules.yml").write_text(RULES)
    text = TESTS
    for word, instead in {**GIVEN, **changes}.items():
        text = text.replace(word, instead)
    path = directory / "tests.yml"
    path.write_text(text)
    return path


def test_rule_files_of_well_known_kinds_load_and_work() -> None:
    """The rules that a team has would not work here as they are."""
    groups = [
        group
        for name in ("kubernetes.rules.yaml", "node.rules.yaml", "slo.rules.yaml", "resource.yaml")
        for group in load_file(DATA / name)
    ]
    assert len(groups) == 10
    assert sum(isinstance(rule, AlertingRule) for group in groups for rule in group.rules) == 12
    verdict = run_file(DATA / "mixins.test.yaml")
    assert verdict.failures == ()
    assert verdict.tests == 11


@needs_promtool
def test_promtool_agrees_about_these_files() -> None:
    """Files that we call rule files would be none to Prometheus."""
    assert PROMTOOL is not None
    files = [str(path) for path in sorted(DATA.glob("*.rules.yaml"))]
    checked = subprocess.run([PROMTOOL, "check", "rules", *files], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    tests = str(DATA / "mixins.test.yaml")
    tried = subprocess.run([PROMTOOL, "test", "rules", tests], capture_output=True, check=False)
    assert tried.returncode == 0, tried.stderr


@pytest.mark.parametrize(("changes", "passes"), CASES)
def test_unit_tests_of_rules_have_their_verdict(
    tmp_path: Path, changes: dict[str, str], passes: bool
) -> None:
    """A test that guards a rule would pass, or fail, for another reason than its writer's."""
    verdict = run_file(written(tmp_path, changes))
    assert (not verdict.failures) is passes, verdict.failures
    if PROMTOOL is not None:
        path = str(tmp_path / "tests.yml")
        theirs = subprocess.run([PROMTOOL, "test", "rules", path], capture_output=True, check=False)
        assert (theirs.returncode == 0) is passes, theirs.stderr


def test_what_newer_promtools_know_is_known(tmp_path: Path) -> None:
    """Files that were written for a newer Prometheus would be refused."""
    path = written(tmp_path, {})
    text = path.read_text()
    text = text.replace("rule_files", "fuzzy_compare: true\nrule_files")
    text = text.replace("- interval: 1m", "- interval: 1m\n  start_timestamp: 2024-01-01T00:00:00Z")
    path.write_text(text.replace("value: 9}", "value: 9.000000000000002}"))
    assert run_file(path).failures == ()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("record: job:x:sum", "record: 'a b'"), "no name for a metric"),
        (("expr: absent(x)", "expr: absent(x"), "is no PromQL"),
        (("'{{ $externalLabels.region }}'", "'{{ nope }}'"), "is no template"),
        (("for: 2m", "for: soon"), "must be a duration"),
        (("- alert: Gone", "- alert: Gone\n    record: too"), "either record or alert"),
        (("expr: sum by (job) (x)", "expr: sum(x)\n    for: 1m"), "for alerts only"),
        (("- name: g", "- name: g\n  rulez: []"), "unknown field"),
        (("{severity: page,", "{__name__: page,"), "no name for a label"),
    ],
)
def test_mistakes_are_told_with_their_place(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    """Who wrote a wrong file would not find what is wrong, or never learn of it."""
    path = tmp_path / "rules.yml"
    path.write_text(RULES.replace(*change))
    with pytest.raises(DocumentError, match=told) as raised:
        load_file(path)
    assert all(error.line > 0 for error in raised.value.each())
    if PROMTOOL is not None and "nope" not in change[1]:
        checked = subprocess.run(
            [PROMTOOL, "check", "rules", str(path)], capture_output=True, check=False
        )
        assert checked.returncode != 0
