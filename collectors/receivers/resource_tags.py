"""Which attributes of an OTLP resource become tags, and why the others do not.

A Kubernetes pod on a cloud has some thirty resource attributes. A few say whose measurement it is;
the others describe the machine or the process, are long, or change at every restart and would make
new series each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from collectors.limits import Limits
from collectors.model import Tags
from collectors.tag_rules import TagBounds

# The most useful first; what does not fit is dropped from the end.
DEFAULT_PATTERNS = (
    "service.*",
    "deployment.*",
    "host.name",
    "k8s.*.name",
    "cloud.region",
    "cloud.availability_zone",
)
NOT_CHOSEN = "notChosen"
TOO_MANY = "tagsTooMany"
NAMED_TWICE = "attributeOfPoint"
# Every series has tags of its own besides: name, kind, statistic and percentile.
OWN_TAGS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The attributes of a resource that are tags, the most useful first, and the others.

    ``dropped`` has a reason by attribute: a word such as ``notChosen`` or ``valueTooLong``.
    """

    tags: Tags
    dropped: Mapping[str, str] = field(default_factory=dict)


class ResourceTags:
    """Chooses by patterns in which ``*`` stands for any text.

    Args:
        patterns: The most useful first.
        limits: Bounds on keys, values and the number of tags.

    >>> choice = ResourceTags(("service.*", "team"))
    >>> chosen = choice.choose({"team": "tv", "service.name": "api", "os.type": "linux"})
    >>> chosen.tags, chosen.dropped
    ({'service.name': 'api', 'team': 'tv'}, {'os.type': 'notChosen'})
    """

    def __init__(
        self, patterns: Sequence[str] = DEFAULT_PATTERNS, limits: Limits | None = None
    ) -> None:
        self.patterns = tuple(patterns)
        self._bounds = TagBounds.of(limits or Limits())

    def choose(self, attributes: Tags) -> Chosen:
        """Return the attributes that are tags; those that can't be one are dropped too."""
        ranks: dict[str, int] = {}
        dropped: dict[str, str] = {}
        for key, value in attributes.items():
            rank = self._rank(key)
            fault = self._bounds.key_fault(key) or self._bounds.value_fault(key, value)
            if rank is None:
                dropped[key] = NOT_CHOSEN
            elif fault is not None:
                dropped[key] = fault.fault.value
            else:
                ranks[key] = rank
        order = sorted(ranks, key=lambda key: (ranks[key], key))
        return Chosen(tags={key: attributes[key] for key in order}, dropped=dropped)

    def _rank(self, key: str) -> int | None:
        for rank, pattern in enumerate(self.patterns):
            if fnmatchcase(key, pattern):
                return rank
        return None

    def join(self, resource: Tags, point: Tags) -> Chosen:
        """Return the tags of a point with those of its resource, as many as a series may have.

        The point knows better than its resource. What does not fit is dropped: the resource's
        least useful first, then the point's last by name.
        """
        room = self._bounds.max_tags - OWN_TAGS
        own = {key: value for key, value in resource.items() if key not in point}
        if len(own) + len(point) <= room:
            return Chosen(tags={**own, **point})
        kept_points = sorted(point)[:room]
        kept = list(own)[: room - len(kept_points)]
        lost = [key for key in (*own, *point) if key not in {*kept, *kept_points}]
        return Chosen(
            tags={**{key: own[key] for key in kept}, **{key: point[key] for key in kept_points}},
            dropped=dict.fromkeys(lost, TOO_MANY),
        )
