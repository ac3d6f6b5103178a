"""Tag keys and values in Atlas's alphabet."""

from __future__ import annotations

import re

from collectors.model import Rejection, Tags
from collectors.receivers.limits import ReceiverLimits

_ILLEGAL = re.compile(r"[^-._A-Za-z0-9^~]")


def legal(text: str) -> str:
    """Replace every character outside Atlas's alphabet ``-._A-Za-z0-9^~`` by ``_``.

    >>> legal("/titles/{id}")
    '_titles__id_'
    """
    return _ILLEGAL.sub("_", text)


def refuse_tags(tags: Tags, limits: ReceiverLimits) -> Rejection | None:
    """Return why ``tags`` break ``limits``, or None if they are fine."""
    if not tags.get("name"):
        return Rejection(reason="nameMissing", detail="the series has no name", tags=dict(tags))
    if len(tags) > limits.max_tags:
        detail = f"{len(tags)} tags, at most {limits.max_tags} are kept; drop some at the source"
        return Rejection(reason="tagsTooMany", detail=detail, tags={"name": tags["name"][:80]})
    for key, value in tags.items():
        if not key or len(key) > limits.max_tag_key_chars:
            detail = f"tag key of {len(key)} characters, 1 to {limits.max_tag_key_chars} are legal"
            return Rejection(reason="tagKeyLength", detail=detail, tags={"name": tags["name"][:80]})
        if len(value) > limits.max_tag_value_chars:
            detail = f"{key} has {len(value)} characters, at most {limits.max_tag_value_chars}"
            return Rejection(
                reason="tagValueTooLong", detail=detail, tags={"name": tags["name"][:80]}
            )
    return None
