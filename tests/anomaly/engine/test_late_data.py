"""Data that come late, in any order, with restarts at any point: the same is found in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.engine.engine import Engine
from anomaly.evidence.exemplars import Evidence
from anomaly.findings import Finding, FindingKind, FindingState, Urgency
from anomaly.rules.objective_rule import ObjectiveRule
from anomaly.slo.objective import Guards, Objective
from anomaly.testing import FindingList
from collectors.clock import ManualClock
from collectors.model import Batch, Tags
from collectors.store.metric_store import MetricStore

STEP_MS = 10_000
START_MS = 1_700_000_000_000 // STEP_MS * STEP_MS
GOOD, TOTAL = "name,good,:eq,:sum,(,zone,),:by", "name,total,:eq,:sum,(,zone,),:by"


def objective(good: str = GOOD, total: str = TOTAL) -> Objective:
    return Objective(
        name="shop",
        display_name="Shop",
        service="shop",
        description="",
        target=Fraction("0.99"),
        period_s=86_400,
        good_expr=good,
        bad_expr=None,
        total_expr=total,
        group_by=("zone",),
        guards=Guards(),
        evidence=Evidence(),
        source="test:1",
    )


@dataclass(frozen=True)
class Export:
    """What one sender says at one time, and when that arrives."""

    arrives_ms: int
    time_ms: int
    values: dict[str, float]
    tags: Tags


@dataclass
class World:
    """A store with an engine over it, and a clock that both follow."""

    path: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(START_MS))
    sink: FindingList = field(default_factory=FindingList)
    rule: Objective = field(default_factory=objective)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Open the store, as after a restart, and begin to watch."""
        self.store = MetricStore.open(
            self.path, step_ms=STEP_MS, hot_window_ms=7_200_000, clock=self.clock
        )
        self.sink = FindingList()
        rules = [ObjectiveRule(self.rule, STEP_MS)]
        self.engine = Engine(
            self.store, rules, [self.sink], self.clock, STEP_MS, arrivals=self.store
        )

    def stop(self) -> None:
        self.store.close()

    def take(self, export: Export) -> None:
        names = list(export.values)
        self.store.write(
            Batch(
                series=[{**export.tags, "name": name, "atlas.dstype": "counter"} for name in names],
                series_index=np.arange(len(names), dtype=np.int32),
                time_ms=np.full(len(names), export.time_ms, dtype=np.int64),
                value=np.array([export.values[name] for name in names]),
            )
        )

    def run(self, exports: list[Export], until_ms: int, restart_ms: int | None = None) -> None:
        """Let exports arrive and the engine look every two seconds."""
        waiting = sorted(exports, key=lambda export: export.arrives_ms)
        while self.clock.now_ms() < until_ms:
            self.clock.advance_ms(2_000)
            if restart_ms is not None and self.clock.now_ms() >= restart_ms:
                restart_ms = None
                self.stop()
                self.start()
            while waiting and waiting[0].arrives_ms <= self.clock.now_ms():
                self.take(waiting.pop(0))
            self.engine.tick(self.clock.now_ms() // STEP_MS * STEP_MS)

    def open(self) -> set[tuple[str, str, str]]:
        return {
            (f.rule, str(sorted(f.scope.items())), f.state.value)
            for f in self.engine.findings()
            if f.kind is FindingKind.SLO_BURN
        }

    def row(self, zone: str = "a") -> tuple[object, ...]:
        (row,) = [r for r in self.engine.rows("slos") if r["scope"] == {"zone": zone}]
        return round(row["good_ratio"], 9), round(row["error_budget_remaining"], 9), row["state"]


@contextmanager
def world(rule: Objective | None = None) -> Iterator[World]:
    with TemporaryDirectory() as path:
        made = World(Path(path), rule=rule or objective())
        yield made
        made.stop()


def exports(
    sender: str,
    every_ms: int,
    delays_ms: list[int],
    failing: range,
    *,
    names: tuple[str, ...] = ("good", "total"),
    until_ms: int = 900_000,
    zone: str = "a",
) -> list[Export]:
    """Return the exports of a sender of ten events a second, all bad while ``failing`` (s)."""
    made: list[Export] = []
    good = total = 0.0
    arrives_ms = 0
    for at, time_ms in enumerate(range(0, until_ms, every_ms)):
        seconds = range((time_ms - every_ms) // 1_000, time_ms // 1_000)
        if at:
            total += 10.0 * len(seconds)
            good += 10.0 * sum(second not in failing for second in seconds)
        # A sender speaks in order: of a counter's samples a late one tells less than it could.
        arrives_ms = max(arrives_ms, START_MS + time_ms + delays_ms[at % len(delays_ms)])
        values = {"good": good, "total": total, "elsewhere": total}
        made.append(
            Export(
                arrives_ms=arrives_ms,
                time_ms=START_MS + time_ms,
                values={name: values[name] for name in names},
                tags={"zone": zone, "service.instance.id": sender},
            )
        )
    return made


delays = st.lists(st.sampled_from([0, 500, 3_000, 12_000, 45_000, 120_000]), min_size=1, max_size=9)


@settings(max_examples=15)
@given(
    one=delays,
    other=delays,
    every=st.sampled_from([10_000, 15_000, 60_000]),
    begins=st.integers(100, 500),
    lasts=st.sampled_from([20, 60, 200]),
    restart_s=st.none() | st.integers(30, 850),
)
def test_any_order_of_arrival_and_any_restart_come_to_the_same(
    one: list[int],
    other: list[int],
    every: int,
    begins: int,
    lasts: int,
    restart_s: int | None,
) -> None:
    """If the moment of arrival decides what is found, two runs tell people two stories."""
    failing = range(begins, begins + lasts)

    def both(first: list[int], second: list[int]) -> list[Export]:
        return exports("one", 10_000, first, failing) + exports("two", every, second, failing)

    end_ms = START_MS + 1_100_000
    with world() as prompt, world() as late:
        prompt.run(both([0], [0]), end_ms)
        restart_ms = None if restart_s is None else START_MS + restart_s * 1_000
        late.run(both(one, other), end_ms, restart_ms)
        assert late.row() == prompt.row()
        assert late.open() == prompt.open()


def test_rules_that_nobody_feeds_are_not_late() -> None:
    """An inspection for somebody else's exporter would be called the slowest for ever."""
    with world() as found:
        found.run(exports("one", 15_000, [300], range(0), names=("elsewhere",)), START_MS + 148_000)
        assert found.engine.overdue_ms()["shop"] == 0 < found.engine.lags_ms()["shop"]


@pytest.mark.parametrize("every_ms", [5_000, 15_000, 60_000])
def test_a_slow_exporter_is_judged_when_it_has_spoken(every_ms: int) -> None:
    """Judged at once its last minute would be empty; judged never it would page nobody."""
    failing = range(300, 900)
    with world() as found:
        found.run(exports("one", every_ms, [300], failing), START_MS + 700_000)
        (page, *_) = [f for f in found.sink.received if f.urgency is Urgency.PAGE]
        assert page.kind is FindingKind.SLO_BURN
        # What is waited for by plan is no lag.
        assert set(found.engine.overdue_by_kind_ms()) == {"slos"}
        assert found.engine.overdue_ms()["shop"] == 0 < found.engine.lags_ms()["shop"]
        delay_ms = page.detected_ms - (START_MS + 300_000)
        assert delay_ms <= every_ms + 2 * STEP_MS + 5_000
        assert found.engine.too_late == 0


def test_errors_before_the_objective_was_known_for_long_page_all_the_same() -> None:
    """A newcomer's first outage comes long before half of an hour has been measured."""
    with world() as found:
        found.run(exports("one", 60_000, [300], range(120, 900)), START_MS + 400_000)
        (page, *_) = [f for f in found.sink.received if f.urgency is Urgency.PAGE]
        assert page.detected_ms - (START_MS + 120_000) <= 150_000
        assert "measured" in page.explanation


def test_a_late_half_is_not_a_failure() -> None:
    """Good events from another sender, held up for 25 s, would look like a total failure."""
    total = exports("all", 10_000, [0], range(0), names=("total",))
    good = exports("good", 10_000, [0], range(0), names=("good",))
    held = [
        export
        if not 400_000 <= export.time_ms - START_MS < 430_000
        else Export(START_MS + 431_000, export.time_ms, export.values, export.tags)
        for export in good
    ]
    with world() as found, world() as prompt:
        found.run(total + held, START_MS + 600_000)
        prompt.run(total + good, START_MS + 600_000)
        assert found.sink.received == []
        assert found.row() == prompt.row()


def test_a_half_that_stays_away_is_not_known_and_somebody_is_told() -> None:
    """Neither kept nor missed: a page says that nobody knows, and no budget is charged."""
    total = exports("all", 10_000, [0], range(0), names=("total",))
    good = exports("good", 10_000, [0], range(0), names=("good",), until_ms=300_000)
    with world() as found:
        found.run(total + good, START_MS + 890_000)
        kinds = {(f.kind, f.urgency) for f in found.sink.received}
        assert kinds == {(FindingKind.NO_DATA, Urgency.PAGE)}
        assert found.row()[0] == 1.0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name,fialed,:eq", {"slo/shop/part-unknown"}),
        ("name,fialed,:eq,zone,a,:eq,:and", {"slo/shop/part-unknown"}),
        ("name,total,:eq,status,500,:eq,:and", set()),
        ("status,500,:eq", set()),
    ],
)
def test_bad_events_of_a_name_that_nothing_has_are_told(query: str, expected: set[str]) -> None:
    """A slip in the query for failures would otherwise be 100 % good for ever."""
    rule = replace(objective(), good_expr=None, bad_expr=f"{query},:sum,(,zone,),:by")
    with world(rule) as found:
        found.run(exports("all", 10_000, [0], range(0), names=("total",)), START_MS + 500_000)
        assert {f.rule for f in found.engine.findings()} == expected


