"""The workloads: gauges in random walks, as ready remote-write bodies in files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cramjam
import numpy as np
from numpy.typing import NDArray

from collectors.store.testing.encoder import field, label_fields, sample_field, varint

STEP_MS = 60_000
SAMPLES_PER_REQUEST = 10_000
NAME = "bench_requests"
REGIONS = ("eu-1", "us-1", "us-2")
# A sample field is as long for every time of this century: 2 bytes of header, 1 of tag and 8 of
# value, 1 of tag and 6 of time.
_VALUE, _TIME, _SAMPLE = slice(3, 11), slice(12, 18), 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Series × steps, cut into requests.

    Attributes:
        name: What it is called in the results.
        series: Series at any one time.
        steps: One-minute steps.
        per_request: Samples of a series in one request.
        churn: Share of the series that is replaced every 30 steps.
    """

    name: str
    series: int
    steps: int
    per_request: int
    churn: float = 0.0

    @property
    def samples(self) -> int:
        """Number of samples in all."""
        return self.series * self.steps

    def scaled(self, scale: float) -> Workload:
        """Return the same with fewer series."""
        series = max(100, int(self.series * scale))
        return Workload(
            name=self.name,
            series=series,
            steps=self.steps,
            per_request=self.per_request,
            churn=self.churn,
        )


WORKLOADS = (
    Workload(name="w", series=100_000, steps=360, per_request=30),
    Workload(name="scrape", series=100_000, steps=360, per_request=1),
    Workload(name="churn", series=100_000, steps=360, per_request=30, churn=0.1),
    Workload(name="wide", series=1_000_000, steps=30, per_request=30),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """Written requests: their files in sending order, and the time that they cover."""

    workload: Workload
    files: tuple[tuple[Path, ...], ...]
    start_ms: int
    end_ms: int


def tags_of(series: int, generation: int) -> dict[str, str]:
    """Return the Prometheus labels of a series; texts are equally long for all series."""
    return {
        "__name__": NAME,
        "app": f"app-{series % 100:03d}",
        "cluster": f"c-{series // 100 % 20:02d}",
        "instance": f"i-{generation:02d}-{series:07d}",
        "region": REGIONS[series % 3],
        "zone": "abc"[series // 3 % 3],
    }


def write_bodies(workload: Workload, directory: Path) -> Bodies:
    """Write every request of ``workload`` into ``directory``."""
    end_ms = time.time_ns() // 1_000_000 // STEP_MS * STEP_MS
    start_ms = end_ms - (workload.steps - 1) * STEP_MS
    rounds: list[list[Path]] = [[] for _ in range(-(-workload.steps // workload.per_request))]
    chunk = max(1, SAMPLES_PER_REQUEST // workload.per_request)
    rng = np.random.default_rng(36)
    for first in range(0, workload.series, chunk):
        series = range(first, min(first + chunk, workload.series))
        walks = rng.integers(-3, 4, (len(series), workload.steps)).cumsum(axis=1) + 500.0
        for number, body in enumerate(_requests(workload, series, walks, start_ms)):
            path = directory / f"{number:04d}-{first:07d}"
            path.write_bytes(body)
            rounds[number].append(path)
    return Bodies(
        workload=workload,
        files=tuple(tuple(files) for files in rounds),
        start_ms=start_ms,
        end_ms=end_ms,
    )


def _requests(
    workload: Workload, series: range, walks: NDArray[np.float64], start_ms: int
) -> Iterator[bytes]:
    """Yield the compressed request of each round for some series."""
    messages: NDArray[np.uint8] | None = None
    made_for = -1
    for first in range(0, workload.steps, workload.per_request):
        count = min(workload.per_request, workload.steps - first)
        generation = first // 30 if workload.churn else 0
        if messages is None or generation != made_for or count != workload.per_request:
            messages = _template(workload, series, generation, count)
            made_for = generation
        times = start_ms + (first + np.arange(count, dtype=np.int64)) * STEP_MS
        fields = messages[:, -count * _SAMPLE :].reshape(len(series), count, _SAMPLE)
        values = walks[:, first : first + count].astype("<f8")
        fields[:, :, _VALUE] = values[:, :, None].view(np.uint8)
        fields[:, :, _TIME] = _varints(times)
        yield bytes(cramjam.snappy.compress_raw(messages.tobytes()))


def _template(workload: Workload, series: range, generation: int, count: int) -> NDArray[np.uint8]:
    """Return one TimeSeries message a row, samples still empty."""
    rows = []
    for number in series:
        replaced = _replacements(workload, number, generation)
        content = label_fields(tags_of(number, replaced)) + sample_field(1 << 40, 1.0) * count
        rows.append(field(1, content))
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1).copy()


def _replacements(workload: Workload, number: int, generation: int) -> int:
    """Return how often series ``number`` was replaced: each time another share of all is."""
    if not workload.churn:
        return 0
    shares = round(1 / workload.churn)
    return (generation + shares - 1 - number % shares) // shares


def _varints(times_ms: NDArray[np.int64]) -> NDArray[np.uint8]:
    encoded = b"".join(varint(time_ms) for time_ms in times_ms.tolist())
    return np.frombuffer(encoded, dtype=np.uint8).reshape(len(times_ms), -1)
