"""The requests on the compatibility page give the answers that stand below them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from starlette.applications import Starlette

from collectors.api.app import api_app
from collectors.clock import ManualClock
from collectors.store.metric_store import MetricStore

PAGE = Path(__file__).parents[3] / "docs" / "atlas-compatibility.md"
ADDRESS = "http://127.0.0.1:7101"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documented() -> list[tuple[str, str]]:
    """Return each command of the page with the output that stands below it."""
    found = []
    for block in BLOCK.findall(PAGE.read_text()):
        for part in ("\n" + block).split("\n$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_documented_requests_give_documented_answers(
    store: MetricStore,
    clock: ManualClock,
    serve: Callable[[Starlette], AbstractContextManager[str]],
) -> None:
    """A reader who types the examples of the docs would see something else."""
    commands = documented()
    assert len(commands) >= 6
    with serve(api_app(store, None, clock)) as url:
        for command, output in commands:
            assert command.startswith("curl ")
            arguments = [part.replace(ADDRESS, url) for part in shlex.split(command)]
            answer = subprocess.run(
                arguments, capture_output=True, text=True, timeout=30, check=False
            )
            assert answer.returncode == 0, answer.stderr
            assert answer.stdout.strip() == output.strip(), command
