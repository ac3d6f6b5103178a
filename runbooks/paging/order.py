"""What is sent next: pages first, and each message's own lines in their order. Pure.

A channel takes about a message a second. While many wait, somebody who has not heard of an outage
must not wait behind the edits and threads of outages that people know of.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from runbooks.notifiers.delivery import Action
from runbooks.paging.routing import Target

Message = tuple[str, Target]
"""An incident and where it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What a way takes no more of for now.

    Attributes:
        notifier: Whose limit it is.
        channel: Of which channel; None for all: a limit on edits is one of the whole workspace.
        edits: Edits; otherwise new messages and thread lines.
        pages: Whether messages that ring have to wait, too.
    """

    notifier: str
    channel: str | None
    edits: bool
    pages: bool = True

    def covers(self, target: Target, action: Action) -> bool:
        """Return whether this has to wait."""
        if self.notifier != target.notifier or self.edits is not (action is Action.EDIT):
            return False
        if action is Action.OPEN and not self.pages:
            return False
        return self.channel is None or self.channel == target.channel


def hold_of(target: Target, action: Action) -> Hold:
    """Return what has to wait after a way said that it limits the rate of ``action``."""
    edits = action is Action.EDIT
    channel = None if edits else target.channel
    return Hold(notifier=target.notifier, channel=channel, edits=edits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An unfinished row of the outbox; ``first`` is a page that nobody has been sent before."""

    id: int
    message: Message
    action: Action
    first: bool
    claimed: bool
    due_ms: int


def next_row(
    rows: Sequence[Queued], now_ms: int, holds: Collection[Hold], *, newest: bool = False
) -> int | None:
    """Return the id of the row to be sent next, None if none can be.

    First pages go before messages that ring again, those before edits and thread lines. A page
    waits for older pages of its incident only; anything else for all that is older there.

    Args:
        rows: Everything unfinished, oldest first.
        now_ms: The present, epoch milliseconds.
        holds: What has to wait.
        newest: Take the newest of the first pages, not the oldest. When both take turns, whatever
            breaks next is told of at once, however many wait.
    """
    paged: set[Message] = set()
    seen: set[Message] = set()
    ready: tuple[list[int], list[int], list[int]] = ([], [], [])
    for row in rows:
        rings = row.action is Action.OPEN
        held_up = row.message in (paged if rings else seen)
        seen.add(row.message)
        if rings:
            paged.add(row.message)
        if held_up or row.claimed or row.due_ms > now_ms:
            continue
        if not any(hold.covers(row.message[1], row.action) for hold in holds):
            ready[0 if rings and row.first else 1 if rings else 2].append(row.id)
    first, again, others = ready
    if first:
        return first[-1 if newest else 0]
    return next(iter([*again[:1], *others[:1]]), None)
