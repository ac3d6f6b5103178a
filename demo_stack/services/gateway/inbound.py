"""What a request passes before anything is done for it."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from opentelemetry import baggage
from opentelemetry import context as otel_context

from demo_stack.chassis.disturbance import FIT_BAGGAGE
from demo_stack.resilience.shedding import Shedder
from demo_stack.services.gateway.exchange import (
    NO_ROUTE,
    Exchange,
    RefusedError,
    StatusCategory,
)
from demo_stack.services.gateway.front_door import FrontDoor
from demo_stack.services.gateway.tokens import TokenVerifier


class AdmitAtFrontDoor:
    """Refuses what the load balancers in front of the gateway have no capacity for."""

    name = "front-door"
    order = 10

    def __init__(self, door: FrontDoor) -> None:
        self._door = door

    def applies(self, _exchange: Exchange) -> bool:
        """Every request comes through the door."""
        return True

    async def apply(self, _exchange: Exchange) -> None:
        """Take a place in some zone's balancer."""
        if not self._door.admit(time.monotonic()):
            raise RefusedError(
                "load balancer: no capacity left",
                status=503,
                category=StatusCategory.FAILURE_LOCAL_BALANCER_CAPACITY,
            )


class ShedLoad:
    """Refuses the least important requests when too many are in flight."""

    name = "shed-load"
    order = 20

    def __init__(self, shedder: Shedder) -> None:
        self._shedder = shedder

    def applies(self, _exchange: Exchange) -> bool:
        """Every request has a priority."""
        return True

    async def apply(self, exchange: Exchange) -> None:
        """Let in what is important enough now."""
        if not self._shedder.admits(exchange.priority):
            raise RefusedError(
                f"shed at priority {exchange.priority.name}",
                status=503,
                category=StatusCategory.FAILURE_LOCAL_SHED,
            )


class Authenticate:
    """Finds out who asks."""

    name = "authenticate"
    order = 40

    def __init__(self, tokens: TokenVerifier) -> None:
        self._tokens = tokens

    def applies(self, exchange: Exchange) -> bool:
        """Signing in needs no token, nor does asking for what there is not."""
        return exchange.path not in {"/authorize", "/token", NO_ROUTE}

    async def apply(self, exchange: Exchange) -> None:
        """Verify the bearer token."""
        header = exchange.request.headers.get("authorization", "")
        exchange.viewer = await self._tokens.viewer(header)


class LimitRate:
    """Refuses a viewer who asks far more often than a person can.

    Args:
        per_s: Requests a second that one viewer may make on average.
        burst: Requests at once.
        now_s: The present, in seconds.
    """

    name = "rate-limit"
    order = 50
    REMEMBERED = 5_000

    def __init__(
        self,
        per_s: float = 20.0,
        burst: float = 60.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_s = per_s
        self._burst = burst
        self._now_s = now_s
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def applies(self, exchange: Exchange) -> bool:
        """Only viewers that are known."""
        return bool(exchange.viewer)

    async def apply(self, exchange: Exchange) -> None:
        """Take a token from the viewer's bucket."""
        now = self._now_s()
        tokens, filled = self._buckets.pop(exchange.viewer, (self._burst, now))
        tokens = min(self._burst, tokens + (now - filled) * self._per_s)
        self._buckets[exchange.viewer] = (max(0.0, tokens - 1.0), now)
        if len(self._buckets) > self.REMEMBERED:
            self._buckets.popitem(last=False)
        if tokens < 1.0:
            raise RefusedError(
                "too many requests of one viewer",
                status=429,
                category=StatusCategory.FAILURE_LOCAL_RATE_LIMITED,
            )


class MarkFailureTest:
    """Marks the requests of some accounts for a failure-injection test (FIT).

    The mark is baggage: it goes wherever the trace goes, and injection points look for it. A mark
    that comes from outside is taken off: only the gateway decides who is under test.

    Args:
        scopes: Name of the test by account; shared, so that tests can begin and end at any time.
        shares: Share of the accounts, 0 to 1, by name of the test: from a few to everybody.
    """

    name = "fit"
    order = 60

    def __init__(
        self, scopes: Mapping[str, str], shares: Mapping[str, float] | None = None
    ) -> None:
        self._scopes = scopes
        self._shares = {} if shares is None else shares

    def applies(self, _exchange: Exchange) -> bool:
        """Every request is either marked or made sure not to be."""
        return True

    async def apply(self, exchange: Exchange) -> None:
        """Put the test's scope into the baggage of everything that follows."""
        # The context that instrumentation attached is dropped after the request, and this with it.
        if scope := self._scope(exchange.viewer):
            otel_context.attach(baggage.set_baggage(FIT_BAGGAGE, scope))
        elif baggage.get_baggage(FIT_BAGGAGE) is not None:
            otel_context.attach(baggage.remove_baggage(FIT_BAGGAGE))

    def _scope(self, viewer: str) -> str:
        if not viewer:
            return ""
        if viewer in self._scopes:
            return self._scopes[viewer]
        drawn = (name for name, share in self._shares.items() if is_drawn(name, viewer, share))
        return next(drawn, "")


def is_drawn(test: str, viewer: str, share: float) -> bool:
    """Return whether an account belongs to the share of accounts that a test is made with.

    Always the same accounts for a test, and with a larger share all those of a smaller one.
    """
    drawn = hashlib.blake2b(f"{test}/{viewer}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn) < share * 2**32
