"""Who belongs to an incident without being named in it: members by rule, and when to tell how many.

Naming each of ten thousand findings would cost an event, a line in a thread and a place in memory
for each; an incident names the first ones of a rule, and the others are counted. Members are known
in memory only: after a restart the engine tells of everything that is open again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from anomaly.findings import Finding, FindingState, Urgency
from runbooks.incidents.commands import CountCrowd
from runbooks.incidents.crowd import Crowd, is_loud
from runbooks.incidents.incident import Incident

MAX_NAMED_OF_RULE = 25
"""Findings of one rule that an incident names; further ones are counted."""

MAX_NAMED = 200
"""Findings that an incident names in all."""

MAX_CROWDS = 200
OTHERS = "other rules"
"""The crowd of all rules for which there is no crowd of their own."""

TELL_EVERY_MS = 30_000
"""A number that changes without ringing anybody is told no more often than this."""

SETTLED_MS = 30_000
"""A crowd is over when none of it has fired for so long: what flaps is not over."""


@dataclass(slots=True)
class _Members:
    """Members of one incident's crowd; ``quiet_ms`` is since when none of them fires."""

    title: str
    told: Crowd | None = None
    firing: set[str] = field(default_factory=set)
    seen: int = 0
    again: int = 0
    latest_ms: int = 0
    told_ms: int = 0
    quiet_ms: int | None = None


Key = tuple[str, str]
"""Incident and rule."""


class Crowds:
    """Members of all incidents' crowds; for one thread.

    After a start the members of earlier crowds are unknown until they are told of again: those
    crowds are not said to be over before :meth:`settle`.
    """

    def __init__(self) -> None:
        self._members: dict[Key, _Members] = {}
        self._of: dict[str, Key] = {}
        self._homes: dict[tuple[str, str], str] = {}
        self._settled = False

    def restore(self, incident: Incident) -> None:
        """Remember the crowds that an open incident had before a restart."""
        for rule, crowd in incident.crowds.items():
            members = _Members(title=crowd.title, told=crowd, seen=crowd.seen)
            members.again, members.latest_ms = crowd.firing, crowd.latest_ms
            self._members[incident.id, rule] = members

    def settle(self) -> None:
        """From now on a crowd without members is over: everything open has been told of."""
        self._settled = True

    def owner(self, finding_id: str) -> str | None:
        """Return the incident in whose crowd a finding is."""
        key = self._of.get(finding_id)
        return None if key is None else key[0]

    def home(self, finding: Finding, service: str) -> str | None:
        """Return the incident whose crowd took a finding of the same rule and service last."""
        return self._homes.get((finding.rule, service))

    def title(self, incident_id: str) -> str:
        """Return the title of a crowd of an incident that fires, "" if none does."""
        firing = (m for (owner, _), m in self._members.items() if owner == incident_id and m.firing)
        return next((members.title for members in firing), "")

    def join(self, incident: Incident, finding: Finding, service: str, now_ms: int) -> None:
        """Count ``finding`` as one more of its rule in ``incident``."""
        key = (incident.id, finding.rule)
        if key not in self._members and len(incident.crowds) >= MAX_CROWDS:
            key = (incident.id, OTHERS)
        members = self._members.setdefault(key, _Members(title=finding.title))
        if members.again:
            members.again -= 1  # counted before the restart
        else:
            members.seen += 1
        members.latest_ms = max(members.latest_ms, finding.started_ms)
        self._homes[finding.rule, service] = incident.id
        self._of[finding.id] = key
        self.update(finding, now_ms)

    def update(self, finding: Finding, now_ms: int) -> None:
        """Take note of what has become of a member."""
        key = self._of[finding.id]
        members = self._members[key]
        over = finding.state is FindingState.RESOLVED and not finding.given_up
        if over:
            del self._of[finding.id]
        if over or finding.urgency is not Urgency.PAGE:
            members.firing.discard(finding.id)
        else:
            members.firing.add(finding.id)
        if members.firing:
            members.quiet_ms = None
        elif members.quiet_ms is None:
            members.quiet_ms = now_ms

    def due(self, now_ms: int) -> Iterator[tuple[str, CountCrowd]]:
        """Yield what is to be told now, by incident."""
        for (incident_id, rule), members in list(self._members.items()):
            if not self._is_due(members, now_ms):
                continue
            yield (
                incident_id,
                CountCrowd(
                    rule=rule,
                    title=members.title,
                    firing=len(members.firing),
                    seen=members.seen,
                    latest_ms=members.latest_ms,
                ),
            )

    def told(self, incident: Incident, now_ms: int) -> None:
        """Take note of what ``incident`` has been told of its crowds."""
        for rule, crowd in incident.crowds.items():
            members = self._members.get((incident.id, rule))
            if members is not None and members.told is not crowd:
                members.told, members.told_ms = crowd, now_ms

    def untold(self, incident: Incident) -> None:
        """Take note that what ``incident`` was told last may have been taken back."""
        for (owner, rule), members in self._members.items():
            if owner == incident.id:
                members.told = incident.crowds.get(rule)

    def move(self, incident_id: str, into: Incident) -> None:
        """Let another incident have the crowds of one that was merged into it."""
        for key in [key for key in self._members if key[0] == incident_id]:
            moved, rule = self._members.pop(key), key[1]
            members = self._members.setdefault((into.id, rule), _Members(title=moved.title))
            members.firing |= moved.firing
            members.seen += moved.seen
            members.again += moved.again
            members.latest_ms = max(members.latest_ms, moved.latest_ms)
            members.quiet_ms = None if members.firing else moved.quiet_ms
            members.told = into.crowds.get(rule)
        self._of = {
            one: (into.id, key[1]) if key[0] == incident_id else key
            for one, key in self._of.items()
        }
        self._homes = {
            at: into.id if owner == incident_id else owner for at, owner in self._homes.items()
        }

    def present(self, incident: Incident) -> Incident:
        """Return ``incident`` with the numbers of now; may be asked from any thread."""
        crowds = dict(incident.crowds)
        for (owner, rule), members in list(self._members.items()):
            if owner == incident.id and rule in crowds and not members.again:
                firing, seen = len(members.firing), members.seen
                crowds[rule] = replace(crowds[rule], firing=firing, seen=seen)
        return replace(incident, crowds=crowds)

    def forget(self, incident_id: str) -> None:
        """Forget the crowds of an incident that takes nothing in any more."""
        for key in [key for key in self._members if key[0] == incident_id]:
            del self._members[key]
        self._of = {one: key for one, key in self._of.items() if key[0] != incident_id}
        self._homes = {at: owner for at, owner in self._homes.items() if owner != incident_id}

    def incidents(self) -> set[str]:
        """Return the incidents that have crowds."""
        return {incident_id for incident_id, _ in self._members}

    def _is_due(self, members: _Members, now_ms: int) -> bool:
        told, firing = members.told, len(members.firing)
        if told is not None and (told.firing, told.seen) == (firing, members.seen):
            return False
        if not firing:
            if members.quiet_ms is None and self._settled:
                members.quiet_ms = now_ms
            return members.quiet_ms is not None and now_ms - members.quiet_ms >= SETTLED_MS
        if told is None or not told.firing or is_loud(told, firing):
            return True
        return now_ms - members.told_ms >= TELL_EVERY_MS
