from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collectors.clock import ManualClock
from runbooks.desk.desk import IncidentDesk
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.status_page.component import Component
from runbooks.status_page.document import StatusPageFile
from runbooks.status_page.office import StatusOffice

PLAYBACK = Component(
    name="playback",
    title="Playback",
    group="Watching",
    objectives=("playback-availability",),
    where={},
    services=("playback",),
)
DOWNLOADS = Component(name="downloads", title="Downloads", where={})
FILE = StatusPageFile(
    title="Streamly", url="https://status.test", support_url="", components=(PLAYBACK, DOWNLOADS)
)


def row(state: str = "ok", *, short: float | None = None, urgency: str = "page") -> dict[str, Any]:
    """Return an objective's row as ``/api/v2/slos`` has it; ``short`` is a burn that fires."""
    firing = [{"firing": True, "urgency": urgency, "short": short}] if short is not None else []
    return {
        "name": "playback-availability",
        "scope": {"cloud.region": "us-east-1"},
        "state": state,
        "target": 0.999,
        "burn_rates": firing,
    }


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """What objectives say; a test puts in what it needs."""
    return [row()]


@pytest.fixture
def office(
    desk: IncidentDesk, clock: ManualClock, tmp_path: Path, rows: list[dict[str, Any]]
) -> StatusOffice:
    return StatusOffice(
        desk,
        slos=lambda: rows,
        metrics=FlatMetrics(),
        directory=tmp_path / "status",
        clock=clock,
        file=FILE,
    )
