"""A start that does not fit the data refuses, says what to do, and changes nothing."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from collectors.clock import ManualClock
from collectors.errors import ConfigError
from collectors.limits import Limits
from collectors.model import Batch
from collectors.store.metric_store import MetricStore

START_MS = 1_700_000_040_000
SERIES = 50


def opened(path: Path, step_ms: int = 1_000, **limits: int) -> MetricStore:
    return MetricStore.open(
        path,
        step_ms=step_ms,
        hot_window_ms=600_000,
        clock=ManualClock(START_MS),
        limits=Limits(**limits),
    )


def fill(store: MetricStore) -> None:
    store.write(
        Batch(
            series=[{"name": "a", "n": str(n)} for n in range(SERIES)],
            series_index=np.arange(SERIES, dtype=np.int32),
            time_ms=np.full(SERIES, START_MS - 500),
            value=np.ones(SERIES),
        )
    )


def contents(path: Path) -> dict[str, str]:
    """Return a digest of each file but those that are empty."""
    files = (file for file in path.rglob("*") if file.is_file() and file.stat().st_size)
    return {str(file.relative_to(path)): sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.parametrize("checkpoint", [True, False])
@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"step_ms": 5_000}, "TOCSIN_STEP=1s"),
        ({"step_ms": 500}, "TOCSIN_STEP=1s"),
        ({"max_series": SERIES - 1}, "TOCSIN_MAX_SERIES"),
    ],
)
def test_a_start_of_another_shape_changes_nothing(
    tmp_path: Path, other: dict[str, int], words: str, checkpoint: bool
) -> None:
    """One wrong setting, and the next checkpoint would delete what was hot."""
    store = opened(tmp_path)
    fill(store)
    if checkpoint:
        store.checkpoint()
        store.close()
    before = contents(tmp_path)

    with pytest.raises(ConfigError, match=words):
        opened(tmp_path, **other)

    assert contents(tmp_path) == before
    if not checkpoint:
        store.close()
    again = opened(tmp_path)
    assert again.series_count == SERIES
    again.close()


def test_a_newer_layout_is_not_touched(tmp_path: Path) -> None:
    """An old version would take the files of a new one for damage."""
    opened(tmp_path).close()
    (tmp_path / "shape.json").write_text('{"layout": 99, "step_ms": 1000}')
    with pytest.raises(ConfigError, match="layout 99"):
        opened(tmp_path)
