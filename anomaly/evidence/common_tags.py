"""What the places have in common where one rule fires, told with each of its findings."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from anomaly.evidence.tag_scan import (
    MAX_CELLS,
    MAX_KEYS,
    Cells,
    Direction,
    keys_that_tell,
    scan,
    tag_words,
)
from anomaly.findings import Finding, FindingState
from collectors.model import Tags

MIN_FIRING = 3
"""Fewer places have always something in common."""

MAX_TOLD_ANEW = 100
"""Findings told anew at once when what they have in common changes; the others with their next
numbers: in a storm of thousands nobody is to be held up by this."""

_CERTAIN = 1_000.0
_MOST = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What places that fire have in common.

    Attributes:
        tags: Values by key; none when nothing sets them apart.
        firing: How many places with these tags fire.
        places: How many places have these tags.
        others_firing: How many other places fire.
        others: How many other places there are.
    """

    tags: Tags
    firing: int
    places: int
    others_firing: int
    others: int

    @property
    def words(self) -> str:
        """Return it as a sentence; "" when nothing sets the places apart."""
        if not self.tags:
            return ""
        return (
            f" Where it fires has this in common: {tag_words(self.tags)} ({self.firing} of "
            f"{self.places} such places fire, {self.others_firing} of {self.others} others)."
        )


NOTHING = Common(tags={}, firing=0, places=0, others_firing=0, others=0)


def common_tags(places: Sequence[Tags], firing: Sequence[bool]) -> Common:
    """Return the tags that most places have that fire, and few that don't.

    >>> places = [{"cdn": cdn, "isp": isp} for cdn in "567" for isp in "abc"]
    >>> common_tags(places, [place["cdn"] == "5" for place in places]).tags
    {'cdn': '5'}

    Args:
        places: Tags of every place that is watched.
        firing: Whether each fires.
    """
    count = sum(firing)
    keys = keys_that_tell(places)[:MAX_KEYS]
    if count < MIN_FIRING or count == len(places) or not keys or len(places) > MAX_CELLS:
        return NOTHING
    cells = Cells(
        tags=places,
        observed=np.array(firing, dtype=np.float64),
        expected=np.full(len(places), count / len(places)),
    )
    for one in scan(cells, keys, direction=Direction.UP, trust=_CERTAIN).combinations:
        inside = round(one.observed)
        if inside >= _MOST * count and inside >= _MOST * one.cells:
            return Common(
                tags=one.tags,
                firing=inside,
                places=one.cells,
                others_firing=count - inside,
                others=len(places) - one.cells,
            )
    return NOTHING


class CommonTags:
    """Keeps for each rule what the places have in common where it fires."""

    def __init__(self) -> None:
        self._seen: dict[str, frozenset[tuple[tuple[str, str], ...]]] = {}
        self._common: dict[str, Common] = {}

    def told(self, rule: str, finding: Finding) -> Finding:
        """Return a finding as its rule has just written it, with what is known of its like."""
        common = self._common.get(rule, NOTHING)
        words = f"{finding.explanation}{common.words}" if common.tags else finding.explanation
        return replace(finding, explanation=words, explained_by=common.tags)

    def look(
        self,
        rule: str,
        places: Callable[[], Sequence[Tags]],
        findings: Mapping[Hashable, Finding],
    ) -> Iterator[tuple[Hashable, Finding]]:
        """Yield the findings that are to be told anew, as what they have in common has changed.

        Args:
            rule: Whose they are.
            places: Returns the tags of every place that the rule watches; asked when needed.
            findings: What is open.
        """
        firing = {k: f for k, f in findings.items() if f.state is FindingState.FIRING}
        seen = frozenset(tuple(sorted(finding.scope.items())) for finding in firing.values())
        before = self._common.get(rule, NOTHING)
        if self._seen.get(rule, frozenset()) == seen or not (seen or before.tags):
            return
        self._seen[rule] = seen
        common = _common(seen, places) if len(seen) >= MIN_FIRING else NOTHING
        if common.tags == before.tags:
            return
        self._common[rule] = common
        for key, finding in islice(firing.items(), MAX_TOLD_ANEW):
            written = finding.explanation.removesuffix(before.words)
            yield key, self.told(rule, replace(finding, explanation=written))

    def forget(self, rule: str) -> None:
        """Forget a rule that is gone."""
        self._seen.pop(rule, None)
        self._common.pop(rule, None)


def _common(
    seen: frozenset[tuple[tuple[str, str], ...]], places: Callable[[], Sequence[Tags]]
) -> Common:
    known = places()
    keys = sorted({key for place in known for key in place})
    firing = {tuple(scope.get(key, "") for key in keys) for scope in map(dict, seen)}
    flags = [tuple(place.get(key, "") for key in keys) in firing for place in known]
    return common_tags(known, flags)
