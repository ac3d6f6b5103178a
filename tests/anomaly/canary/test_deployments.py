"""Deployments are noticed in spans, and compared with what ran before, without being asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from anomaly.canary.deployments import Deployments
from collectors.changes.change import Change
from collectors.changes.store import ChangeStore
from collectors.clock import ManualClock
from collectors.host.journal import FileJournal, MemoryJournal
from collectors.model import SpanKind
from collectors.traces.store import SpanStore
from collectors.traces.testing import make_span

START_MS = 1_700_000_000_000
OLD, NEW = "1.4", "1.5"


class Stage:
    """A service that is asked once a second, and the look-out over it."""

    def __init__(self) -> None:
        self.clock = ManualClock(START_MS)
        self.spans = SpanStore(MemoryJournal())
        self.changes = ChangeStore(MemoryJournal())
        self.lookout = Deployments(self.spans, self.changes, self.clock)
        self._number = 0

    def run(self, seconds: int, version: str, *, slow_ms: float = 50, bad_every: int = 0) -> None:
        """Let time pass with five requests a second; look every twenty seconds."""
        for second in range(seconds):
            now_ms = self.clock.now_ms()
            for part in range(5):
                self._number += 1
                span = make_span(
                    trace=f"{self._number:x}",
                    service="cart",
                    name="POST /cart",
                    kind=SpanKind.SERVER,
                    start_ms=now_ms + 150 * part,
                    duration_ms=slow_ms + self._number % 7,
                    error=bad_every > 0 and self._number % bad_every == 0,
                    resource={"service.name": "cart", "service.version": version},
                )
                self.spans.write_spans([span])
            self.clock.advance_ms(1_000)
            if second % 20 == 19:
                self.lookout.turn()

    def known(self) -> list[Change]:
        return self.changes.between(0, self.clock.now_ms())


def test_a_new_version_is_a_change_that_is_compared() -> None:
    """A deployment that nobody announced would be no suspect, and nobody would know it is bad."""
    stage = Stage()
    stage.run(200, OLD)
    assert stage.known() == []
    stage.run(200, NEW, slow_ms=120, bad_every=4)
    (change,) = stage.known()
    assert (change.kind, change.service) == ("deploy", "cart")
    assert change.summary == "cart 1.5 seen in spans, after 1.4"
    assert change.time_ms == pytest.approx(START_MS + 200_000, abs=1_000)
    assert change.compared.startswith("fail: share of errors is critical and high: ")


def test_a_version_that_does_as_well_passes() -> None:
    """People would distrust each deployment alike."""
    stage = Stage()
    stage.run(200, OLD)
    stage.run(200, NEW)
    (change,) = stage.known()
    assert change.compared.startswith("pass: 100 of 100")


def test_an_announced_deployment_is_not_told_twice() -> None:
    """One deployment would stand among the suspects under two names."""
    stage = Stage()
    stage.run(200, OLD)
    now_ms = stage.clock.now_ms()
    stage.changes.add(
        [Change(id="d1", time_ms=now_ms, kind="deploy", summary="cart 1.5", service="cart")]
    )
    stage.run(200, NEW, slow_ms=120)
    (change,) = stage.known()
    assert change.id == "d1"
    assert "seconds of POST /cart" in change.compared


def test_without_spans_nothing_is_said_for_a_while_then_that() -> None:
    """Silence after a deployment would read as well done."""
    stage = Stage()
    stage.run(200, OLD)
    now_ms = stage.clock.now_ms()
    stage.changes.add([Change(id="d", time_ms=now_ms, kind="flag", summary="x", service="cart")])
    stage.clock.advance_ms(120_000)
    stage.lookout.turn()
    assert stage.known()[0].compared == ""
    stage.clock.advance_ms(600_000)
    stage.lookout.turn()
    assert stage.known()[0].compared == "nodata: nothing could be judged: not measured"


def test_a_comparison_survives_a_restart(tmp_path: Path) -> None:
    """Who reads of a deployment the day after would not learn how it went."""
    change = Change(id="d", time_ms=START_MS, kind="deploy", summary="x", service="cart")
    for text, at_ms in (("", 0), ("pass: fine", 5), ("fail: worse", 9), ("pass: late", 7)):
        journal = FileJournal.open(tmp_path, segment_bytes=1 << 20, keep_bytes=1 << 22)
        told = Change(
            **{
                **{name: getattr(change, name) for name in change.__slots__},
                "compared": text,
                "compared_ms": at_ms,
            }
        )
        ChangeStore(journal).add([told])
        journal.close()
    journal = FileJournal.open(tmp_path, segment_bytes=1 << 20, keep_bytes=1 << 22)
    (found,) = ChangeStore(journal).between(START_MS, START_MS)
    assert (found.compared, found.compared_ms) == ("fail: worse", 9)
    journal.close()
