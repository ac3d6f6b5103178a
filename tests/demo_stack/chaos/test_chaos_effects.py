"""Every fault does something that can be seen from outside, and its rollback ends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo_stack.services.gateway import tokens
from demo_stack.services.gateway.inbound import is_drawn
from demo_stack.world.layout import Device
from tests.demo_stack.chaos.effects import (
    FAULTS,
    USUAL_BATCH,
    Effect,
    all_is_read,
    behind,
    both,
    burning,
    crowding,
    errors,
    failed,
    failing,
    filled_again,
    fresh_catalogue,
    leaked,
    leases_end,
    minutes_pass,
    missed,
    shows_only_while_it_lasts,
    unanswered,
    unread,
    unseen,
    waited,
)

if TYPE_CHECKING:
    from tests.demo_stack.chaos.conftest import OpenPlanet

HERE = Path(__file__).parent
IN_SCOPE = next(
    viewer for number in range(300) if is_drawn("licences", viewer := f"v{number:04d}", 0.125)
)
"""An account that the failure test reaches."""

EFFECTS = {
    "auth-errors": Effect(measure=failed, visits=8),
    "auth-partition": Effect(measure=failed, least=2),
    "bad-configuration": Effect(measure=failed, visits=8),
    "bad-deployment-errors": Effect(measure=failed, visits=6),
    "bad-deployment-latency": Effect(measure=waited(0.5)),
    "bad-deployment-leak": Effect(measure=leaked, least=128),
    "broker-death": Effect(measure=failing("send views"), least=2),
    "cache-death": Effect(
        measure=missed, least=4, quiet=2, viewer="v0001", then=fresh_catalogue, after=filled_again
    ),
    "billing-latency": Effect(measure=waited(0.8), least=2),
    "bit-rot": Effect(measure=failed, warm=12, visits=6),
    "cache-stampede": Effect(measure=failed, visits=6),
    "catalogue-latency": Effect(measure=waited(0.25), least=4),
    "cdn-site-loss": Effect(measure=failed, least=2),
    "clock-skew": Effect(measure=failed, least=2),
    "cold-cache": Effect(measure=waited(0.3)),
    "cpu-starvation": Effect(measure=burning, least=3),
    "disk-full": Effect(measure=failed, visits=4),
    "edge-latency": Effect(measure=waited(0.4), least=2),
    "expired-certificate": Effect(measure=failed, least=2),
    "failure-test": Effect(measure=failed, visits=4, viewer=IN_SCOPE),
    "gateway-latency": Effect(measure=waited(0.3), least=4),
    "gradual-degradation": Effect(measure=waited(1.0), least=2, then=minutes_pass),
    "hot-key": Effect(measure=waited(0.6), visits=6),
    "instance-crash": Effect(measure=unanswered("playback"), visits=6, after=leases_end),
    "licence-errors": Effect(measure=failed, visits=8),
    "one-bad-instance": Effect(measure=errors("playback"), visits=6),
    "one-device-broken": Effect(measure=failed, least=2, device=Device.PHONE),
    "playback-errors": Effect(measure=failed, visits=8),
    "poison-messages": Effect(
        measure=unread, least=50, quiet=USUAL_BATCH, chores=True, after=all_is_read
    ),
    "pulse-loss": Effect(measure=unseen("stream.starts")),
    "queue-lag": Effect(measure=waited(8.0), chores=True),
    "recommendations-latency": Effect(measure=waited(0.4), least=2),
    "recommendations-partition": Effect(measure=unanswered("recommendations"), least=2),
    "region-death": Effect(measure=failed, least=2),
    "region-hang": Effect(measure=failed, least=2),
    "region-partition": Effect(measure=both(errors("billing"), failing("send views"))),
    "registry-staleness": Effect(measure=unanswered("playback"), visits=6, after=leases_end),
    "replica-lag": Effect(measure=behind("b"), least=0.4, quiet=0.2, chores=True),
    "replica-loss": Effect(measure=failing("INSERT viewing_history"), least=2),
    "retry-storm": Effect(measure=errors("catalogue"), visits=4),
    "silent-data-loss": Effect(measure=unseen("http.server.request.duration")),
    "stale-keys": Effect(measure=failed, least=2),
    "traffic-surge": Effect(measure=crowding, least=2.2, quiet=1.3),
    "zone-loss": Effect(measure=errors("playback"), visits=6),
}


def _with_tests_of_their_own() -> set[str]:
    """Return the faults that are tried by a file of their own, ``test_fault_NAME.py``."""
    stems = {path.stem.removeprefix("test_fault_") for path in HERE.glob("test_fault_*.py")}
    return {stem.replace("_", "-") for stem in stems}


def test_no_fault_goes_untried() -> None:
    """A fault without a measured effect may do nothing at all, and nobody would notice."""
    assert sorted(set(FAULTS) - _with_tests_of_their_own()) == sorted(EFFECTS)


@pytest.mark.parametrize("name", sorted(set(FAULTS) & set(EFFECTS)))
def test_a_fault_shows_while_it_lasts_and_only_then(
    planet: OpenPlanet, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A fault that does nothing, or that outlives its rollback, spoils every scorecard."""
    monkeypatch.setattr(tokens, "REFETCH_S", 0.0)  # nobody waits here for a gateway to ask again
    shows_only_while_it_lasts(planet, name, EFFECTS[name], tmp_path)
