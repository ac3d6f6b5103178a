"""The campaign in small: a real process is killed while people answer, and Slack fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.pages import Plan, play


@pytest.mark.processes
@pytest.mark.slow
def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """A page is lost, or rings twice, when the process dies at the wrong moment."""
    plan = Plan(incidents=2, kills=2, faults=3, outage_s=0, between_s=(0.3, 1.0), pause_s=0.1)

    outcome = play(plan, tmp_path)

    assert outcome.mistakes == []
    assert outcome.kills == 2
