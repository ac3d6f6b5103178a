"""How a child process lives and ends with the process that started it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

_PR_SET_PDEATHSIG = 1
SWITCH_S = 0.001
"""How long an exporter thread may keep the event loop waiting: five times less than usual."""


def bind_to_parent() -> None:
    """On Linux, let the kernel kill this process when its parent dies, even while stopped."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # the parent died before we asked


def die_with_parent() -> Callable[[], None]:
    """Return what a child process runs between fork and exec, so that it dies with this one.

    On Linux the kernel ends it when the thread that started it ends: start it in the main thread.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork: afterwards only the call is safe
    parent = os.getpid()

    def promise() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # we died before it asked

    return promise


def be_last() -> None:
    """Let everything else on this machine have the processor first."""
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):  # a container may forbid it: then niceness has to do
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def settle() -> None:
    """Prepare a process that is fully set up for many short requests."""
    gc.collect()
    gc.freeze()  # what exists now stays: collections need not look at it, and pause less
    sys.setswitchinterval(SWITCH_S)


def announce(ready: dict[str, Any]) -> None:
    """Tell the parent, in one line, that this process is up and where."""
    sys.stdout.buffer.write(orjson.dumps(ready) + b"\n")
    sys.stdout.flush()


async def until_told_to_stop() -> None:
    """Wait for SIGTERM or SIGINT, or for the parent to close our standard input."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await _watch_standard_input(stop)
    await stop.wait()


async def _watch_standard_input(stop: asyncio.Event) -> None:
    """Set ``stop`` at the end of standard input; the systems without prctl need this."""

    class _UntilEnd(asyncio.Protocol):
        def connection_lost(self, _exc: Exception | None) -> None:
            stop.set()

    await asyncio.get_running_loop().connect_read_pipe(_UntilEnd, sys.stdin)
