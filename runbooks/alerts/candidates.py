"""Which incidents a finding may belong to, found without looking at all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from anomaly.findings import Finding
from collectors.model import Tags
from runbooks.alerts.grouping import SERVICE, ServiceEdge

Neighbours = Mapping[str, Collection[str]]


class Candidates:
    """Incidents by what grouping asks for: the rule, the service, the nearest change."""

    def __init__(self) -> None:
        self._by: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._keys: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def add(self, incident_id: str, finding: Finding) -> None:
        """Take note that a finding, as it is now, belongs to an incident."""
        self._note(incident_id, _keys(finding))

    def declare(self, incident_id: str, scopes: Iterable[Tags]) -> None:
        """Take note where people said that an incident is."""
        self._note(incident_id, [("service", s[SERVICE]) for s in scopes if SERVICE in s])

    def _note(self, incident_id: str, keys: Iterable[tuple[str, str]]) -> None:
        for key in keys:
            self._by[key][incident_id] = None
            self._keys[incident_id].add(key)

    def near(self, finding: Finding, neighbours: Neighbours) -> set[str]:
        """Return the incidents to which ``finding`` may relate; no other one does."""
        keys = _keys(finding)
        service = finding.scope.get(SERVICE)
        if service is not None:
            keys += [("service", other) for other in neighbours.get(service, ())]
        return {incident_id for key in keys for incident_id in self._by.get(key, ())}

    def incidents(self) -> list[str]:
        """Return the incidents that are known."""
        return list(self._keys)

    def forget(self, incident_id: str) -> None:
        """Forget an incident that takes nothing in any more."""
        for key in self._keys.pop(incident_id, ()):
            self._by[key].pop(incident_id, None)
            if not self._by[key]:
                del self._by[key]


def neighbours_of(edges: Iterable[ServiceEdge]) -> dict[str, set[str]]:
    """Return by service which ones call it or are called by it.

    >>> sorted(neighbours_of([("a", "b"), ("b", "c")])["b"])
    ['a', 'c']
    """
    found: dict[str, set[str]] = defaultdict(set)
    for client, server in edges:
        found[client].add(server)
        found[server].add(client)
    return found


def _keys(finding: Finding) -> list[tuple[str, str]]:
    keys = [("rule", finding.rule)]
    if SERVICE in finding.scope:
        keys.append(("service", finding.scope[SERVICE]))
    if finding.changes:
        keys.append(("change", finding.changes[0].id))
    return keys
