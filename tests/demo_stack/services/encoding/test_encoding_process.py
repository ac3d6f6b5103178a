"""The encoder as a real process beside the platform, with a program that plays ffmpeg."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from demo_stack.in_memory.turns import until
from demo_stack.services.encoding.process import EncoderSpec, sources_of
from demo_stack.services.encoding.queue_file import QueueFile
from demo_stack.services.encoding.recipe import source_key
from demo_stack.services.encoding.shelf import Shelf
from demo_stack.services.encoding.testing import tiny_init, tiny_segment
from demo_stack.supervisor.processes.encoding import EncodingDesk

pytestmark = [
    pytest.mark.processes,
    pytest.mark.paired,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="Linux has what is looked at"),
]

ROOT = Path(__file__).parents[4]
PROGRAM = """#!/bin/sh
for last; do :; done
case "$*" in
  *-version*) echo "ffmpeg version played by a shell" ;;
  *-encoders*) echo " V..... libx264 H.264" ;;
  *ssim*) echo "SSIM Y:1 All:0.99 (20)" ;;
  *"-f dash"*) echo '<Representation codecs="avc1.4d400b"/>' > "$last"
     cd "$(dirname "$last")" && cp "$BOXES/init" init && cp "$BOXES/1" 1.m4s ;;
  *.mp4) while [ -e "$HANG" ]; do sleep 0.05; done; echo film > "$last" ;;
esac
"""


@pytest.fixture
def hang(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put the program in front of PATH; while this file exists its encodes take forever."""
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (program.parent / "init").write_bytes(tiny_init())
    (program.parent / "1").write_bytes(tiny_segment(b"s"))
    monkeypatch.setenv("BOXES", str(program.parent))
    monkeypatch.setenv("HANG", str(tmp_path / "hang"))
    return tmp_path / "hang"


def _desk(tmp_path: Path, titles: int = 1) -> EncodingDesk:
    spec = EncoderSpec(cache=str(tmp_path / "media"), titles=titles, last=False)
    return EncodingDesk(spec, tmp_path, delay_s=0.05)


def test_an_encoder_that_is_killed_begins_again_and_goes_on(hang: Path, tmp_path: Path) -> None:
    """A crash must not cost the titles that were still to come."""
    hang.touch()

    async def story() -> None:
        desk = _desk(tmp_path)
        desk.open()
        await until(lambda: desk.status()["jobs"]["leased"] == 1)
        assert desk.status()["state"] == "encoding"
        first = psutil.Process(desk.status()["pid"])
        await until(lambda: bool(first.children()))
        program = first.children()
        os.kill(first.pid, signal.SIGKILL)
        if shutil.which("setpriv"):
            await until(lambda: not any(one.is_running() for one in program))
        await until(lambda: desk.status()["pid"] not in {None, first.pid})
        second = desk.status()["pid"]
        await asyncio.to_thread(hang.unlink)
        await until(lambda: desk.status()["state"] == "done")
        await desk.close()
        assert not psutil.pid_exists(second)
        (job,) = QueueFile(tmp_path / "media" / "queue.json").peek().jobs()
        assert job.attempts == 2  # a job that kills whoever does it will be parked, too

    asyncio.run(story())


def test_it_encodes_what_is_asked_for_and_ends(hang: Path, tmp_path: Path) -> None:
    """An encoder that never ends keeps a processor for nothing."""

    async def story() -> dict[str, Any]:
        desk = _desk(tmp_path, titles=2)
        desk.open()
        await until(lambda: desk.status()["state"] == "done")
        await desk.close()
        return desk.status()

    status = asyncio.run(story())
    assert status["says"] == "ffmpeg version played by a shell"
    assert (status["jobs"]["done"], status["pid"]) == (2, None)
    shelf = Shelf(tmp_path / "media")
    for source in sources_of(EncoderSpec(cache="", titles=2)):
        published = shelf.published(source_key(source))
        assert published is not None
        content, asset = published
        assert next(one.name for one in asset.representations) == "h264-108p"
        assert (shelf.segment(content, asset, "h264-108p", "0") or b"").endswith(b"s")


def test_whoever_encodes_comes_last_for_the_processor() -> None:
    """Encoding beside the platform would slow every request."""
    code = "import os; from demo_stack.chassis import lifeline; lifeline.be_last();"
    command = [sys.executable, "-c", f"{code} print(os.nice(0), os.sched_getscheduler(0))"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.split()
    assert said[0] == b"19"
    assert int(said[1]) in {os.SCHED_IDLE, os.SCHED_OTHER}


def test_without_titles_there_is_no_process(tmp_path: Path) -> None:
    """Nothing to encode must cost nothing."""

    async def story() -> dict[str, Any]:
        desk = _desk(tmp_path, titles=0)
        desk.open()
        await desk.close()
        return desk.status()

    assert asyncio.run(story())["state"] == "off"
