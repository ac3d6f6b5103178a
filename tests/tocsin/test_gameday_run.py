"""``tocsin gameday``: what it refuses at once, and one short day with the real processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import psutil
import pytest
from click.testing import CliRunner

from tocsin.cli import group

RUN = ["gameday", "run"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--hours", "0"], "--hours must be above 0"),
        (["--hours", "1e9"], "--hours must be above 0"),
        (["--hold", "-1"], "can't be below 0"),
        (["--url", "http://127.0.0.1:9"], "go together"),
        (["--platform-dir", "x"], "go together"),
        (["--fail-below", "2"], "0<=x<=1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(
    arguments: list[str], words: str
) -> None:
    """A wrong number would be noticed when the platform is up, or not at all."""
    result = CliRunner().invoke(group, [*RUN, *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_what_can_be_played_is_listed_by_kind() -> None:
    """Nobody would know which names there are."""
    result = CliRunner().invoke(group, ["gameday", "list"])
    assert result.exit_code == 0
    for words in ("scenarios:", "  elb-capacity-2016-01-27: ", "faults:", "  bit-rot: "):
        assert words in result.output


def test_a_directory_without_a_platform_is_named(tmp_path: Path) -> None:
    """A wrong path would end in a traceback."""
    command = [sys.executable, "-m", "tocsin", *RUN, "bit-rot", "--url", "http://127.0.0.1:9"]
    done = subprocess.run(
        [*command, "--platform-dir", str(tmp_path), "--data-dir", str(tmp_path / "d")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "platform.json does not say where the platform is" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_process_ends_with_the_code_that_its_command_exits_with(tmp_path: Path) -> None:
    """A script would take a failure for success."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        command = [sys.executable, "-m", "tocsin", "doctor", "--data-dir", str(tmp_path)]
        port = ["--api-port", str(busy.getsockname()[1])]
        done = subprocess.run([*command, *port], capture_output=True, check=False)
    assert done.returncode == 3


@pytest.mark.processes
@pytest.mark.slow
@pytest.mark.skipif(
    "TOCSIN_LONG_STORIES" not in os.environ,
    reason="takes a minute and a half; set TOCSIN_LONG_STORIES=1 to play it",
)
def test_a_short_day_with_real_processes_is_played_and_scored(tmp_path: Path) -> None:
    """The parts would fit each other only in tests with fakes."""
    report = tmp_path / "report.html"
    command = [sys.executable, "-m", "tocsin", *RUN, "playback-errors", "--json"]
    options = ["--settle", "25", "--hold", "30", "--recover", "10", "--report", str(report)]
    done = subprocess.run(
        [*command, *options, "--data-dir", str(tmp_path / "run"), "--fail-below", "1"],
        capture_output=True, text=True, check=False, timeout=300,
        env={name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    card = orjson.loads(done.stdout)
    (fault,) = card["faults"]
    assert (fault["name"], fault["detected"]) == ("playback-errors", True)
    assert 0 < fault["detect_s"] <= fault["page_s"] <= 35
    assert fault["rank"] == 1
    assert (card["totals"]["false_pages"], card["totals"]["missed"]) == (0, 0)
    assert card["conditions"]["load"]["regions"] == ["eu-west-1", "us-east-1"]
    assert "playback-errors" in report.read_text()
    left = [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(p.info["cmdline"])]
    assert left == []
