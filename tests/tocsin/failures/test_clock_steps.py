"""The machine's clock is set: judging goes on, nobody is paged for it, and it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from anomaly.findings import FindingState
from collectors.clock import ManualClock
from collectors.host.steady_clock import Outcome, SteadyClock
from collectors.model import Batch
from tocsin.settings import Settings
from tocsin.testing import START_MS, LocalTocsin, local_tocsin

HOUR_MS = 3_600_000
STEP_MS = 10_000
OBJECTIVE = (Path(__file__).parent / "answers.yaml").read_text()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[LocalTocsin]:
    config = tmp_path / "config"
    (config / "slos").mkdir(parents=True)
    (config / "slos" / "answers.yaml").write_text(OBJECTIVE)
    settings = Settings(data_dir=tmp_path / "data", config_dir=config, history="off")
    with local_tocsin(settings) as started:
        yield started


def traffic(bad: float, ahead_ms: int = 0) -> Callable[[int], Batch]:
    """Return what arrives: a share of bad answers, stamped by a clock that is ahead."""

    def batch(now_ms: int) -> Batch:
        return Batch(
            series=[{"name": "bad"}, {"name": "all"}],
            series_index=np.arange(2, dtype=np.int32),
            time_ms=np.full(2, now_ms + ahead_ms, dtype=np.int64),
            value=np.array([bad, 100.0]),
        )

    return batch


def firing(running: LocalTocsin) -> list[str]:
    """Return the rules that fire now."""
    found = running.engine.findings()
    return [finding.rule for finding in found if finding.state is FindingState.FIRING]


def lag_ms(running: LocalTocsin) -> int:
    """Return how far behind the slowest rule is."""
    return max(running.engine.lags_ms().values())


@pytest.mark.parametrize("by_ms", [-HOUR_MS, HOUR_MS])
def test_senders_by_the_time_before_are_judged_on(running: LocalTocsin, by_ms: int) -> None:
    """The clock of this machine alone is wrong: for an hour nothing would be judged."""
    running.run(60, traffic(0.0))
    before_ms = running.now_ms
    running.clock.jump_ms(by_ms)
    running.run(12, traffic(0.0))

    assert running.now_ms == before_ms + 12 * STEP_MS
    assert (firing(running), running.desk.ledger.incidents()) == ([], [])
    assert lag_ms(running) <= 3 * STEP_MS

    running.run(12, traffic(60.0))

    assert "slo/answers" in str(firing(running))
    assert len([i for i in running.desk.ledger.incidents() if i.is_open]) == 1


@pytest.mark.parametrize("by_ms", [-HOUR_MS, HOUR_MS])
def test_senders_by_the_new_time_are_followed(running: LocalTocsin, by_ms: int) -> None:
    """The clock was put right, for all on this machine: it would be blind for an hour."""
    running.run(60, traffic(0.0))
    running.clock.jump_ms(by_ms)
    for _ in range(12):
        held = running.steady.ahead_ms != 0
        running.run(1, traffic(0.0, by_ms if held or running.steady.last is None else 0))

    assert running.steady.last is not None
    assert running.steady.last.outcome is Outcome.FOLLOWED
    assert (firing(running), running.desk.ledger.incidents()) == ([], [])

    running.run(12, traffic(60.0))

    assert abs(running.now_ms - running.clock.now_ms()) < STEP_MS
    assert lag_ms(running) <= 3 * STEP_MS
    assert "slo/answers" in str(firing(running))
    assert len([i for i in running.desk.ledger.incidents() if i.is_open]) == 1


def test_a_step_is_told(running: LocalTocsin) -> None:
    """Somebody would look for the cause of a strange hour in vain."""
    running.run(3, traffic(0.0))
    running.clock.jump_ms(-HOUR_MS)
    running.run(3, traffic(0.0))
    health = running.api.health()

    assert health["status"] == "degraded"
    assert health["clock"]["ahead_ms"] == HOUR_MS
    assert [fault["what"] for fault in health["faults"]] == ["clock"]

    running.clock.jump_ms(HOUR_MS)
    running.run(1, traffic(0.0))
    health = running.api.health()

    assert (health["status"], health["clock"]["ahead_ms"]) == ("ok", 0)
    step = health["clock"]["last_step"]
    assert step is not None
    assert step["outcome"] == "undone"


def test_slow_corrections_are_followed() -> None:
    """A clock that is slewed by a second a minute would be taken for one that was set."""
    source = ManualClock(START_MS)
    clock = SteadyClock(source)
    for _ in range(600):
        source.advance_ms(100)
        source.jump_ms(17)
        assert clock.now_ms() == source.now_ms()
    assert clock.steps == 0


@pytest.mark.parametrize("by_ms", [-HOUR_MS, HOUR_MS])
def test_a_page_that_waits_goes_out(running: LocalTocsin, by_ms: int) -> None:
    """A page put off until a time that is now an hour away would ring an hour late."""
    running.run(60, traffic(0.0))
    running.run(12, traffic(60.0))
    [incident] = running.desk.ledger.incidents()
    running.clock.jump_ms(by_ms)
    running.run(2, traffic(60.0, by_ms))
    running.desk.tick()

    rows = running.desk.outbox.rows(incident.id)
    assert {row.state.value for row in rows} == {"sent"}
