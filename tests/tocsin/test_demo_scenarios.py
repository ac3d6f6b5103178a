"""The demo offers scenarios by name, and tells how the platform does at every step of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest
from click.testing import CliRunner

from tocsin.cli import group
from tocsin.demo.outcome import Outcome
from tocsin.demo.playlist import TOLD_FAULTS, listing
from tocsin.demo.pulse import in_words, recent

NAN = float("nan")


def test_the_scenarios_are_listed_and_those_that_are_told_are_among_them() -> None:
    """The command line would offer what it can't play."""
    result = CliRunner().invoke(group, ["demo", "--list-scenarios"])
    assert result.exit_code == 0
    names = result.output.split()
    assert names == list(listing()["scenarios"])
    assert set(TOLD_FAULTS) <= set(listing()["faults"])


@pytest.mark.parametrize("arguments", [["--scenario", "gremlins"], ["--scenario", "none"]])
def test_an_unknown_scenario_is_refused_with_those_that_there_are(arguments: list[str]) -> None:
    """A slip of the pen would start the platform for nothing."""
    result = CliRunner().invoke(group, ["demo", *arguments])
    assert result.exit_code == 2
    assert "elb-capacity-2016-01-27" in result.output


@pytest.mark.parametrize(
    ("values", "mean"),
    [([1.0, 2.0, 3.0, 4.0], 3.0), ([4.0, NAN], 4.0), ([NAN, NAN], NAN), ([], NAN)],
)
def test_the_pulse_is_averaged_over_its_last_steps(values: list[float], mean: float) -> None:
    """One late step would make a healthy platform look ill."""
    assert recent(np.array(values)) == pytest.approx(mean, nan_ok=True)


def test_the_outcome_keeps_the_pulse_of_every_moment() -> None:
    """The story would say that a remedy helped without the figures for it."""
    outcome = Outcome(fault="elb")
    outcome.note("before", {"us-east-1": 4.123, "eu-west-1": 4.0})
    outcome.note("after", {})
    assert outcome.as_json()["pulse"] == {
        "before": {"us-east-1": 4.12, "eu-west-1": 4.0}, "after": {},
    }  # fmt: skip
    assert in_words({}) == "no stream starts measured yet"


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.skipif(
    "TOCSIN_LONG_STORIES" not in os.environ,
    reason="the story takes five minutes; set TOCSIN_LONG_STORIES=1 to hear it",
)
def test_the_outage_of_2016_and_its_remedies_are_seen_in_the_pulse(tmp_path: Path) -> None:
    """A remedy that does nothing would be shown as one that helps."""
    command = [sys.executable, "-m", "tocsin", "demo", "--scenario", "elb-capacity-2016-01-27"]
    done = subprocess.run(
        [*command, "--quick", "--json", "--data-dir", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=600,
        env={name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pulse = orjson.loads(done.stdout)["pulse"]
    east = {moment: rates["us-east-1"] for moment, rates in pulse.items()}
    assert east["capacity-limit"] < 0.5 * east["before"]
    assert east["capacity-limit"] < east["multi-zone-failover"] < 0.9 * east["before"]
    assert east["after"] > 0.8 * east["before"]
    elsewhere = [rates["eu-west-1"] for rates in pulse.values()]
    assert min(elsewhere) > 0.7 * pulse["before"]["eu-west-1"]
