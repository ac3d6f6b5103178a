"""Words of series that are gone take no memory for ever, and shedding them changes no answer."""

from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.limits import Limits
from collectors.stacklang.predicates.predicate import AnyOf, Equal
from collectors.store.metric_store import MetricStore
from collectors.store.testing.encoder import write_request

NOW_MS = 1_700_000_000_000
STEP_MS = 10_000
WAVE = 40


def wave(number: int) -> list[dict[str, str]]:
    return [
        {"__name__": "requests_total", "pod": f"pod-{number}-{i}", "zone": "abc"[i % 3]}
        for i in range(WAVE)
    ]


@pytest.mark.parametrize("bound", [0, 1 << 40], ids=["shedding", "keeping"])
def test_pods_come_and_go(tmp_path: Path, bound: int) -> None:
    """Names of pods that are gone would fill the memory, or be taken from living ones."""
    clock = ManualClock(NOW_MS)
    store = MetricStore.open(tmp_path, step_ms=STEP_MS, hot_window_ms=600_000, clock=clock)
    for number in range(12):
        store._words_bound = bound
        clock.advance_ms(900_000)
        samples = [(clock.now_ms() - STEP_MS, 1.0), (clock.now_ms(), 11.0)]
        for _ in range(2):  # the second time the labels are known
            receipt = store.write_remote(write_request([(tags, samples) for tags in wave(number)]))
            assert receipt.rejected == []
    held = store.values("pod", Equal("name", "requests_total"))
    newest = {tags["pod"] for tags in wave(11)}
    assert newest <= set(held) < newest | {tags["pod"] for n in (8, 9, 10) for tags in wave(n)}
    assert store.values("zone", AnyOf()) == ["a", "b", "c"]
    assert store.values("atlas.dstype", AnyOf()) == ["counter"]
    assert store.series_count == len(held)
    words = len(store._hot.series.words)
    assert words < 4 * WAVE + 30 if bound == 0 else words > 12 * WAVE
    store.close()


def test_texts_have_a_share_of_memory(tmp_path: Path) -> None:
    """Long tags would take the memory that was meant for values."""
    store = MetricStore.open(
        tmp_path,
        step_ms=STEP_MS,
        hot_window_ms=600_000,
        clock=ManualClock(NOW_MS),
        limits=Limits(memory_bytes=2 << 20, max_series=1_000_000),
    )
    refused: list[str] = []
    for start in range(0, 200, 20):
        rows = [
            (
                {"__name__": "a", **{f"k{k}": f"{start + i}-{k}-{'x' * 200}" for k in range(20)}},
                [(NOW_MS, 1.0)],
            )
            for i in range(20)
        ]
        refused += [r.reason for r in store.write_remote(write_request(rows)).rejected]
    assert set(refused) == {"tagMemory"}
    assert 0 < store.series_count < 120
    assert store._hot.series.words.size < 1 << 20
    store.close()
