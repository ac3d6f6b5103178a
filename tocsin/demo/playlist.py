"""What the platform can play; asked of the platform itself, as any outsider would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import cache

import orjson

from collectors.errors import ConfigError

TOLD_FAULTS = ("playback-errors", "recommendations-latency", "region-death")
"""Faults that the demo's objectives and detectors find within the story's patience: each is tried.

The platform knows many more; some are meant to hurt nobody, and make no story of a page.
"""

_KINDS = ("scenarios", "faults", "operations")


@cache
def listing() -> Mapping[str, Mapping[str, str]]:
    """Return titles by name by kind: ``scenarios``, ``faults``, ``operations``.

    Raises:
        ConfigError: The platform could not be asked.
    """
    command = [sys.executable, "-m", "demo_stack", "--list", "--json"]
    answer = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own module
    if answer.returncode != 0:
        raise ConfigError(f"the demo platform can't say what it plays: {answer.stderr.decode()}")
    listed = orjson.loads(answer.stdout)
    return {kind: {str(one["name"]): str(one["title"]) for one in listed[kind]} for kind in _KINDS}
