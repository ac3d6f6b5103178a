"""The encoder beside the platform: begins late, is waited for by nobody, begins again if killed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from demo_stack.chassis.errors import LayoutError
from demo_stack.services.encoding.process import EncoderSpec
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.supervisor.processes.child import Child, StartError

NAME = "encoder"
DELAY_S = 20.0
"""What the platform has for itself before titles are encoded, in seconds."""

STARTS = 4
"""An encoder that dies as often as this is not started again."""


class EncodingDesk:
    """Runs the encoder's process.

    Args:
        spec: What to encode; no titles for no process at all.
        log_dir: Directory of its log.
        delay_s: Seconds before it begins, and before it begins again.
    """

    def __init__(self, spec: EncoderSpec, log_dir: Path, delay_s: float = DELAY_S) -> None:
        self._spec = spec
        self._child = Child(NAME, [NAME, spec.to_json()], log_dir)
        self._queue = QueueFile(Path(spec.cache) / "queue.json")
        self._delay_s = delay_s
        self._running: asyncio.Task[None] | None = None
        self._state, self._said = ("waiting" if spec.titles else "off"), ""

    def open(self) -> None:
        """Let it begin in a while."""
        if self._spec.titles:
            self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End it at once, wherever it stands: its work goes on in the next run."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._child.kill_all()

    async def kill(self) -> None:
        """Kill it as ``kill -9`` does; it begins again after a while.

        Raises:
            LayoutError: It does not run just now.
        """
        if not self._child.alive:
            raise LayoutError(f"the encoder does not run just now: it is {self._state}")
        await self._child.kill()

    def status(self) -> dict[str, Any]:
        """Return what it does now, and why it does nothing if it does nothing."""
        jobs = {state.value: number for state, number in self._queue.peek().depth().items()}
        return {
            "state": self._state,
            "says": self._said,
            "pid": self._child.pid,
            "titles": self._spec.titles,
            "cache": self._spec.cache,
            "jobs": jobs,
        }

    async def _run(self) -> None:
        for _ in range(STARTS):
            await asyncio.sleep(self._delay_s)
            if not await self._once():
                return
        self._state, self._said = "failed", f"died {STARTS} times; see logs/encoder.log"

    async def _once(self) -> bool:
        """Run the process to its end; return whether it left something undone."""
        try:
            ready = await self._child.start()
        except StartError as error:
            self._state, self._said = "failed", str(error)
            return True
        if not ready["encoding"]:
            self._state, self._said = "unavailable", ready["reason"]
            return False
        self._state, self._said = "encoding", ready["encoder"]
        await self._child.ended()
        self._state = "waiting" if self._queue.peek().busy() else "done"
        return self._state == "waiting"
