"""The server's stores, opened from settings: spans outlive memory, and a restart."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from collectors.clock import ManualClock
from collectors.traces.search import TraceSearch
from collectors.traces.testing import make_span
from tocsin.cli import group
from tocsin.collecting import Collectors, open_collectors
from tocsin.self_metrics import self_metrics
from tocsin.settings import load_settings

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000


def opened(directory: Path, clock: ManualClock, history: str = "embedded") -> Collectors:
    settings = {"data_dir": directory, "history": history, "max_series": 1_000}
    collectors = open_collectors(load_settings(settings), clock)
    assert collectors.spans.wait_replayed(20)
    return collectors


def held(collectors: Collectors) -> list[str]:
    return [trace.trace_id[-1] for trace in collectors.spans.search(TraceSearch())]


def test_spans_are_found_again_days_later(tmp_path: Path) -> None:
    """Written, restarted, long forgotten by memory: search and trace still know them."""
    clock = ManualClock(NOW_MS)
    first = opened(tmp_path, clock)
    first.spans.write_spans([make_span("1", trace="a", start_ms=NOW_MS)])
    first.close()

    clock.advance_ms(3 * DAY_MS)
    second = opened(tmp_path, clock)
    assert second.spans.span_count == 0
    assert held(second) == ["a"]
    assert [span.span_id[-1] for span in second.spans.trace("a")] == ["1"]
    second.spans.write_spans([make_span("2", trace="b", start_ms=clock.now_ms())])
    assert held(second) == ["b", "a"]
    second.close()


def test_without_history_memory_is_all(tmp_path: Path) -> None:
    """Without a history, spans would be lost at a restart or kept for ever."""
    clock = ManualClock(NOW_MS)
    first = opened(tmp_path, clock, "off")
    first.spans.write_spans([make_span("1", trace="a", start_ms=NOW_MS)])
    first.close()

    second = opened(tmp_path, clock, "off")
    assert held(second) == ["a"]
    second.close()
    clock.advance_ms(3 * DAY_MS)
    third = opened(tmp_path, clock, "off")
    assert held(third) == []
    third.close()


@pytest.mark.parametrize("damage", [False, True])
def test_history_check_finds_a_damaged_part_of_the_spans(tmp_path: Path, damage: bool) -> None:
    """One flipped bit in a part of ``otel_traces`` is reported, with exit code 3."""
    collectors = opened(tmp_path, ManualClock(NOW_MS))
    collectors.spans.write_spans([make_span(f"{n}", start_ms=NOW_MS + n) for n in range(200)])
    collectors.close()
    if damage:
        parts = tmp_path.glob("history/store/**/data.bin")
        largest = max(parts, key=lambda path: path.stat().st_size)
        content = bytearray(largest.read_bytes())
        content[len(content) // 2] ^= 1
        largest.write_bytes(content)
    arguments = ["history", "check", "--data-dir", str(tmp_path), "--json"]
    answer = CliRunner().invoke(group, arguments)
    verdict = orjson.loads(answer.stdout)
    assert (answer.exit_code, verdict["ok"]) == ((3, False) if damage else (0, True))
    assert all(line.startswith("otel_traces: part ") for line in verdict["damaged"])
    assert len(verdict["damaged"]) == damage


@pytest.mark.parametrize("history", ["embedded", "off"])
def test_tocsin_tells_of_itself(tmp_path: Path, history: str) -> None:
    """Refusals by reason and what is held are metrics like any others."""
    collectors = opened(tmp_path, ManualClock(NOW_MS), history)
    collectors.stats.refuse("otlp.metrics", "newSeriesLimit", 3)
    collectors.spans.write_spans([make_span("1", start_ms=NOW_MS)])
    batch = self_metrics(collectors, {}, {}, NOW_MS, faults={})
    assert collectors.metrics.write(batch).accepted == len(batch)
    rows = [
        (batch.series[at], value) for at, value in zip(batch.series_index, batch.value, strict=True)
    ]
    told = {tags["name"]: value for tags, value in rows if "reason" not in tags}
    refused = {(tags["receiver"], tags["reason"]): v for tags, v in rows if "reason" in tags}
    assert refused["otlp.metrics", "newSeriesLimit"] == 3
    assert refused["atlas.publish", "seriesLimit"] == 0  # told of before the store is full
    assert told["tocsin.store.spans"] == 1
    assert told["tocsin.spans.tailKept"] == 0
    assert told["tocsin.process.peakMemory"] > 1e6
    assert told.get("tocsin.history.spansWaiting") == (1 if history == "embedded" else None)
    collectors.close()
