"""What the instances of the gateway share in a region."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from demo_stack.business.metering import Reading, UsageMeter
from demo_stack.services.gateway.front_door import FrontDoor
from demo_stack.services.gateway.tunnel import Tunnel

USAGE_PAUSE_S = 5.0
"""Least time between two readings of what is used, in seconds."""


@dataclass(slots=True, kw_only=True)
class GatewayStores:
    """Outlives every instance.

    Attributes:
        front_door: The load balancers in front of the gateways.
        tunnel: Where the gateways pass requests on to, while the region is evacuated.
        read_meters: Says what the region has used so far.
        fit_accounts: Accounts under a failure-injection test, with the test's scope.
        fit_shares: Share of all accounts under a failure-injection test, by the test's scope.
        usage: What the region has used since it was last asked.
    """

    front_door: FrontDoor
    tunnel: Tunnel
    read_meters: Callable[[], Reading]
    fit_accounts: dict[str, str] = field(default_factory=dict)
    fit_shares: dict[str, float] = field(default_factory=dict)
    usage: UsageMeter = field(default_factory=lambda: UsageMeter(USAGE_PAUSE_S))
