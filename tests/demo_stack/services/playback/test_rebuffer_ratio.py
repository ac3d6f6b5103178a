"""The rebuffer ratio of every device, from what players report, through the event log."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.eventlog.topics import REPORTS, WINDOW_MS
from demo_stack.eventlog.windows import TumblingRatios
from demo_stack.in_memory import steady
from demo_stack.in_memory.region import MemoryRegion, open_region
from demo_stack.in_memory.turns import until

amounts = st.floats(0, 1e6)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 999), amounts, amounts)))
def test_a_ratio_is_the_sum_of_parts_over_the_sum_of_wholes(
    events: list[tuple[str, int, float, float]],
) -> None:
    """An average of averages would hide the long stalls."""
    job = TumblingRatios(1_000)
    for key, time_ms, part, rest in events:
        job.add(key, time_ms, part=part, whole=part + rest)
    job.add("end", 5_000, part=0.0, whole=1.0)
    job.close()
    for key in "ab":
        parts = sum(part for one, _, part, _ in events if one == key)
        wholes = sum(part + rest for one, _, part, rest in events if one == key)
        if wholes > 0.0:
            assert job.latest[key] == pytest.approx(parts / wholes)
            assert 0.0 <= job.latest[key] <= 1.0 + 1e-9
        else:
            assert key not in job.latest


def test_a_negative_amount_counts_for_nothing() -> None:
    """One bad report must not turn a ratio negative."""
    job = TumblingRatios(1_000)
    job.add("a", 0, part=-1.0, whole=5.0)
    job.add("a", 5_000, part=0.0, whole=1.0)
    job.close()
    assert job.latest == {}


def _ratios(w: MemoryRegion) -> dict[str, float]:
    found: dict[str, float] = {}
    for tags, value in w.points("stream.rebuffer.ratio"):
        found[tags["device"]] = max(value, found.get(tags["device"], 0.0))
    return found


def test_reports_of_a_window_become_the_ratio_of_their_device() -> None:
    """The rebuffer ratio must be that of what players said."""

    async def story() -> tuple[dict[str, float], dict[str, float]]:
        async with open_region() as w:
            log = w.region.stores.log
            before = _ratios(w)
            for device, played_s, stalled_s in [
                ("tv", 90.0, 10.0), ("tv", 100.0, 0.0), ("phone", 50.0, 50.0),
                ("toaster", 1.0, 1.0), ("tv", "long", 1.0), (None, 1.0, 1.0),
            ]:  # fmt: skip
                said = {"device": device, "played_s": played_s, "stalled_s": stalled_s}
                await log.send(REPORTS, "v", said, time_ms=1_000)
            late = {"device": "web", "played_s": 1.0, "stalled_s": 0.0}
            await log.send(REPORTS, "v", late, time_ms=1_000 + 2 * WINDOW_MS)
            await until(lambda: _ratios(w)["tv"] > 0)
            return before, _ratios(w)

    before, after = steady.run(story())
    assert before == {"tv": 0.0, "phone": 0.0, "web": 0.0, "console": 0.0}
    assert after == {"tv": 0.05, "phone": 0.5, "web": 0.0, "console": 0.0}


def test_a_session_reports_into_the_log() -> None:
    """Without reports there is no rebuffer ratio."""

    async def story() -> list[dict[str, Any]]:
        async with open_region() as w:
            reader = w.region.stores.log.consumer("test", REPORTS, "test")
            await w.visit()
            return [dict(record.value) for record in await reader.poll()]

    (said,) = steady.run(story())
    assert said["device"] == "tv"
    assert said["played_s"] >= 0.0
    assert said["stalled_s"] >= 0.0
