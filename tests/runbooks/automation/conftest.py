"""Runbooks that act, in a room of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.clock import ManualClock
from collectors.documents.section import PLAIN
from runbooks.automation.allowing import Allowed
from runbooks.automation.loading import load_runbook
from runbooks.automation.runbook import Runbook
from runbooks.desk.desk import IncidentDesk
from tests.runbooks.room import MakeDesk, MakeFinding

Write = Callable[[str], Runbook]
"""Reads a runbook of a text: its steps, and whatever else stands at the top."""

HEAD = """
name: mend
title: Mend it
applies_to: [{rule: "slo/*"}]
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def read(text: str) -> Runbook:
        path = tmp_path / "mend.yaml"
        path.write_text(HEAD + text)
        return load_runbook(path, PLAIN)

    return read


@pytest.fixture
def open_room(
    make_desk: MakeDesk, make_finding: MakeFinding, clock: ManualClock
) -> Callable[..., IncidentDesk]:
    """Opens a desk with one incident; steps are done at once, in the test's thread."""
    del clock

    def make(runbook: Runbook, allowed: Allowed | None = None, **changes: object) -> IncidentDesk:
        desk = make_desk(library=[runbook], allowed=allowed or Allowed(), **changes)
        desk.automation.runner.spawn = lambda work: work()
        desk.automation.patience_s = 0.0
        desk.receive(make_finding())
        desk.tick()
        return desk

    return make
