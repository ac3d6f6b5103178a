"""``tocsin canary`` and ``tocsin forecast``: what a pipeline and an operator are told."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from tocsin.client.canary_shapes import Canary
from tocsin.client.client import ApiClient
from tocsin.client.forecast_shapes import ForecastAnswer
from tocsin.commands import canary, forecast

METRIC: Any = {
    "name": "errors",
    "group": "all",
    "critical": True,
    "outcome": "high",
    "reason": "6 on average where the control has 2",
    "control_values": 30,
    "experiment_values": 30,
    "difference": None,
}
ANSWER: Canary = {
    "verdict": "fail",
    "score": 0.0,
    "reason": "errors is critical and high",
    "groups": [],
    "metrics": [METRIC],
}
TOLD = """\
fail (0): errors is critical and high

outcome  group  metric             why
high     all    errors (critical)  6 on average where the control has 2
"""


@pytest.mark.parametrize(
    ("verdict", "flags", "code"),
    [
        ("pass", [], 0),
        ("marginal", [], 3),
        ("marginal", ["--marginal-ok"], 0),
        ("fail", ["--marginal-ok"], 3),
        ("nodata", [], 3),
    ],
)
def test_a_pipeline_reads_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, verdict: Any, flags: list[str], code: int
) -> None:
    """A bad version would be rolled out by whoever asks only whether the command went well."""
    asked: dict[str, Any] = {}

    def answer(_: ApiClient, params: dict[str, Any]) -> Canary:
        asked.update(params)
        return {**ANSWER, "verdict": verdict}

    monkeypatch.setattr(ApiClient, "canary", answer)
    line = ["--increase", "errors=name,e,:eq", "--increase", "s=name,s,:eq", "--critical", "errors"]
    line += ["--control", "v=1", "--experiment", "v=2", "--pass", "90", "--json"]
    found = CliRunner().invoke(canary.command, [*line, *flags])
    assert found.exit_code == code, found.output
    assert orjson.loads(found.output)["verdict"] == verdict
    assert asked == {
        "increase": ("errors=name,e,:eq", "s=name,s,:eq"),
        "control": ("v=1",),
        "experiment": ("v=2",),
        "critical": ("errors",),
        "s": "e-30m",
        "e": "now",
        "pass": 90.0,
    }


def test_an_operator_reads_why() -> None:
    """A verdict without its reason is argued with."""
    assert f"{canary.told(ANSWER)}\n" == TOLD


def test_a_forecast_says_how_far_it_can_be_trusted() -> None:
    """A number without its band is taken for a promise."""
    answer: ForecastAnswer = {
        "query": "q",
        "step_ms": 60_000,
        "past_ms": [0, 0],
        "times_ms": [1_700_000_000_000],
        "lines": [
            {
                "tags": {},
                "forecast": {
                    "likeliest": [12.0],
                    "low": [10.0],
                    "high": [15.0],
                    "now": 8.0,
                    "method": "trend",
                    "season_steps": 0,
                    "stated": 0.8,
                    "measured": None,
                    "tried": 0,
                    "error": None,
                },
                "why_not": "",
                "exhaustion": {
                    "limit": 11.0,
                    "reached": False,
                    "likeliest_ms": 1_700_000_000_000,
                    "earliest_ms": 1_700_000_000_000,
                    "latest_ms": None,
                },
                "instances": None,
            }
        ],
    }
    told = forecast.told(answer)
    assert "8 now, 12 at" in told
    assert "between 10 and 15; how often such bands have held could not be measured" in told
    assert "latest not before the end" in told
    assert forecast.told({**answer, "lines": []}) == "The expression has no data."
