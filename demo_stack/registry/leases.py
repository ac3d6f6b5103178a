"""The registry itself: leases, renewal, eviction, and doubt about its own eyes.

As in Eureka's ``PeerAwareInstanceRegistry``: a lease that is not renewed is evicted, in random
order and never more than 15 % of the registry at once. When fewer than 85 % of the renewals
expected in a minute arrive, the registry suspects the network rather than the instances and evicts
nobody (self-preservation).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

RENEWAL_SHARE = 0.85
MINUTE_MS = 60_000
REMEMBERED_MS = 3 * MINUTE_MS
"""How long changes are told in deltas."""

MAX_INSTANCES = 5_000
MAX_CHANGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A registered instance.

    Attributes:
        service: What it serves.
        id: Unique among its service.
        url: Where it listens.
        zone: Availability zone.
        status: ``UP``, or ``OUT_OF_SERVICE`` when it shall get no traffic.
        renewal_ms: It renews this often; 0 for as often as the registry asks.
        duration_ms: Its lease ends so long after a renewal; 0 for when the registry says.
    """

    service: str
    id: str
    url: str
    zone: str = ""
    status: str = "UP"
    renewal_ms: int = 0
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings:
    """How leases run.

    Attributes:
        duration_ms: A lease ends this long after its last renewal.
        renewal_ms: Instances renew this often.
        self_preservation: Whether to doubt a sudden loss of many.
    """

    duration_ms: int = 9_000
    renewal_ms: int = 3_000
    self_preservation: bool = True


class LeaseRegistry:
    """Instances and their leases.

    Args:
        now_ms: The present.
        settings: How leases run.
        rng: Order of evictions.
    """

    def __init__(
        self,
        now_ms: Callable[[], int],
        settings: LeaseSettings | None = None,
        rng: Random | None = None,
    ) -> None:
        self._now_ms = now_ms
        self._settings = settings or LeaseSettings()
        self._rng = rng or Random(0)
        self._leases: dict[tuple[str, str], tuple[Instance, int]] = {}
        self._renewals: deque[int] = deque()
        self._changes: deque[tuple[int, str, Instance]] = deque(maxlen=MAX_CHANGES)
        self.version = 1
        self._started_ms = now_ms()

    def register(self, instance: Instance) -> bool:
        """Begin or replace a lease; ``False`` when there are too many."""
        if len(self._leases) >= MAX_INSTANCES:
            return False
        self._leases[instance.service, instance.id] = (instance, self._now_ms())
        self._remember("ADDED", instance)
        return True

    def renew(self, service: str, instance_id: str) -> bool:
        """Prolong a lease; ``False`` tells the instance to register again."""
        held = self._leases.get((service, instance_id))
        if held is None:
            return False
        self._leases[service, instance_id] = (held[0], self._now_ms())
        self._renewals.append(self._now_ms())
        return True

    def cancel(self, service: str, instance_id: str) -> bool:
        """End a lease; ``False`` when there was none."""
        held = self._leases.pop((service, instance_id), None)
        if held is not None:
            self._remember("DELETED", held[0])
        return held is not None

    def set_status(self, service: str, instance_id: str, status: str) -> bool:
        """Say whether an instance shall get traffic; ``False`` when it is unknown."""
        held = self._leases.get((service, instance_id))
        if held is None:
            return False
        changed = replace(held[0], status=status)
        self._leases[service, instance_id] = (changed, held[1])
        self._remember("MODIFIED", changed)
        return True

    def instances(self, service: str | None = None) -> list[Instance]:
        """Return the instances of a service, or all, in the order in which they came."""
        return [held for (name, _), (held, _) in self._leases.items() if service in {None, name}]

    @property
    def expected_renewals(self) -> float:
        """Renewals a minute, were everybody well."""
        own = self._settings.renewal_ms
        return sum(MINUTE_MS / (held.renewal_ms or own) for held, _ in self._leases.values())

    def recent_changes(self) -> list[tuple[str, Instance]]:
        """Return what changed in the last three minutes: action and instance, oldest first."""
        since_ms = self._now_ms() - REMEMBERED_MS
        return [(action, one) for at_ms, action, one in self._changes if at_ms >= since_ms]

    @property
    def preserving(self) -> bool:
        """Whether too few renewals came for eviction to be trusted."""
        if not self._settings.self_preservation:
            return False
        now = self._now_ms()
        while self._renewals and self._renewals[0] <= now - MINUTE_MS:
            self._renewals.popleft()
        observed_ms = min(MINUTE_MS, now - self._started_ms)
        expected = self.expected_renewals * observed_ms / MINUTE_MS
        return len(self._renewals) < RENEWAL_SHARE * expected

    def evict(self) -> list[Instance]:
        """Remove what has not renewed, as far as that is believable; return what was removed."""
        if self.preserving:
            return []
        now_ms, own_ms = self._now_ms(), self._settings.duration_ms
        expired = [
            key
            for key, (held, renewed_ms) in self._leases.items()
            if renewed_ms < now_ms - (held.duration_ms or own_ms)
        ]
        most = max(1, len(self._leases) - int(len(self._leases) * RENEWAL_SHARE))
        chosen = self._rng.sample(expired, min(len(expired), most))
        gone = [self._leases.pop(key)[0] for key in chosen]
        for instance in gone:
            self._remember("DELETED", instance)
        return gone

    def _remember(self, action: str, instance: Instance) -> None:
        self._changes.append((self._now_ms(), action, instance))
        self.version += 1
