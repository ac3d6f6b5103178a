"""Severity from urgency, depth and breadth: a table."""

from __future__ import annotations

from typing import Any

import pytest

from anomaly.findings import FindingKind, FindingState, Urgency
from collectors.model import Tags
from runbooks.alerts.severity import assess
from runbooks.incidents.states import Severity
from tests.runbooks.room import MakeFinding


def at(service: str, region: str) -> Tags:
    return {"service.name": service, "cloud.region": region}


ANOMALY = {"kind": FindingKind.ANOMALY, "observed": 60.0, "baseline": 100.0, "values": {}}
DEEP = ANOMALY | {"observed": 40.0}
TABLE = [
    ([{"urgency": Urgency.TICKET}], Severity.SEV4, "nothing that pages"),
    ([{"urgency": Urgency.INFO, "kind": FindingKind.NO_DATA}], Severity.SEV4, "nothing"),
    ([ANOMALY], Severity.SEV3, "pages"),
    ([ANOMALY | {"baseline": None}], Severity.SEV3, "pages"),
    ([DEEP], Severity.SEV2, "down to 40 % of the baseline"),
    ([{"values": {}}], Severity.SEV2, "an SLO is burning"),
    ([{}], Severity.SEV2, "84× too fast"),
    ([{"kind": FindingKind.NO_DATA}], Severity.SEV2, "its data stopped"),
    ([DEEP, DEEP | {"id": "b", "scope": at("playback", "eu")}], Severity.SEV1, "2 regions"),
    ([ANOMALY, ANOMALY | {"id": "b", "scope": at("playback", "eu")}], Severity.SEV2, "2 regions"),
    ([{"id": str(i), "scope": at(f"s{i}", "us")} for i in range(4)], Severity.SEV1, "4 services"),
    ([DEEP | {"state": FindingState.RESOLVED}, ANOMALY | {"id": "b"}], Severity.SEV3, "pages"),
    ([DEEP | {"state": FindingState.RESOLVED}], Severity.SEV2, "down to 40 %"),
]


@pytest.mark.parametrize(("changes", "severity", "why"), TABLE)
def test_severity(
    make_finding: MakeFinding, changes: list[dict[str, Any]], severity: Severity, why: str
) -> None:
    """Each row: findings, the severity they have together, and a word of the reason."""
    found = assess([make_finding(**change) for change in changes])
    assert found[0] is severity
    assert why in found[1]
