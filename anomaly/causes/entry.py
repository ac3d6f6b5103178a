"""From where requests come in down to where it is felt: the callers that suffer most."""

from __future__ import annotations

from collections.abc import Mapping

MAX_WAY = 32
"""Longer ways are told from their middle on: a graph of calls is no deeper."""


def way_in(costs: Mapping[tuple[str, str], float], felt: str, outside: str) -> tuple[str, ...]:
    """Return the services from where requests come in to ``felt``, both included.

    At each step up the caller comes next whose calls cost most beyond the usual, the first by name
    among equals.

    >>> way_in({("user", "web"): 1.0, ("web", "pay"): 2.0, ("cron", "pay"): 1.0}, "pay", "user")
    ('web', 'pay')

    Args:
        costs: By caller and callee, what the callee's answers cost the caller beyond the usual:
            seconds, or failed requests.
        felt: Where to begin.
        outside: The node that stands for whoever calls from outside; it is no part of the way.
    """
    way = [felt]
    while len(way) < MAX_WAY:
        callers = {
            caller: cost
            for (caller, callee), cost in costs.items()
            if callee == way[-1] and caller not in way
        }
        if not callers:
            break
        worst = min(callers, key=lambda caller: (-callers[caller], caller))
        if worst == outside:
            break
        way.append(worst)
    return tuple(reversed(way))
