"""A damaged part of history is reported and skipped: the rest is answered."""

from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.errors import StorageError
from collectors.history.engine import HistoryEngine
from collectors.host.journal import MemoryJournal
from collectors.traces.history.span_history import SPAN_TABLE, SpanHistory
from collectors.traces.history.span_keeper import SpanKeeper
from collectors.traces.search import TraceSearch
from collectors.traces.span_record import encode_spans
from collectors.traces.store import SPANS
from collectors.traces.testing import make_span

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
BATCHES = [
    [make_span(f"{n:x}", trace=f"{n:x}", start_ms=NOW_MS + day * DAY_MS + n) for n in numbers]
    for day, numbers in enumerate((range(1, 200), range(1_000, 1_200)))
]


def damage_one_part(directory: Path) -> None:
    """Flip bits in the middle half of the part of the first day."""
    first_day = max(
        directory.glob("store/*/*/20231114_*/data.bin"), key=lambda path: path.stat().st_size
    )
    content = bytearray(first_day.read_bytes())
    for at in range(len(content) // 4, 3 * len(content) // 4):
        content[at] ^= 0x55
    first_day.write_bytes(content)


def test_what_is_sound_is_answered_and_the_rest_comes_back(tmp_path: Path) -> None:
    """One damaged file would keep all of history from being read."""
    engine = HistoryEngine.open(f"chdb://{tmp_path}")
    history = SpanHistory(engine)
    for batch in BATCHES:
        history.insert_spans(batch)
    engine.close()
    damage_one_part(tmp_path)

    engine = HistoryEngine.open(f"chdb://{tmp_path}")
    history = SpanHistory(engine)
    (damaged,) = history.check()
    assert damaged.startswith(f"{SPAN_TABLE}: part 20231114_1_1_0 is damaged")
    found = history.search(TraceSearch(start_ms=NOW_MS, limit=1_000))
    assert len(found) == len(BATCHES[1])
    (aside,) = history.check()
    assert aside.startswith(f"{SPAN_TABLE}: part 20231114_1_1_0 is damaged and set aside")

    journal = MemoryJournal()
    journal.append(SPANS, encode_spans(BATCHES[0]))
    clock = ManualClock(NOW_MS + 2 * DAY_MS)
    keeper = SpanKeeper(history, journal, clock, retention_ms=9 * DAY_MS, interval_s=None)
    assert keeper.flush() == len(BATCHES[0])  # what the journal still has is written again
    assert len(history.search(TraceSearch(start_ms=NOW_MS, limit=1_000))) == 399
    keeper.close()
    with pytest.raises(StorageError, match="UNKNOWN_TABLE"):
        engine.columns("SELECT 1 FROM tocsin.nothing")
    engine.close()
