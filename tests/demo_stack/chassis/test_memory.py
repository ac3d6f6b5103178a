"""Instances say what their process takes of the machine's memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from demo_stack.chassis import memory


def _measured() -> list[tuple[str, float]]:
    reader = InMemoryMetricReader()
    memory.measure_memory(MeterProvider([reader], shutdown_on_exit=False).get_meter("test"))
    data = reader.get_metrics_data()
    return [
        (metric.name, point.value)  # type: ignore[union-attr]  # a gauge has no other points
        for resource in (data.resource_metrics if data else [])
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    ]


def test_the_process_s_memory_is_reported_in_bytes() -> None:
    """A leak would be seen by nobody until the process is killed."""
    ((name, value),) = _measured()
    assert name == "process.memory.usage"
    assert 10e6 < value < 100e9


def test_where_the_system_tells_nothing_nothing_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A zero would be a fact that nobody measured."""
    monkeypatch.setattr(memory, "_STATM", tmp_path / "absent")
    assert _measured() == []
