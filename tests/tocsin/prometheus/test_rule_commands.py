"""``tocsin rules`` and ``tocsin import prometheus`` in a terminal."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from tests.tocsin.client.test_shapes import differences
from tests.tocsin.prometheus.test_rules_in_force import opened, queue
from tocsin.cli import group
from tocsin.client.rule_shapes import PrometheusRuleRow
from tocsin.configuration.checks import checked_configuration

DATA = Path(__file__).parents[2] / "anomaly" / "prometheus_rules" / "data"

PROMETHEUS = """
global:
  scrape_interval: 15s
  evaluation_interval: 30s
  external_labels: {region: eu}
rule_files: ['rules/*.rules', missing/*.yml]
alerting:
  alertmanagers:
  - static_configs: [{targets: ['am:9093']}]
remote_write: [{url: 'http://elsewhere/write'}]
scrape_configs:
- job_name: shop
  metrics_path: /m
  honor_labels: true
  static_configs:
  - targets: ['shop:8080']
    labels: {team: shop}
  relabel_configs:
  - {source_labels: [__address__], regex: '(.*):\\d+', target_label: host, replacement: '$1'}
  basic_auth: {username: a, password: b}
- job_name: files
  file_sd_configs: [{files: ['targets/*.json']}]
- job_name: pods
  kubernetes_sd_configs: [{role: pod}]
- job_name: odd
  static_configs: [{targets: ['http://not/an/address']}]
"""


def run(*words: str) -> Result:
    """A command and what it says."""
    return CliRunner().invoke(group, [*words])


def test_rules_are_listed(tmp_path: Path) -> None:
    """Nobody would see from a terminal which rule is sick."""
    with opened(tmp_path) as server:
        server.run(2, queue(20.0))
        listed = run("rules", "list", "--api-url", server.api.base_url)
        as_json = run("rules", "list", "QueueLong", "--api-url", server.api.base_url, "--json")
    assert listed.exit_code == 0
    assert "job:queue:sum" in listed.output
    (row,) = orjson.loads(as_json.output)
    assert [*differences(PrometheusRuleRow, row)] == []
    assert (row["state"], row["health"], row["pending"]) == ("pending", "ok", 1)


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("groups: []", 0, "0 rules: valid"),
        ("groups:\n- name: a\n  rules: [{record: x, expr: 'sum('}]", 3, "is no PromQL"),
    ],
)
def test_rule_files_are_validated(tmp_path: Path, text: str, code: int, told: str) -> None:
    """A pipeline would let a wrong rule file through."""
    path = tmp_path / "rules.yml"
    path.write_text(text)
    result = run("rules", "validate", str(path))
    assert result.exit_code == code
    assert told in result.output
    body = orjson.loads(run("rules", "validate", str(path), "--json").output)
    assert body["ok"] is (code == 0)


def test_rules_are_tried(tmp_path: Path) -> None:
    """A pipeline would not notice that an alert does not fire any more."""
    fine = run("rules", "test", str(DATA / "mixins.test.yaml"))
    assert (fine.exit_code, "11 expectations met" in fine.output) == (0, True)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "rule_files: [nothing*.yml]\ntests:\n- promql_expr_test: [{expr: vector(1)}]\n"
    )
    result = run("rules", "test", str(wrong))
    assert result.exit_code == 3
    assert "no file matches nothing*.yml" in result.output
    assert "expected: none" in result.output
    assert orjson.loads(run("rules", "test", str(wrong), "--json").output)["ok"] is False


def test_a_prometheus_is_taken_over(tmp_path: Path) -> None:
    """A team would not learn which of its targets nobody scrapes any more."""
    (tmp_path / "rules").mkdir()
    rules = "groups:\n- name: g\n  rules: [{alert: A, expr: up == 0}]\n"
    (tmp_path / "rules" / "a.rules").write_text(rules)
    (tmp_path / "rules" / "b.rules").write_text("groups: [{name: g, rules: [{alert: A}]}]\n")
    path, into = tmp_path / "prometheus.yml", tmp_path / "ops"
    path.write_text(PROMETHEUS)
    result = run("import", "prometheus", str(path), "--out", str(into), "--json")
    assert result.exit_code == 0, result.output
    found = orjson.loads(result.output)
    assert found["jobs"] == ["shop", "files"]
    assert found["written"] == ["scrape.yaml", "prometheus-rules/a.rules.yml"]
    lost = "\n".join(found["lost"])
    for word in (
        *("alerting", "remote_write", "external_labels", "evaluation_interval", "basic_auth"),
        *("kubernetes_sd_configs", "job 'pods' has no targets", "job 'odd' is left out"),
        *("no file matches 'missing/*.yml'", "b.rules"),
    ):
        assert word in lost
    read = checked_configuration(into)
    assert read.scrape is not None
    shop, files = read.scrape.jobs
    assert (shop.interval_ms, shop.metrics_path, shop.honor_labels) == (15_000, "/m", True)
    assert shop.relabel[0].target_label == "host"
    assert files.files[0].files == (str(tmp_path / "targets" / "*.json"),)
    assert [one.name for one in read.definitions["prometheus-rules"]] == ["a.rules.yml/g"]
    again = run("import", "prometheus", str(path), "--out", str(into))
    assert "is there already and is left alone" in again.output


def test_what_is_odd_in_a_prometheus_costs_nothing_beside_it(tmp_path: Path) -> None:
    """One slip would end the import, or a rule file take the place of another, or count twice."""
    for place in ("a/x", "b/x", "c/x"):
        (tmp_path / place).mkdir(parents=True)
        rules = f"groups:\n- name: {place}\n  rules: [{{alert: A, expr: up == 0}}]\n"
        (tmp_path / place / "same.yml").write_text(rules)
    path, into = tmp_path / "prometheus.yml", tmp_path / "ops"
    path.write_text(
        """
rule_files: ['*/x/*.yml', a/x/same.yml, 'a/**wrong']
scrape_configs:
- {job_name: one, static_configs: [{targets: ['a:1']}]}
- {job_name: one, static_configs: [{targets: ['b:1']}]}
- {job_name: two, file_sd_configs: [oops]}
- {job_name: three, file_sd_configs: [{files: oops}], authorization: oops}
"""
    )
    result = run("import", "prometheus", str(path), "--out", str(into), "--json")
    assert result.exit_code == 0, result.output
    found = orjson.loads(result.output)
    assert (found["jobs"], found["groups"]) == (["one"], 3)
    lost = "\n".join(found["lost"])
    for word in ("its name is taken", "job 'two' is left out", "job 'three'", "'a/**wrong'"):
        assert word in lost
    read = checked_configuration(into)
    groups = [one.group for one in read.definitions["prometheus-rules"]]
    assert sorted(groups) == ["a/x", "b/x", "c/x"]
