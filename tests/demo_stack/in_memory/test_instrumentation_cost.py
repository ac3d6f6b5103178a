"""What instrumentation costs is measured on the real services, and it is not nothing."""

from __future__ import annotations

import orjson
import pytest
from click.testing import CliRunner

from demo_stack.cli import main
from demo_stack.in_memory.telemetry_cost import InstrumentationCost


def test_it_is_measured_on_requests_that_were_served_and_reported() -> None:
    """A figure of requests that reported nothing would be the cost of nothing."""
    result = CliRunner().invoke(
        main, ["cost-of-telemetry", "--sessions", "10", "--rounds", "1", "--json"]
    )
    found = orjson.loads(result.output)
    assert found["requests"] > 100
    assert found["off_cpu_ms_per_request"] > 0.0
    assert found["on_cpu_ms_per_request"] > 0.0
    assert 2.0 < found["spans_per_request"] < 4.0  # server, client, and stores now and then


@pytest.mark.parametrize("option", ["--sessions", "--rounds"])
def test_nothing_can_be_measured_with_nothing(option: str) -> None:
    """No sessions or no rounds must be refused, not divided by."""
    result = CliRunner().invoke(main, ["cost-of-telemetry", option, "0"])
    assert result.exit_code == 2
    assert "at least 1" in result.output


def test_shares_follow_from_times() -> None:
    """The printed share must be that of the printed times."""
    cost = InstrumentationCost(requests=9, off_ms=1.5, on_ms=2.0, spans_per_request=2, rounds=1)
    assert (cost.cost_ms, cost.share) == (0.5, 0.25)
