"""Which faults the platform knows; asked of the platform itself, as any outsider would."""

from __future__ import annotations

import subprocess
import sys

import orjson

from collectors.errors import ConfigError

TOLD = ("playback-errors", "recommendations-latency", "region-death")
"""Faults that the demo's objectives and detectors find within the story's patience: each is tried.

The platform knows many more; some are meant to hurt nobody, and make no story of a page.
"""


def fault_names() -> list[str]:
    """Return the names of all the platform's faults.

    Raises:
        ConfigError: The platform could not be asked.
    """
    command = [sys.executable, "-m", "demo_stack", "--list", "--json"]
    answer = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own module
    if answer.returncode != 0:
        raise ConfigError(f"the demo platform can't list its faults: {answer.stderr.decode()}")
    listed = orjson.loads(answer.stdout)["faults"]
    return [str(fault["name"] if isinstance(fault, dict) else fault) for fault in listed]
