"""A page that is to be delivered."""

from __future__ import annotations

import pytest

from runbooks.incidents import commands as c
from runbooks.incidents.decisions.decide import decide
from runbooks.incidents.folding import fold
from runbooks.incidents.states import Severity
from runbooks.notifiers.card import Links, card_of
from runbooks.notifiers.delivery import Action, Delivery
from tests.runbooks.room import MakeFinding

LINKS = Links(dashboard_url="http://127.0.0.1:8501", api_url="http://127.0.0.1:7101")


@pytest.fixture
def delivery(make_finding: MakeFinding) -> Delivery:
    """The first message of a new incident."""
    command = c.Open(
        incident_id="inc-0001", finding=make_finding(), severity=Severity.SEV2, why="it pages"
    )
    card = card_of(fold(decide(None, command, 1_700_000_010_000)), LINKS)
    return Delivery(
        outbox_id=41,
        action=Action.OPEN,
        channel="incidents",
        card=card,
        text="",
        reference="",
        created_ms=1_700_000_010_000,
    )
