"""Who calls whom."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping


class CallGraph:
    """Callees by caller, in alphabetical order: whatever walks the graph walks it the same way.

    Args:
        calls: Pairs of caller and callee; those of a service with itself tell nothing.
    """

    def __init__(self, calls: Iterable[tuple[str, str]]) -> None:
        found: dict[str, set[str]] = {}
        for caller, callee in calls:
            if caller != callee:
                found.setdefault(caller, set()).add(callee)
        self._callees = {caller: tuple(sorted(callees)) for caller, callees in found.items()}
        self._callers: dict[str, list[str]] = {}
        for caller in sorted(self._callees):
            for callee in self._callees[caller]:
                self._callers.setdefault(callee, []).append(caller)

    def callees(self, node: str) -> tuple[str, ...]:
        """Return what ``node`` calls."""
        return self._callees.get(node, ())

    def roots(self) -> tuple[str, ...]:
        """Return those that call and that nobody calls, in alphabetical order."""
        return tuple(caller for caller in sorted(self._callees) if caller not in self._callers)

    def callers_above(self, node: str) -> tuple[str, ...]:
        """Return whoever calls ``node``, directly or by others, the nearest first."""
        reached = [node]
        for at in reached:
            reached += [one for one in self._callers.get(at, ()) if one not in reached]
        return tuple(reached[1:])

    def paths(
        self, start: str, through: Container[str] | None = None
    ) -> Mapping[str, tuple[str, ...]]:
        """Return a shortest path from ``start`` to everything below it, both ends included.

        Args:
            start: Where to begin.
            through: Only nodes of these are entered; None for all.
        """
        found: dict[str, tuple[str, ...]] = {start: (start,)}
        reached = [start]
        for node in reached:
            for callee in self.callees(node):
                if callee not in found and (through is None or callee in through):
                    found[callee] = (*found[node], callee)
                    reached.append(callee)
        return found
