"""A start goes through the past at once: it then knows what single steps would have told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anomaly.engine.engine import Engine
from anomaly.findings import Finding, FindingKind, FindingState
from anomaly.kinds.testing import load_rules
from anomaly.testing import FindingList, TableDatabase, TraceList, example_span, example_summary
from collectors.clock import ManualClock
from collectors.stacklang.lines.database import Database, Fetch, Lines

STEP_MS = 5_000
START_MS = 1_700_000_000_000
STEPS = 180
OPS = Path(__file__).parents[3] / "demo_stack" / "ops"
REGIONS = ("us-east-1", "eu-west-1")


def course(seed: int) -> TableDatabase:
    """Two regions whose starts fail, pause and vanish at times that ``seed`` decides."""
    rng = np.random.default_rng(seed)
    database = TableDatabase(STEP_MS)
    for region in REGIONS:
        failing = np.full(STEPS, 0.0005)
        present = np.ones(STEPS, dtype=bool)
        for _ in range(4):
            first = int(rng.integers(20, STEPS))
            last = first + int(rng.integers(1, 40))
            failing[first:last] = rng.choice([0.02, 0.3, 1.0])
        gone = int(rng.integers(60, STEPS + 40))
        present[gone : gone + int(rng.integers(1, 30))] = False
        present[: int(rng.integers(0, 15))] = False
        for step in np.flatnonzero(present).tolist():
            total = int(rng.poisson(40))
            bad = int(rng.binomial(total, failing[step]))
            for outcome, count in (("success", total - bad), ("failure", bad)):
                tags = {"name": "stream.starts", "cloud.region": region, "outcome": outcome}
                database.put(tags, START_MS + (step + 1) * STEP_MS, count * 1_000 / STEP_MS)
    return database


def failed_requests() -> TraceList:
    """One failing trace in every twentieth step, none before it has gone wrong."""
    traces = TraceList()
    for number in range(80, STEPS, 20):
        start_ms = START_MS + number * STEP_MS
        traces.summaries.append(
            example_summary(number + 1, start_ms=start_ms, services=("gateway", "playback"))
        )
        start_ns = start_ms * 1_000_000
        traces.spans.append(example_span(number + 1, start_ns=start_ns, end_ns=start_ns + 1))
    return traces


def engine_at(database: Database, now_ms: int) -> tuple[Engine, ManualClock]:
    clock, rules = ManualClock(now_ms), load_rules(OPS, STEP_MS)
    traces = failed_requests()
    return Engine(database, rules, [FindingList()], clock, STEP_MS, traces=traces), clock


def started(database: Database) -> Engine:
    """Return an engine that begins when all is over."""
    engine, _ = engine_at(database, START_MS + STEPS * STEP_MS)
    engine.tick(START_MS + STEPS * STEP_MS)
    return engine


def always_there(database: Database) -> Engine:
    """Return an engine that saw every step as it came."""
    engine, clock = engine_at(database, START_MS)
    for step in range(STEPS + 1):
        clock.set_ms(START_MS + step * STEP_MS)
        engine.tick(clock.now_ms())
    return engine


def rows(found: list[dict[str, Any]]) -> dict[str, object]:
    """Return rows by rule and scope: groups are numbered in the order in which they were seen."""
    return dict(flat({f"{row['name']} {row['scope']}": row for row in found}))


def flat(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield what is in rows of plain data, numbers to the twelfth digit."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}/{key}")
    elif isinstance(value, list | tuple):
        yield path, len(value)
        for at, inner in enumerate(value):
            yield from flat(inner, f"{path}/{at}")
    elif isinstance(value, Finding):
        yield from flat({name: getattr(value, name) for name in Finding.__slots__}, path)
    else:
        finite = isinstance(value, float) and math.isfinite(value)
        yield path, float(f"{value:.12g}") if finite else repr(value)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("chunk", [1_440, 50], ids=["recent", "older"])
def test_at_once_is_the_same_as_step_by_step(
    seed: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Findings, those that are over too, with all their words; alerts, budgets and baselines."""
    monkeypatch.setattr("anomaly.rules.detector_watch._MAX_CELLS_AT_ONCE", 100)
    monkeypatch.setattr("anomaly.slo.watch._MAX_CELLS_AT_ONCE", 70)
    database = course(seed)
    expected = always_there(database)
    monkeypatch.setattr("anomaly.engine.engine.CHUNK_STEPS", chunk)
    found = started(database)
    assert rows(found.rows("slos")) == rows(expected.rows("slos"))
    kinds = {FindingKind.SLO_BURN} if chunk < STEPS else set(FindingKind)
    known, wanted = (
        {f.id: f for f in engine.findings(resolved=True) if f.kind in kinds}
        for engine in (found, expected)
    )
    if chunk > STEPS:
        # Since when there has been nothing at all depends on when somebody began to look.
        for never in [name for name in wanted if name.endswith("/no-data/0")]:
            assert known.pop(never).title == wanted.pop(never).title
    assert dict(flat(known)) == dict(flat(wanted))
    assert any(finding.kind is FindingKind.SLO_BURN for finding in known.values())
    assert any(finding.state is FindingState.RESOLVED for finding in known.values())
    if chunk > STEPS:
        assert rows(found.rows("detectors")) == rows(expected.rows("detectors"))


def test_a_finding_that_is_over_still_says_whom_it_suspected() -> None:
    """Also when its traces are gone by then."""
    database = course(0)
    engine = started(database)
    over = [f for f in engine.findings(resolved=True) if f.state is FindingState.RESOLVED]
    with_traces = [f for f in over if f.exemplar_trace_ids]
    assert {f.kind for f in with_traces} == {FindingKind.SLO_BURN, FindingKind.ANOMALY}
    for finding in with_traces:
        shares = {k: v for k, v in finding.values.items() if k.startswith("suspect.")}
        assert shares == {"suspect.playback": 1.0}


class Asked(TableDatabase):
    """Remembers which windows it was asked for rather than everything there is."""

    def __init__(self) -> None:
        super().__init__(STEP_MS)
        self.starts: set[int] = set()

    def fetch(self, request: Fetch) -> Lines:
        if request.query.parts() and "true" not in request.query.label():
            self.starts.add(request.window.start_ms)
        return super().fetch(request)


def test_rules_are_not_evaluated_where_there_are_no_data() -> None:
    """A start costs what there is, not how far back a rule would like to look."""
    database = Asked()
    now_ms = START_MS + 20_000 * STEP_MS
    for step in range(19_990, 20_001):
        tags = {"name": "stream.starts", "cloud.region": "eu", "outcome": "success"}
        database.put(tags, START_MS + step * STEP_MS, 5.0)
    rules = load_rules(OPS, STEP_MS)
    engine = Engine(database, rules, [], ManualClock(now_ms), STEP_MS)
    engine.tick(now_ms)
    assert len(database.starts) == 1
    assert any(row["updated_ms"] == now_ms for row in engine.rows("slos"))
