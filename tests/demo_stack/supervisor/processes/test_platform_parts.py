"""Foreign parts: what is installed is used, comes back when it dies, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from demo_stack.chassis.errors import LayoutError
from demo_stack.in_memory.turns import until
from demo_stack.supervisor.processes.parts import Parts
from demo_stack.supervisor.processes.sidecar import Sidecar, SidecarError, has_broker, has_memcached

REGION = "us-east-1"
needs_parts = pytest.mark.skipif(
    not (has_memcached() and has_broker()), reason="memcached or the broker is not installed"
)
HOLDER = """
import asyncio, sys
from pathlib import Path
from demo_stack.supervisor.processes.parts import Parts

async def main():
    parts = Parts(["us-east-1"], Path(sys.argv[1]))
    await parts.start()
    status = parts.status()
    print(*status["cache"]["pids"].values(), *status["eventlog"]["pids"].values(), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def _pids(parts: Parts) -> dict[str, Any]:
    status = parts.status()
    return {**status["cache"]["pids"], **status["eventlog"]["pids"]}


@needs_parts
def test_parts_that_die_come_back_at_their_address_and_all_end_with_stop(tmp_path: Path) -> None:
    """A part at another address is never found again."""

    async def story() -> list[Any]:
        parts = Parts([REGION], tmp_path, restart_after_s=0.05)
        await parts.start()
        try:
            assert parts.status()["cache"]["system"] == "memcached"
            assert parts.status()["eventlog"]["system"] == "kafka"
            addresses = [parts.caches(REGION), parts.broker]
            before = _pids(parts)
            assert set(before) == {*(f"cache-{REGION}{zone}" for zone in "abc"), "broker"}
            for name in (f"cache-{REGION}a", "broker"):
                await parts.kill(name)
            await until(
                lambda: all(pid and pid != before[name] for name, pid in _pids(parts).items()
                            if name in {"broker", f"cache-{REGION}a"})
            )  # fmt: skip
            assert [parts.caches(REGION), parts.broker] == addresses
            with pytest.raises(LayoutError):
                await parts.kill("cache-mars")
            await parts.kill("broker", stay=True)
            await asyncio.sleep(0.15)  # three times what it would take to come back
            assert _pids(parts)["broker"] is None
            await parts.revive("broker")
            assert _pids(parts)["broker"]
            assert parts.broker == addresses[1]
            last = _pids(parts)
        finally:
            await parts.stop()
        return [pid for pid in last.values() if psutil.pid_exists(pid)]

    assert asyncio.run(story()) == []


@needs_parts
def test_they_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """Caches and brokers would be left running."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    with holder:
        assert holder.stdout is not None
        pids = [int(pid) for pid in holder.stdout.readline().split()]
        assert len(pids) == 4
        os.kill(holder.pid, signal.SIGKILL)
    asyncio.run(until(lambda: not any(psutil.pid_exists(pid) for pid in pids)))


def test_without_them_the_regions_are_told_to_embed(tmp_path: Path) -> None:
    """A machine without the parts must run the platform all the same."""

    async def story() -> tuple[dict[str, list[str]], str, dict[str, Any]]:
        parts = Parts([REGION], tmp_path, embedded=True)
        await parts.start()
        status = parts.status()
        await parts.stop()
        return parts.caches(REGION), parts.broker, status

    caches, broker, status = asyncio.run(story())
    assert (caches, broker) == ({}, "")
    assert (status["cache"]["system"], status["eventlog"]["system"]) == ("embedded", "embedded")


def test_what_is_killed_while_it_starts_is_not_started_again(tmp_path: Path) -> None:
    """A part that is to stay dead would be back at the second attempt to start it."""

    async def story() -> bool:
        car = Sidecar("deaf", lambda _port: ("sleep", "600"), tmp_path)
        starting = asyncio.create_task(car.start())
        await until(lambda: car.alive)
        await car.kill()
        with pytest.raises(SidecarError, match="was killed while it started"):
            await starting
        return car.alive

    assert asyncio.run(story()) is False


def test_what_does_not_come_up_is_named(tmp_path: Path) -> None:
    """An operator must learn which part failed, and where its log is."""
    car = Sidecar("nonsense", lambda port: (sys.executable, "-c", f"exit({port % 2})"), tmp_path)
    with pytest.raises(SidecarError, match=r"nonsense did not start; see .*nonsense\.log"):
        asyncio.run(car.start())
