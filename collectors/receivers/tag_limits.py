"""Whether a series' tags are within a receiver's limits."""

from __future__ import annotations

from collectors.model import Rejection, Tags
from collectors.receivers.limits import ReceiverLimits


def refuse_tags(tags: Tags, limits: ReceiverLimits) -> Rejection | None:
    """Return why ``tags`` break ``limits``, or None if they are fine.

    The store has the last word; this keeps a receiver from remembering what it will refuse.
    """
    if not tags.get("name"):
        return Rejection(reason="nameMissing", detail="the series has no name", tags=dict(tags))
    if len(tags) > limits.max_tags:
        detail = f"{len(tags)} tags, at most {limits.max_tags} are kept; drop some at the source"
        return Rejection(reason="tagsTooMany", detail=detail, tags={"name": tags["name"][:80]})
    for key, value in tags.items():
        if not key or len(key) > limits.max_tag_key_chars:
            detail = f"tag key of {len(key)} characters, 1 to {limits.max_tag_key_chars} are legal"
            return Rejection(reason="keyTooLong", detail=detail, tags={"name": tags["name"][:80]})
        if len(value) > limits.max_tag_value_chars:
            detail = f"{key} has {len(value)} characters, at most {limits.max_tag_value_chars}"
            return Rejection(reason="valueTooLong", detail=detail, tags={"name": tags["name"][:80]})
    return None
