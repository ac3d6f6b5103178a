"""Rule files of Prometheus in a whole server: alerts, series, findings, restarts, reloads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from collectors.model import Batch
from collectors.promql.evaluation.query import instant
from collectors.promql.vectors.values import Vector
from tocsin.settings import load_settings
from tocsin.testing import LocalTocsin, local_tocsin

RULES = """
groups:
- name: shop
  labels: {team: shop}
  rules:
  - record: job:queue:sum
    expr: sum by (job) (queue)
  - alert: QueueLong
    expr: job:queue:sum > 10
    for: 30s
    labels: {severity: page}
    annotations:
      summary: 'Queue of {{ $labels.job }} holds {{ $value | humanize }}'
      description: 'Look.'
      runbook_url: https://runbooks.example/queue
  - alert: Watchdog
    expr: vector(1)
    labels: {severity: none}
"""

ALL = ("job:queue:sum", "QueueLong", "Watchdog")


@contextmanager
def opened(directory: Path, rules: str | None = RULES) -> Iterator[LocalTocsin]:
    """A server whose data outlive it."""
    config = directory / "config" / "prometheus-rules"
    config.mkdir(parents=True, exist_ok=True)
    if rules is not None:
        (config / "shop.yml").write_text(rules)
    settings = load_settings(
        {
            "data_dir": str(directory / "data"),
            "config_dir": str(directory / "config"),
            "step": "10s",
        }
    )
    with local_tocsin(settings) as server:
        yield server


def queue(value: float, job: str = "tills") -> Callable[[int], Batch]:
    """A gauge that shows ``value``."""

    def at(time_ms: int) -> Batch:
        tags = {"name": "queue", "job": job, "atlas.dstype": "gauge"}
        return Batch(
            series=[tags],
            series_index=np.zeros(1, dtype=np.int32),
            time_ms=np.array([time_ms], dtype=np.int64),
            value=np.array([value]),
        )

    return at


def asked(server: LocalTocsin, expr: str) -> dict[str, float]:
    """What an expression has now, by its labels."""
    value = instant(expr, server.collectors.metrics.samples(), server.now_ms).value
    assert isinstance(value, Vector)
    rows = zip(value.labels.dicts(), value.values[:, 0].tolist(), strict=True)
    return {str(sorted(labels.items())): number for labels, number in rows}


def told(server: LocalTocsin, path: str, **params: str) -> Any:
    """What Prometheus's API answers."""
    answer = httpx2.get(
        f"{server.api.base_url}/api/v1/{path}", params=params, trust_env=False, timeout=60
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def states(server: LocalTocsin) -> dict[str, str]:
    """How each alerting rule is."""
    rules = [rule for group in told(server, "rules")["groups"] for rule in group["rules"]]
    return {rule["name"]: rule["state"] for rule in rules if rule["type"] == "alerting"}


def test_an_alert_fires_and_ends_with_all_that_tells_of_it(tmp_path: Path) -> None:
    """A team that brings its rule file would not be paged, or not know why."""
    with opened(tmp_path) as server:
        server.run(3, queue(20.0))
        assert states(server) == {"QueueLong": "pending", "Watchdog": "firing"}
        assert [f.rule for f in server.engine.findings()] == ["Watchdog"]
        server.run(3, queue(20.0))
        (finding,) = [f for f in server.engine.findings() if f.rule == "QueueLong"]
        assert finding.urgency == "page"
        assert finding.title == "Queue of tills holds 20"
        assert "Look." in finding.explanation
        assert "https://runbooks.example/queue" in finding.explanation
        assert finding.scope["team"] == "shop"
        assert finding.scope["service.name"] == "tills"
        recorded = asked(server, "job:queue:sum")
        assert list(recorded.values()) == [20.0]
        assert len(asked(server, 'ALERTS{alertname="QueueLong",alertstate="firing"}')) == 1
        assert len(asked(server, 'ALERTS{alertname="QueueLong",alertstate="pending"}')) == 0
        (since,) = asked(server, 'ALERTS_FOR_STATE{alertname="QueueLong"}').values()
        assert since == finding.started_ms / 1000
        (alert,) = [
            a for a in told(server, "alerts")["alerts"] if a["labels"]["alertname"] == "QueueLong"
        ]
        assert alert["state"] == "firing"
        assert alert["value"] == "2e+01"
        server.run(2, queue(3.0))
        assert states(server)["QueueLong"] == "inactive"
        (over,) = [f for f in server.engine.findings(resolved=True) if f.rule == "QueueLong"]
        assert over.state == "resolved"
        assert not over.given_up
        assert asked(server, 'ALERTS{alertname="QueueLong"}') == {}


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    """A restart would begin `for` anew, and close or repeat incidents."""
    with opened(tmp_path) as server:
        server.run(4, queue(20.0))
        before = told(server, "alerts")["alerts"]
        watchdog = [f.id for f in server.engine.findings()]
        steps = server.steps
    with opened(tmp_path) as server:
        server.steps = steps
        server.run(1, queue(20.0))
        after = told(server, "alerts")["alerts"]
        assert [a["activeAt"] for a in after] == [a["activeAt"] for a in before]
        assert [f.id for f in server.engine.findings()][: len(watchdog)] == watchdog
        assert states(server)["QueueLong"] == "firing"
        assert len(list(server.desk.ledger.incidents())) == 1


def test_evaluations_that_were_missed_are_made_up_for(tmp_path: Path) -> None:
    """What happened while the server was down, and was sent afterwards, would count for nothing."""
    with opened(tmp_path) as server:
        server.run(2, queue(20.0))
        steps = server.steps
    with opened(tmp_path) as server:
        server.steps = steps
        for missed in range(1, 6):
            time_ms = server.now_ms + missed * server.step_ms
            server.clock.advance_ms(time_ms - server.clock.passed_ms())
            server.collectors.metrics.write(queue(20.0)(time_ms))
        server.steps += 5
    with opened(tmp_path) as server:
        server.steps = steps + 5
        server.clock.advance_ms(server.now_ms - server.clock.passed_ms())
        server.run(1, queue(20.0))
        (finding,) = [f for f in server.engine.findings() if f.rule == "QueueLong"]
        began_ms = server.now_ms - 7 * server.step_ms
        assert finding.started_ms == began_ms
        assert finding.id.endswith(f"/{began_ms + 30_000}")


def test_what_is_not_measured_any_more_is_not_over(tmp_path: Path) -> None:
    """A sender that dies would close its own incident as if all were well."""
    with opened(tmp_path) as server:
        server.run(6, queue(20.0))
        server.run(45, queue(1.0, job="lifts"))
        assert states(server)["QueueLong"] == "inactive"
        (finding,) = [f for f in server.engine.findings() if f.rule == "QueueLong"]
        assert finding.state == "frozen"
        server.run(2, queue(2.0))
        (finding,) = [f for f in server.engine.findings(resolved=True) if f.rule == "QueueLong"]
        assert finding.state == "resolved"
        assert not finding.given_up


def test_a_rule_that_fails_says_so(tmp_path: Path) -> None:
    """A rule that can't be evaluated would look like one that has nothing to say."""
    rules = """
groups:
- name: broken
  rules:
  - alert: Twice
    expr: label_replace(queue, "job", "same", "", "")
  - record: works
    expr: sum(queue)
"""
    with opened(tmp_path, rules) as server:
        both = [queue(1.0, job="a"), queue(1.0, job="b")]
        for one in both:
            server.collectors.metrics.write(one(server.now_ms + server.step_ms))
        server.run(1)
        (group,) = told(server, "rules")["groups"]
        first, second = group["rules"]
        assert (first["health"], second["health"]) == ("err", "ok")
        assert "same labelset" in first["lastError"]
        (finding,) = server.engine.findings()
        assert finding.kind == "own_fault"
        assert "same labelset" in finding.explanation


def test_a_reload_keeps_what_did_not_change_and_ends_what_is_gone(tmp_path: Path) -> None:
    """Adding a rule would restart the others' `for`; a removed one would stay for ever."""
    with opened(tmp_path) as server:
        server.run(6, queue(20.0))
        (before,) = [f.id for f in server.engine.findings() if f.rule == "QueueLong"]
        path = tmp_path / "config" / "prometheus-rules" / "shop.yml"
        path.write_text(RULES.replace("Watchdog", "Another"))
        server.api.reload()
        server.run(1, queue(20.0))
        assert [f.id for f in server.engine.findings() if f.rule == "QueueLong"] == [before]
        assert states(server) == {"QueueLong": "firing", "Another": "firing"}
        assert asked(server, 'ALERTS{alertname="Watchdog"}') == {}
        path.write_text("groups:\n- name: shop\n  rules:\n  - alert: X\n    expr: sum(\n")
        answer = httpx2.post(f"{server.api.base_url}/api/v2/reload", trust_env=False, timeout=60)
        assert answer.status_code == 409
        assert "is no PromQL" in answer.text
        server.run(1, queue(20.0))
        assert states(server) == {"QueueLong": "firing", "Another": "firing"}


def test_selectors_that_never_matched_are_told(tmp_path: Path) -> None:
    """A slip in a metric's name would look like health for ever."""
    rules = """
groups:
- name: slip
  rules:
  - alert: Quiet
    expr: qeue > 10
  - alert: Fine
    expr: queue > 10
  - alert: Absent
    expr: absent(nothing)
"""
    with opened(tmp_path, rules) as server:
        server.run(70, queue(1.0))
        (finding,) = [f for f in server.engine.findings() if f.kind == "no_data"]
        assert "Quiet asks for qeue" in finding.explanation
        assert "Fine" not in finding.explanation
        assert "nothing" not in finding.explanation.replace("Nothing", "")


def test_groups_come_by_pages(tmp_path: Path) -> None:
    """Grafana's list of rules would end after its first page, or be refused."""
    groups = "".join(f"- name: g{at}\n  rules: [{{alert: A, expr: up}}]\n" for at in range(5))
    with opened(tmp_path, f"groups:\n{groups}") as server:
        names, params = [], {"group_limit": "2"}
        for _ in range(3):
            page = told(server, "rules", **params)
            names += [group["name"] for group in page["groups"]]
            params["group_next_token"] = page.get("groupNextToken", "")
        assert names == [f"g{at}" for at in range(5)]
        assert "groupNextToken" not in page
        for wrong in ({"type": "x"}, {"group_limit": "0"}, {"group_next_token": "x"}):
            url = f"{server.api.base_url}/api/v1/rules"
            answer = httpx2.get(url, params=wrong, trust_env=False, timeout=60)
            assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")


def test_rules_are_found(tmp_path: Path) -> None:
    """Grafana's pages of alert rules would show others than asked for."""
    with opened(tmp_path) as server:
        server.run(1, queue(1.0))
        for params, names in (
            ({"type": "record"}, ["job:queue:sum"]),
            ({"type": "alert"}, ["QueueLong", "Watchdog"]),
            ({"rule_name[]": "Watchdog"}, ["Watchdog"]),
            ({"rule_group[]": "other"}, []),
            ({"match[]": '{severity="page"}'}, ["QueueLong"]),
            ({"file[]": "shop.yml", "exclude_alerts": "true"}, [*ALL]),
        ):
            groups = told(server, "rules", **params)["groups"]
            assert [rule["name"] for group in groups for rule in group["rules"]] == names
            if "exclude_alerts" in params:
                assert not any(r.get("alerts") for group in groups for r in group["rules"])
