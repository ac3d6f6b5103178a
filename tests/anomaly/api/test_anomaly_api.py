"""The engine's state over HTTP."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from anomaly.api.routes import anomaly_routes
from anomaly.engine.engine import Engine
from anomaly.evidence.exemplars import TraceFinder
from anomaly.kinds.testing import load_rules
from anomaly.testing import FindingList, TableDatabase, TraceList
from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.traces.search import TraceSearch, TraceSummary

STEP_MS = 5_000
START_MS = 1_700_000_000_000

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata:
  name: NAME
  displayName: Starts
  annotations: {tocsin.dev/group-by: cloud.region}
spec:
  description: Words
  service: playback
  indicator:
    metadata: {name: starts}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: tocsin, spec: {query: "GOOD"}}}
        total: {metricSource: {type: tocsin, spec: {query: "name,all,:eq,:sum"}}}
  timeWindow: [{duration: 12h, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: TARGET}]
"""

DETECTOR = """\
apiVersion: tocsin/v1
kind: Detector
metadata: {name: pulse}
spec:
  expr: name,ok,:eq,:sum
  group_by: [cloud.region]
  detector: counts
  direction: low
  scope: {service.name: viewers}
"""


class Bench:
    """An engine over two objectives and a detector, with its API."""

    def __init__(
        self,
        directory: Path,
        *,
        good: str = "name,ok,:eq,:sum",
        target: str = "0.99",
        traces: TraceFinder | None = None,
    ) -> None:
        for room in ("slos", "detectors"):
            (directory / room).mkdir()
        text = SLO.replace("GOOD", good).replace("TARGET", target)
        (directory / "slos" / "a.yaml").write_text(text.replace("NAME", "starts"))
        (directory / "slos" / "b.yaml").write_text(
            SLO.replace("GOOD", "name,none,:eq,:sum")
            .replace("name,all", "name,nothing")
            .replace("TARGET", "0.9")
            .replace("NAME", "empty")
        )
        (directory / "detectors" / "d.yaml").write_text(DETECTOR)
        self.database = TableDatabase(STEP_MS)
        self.sink = FindingList()
        self.clock = ManualClock(START_MS)
        self.engine = Engine(
            self.database,
            load_rules(directory, STEP_MS),
            [self.sink],
            self.clock,
            STEP_MS,
            traces=traces,
        )
        self.client = TestClient(Starlette(routes=list(anomaly_routes(self.engine))))
        self.step = 0

    def run(self, steps: int, good: float, total: float, region: str = "eu") -> None:
        for _ in range(steps):
            self.step += 1
            time_ms = START_MS + self.step * STEP_MS
            for name, value in (("ok", good), ("all", total)):
                self.database.put({"name": name, "cloud.region": region}, time_ms, value)
            self.clock.set_ms(time_ms)
            self.engine.tick(time_ms)

    def get(self, path: str) -> dict[str, list[dict[str, object]]]:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        # Strict JSON: NaN and Infinity are not values that a browser can read.
        found: dict[str, list[dict[str, object]]] = json.loads(
            answer.text, parse_constant=lambda word: pytest.fail(f"{word} in JSON")
        )
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_before_the_first_tick_there_is_no_data(bench: Bench) -> None:
    """Otherwise a page would show an objective as kept before anything was measured."""
    rows = bench.get("/api/v2/slos")["slos"]
    assert [(row["name"], row["state"]) for row in rows] == [
        ("starts", "no_data"),
        ("empty", "no_data"),
    ]
    assert bench.get("/api/v2/findings")["findings"] == []
    assert bench.get("/api/v2/detectors") == {"detectors": []}


def test_a_healthy_objective(bench: Bench) -> None:
    """The numbers that a page shows are those of the budget, by group and by tier."""
    bench.run(24, 9.99, 10.0)
    row, empty = bench.get("/api/v2/slos")["slos"]
    assert row["scope"] == {"cloud.region": "eu"}
    assert row["state"] == "ok"
    assert row["target"] == 0.99
    assert row["window_s"] == 43_200
    assert row["good_ratio"] == pytest.approx(0.999)
    assert row["error_budget_remaining"] == pytest.approx(0.9)
    assert row["coverage"] == pytest.approx(24 * 5 / 43_200)
    assert row["updated_ms"] == START_MS + 24 * STEP_MS
    tiers = row["burn_rates"]
    assert isinstance(tiers, list)
    assert [t["tier"] for t in tiers] == ["page-fast", "page-slow", "ticket-fast", "ticket-slow"]
    assert tiers[0]["long"] == pytest.approx(0.1)
    assert tiers[0]["firing"] is False
    assert empty["state"] == "no_data"


