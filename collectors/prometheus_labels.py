"""Prometheus labels as tags, kept as they were sent.

``__name__`` becomes ``name``; empty values mean "absent" as in Prometheus. Labels whose names mean
something here are renamed as Prometheus renames labels that it needs itself: ``exported_name``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from collectors.metric_kinds import MetricKinds, MetricType, typed_kind
from collectors.model import DSTYPE

# Tags that say which metric it is and how its samples are counted.
RESERVED_KEYS = frozenset({"name", DSTYPE})
_EXPORTED = "exported_"


def prometheus_tags(
    labels: Iterable[tuple[str, str]],
    metric_type: int = MetricType.UNKNOWN,
    kinds: MetricKinds | None = None,
) -> dict[str, str]:
    """Return tags for ``labels``.

    Args:
        labels: Names and values.
        metric_type: What the sender says of the series.
        kinds: What senders said of metrics before.

    >>> prometheus_tags([("__name__", "up"), ("name", "a/b"), ("exported_name", "c")])
    {'name': 'up', 'atlas.dstype': 'gauge', 'exported_exported_name': 'a/b', 'exported_name': 'c'}
    """
    given = [(key, value) for key, value in labels if value]
    names = {key for key, _ in given}
    tags: dict[str, str] = {}
    for key, value in given:
        if key == "__name__":
            kind = kinds.kind(value, metric_type) if kinds else typed_kind(value, metric_type)
            tags |= {"name": value, DSTYPE: kind.value}
        else:
            tags[free_key(key, names)] = value
    return tags


def free_key(key: str, taken: Container[str], reserved: Container[str] = RESERVED_KEYS) -> str:
    """Return the tag key for a sender's ``key``: its own, unless that is reserved.

    Args:
        key: As it was sent.
        taken: All keys that the sender uses.
        reserved: Keys that mean something else here.

    >>> free_key("name", {"name"}), free_key("city", {"city"})
    ('exported_name', 'city')
    """
    if key not in reserved:
        return key
    key = _EXPORTED + key
    while key in taken or key in reserved:
        key = _EXPORTED + key
    return key


def tag_key(label: str) -> str:
    """Return the tag key that a label's name becomes if no other label stands in its way."""
    return "name" if label == "__name__" else free_key(label, ())


def label_of(key: str) -> str:
    """Return the label that is kept under a tag key.

    >>> label_of("name"), label_of("exported_name"), label_of("job")
    ('__name__', 'name', 'job')
    """
    if key == "name":
        return "__name__"
    return "name" if key == f"{_EXPORTED}name" else key


def label_name(key: str) -> str | None:
    """Return the label that a tag key stands for; None for what is none: the kind of a series."""
    return None if key == DSTYPE else label_of(key)


def label_flaw(names: Sequence[str]) -> tuple[str, str] | None:
    """Return a reason and its details if label names break the protocol's rules, else None."""
    if len(set(names)) != len(names):
        return "duplicateLabel", f"a label is given twice in {list(names[:20])}"
    if "" in names:
        return "emptyLabel", f"a label without a name in {list(names[:20])}"
    return None
