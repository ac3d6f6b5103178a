"""The clock of stories in memory: our own work and waiting, and not what others take."""

from __future__ import annotations

import asyncio
import threading

import pytest

from demo_stack.in_memory import steady


def test_a_deadline_does_not_pass_while_others_have_the_processor() -> None:
    """A busy machine must not make a platform in memory fail."""

    async def story() -> str:
        async with asyncio.timeout(0.05):
            threading.Event().wait(0.2)  # the thread does not run, as if others had the processor
            await asyncio.sleep(0)
        return "in time"

    assert steady.run(story()) == "in time"


def test_a_deadline_passes_while_a_story_waits() -> None:
    """A call that hangs must still be given up."""

    async def story() -> None:
        async with asyncio.timeout(0.02):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        steady.run(story())


def test_a_deadline_passes_while_a_story_computes() -> None:
    """Our own slowness must stay slow."""

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(0.02):
            began = loop.time()
            while loop.time() - began < 0.05:
                sum(range(1_000))
            await asyncio.sleep(0.001)

    with pytest.raises(TimeoutError):
        steady.run(story())
