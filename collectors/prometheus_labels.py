"""Prometheus labels as Atlas tags.

``__name__`` becomes ``name``; characters outside Atlas's alphabet become ``_``; empty values mean
"absent" as in Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collectors.metric_kinds import MetricKinds, MetricType, typed_kind
from collectors.model import DSTYPE
from collectors.tag_rules import legal_text


def prometheus_tags(
    labels: Iterable[tuple[str, str]],
    metric_type: int = MetricType.UNKNOWN,
    kinds: MetricKinds | None = None,
) -> dict[str, str]:
    """Return tags for ``labels``; a label called ``name`` is kept as ``exported_name``.

    Args:
        labels: Names and values.
        metric_type: What the sender says of the series.
        kinds: What senders said of metrics before.
    """
    tags: dict[str, str] = {}
    for key, value in labels:
        if not value:
            continue
        tags[tag_key(key)] = legal_text(value)
        if key == "__name__":
            kind = kinds.kind(value, metric_type) if kinds else typed_kind(value, metric_type)
            tags[DSTYPE] = kind.value
    return tags


def tag_key(label: str) -> str:
    """Return the tag key that a label's name becomes."""
    if label == "__name__":
        return "name"
    return "exported_name" if label == "name" else legal_text(label)


def label_flaw(names: Sequence[str]) -> tuple[str, str] | None:
    """Return a reason and its details if label names break the protocol's rules, else None."""
    if len(set(names)) != len(names):
        return "duplicateLabel", f"a label is given twice in {list(names[:20])}"
    if "" in names:
        return "emptyLabel", f"a label without a name in {list(names[:20])}"
    return None
