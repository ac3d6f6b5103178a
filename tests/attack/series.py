"""Many series on the attacked server, as one sender's remote write brings them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import httpx2

from collectors.store.testing.encoder import write_request
from tests.attack.stage import Stage

_AT_ONCE = 10_000
_HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}


def fill(stage: Stage, series: Sequence[Mapping[str, str]]) -> None:
    """Write one sample of each series."""
    for begin in range(0, len(series), _AT_ONCE):
        now_ms = time.time_ns() // 1_000_000
        body = write_request((labels, [(now_ms, 1.0)]) for labels in series[begin:][:_AT_ONCE])
        url = f"{stage.api}/api/v1/write"
        answer = httpx2.post(url, content=body, headers=_HEADERS, trust_env=False, timeout=60)
        assert answer.is_success, answer.text


def instances(name: str, count: int) -> list[dict[str, str]]:
    """Return labels of as many instances of a hundred services."""
    return [
        {
            "__name__": name,
            "app": f"app-{i % 100:03d}",
            "instance": f"i-{i:07d}",
            "zone": "abc"[i % 3],
        }
        for i in range(count)
    ]
