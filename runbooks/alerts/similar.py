"""Past incidents that look like one: what helped then may help now. Pure; each with its reason."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from runbooks.alerts.grouping import SERVICE, ServiceEdge
from runbooks.incidents.incident import Incident

MAX_SIMILAR = 5
MAX_COMPARED = 500
"""Incidents, the newest first, among which similar ones are looked for."""

SAME_PLACE, SAME_RULE, SAME_SERVICE, NEIGHBOUR, SAME_WORDS = 4, 3, 2, 1, 2
ENOUGH = 3
"""A service that was in trouble before is no likeness by itself."""

ALIKE = 0.5
"""Titles that share this part of their words say the same."""

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """A past incident, how much it looks like this one, and by what."""

    incident: Incident
    score: int
    why: str


def similar_to(
    incident: Incident, others: Iterable[Incident], edges: Collection[ServiceEdge] = ()
) -> list[Similar]:
    """Return the past incidents that look most like ``incident``, the likest first.

    Args:
        incident: Which.
        others: All there are, the newest first; of these the first ``MAX_COMPARED`` are looked at.
        edges: Which service calls which.
    """
    past = [o for o in others if o.id != incident.id and not o.is_open and o.merged_into is None]
    found = [s for other in past[:MAX_COMPARED] if (s := likeness(incident, other, edges))]
    return sorted(found, key=lambda s: (-s.score, -s.incident.opened_ms))[:MAX_SIMILAR]


def likeness(one: Incident, other: Incident, edges: Collection[ServiceEdge]) -> Similar | None:
    """Return by what ``other`` looks like ``one``, None if it does not."""
    reasons = [*_by_rule(one, other), *_by_service(one, other, edges), *_by_words(one, other)]
    score = sum(points for points, _ in reasons)
    if score < ENOUGH:
        return None
    return Similar(incident=other, score=score, why="; ".join(why for _, why in reasons))


def _by_rule(one: Incident, other: Incident) -> list[tuple[int, str]]:
    rules = {f.rule for f in one.findings.values()} & {f.rule for f in other.findings.values()}
    places = {(f.rule, frozenset(f.scope.items())) for f in one.findings.values()}
    places &= {(f.rule, frozenset(f.scope.items())) for f in other.findings.values()}
    if places:
        return [(SAME_PLACE, f"same rule {min(rule for rule, _ in places)} in the same place")]
    return [(SAME_RULE, f"same rule {min(rules)}")] if rules else []


def _by_service(
    one: Incident, other: Incident, edges: Collection[ServiceEdge]
) -> list[tuple[int, str]]:
    mine, theirs = one.scope_values(SERVICE), other.scope_values(SERVICE)
    if same := sorted(set(mine) & set(theirs)):
        return [(SAME_SERVICE, f"same service {same[0]}")]
    calls = sorted((a, b) for a in mine for b in theirs if (a, b) in edges or (b, a) in edges)
    return [(NEIGHBOUR, f"{calls[0][0]} and {calls[0][1]} call each other")] if calls else []


def _by_words(one: Incident, other: Incident) -> list[tuple[int, str]]:
    mine, theirs = _words(one.title), _words(other.title)
    shared = mine & theirs
    if not shared or len(shared) < ALIKE * len(mine | theirs):
        return []
    return [(SAME_WORDS, f"same words: {', '.join(sorted(shared))}")]


def _words(text: str) -> set[str]:
    """Return the words of a title that say something.

    >>> sorted(_words("Playback starts fail in us-east-1 (12 %)"))
    ['east', 'fail', 'playback', 'starts']
    """
    return {word.lower() for word in _WORD.findall(text)}