def test_no_good_events_of_a_sender_that_speaks_are_a_failure() -> None:
    """A series that its sender does not mention has no events; that must not look unknown."""
    good_only_before = [
        Export(
            export.arrives_ms,
            export.time_ms,
            {k: v for k, v in export.values.items() if k == "total" or export.time_ms < broken},
            export.tags,
        )
        for broken in [START_MS + 300_000]
        for export in exports("one", 10_000, [0], range(0))
    ]
    with world() as found:
        found.run(good_only_before, START_MS + 600_000)
        assert {f.kind for f in found.sink.received if f.urgency is Urgency.PAGE} == {
            FindingKind.SLO_BURN
        }


def told(found: World) -> list[tuple[FindingState, str]]:
    return [(f.state, f.explanation) for f in found.sink.received]


def test_what_was_told_is_withdrawn_when_late_data_show_otherwise() -> None:
    """A page that the late half of the truth contradicts must not stay open."""
    failing = range(300, 480)
    one = exports("one", 10_000, [0], failing)
    # The other one has most of the traffic, is silent for a while, and then tells all of it.
    two = [
        Export(
            max(export.arrives_ms, START_MS + 480_000)
            if 150_000 < export.time_ms - START_MS < 480_000
            else export.arrives_ms,
            export.time_ms,
            {name: 500 * value for name, value in export.values.items()},
            export.tags,
        )
        for export in exports("two", 10_000, [0], range(0))
    ]
    with world() as found:
        found.run(one + two, START_MS + 470_000)
        assert [f.state for f in found.sink.received][:1] == [FindingState.FIRING]
        found.run([e for e in one + two if e.arrives_ms > START_MS + 470_000], START_MS + 600_000)
        state, words = told(found)[-1]
        assert state is FindingState.RESOLVED
        assert "came late" in words
        assert found.open() == set()