def test_a_burning_objective_and_its_finding(bench: Bench) -> None:
    """What burns is listed while it does, and under the same id when it is over."""
    bench.run(24, 10.0, 10.0)
    bench.run(7, 7.0, 10.0)
    row = bench.get("/api/v2/slos")["slos"][0]
    assert row["state"] == "burning"
    found = bench.get("/api/v2/findings?state=firing")["findings"]
    (finding,) = [row for row in found if row["kind"] == "slo_burn"]
    (empty,) = [row for row in found if row["kind"] == "no_data"]
    assert (empty["rule"], empty["urgency"]) == ("slo/empty/no-data", "ticket")
    assert finding["urgency"] == "page"
    assert finding["scope"] == {"service.name": "playback", "cloud.region": "eu"}
    assert finding["ended_ms"] is None
    bench.run(30, 10.0, 10.0)
    assert [row["rule"] for row in bench.get("/api/v2/findings")["findings"]] == [empty["rule"]]
    everything = bench.get("/api/v2/findings?state=all")["findings"]
    (over,) = [row for row in everything if row["rule"] != empty["rule"]]
    assert (over["id"], over["state"]) == (finding["id"], "resolved")


def test_silence_is_explained(bench: Bench) -> None:
    """Burning below the minimum of bad events does not fire, and the row says so."""
    bench.run(24, 0.2, 0.2)
    bench.run(2, 0.0, 0.2)
    row = bench.get("/api/v2/slos")["slos"][0]
    assert row["state"] == "held_back"
    assert "page-fast: below_volume" in str(row["reasons"])


def test_tiers_out_of_reach_are_warned_about(tmp_path: Path) -> None:
    """Otherwise a loose target would never page and nobody would know why."""
    rows = Bench(tmp_path, target="0.8").get("/api/v2/slos")["slos"]
    assert "page-fast can never fire" in str(rows[0]["reasons"])


def test_a_broken_expression_harms_nobody_else(tmp_path: Path) -> None:
    """Otherwise one typing error would blind all other rules."""
    bench = Bench(tmp_path, good="name,ok,:eq,:nonsense")
    bench.run(30, 10.0, 10.0)
    bench.run(3, 0.0, 10.0)
    rows = bench.get("/api/v2/slos")["slos"]
    assert "can't be evaluated" in str(rows[0]["reasons"])
    assert "nonsense" in str(rows[0]["reasons"])
    (pulse,) = bench.get("/api/v2/detectors")["detectors"]
    assert pulse["state"] == "anomalous"
    assert bench.sink.received


def test_alert_policies_without_effect_are_mentioned(tmp_path: Path) -> None:
    """Otherwise an author would believe in alerts that never come."""
    bench = Bench(tmp_path, target="0.99}]\n  alertPolicies: [{alertPolicyRef: page-me")
    reasons = str(bench.get("/api/v2/slos")["slos"][0]["reasons"])
    assert "'page-me' names no AlertPolicy" in reasons
    assert "pairs of windows decide instead" in reasons


def failing_search(error: Exception) -> TraceFinder:
    """Return traces of which every search raises ``error``."""

    class Broken(TraceList):
        def search(self, wanted: TraceSearch) -> Sequence[TraceSummary]:
            del wanted
            raise error

    return Broken()


def test_a_page_without_traces_is_better_than_none(tmp_path: Path) -> None:
    """A trace store that is down must not keep anybody from being woken."""
    bench = Bench(tmp_path, traces=failing_search(StorageError("the disk is gone")))
    bench.run(24, 10.0, 10.0)
    bench.run(3, 0.0, 10.0)
    assert {f.kind for f in bench.sink.received} == {"slo_burn", "anomaly"}
    assert all("could not be read: the disk is gone" in f.explanation for f in bench.sink.received)


def test_a_rule_that_fails_is_shown_and_the_others_go_on(tmp_path: Path) -> None:
    """A fault of our own costs one rule one step, is shown, and is not repeated for ever."""
    bench = Bench(tmp_path, traces=failing_search(RuntimeError("a bug")))
    bench.run(24, 10.0, 10.0)
    bench.run(3, 0.0, 10.0)
    row = bench.get("/api/v2/slos")["slos"][0]
    assert "RuntimeError: a bug" in str(row["reasons"])
    assert row["updated_ms"] == START_MS + 27 * STEP_MS
    (pulse,) = bench.get("/api/v2/detectors")["detectors"]
    assert (pulse["state"], pulse["updated_ms"]) == ("anomalous", START_MS + 27 * STEP_MS)


def test_detector_states_are_shown(bench: Bench) -> None:
    """Otherwise "warming up" could not be told from "all is well"."""
    bench.run(3, 10.0, 10.0)
    (row,) = bench.get("/api/v2/detectors")["detectors"]
    assert (row["state"], row["expected"]) == ("warming_up", None)
    bench.run(20, 10.0, 10.0)
    (row,) = bench.get("/api/v2/detectors")["detectors"]
    assert (row["state"], row["expected"]) == ("normal", pytest.approx(10.0))
    assert row["scope"] == {"service.name": "viewers", "cloud.region": "eu"}


def test_no_data_finding_says_what_was_usual(bench: Bench) -> None:
    """Otherwise nobody could tell how much is missing."""
    bench.run(24, 10.0, 10.0)
    bench.run(4, 10.0, 10.0, region="us")
    missing = [f for f in bench.sink.received if f.kind == "no_data"]
    assert [f.baseline for f in missing] == [pytest.approx(10.0)]


def test_unknown_state_is_refused(bench: Bench) -> None:
    """Otherwise a misspelt filter would answer with the wrong findings."""
    answer = bench.client.get("/api/v2/findings?state=odd")
    assert answer.status_code == 400
    assert "firing, all" in answer.json()["message"]
