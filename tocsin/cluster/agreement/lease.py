"""A lease: who may do what one alone does, until when, and under which number. Pure.

All times are the database's, epoch milliseconds: nodes' clocks differ. The number, a *fencing
token*, grows with each holder, so that what an earlier one still says can be told apart. Sources:
Gray and Cheriton, "Leases" (1989); Kleppmann, "How to do distributed locking" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

LEAD = "lead"
"""The lease of whoever sends findings to the desk and delivers pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A row of the table of leases.

    Attributes:
        name: What is leased.
        holder: Name of the node that has it, or had it last; empty: nobody ever.
        session: Of the holder's process, for a node that starts again is another holder.
        token: Grows with each holder.
        since_ms: When the holder took it.
        until_ms: When it ends unless it is renewed.
        length_ms: For how long the holder takes it at a time.
    """

    name: str
    holder: str = ""
    session: str = ""
    token: int = 0
    since_ms: int = 0
    until_ms: int = 0
    length_ms: int = 0

    def held(self, now_ms: int) -> bool:
        """Whether somebody has it."""
        return now_ms < self.until_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a node asks of a lease.

    Attributes:
        node: Its name.
        session: Of its process.
        length_ms: For how long it wants the lease.
        wants: Whether it wants it at all; else it gives back what it has.
    """

    node: str
    session: str
    length_ms: int
    wants: bool = True


def decided(lease: Lease, wish: Wish, now_ms: int) -> Lease:
    """Return the lease as it is after a node has said what it wishes; the same if nothing changes.

    >>> free = Lease(name="lead")
    >>> taken = decided(free, Wish(node="a", session="1", length_ms=10), 100)
    >>> taken.holder, taken.token, taken.until_ms
    ('a', 1, 110)
    >>> decided(taken, Wish(node="b", session="2", length_ms=10), 109).holder
    'a'
    >>> later = decided(taken, Wish(node="b", session="2", length_ms=10), 110)
    >>> later.holder, later.token
    ('b', 2)
    """
    mine = lease.session == wish.session and lease.held(now_ms)
    if not wish.wants:
        return replace(lease, until_ms=now_ms) if mine else lease
    if mine:
        return replace(lease, until_ms=now_ms + wish.length_ms, length_ms=wish.length_ms)
    if lease.until_ms > now_ms + lease.length_ms:
        # The database's clock was set back. Its holder still counts on one length at most.
        return replace(lease, until_ms=now_ms + lease.length_ms)
    if lease.held(now_ms):
        return lease
    return Lease(
        name=lease.name,
        holder=wish.node,
        session=wish.session,
        token=lease.token + 1,
        since_ms=now_ms,
        until_ms=now_ms + wish.length_ms,
        length_ms=wish.length_ms,
    )