def opened(found: World) -> list[Finding]:
    return [f for f in found.sink.received if f.state is FindingState.FIRING]


def test_our_own_absence_is_nobody_elses_outage() -> None:
    """While nothing at all is received, nothing is said about anybody."""
    everything = exports("one", 10_000, [0], range(0))
    heard = [e for e in everything if not 300_000 < e.time_ms - START_MS < 420_000]
    with world() as found:
        found.run(heard, START_MS + 700_000)
        assert opened(found) == []


class Onlooker:
    """A store that is asked how far behind the engine says it is, whenever the engine reads it."""

    def __init__(self, found: World) -> None:
        self._store = found.store
        self._engine = found.engine
        self.lags_ms: list[int] = []

    def __getattr__(self, name: str) -> object:
        self.lags_ms += self._engine.lags_ms().values()
        return getattr(self._store, name)


def test_what_is_late_by_a_step_costs_a_few() -> None:
    """After every start ten minutes of all rules were judged anew for one late export."""
    prompt = exports("one", 10_000, [300], range(0))
    late = exports("two", 10_000, [300] * 70 + [15_000] + [300] * 30, range(0))
    with world() as found:
        found.run(prompt + late, START_MS + 890_000)
        assert 0 < found.engine.late_steps <= 30


def test_nobody_is_told_of_a_lag_while_the_past_is_gone_through_again() -> None:
    """Our own objective on the lag would page whenever somebody's data come late."""
    early = exports("one", 10_000, [300], range(0), until_ms=600_000)
    late = exports("two", 10_000, [300_000], range(0), until_ms=300_000)
    with world() as found:
        found.run(early, START_MS + 200_000)
        onlooker = Onlooker(found)
        found.engine._database = onlooker  # type: ignore[assignment]  # it answers as the store does
        found.run(early[20:] + late, START_MS + 600_000)
        assert found.engine.late_steps > 5
        assert 0 < max(onlooker.lags_ms) <= 3 * STEP_MS
