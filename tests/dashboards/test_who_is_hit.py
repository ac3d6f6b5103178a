"""Who is hit: the objective that a finding is about, and what its failing part has in common."""

from __future__ import annotations

from typing import cast

import pytest

from dashboards.panels.room.set_apart import of_finding
from tocsin.client.shapes import Finding, Slo

EU, US = {"cloud.region": "eu-west-1"}, {"cloud.region": "us-east-1"}
SLOS = cast("list[Slo]", [{"name": "shop", "scope": EU}, {"name": "shop", "scope": US}])


@pytest.mark.parametrize(
    ("rule", "scope", "found"),
    [
        ("slo/shop/page-fast", {"service.name": "till", **US}, US),
        ("slo/shop/page-fast", EU, EU),
        ("slo/shop/page-fast", {"cloud.region": "ap"}, None),
        ("slo/depot/page-fast", US, None),
    ],
    ids=["a finding names the service besides", "the same", "another place", "another objective"],
)
def test_a_finding_has_its_objective(
    rule: str, scope: dict[str, str], found: dict[str, str] | None
) -> None:
    """The page would have a heading and nothing below it, or the numbers of another region."""
    objective = of_finding(cast("Finding", {"rule": rule, "scope": scope}), SLOS)
    assert (objective and objective["scope"]) == found
