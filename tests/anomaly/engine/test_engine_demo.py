"""The engine on the demo platform's own rules, over a platform that is a table of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from anomaly.engine.engine import Engine
from anomaly.findings import Finding, FindingKind, FindingState, Relation, Urgency
from anomaly.kinds.testing import load_rules
from anomaly.testing import FindingList, TableDatabase, TraceList, example_summary
from collectors.changes.change import Change
from collectors.changes.store import ChangeStore
from collectors.clock import ManualClock
from collectors.host.journal import MemoryJournal
from collectors.percentile_buckets import bucket_of

STEP_MS = 5_000
START_MS = 1_700_000_000_000
OPS = Path(__file__).parents[3] / "demo_stack" / "ops"
# What the table has numbers for: the others would rightly say that they are not measured.
WRITTEN = ("playback-start-availability", "gateway-latency", "sps-by-region")
REGIONS = ("us-east-1", "eu-west-1")
FAST, SLOW = (f"T{bucket_of(nanoseconds):04X}" for nanoseconds in (50_000_000, 600_000_000))


class World:
    """Writes a platform's numbers step by step and lets an engine look at them."""

    def __init__(self, seed: int = 1, rate: float = 6.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.rate = rate
        self.database = TableDatabase(STEP_MS)
        self.clock = ManualClock(START_MS)
        self.traces = TraceList()
        self.changes = ChangeStore(MemoryJournal())
        self.sink = FindingList()
        self.step = 0
        self.engine = self.new_engine(self.sink)

    def new_engine(self, sink: FindingList) -> Engine:
        return Engine(
            self.database,
            [rule for rule in load_rules(OPS, STEP_MS) if rule.name in WRITTEN],
            [sink],
            self.clock,
            STEP_MS,
            traces=self.traces,
            changes=self.changes,
        )

    @property
    def now_ms(self) -> int:
        return START_MS + self.step * STEP_MS

    def run(
        self,
        steps: int,
        *,
        failing: Mapping[str, float] | None = None,
        slow: Mapping[str, float] | None = None,
        silent: tuple[str, ...] = (),
    ) -> list[Finding]:
        """Let ``steps`` pass; return what the sink heard meanwhile."""
        heard = len(self.sink.received)
        for _ in range(steps):
            self.step += 1
            for region in REGIONS:
                if region not in silent:
                    self._starts(region, (failing or {}).get(region, 0.0001))
                    self._requests(region, (slow or {}).get(region, 0.001))
            self.clock.set_ms(self.now_ms + 2_000)
            self.engine.tick(self.now_ms)
        return self.sink.received[heard:]

    def _starts(self, region: str, failing: float) -> None:
        total = int(self.rng.poisson(self.rate * STEP_MS / 1_000))
        bad = int(self.rng.binomial(total, failing))
        for outcome, count in (("success", total - bad), ("failure", bad)):
            tags = {"name": "stream.starts", "cloud.region": region, "outcome": outcome}
            self.database.put(tags, self.now_ms, count * 1_000 / STEP_MS)

    def _requests(self, region: str, slow: float) -> None:
        total = int(self.rng.poisson(3 * self.rate * STEP_MS / 1_000))
        late = int(self.rng.binomial(total, slow))
        for percentile, count in ((FAST, total - late), (SLOW, late)):
            tags = {
                "name": "http.server.request.duration",
                "service.name": "gateway",
                "cloud.region": region,
                "statistic": "percentile",
                "percentile": percentile,
            }
            self.database.put(tags, self.now_ms, count * 1_000 / STEP_MS)


def pages(findings: list[Finding]) -> list[Finding]:
    return [f for f in findings if f.urgency is Urgency.PAGE]


@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_small_platform_never_pages(seed: int) -> None:
    """Forty minutes at a few starts a second, with the odd failure and the odd slow request."""
    world = World(seed, rate=3.0)
    assert world.run(480) == []


def test_a_slow_start_does_not_page() -> None:
    """Cold caches and compilers make the first half minute slow and faulty."""
    world = World()
    cold = dict.fromkeys(REGIONS, 0.15)
    assert pages(world.run(5, failing=dict.fromkeys(REGIONS, 0.03), slow=cold)) == []
    assert pages(world.run(60)) == []


def test_playback_errors_in_one_region_page_within_three_steps() -> None:
    """A page comes in time and says where, since when and why."""
    world = World()
    world.run(24)
    injected_ms = world.now_ms
    world.traces.summaries = [
        example_summary(
            n,
            start_ms=injected_ms + 1_000,
            duration_ms=float(n),
            services=("gateway", "playback"),
        )
        for n in range(5)
    ]
    found = pages(world.run(3, failing={"us-east-1": 0.4}))
    assert {f.id for f in found} == {found[0].id}
    first = found[0]
    assert first.kind is FindingKind.SLO_BURN
    assert first.rule == "slo/playback-start-availability/page-fast"
    assert first.scope == {"service.name": "playback", "cloud.region": "us-east-1"}
    assert injected_ms - STEP_MS <= first.started_ms <= injected_ms + STEP_MS
    assert first.detected_ms <= injected_ms + 3 * STEP_MS + 2_000
    assert first.exemplar_trace_ids == (f"{4:032x}", f"{3:032x}", f"{2:032x}")
    assert first.values["burn_rate_long"] > first.values["threshold"] == 14.4
    assert "us-east-1" in first.title
    assert "events were bad over the last 1 min" in first.explanation


def test_a_page_names_the_change_before_it_and_not_the_remedy_after() -> None:
    """Otherwise the roll-back would be blamed for the outage."""
    world = World()
    world.run(24)
    scope = {"service.name": "playback", "cloud.region": "us-east-1"}
    for name, after_ms in (("early", -600_000), ("bad", 1_000), ("remedy", 20_000)):
        time_ms = world.now_ms + after_ms
        world.changes.add(
            [
                Change(
                    id=name,
                    time_ms=time_ms,
                    kind="deploy",
                    summary=f"Deployed {name}",
                    service="playback",
                    scope=scope,
                )
            ]
        )
    found = pages(world.run(12, failing={"us-east-1": 0.4}))
    assert [change.id for change in found[0].changes] == ["bad", "early"]
    assert all(f.changes == found[0].changes for f in found)
    quiet = pages(world.run(3, failing={"eu-west-1": 0.4}))
    others = [c for f in quiet if f.scope["cloud.region"] == "eu-west-1" for c in f.changes]
    assert {change.relation for change in others} == {Relation.OTHER_REGION}


def test_the_expression_of_a_finding_gives_its_value_again() -> None:
    """Otherwise nobody could check what a page claims."""
    from collectors.stacklang.evaluation.batch import evaluate
    from collectors.stacklang.lines.database import Window

    world = World()
    world.run(24)
    found = pages(world.run(2, failing={"us-east-1": 0.5}))[0]
    window = Window(
        start_ms=found.updated_ms - found.window_ms + STEP_MS,
        end_ms=found.updated_ms,
        step_ms=STEP_MS,
    )
    frame = evaluate(found.expression, world.database, window)
    assert frame.values.shape == (1, 12)
    assert np.nanmax(frame.values) > 0.2


def test_death_of_a_region_is_found_by_both_rules_within_two_steps() -> None:
    """Otherwise a dead region would wait for a long window to fill."""
    world = World()
    world.run(15)
    found = pages(world.run(2, failing={"eu-west-1": 1.0}))
    assert {f.kind for f in found} == {FindingKind.SLO_BURN, FindingKind.ANOMALY}
    assert {f.scope["cloud.region"] for f in found} == {"eu-west-1"}
    anomaly = next(f for f in found if f.kind is FindingKind.ANOMALY)
    assert anomaly.observed == 0.0
    assert anomaly.baseline == pytest.approx(6.0, rel=0.3)
    assert "fell to 0/s" in anomaly.title


def test_slow_recommendations_page_through_the_gateway() -> None:
    """A third too slow burns 1 % at 35 times its pace: that leaves no doubt before long."""
    world = World()
    world.run(24)
    found = pages(world.run(12, slow={"us-east-1": 0.35}))
    assert found
    assert {f.rule for f in found} <= {f"slo/gateway-latency/page-{t}" for t in ("fast", "slow")}


def test_it_resolves_by_itself_and_keeps_its_id() -> None:
    """Otherwise the end would not find the incident that it ends."""
    world = World()
    world.run(24)
    opened = pages(world.run(6, failing={"us-east-1": 0.4}))[0]
    after = pages(world.run(20))
    ended = [f for f in after if f.state is FindingState.RESOLVED]
    assert [f.id for f in ended] == [opened.id]
    assert ended[0].ended_ms is not None
    assert ended[0].ended_ms <= ended[0].updated_ms
    assert "Burning stopped" in ended[0].explanation
    assert world.engine.findings() == ()
    assert world.engine.findings(resolved=True)[0].state is FindingState.RESOLVED


def test_a_page_is_not_followed_by_a_ticket_about_the_same() -> None:
    """A full outage crosses the slow tiers too; they say why they keep quiet."""
    world = World()
    world.run(400)
    found = world.run(60, failing={"us-east-1": 0.5})
    found += world.run(30)
    slo = [f for f in found if f.kind is FindingKind.SLO_BURN]
    assert {f.urgency for f in slo} == {Urgency.PAGE}


def test_a_trickle_becomes_a_ticket() -> None:
    """0.25 % of errors never deserve a page, but in the end somebody should look."""
    world = World(rate=10.0)
    world.run(60)
    found = world.run(700, failing={"us-east-1": 0.0025})
    assert {f.urgency for f in found} == {Urgency.TICKET}
    assert {f.scope["cloud.region"] for f in found} == {"us-east-1"}


def test_when_data_stop_it_freezes_and_says_so() -> None:
    """Otherwise a dead exporter would look like a recovery."""
    world = World()
    world.run(24)
    world.run(4, failing={"us-east-1": 0.6})
    heard = world.run(30, silent=("us-east-1",))
    states = [f.state for f in heard if f.kind is FindingKind.SLO_BURN]
    assert states[-1] is FindingState.FROZEN
    assert set(states[:-1]) <= {FindingState.FIRING}
    assert any("neither better nor worse" in f.explanation for f in heard)
    silent = [f for f in heard if f.kind is FindingKind.NO_DATA]
    assert [f.scope["cloud.region"] for f in silent] == ["us-east-1"]
    back = world.run(20)
    ended = {f.kind for f in back if f.state is FindingState.RESOLVED}
    assert {FindingKind.SLO_BURN, FindingKind.NO_DATA} <= ended


def test_a_restart_loses_nothing_and_tells_the_same_finding() -> None:
    """Otherwise every restart would page again."""
    world = World()
    world.run(24)
    opened = pages(world.run(6, failing={"us-east-1": 0.4}))[0]
    heard = FindingList()
    world.engine = world.new_engine(heard)
    world.engine.tick(world.now_ms)
    assert [f.id for f in pages(heard.received)] == [opened.id]
    assert heard.received[0].started_ms == opened.started_ms


def test_ticks_that_were_missed_are_made_up_for() -> None:
    """Two engines, one ticked every step and one only at the end, know the same."""
    world = World()
    world.run(24)
    late = FindingList()
    other = world.new_engine(late)
    other.tick(world.now_ms)
    world.run(6, failing={"us-east-1": 0.4})
    other.tick(world.now_ms)
    other.tick(world.now_ms)
    assert {f.id for f in late.received} == {f.id for f in world.sink.received}
