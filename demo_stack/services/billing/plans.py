"""What can be subscribed to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from demo_stack.chassis.errors import ServiceError

CURRENCY = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan.

    Attributes:
        id: Such as ``standard``.
        price_minor: Price of a month in minor units (cents).
        streams: Devices that may play at the same time.
        share: Share of all subscribers, 0 to 1.
    """

    id: str
    price_minor: int
    streams: int
    share: float


PLANS = {
    plan.id: plan
    for plan in (
        Plan(id="basic", price_minor=799, streams=1, share=0.3),
        Plan(id="standard", price_minor=1_399, streams=2, share=0.5),
        Plan(id="premium", price_minor=1_999, streams=4, share=0.2),
    )
}


def plan_named(name: str) -> Plan:
    """Return a plan.

    Raises:
        ServiceError: There is none of this name.
    """
    if name not in PLANS:
        raise ServiceError(f"no plan {name[:40]!r}; there are: {', '.join(PLANS)}", status=400)
    return PLANS[name]


def plan_of(account: str) -> Plan:
    """Return the plan that a made-up account has, the same every time."""
    place = int.from_bytes(hashlib.sha256(account.encode()).digest()[:4], "big") / 2**32
    for plan in PLANS.values():
        if place < plan.share:
            return plan
        place -= plan.share
    return PLANS["standard"]
