"""What experiments can do. Under ``chaos run`` these functions ask the supervisor to do it.

Set ``DEMO_STACK_CONTROL`` to the supervisor's control URL (``control`` in ``platform.json``).
"""

from __future__ import annotations

import os
from typing import Any

import httpx2


def disturb(
    region: str,
    point: str,
    *,
    error_ratio: float = 0.0,
    delay_s: float = 0.0,
    error: str = "connection reset by peer",
    error_type: str = "ConnectionResetError",
) -> None:
    """Delay or fail requests of ``region`` that reach ``point``."""
    _ask(
        "disturb",
        region=region,
        point=point,
        error_ratio=error_ratio,
        delay_s=delay_s,
        error=error,
        error_type=error_type,
    )


def calm(region: str, point: str) -> None:
    """Let requests pass ``point`` again."""
    _ask("calm", region=region, point=point)


def kill_region(region: str) -> None:
    """Kill a region's process as ``kill -9`` does."""
    _ask("kill_region", region=region)


def start_region(region: str) -> None:
    """Start a region that is dead and send its viewers back to it."""
    _ask("start_region", region=region)


def is_up(region: str) -> bool:
    """Probe: the region's process is alive."""
    status = httpx2.get(f"{_control()}/status", trust_env=False).raise_for_status().json()
    return bool(status["regions"][region]["state"] == "up")


def _ask(action: str, **arguments: Any) -> None:
    response = httpx2.post(f"{_control()}/actions/{action}", json=arguments, trust_env=False)
    response.raise_for_status()


def _control() -> str:
    return os.environ["DEMO_STACK_CONTROL"].rstrip("/")
