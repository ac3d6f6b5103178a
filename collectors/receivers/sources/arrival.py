"""One request of one sender, and what receivers count while they serve it.

A receiver counts what it keeps and refuses by its own name. That the counts belong to a sender too
is none of its business: whoever opens the request says whose it is, and the counts made in its
context, in whatever thread, are added up here as well.
"""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field

# Services that one request names; a gateway forwards for more, and is shown as one.
MAX_NAMED = 20


@dataclass(slots=True, kw_only=True, eq=False)
class Arrival:
    """What is known of a request.

    Attributes:
        peer: The host that it came from, as the socket tells it.
        agent: What the client calls itself; empty when it does not say.
        named: Services and their instances for which it speaks, at most ``MAX_NAMED``.
        accepted: Samples, spans or lines kept, by receiver.
        refused: How many were refused, by receiver and reason.
        details: Why, in words, by reason: the newest.
    """

    peer: str
    agent: str = ""
    named: set[tuple[str, str]] = field(default_factory=set)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)

    @property
    def receivers(self) -> set[str]:
        """The receivers that counted anything."""
        return {*self.accepted, *(receiver for receiver, _ in self.refused)}


CURRENT: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


def speaks_for(service: str, instance: str = "") -> None:
    """Note that the request being served is about a service; without a request it is nothing."""
    arrival = CURRENT.get()
    if arrival is not None and len(arrival.named) < MAX_NAMED:
        arrival.named.add((service, instance))


def note_accepted(receiver: str, count: int) -> None:
    """Note that the request being served brought something that was kept."""
    arrival = CURRENT.get()
    if arrival is not None:
        arrival.accepted[receiver] += count


def note_refused(receiver: str, reason: str, count: int, detail: str) -> None:
    """Note that part of the request being served was refused."""
    arrival = CURRENT.get()
    if arrival is not None:
        arrival.refused[receiver, reason] += count
        if detail:
            arrival.details[reason] = detail
